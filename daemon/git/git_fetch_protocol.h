/// What GitFetcher and its child say to each other: JSON, one document down, one a line back.
#pragma once

#include <sys/types.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>

#include "git_fetch.h"

namespace tokensync {

inline constexpr std::size_t kRequestBytesMax = 64 * 1024;
inline constexpr std::size_t kRepliesBytesMax = 64 * 1024;

/// How a step of the child ends early; becomes a FetchFailed reply.
class FetchStop : public std::runtime_error {
 public:
  FetchStop(FetchFailure failure_, const std::string& text) : std::runtime_error(text), failure(failure_) {}
  FetchFailure failure;
};

struct ChildRequest {
  FetchRequest fetch;
  pid_t parent = 0;  ///< the process to die with
};

/// The child got so far: "connecting to HOST". For the text of a time-out.
struct FetchPhase {
  std::string doing;
};
/// The head of what is followed is in the mirror.
struct FetchDone {
  CommitId head;
};
/// Nothing was fetched. `text`: cause and advice.
struct FetchFailed {
  FetchFailure failure = FetchFailure::kInternal;
  std::string text;
};
using FetchReply = std::variant<FetchPhase, FetchDone, FetchFailed>;

/// Throws FetchStop where a value is not UTF-8 or all is too long.
std::string WriteRequest(const ChildRequest& request);
/// Throws FetchStop.
ChildRequest ReadRequest(std::string_view text);

/// One line, with its end.
std::string WriteReply(const FetchReply& reply);
/// The reply of one line, or nothing where it is none.
std::optional<FetchReply> ReadReply(std::string_view line);

}  // namespace tokensync
