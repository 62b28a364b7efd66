/// What the tests of the HTTP adapter have in common: a clock, a token made at run time, calls, and the replies to
/// them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "http_metadata_api.h"
#include "ports.h"

namespace tokensync {

/// Wall-clock time that a test sets; any thread.
class SetClock : public Clock {
 public:
  TimePoint Now() override { return now; }
  TimePoint now{std::chrono::seconds(1'800'000'000)};
};

/// Three parts of random letters, like a JWT. The same for the whole run.
const Secret& RunToken();

/// Project 30957, collection 888.
TokenKey KeyOf(const std::string& token_id);
/// A create of a token with a name and one of the two-spelled fields.
Call CreateCall(const std::string& token_id);
Call ReadCall(const std::string& token_id);
Call ListCall(std::uint32_t page);
/// What the service answers to CreateCall: the token as it was sent, in the vendor's spelling.
std::string TokenReply(const std::string& token_id);

/// An api with short time-outs.
std::unique_ptr<HttpMetadataApi> ApiFor(const std::string& url, Clock& clock, HttpApiOptions options = {});

/// "created", "already-there", "refused", "refused-after-tries", "not-sent", "throttled", "denied-credential",
/// "denied-endpoint", "denied-quota", "unknown".
std::string NameOf(const CreateOutcome& outcome);
/// "found", "found-different", "absent", "unsupported", "reading-failed", and as above.
std::string NameOf(const ReadOutcome& outcome);
/// "listed", and as above.
std::string NameOf(const ListOutcome& outcome);

}  // namespace tokensync
