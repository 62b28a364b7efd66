#include "ledger_notice.h"

#include <string_view>

namespace tokensync {

namespace {

std::string_view FoundBy(LedgerStanding standing) {
  switch (standing) {
    case LedgerStanding::kContinued:
    case LedgerStanding::kNew:
      return "";
    case LedgerStanding::kLost:
      return "a ledger ran here before and is gone; this one is empty";
    case LedgerStanding::kOlderCopy:
      return "this ledger is an older copy of the one that ran here last";
    case LedgerStanding::kOtherBranch:
      return "this ledger is another one than that which ran here last, or went another way since they were one";
    case LedgerStanding::kCopied:
      return "this ledger is a copy of the one that ran here last, put in its place";
    case LedgerStanding::kUnmarked:
      return "nothing tells whether this ledger ran here last: it is a copy of unknown age, or a program ran that "
             "leaves no mark";
  }
  return "";
}

}  // namespace

std::optional<std::string> LedgerNotice(LedgerStanding standing, bool surveys) {
  if (!IsDistrusted(standing)) return std::nullopt;
  return std::string(FoundBy(standing)) +
         (surveys ? "; what it knows may be older than the service: every collection is read before anything is "
                    "created in it"
                  : "; what it knows may be older than the service, and api.survey: never lets creates go ahead "
                    "unseen");
}

}  // namespace tokensync
