/// Problems as text: for people, for scripts, for a forge's log.
#pragma once

#include <string>
#include <string_view>

#include "model.h"

namespace tokensync {

/// PrintableText of the first characters, with `…` where there are more.
std::string Shortened(std::string_view text);

/// `file:line:column: what`, the line of the file, a caret under the place, and the advice, as lines without a line end
/// after the last one. Safe for a terminal. `colour` adds SGR escapes.
std::string ProblemText(const Problem& problem, bool colour);

/// One JSON object in one line without line end: path, line, column, what, advice.
std::string ProblemJson(const Problem& problem);

/// A workflow command of GitHub Actions, one line without line end: `::error file=…,line=…,col=…::what`.
std::string ProblemGithub(const Problem& problem);

}  // namespace tokensync
