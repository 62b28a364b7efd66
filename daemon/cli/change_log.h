/// What was recorded in the ledger, as lines for the log.
#pragma once

#include <string>
#include <vector>

#include "log.h"
#include "ports.h"

namespace tokensync {

/// "created 30957/888/200": what happened, to which token.
std::string MessageOf(const Change& change);

/// Debug for what only begins, info for what came out well, warning for what a person should see: refused, conflicts,
/// lost calls, reports.
LogLevel LevelOf(const Change& change);

/// The same of a notice.
std::string MessageOf(const Notice& notice);
LogLevel LevelOf(const Notice& notice);
std::vector<LogField> FieldsOf(const Notice& notice);

/// The record under the names of the log's columns, but for its time, which the line has; what is empty is left out.
std::vector<LogField> FieldsOf(const Change& change);

}  // namespace tokensync
