/// What is said of a ledger that is not the one that ran last.
#pragma once

#include <optional>
#include <string>

#include "sqlite_ledger.h"

namespace tokensync {

/// A warning, for one that is distrusted: what was found, and what happens now. `surveys`: whether collections are
/// read before anything is created in them.
std::optional<std::string> LedgerNotice(LedgerStanding standing, bool surveys);

}  // namespace tokensync
