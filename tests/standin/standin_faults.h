/// What the stand-in service can be told to do wrong, and which of the unknown behaviours of the real one it shows.
///
/// The same settings are taken as JSON, see the end of this file.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace tokensync::standin {

using Milliseconds = std::chrono::milliseconds;

/// CreateToken on a tokenId that exists: 409 RequestConflict, replaced and answered as created, or 400 with code 0.
enum class ExistingToken { kConflict, kOverwrite, kError };

/// Which spelling of the four two-spelled fields is read; the other is dropped silently. Replies are always snake_case
/// for kSnake and kBoth, camelCase for kCamel.
enum class Spelling { kSnake, kCamel, kBoth };

/// UpdateToken: the token is replaced, or the fields that are given are.
enum class UpdateStyle { kReplace, kMerge };

/// What a 429 says about the time to wait, which is the whole window: seconds, an HTTP date, or nothing.
enum class RetryAfter { kSeconds, kDate, kNone };

/// At most `calls` calls for one project in any `window`; more are answered 429 RateLimited. A project is what the
/// bodies name; all that name none count as one.
struct RateLimit {
  std::uint64_t calls = 0;
  Milliseconds window{60'000};
  RetryAfter retry_after = RetryAfter::kSeconds;
  /// Whether every answer carries Credits-Rate-Limit, Credits-Rate-Remaining and Credits-Rate-Reset.
  bool credits = true;
};

/// What happens to a connection that was idle for a while.
enum class IdleEnd { kClose, kReset, kAnswer408 };

/// How the service behaves as long as it is not told otherwise.
struct Behaviour {
  ExistingToken existing = ExistingToken::kConflict;
  Spelling keeps_spelling = Spelling::kSnake;
  UpdateStyle update = UpdateStyle::kReplace;
  std::vector<std::string> dropped_fields =
      {};                              ///< token fields (as spelled in replies) that are accepted and not kept
  Milliseconds stale_reads{0};         ///< GetToken and ListTokens do not see what is younger than this
  bool get_token = true;               ///< false: GetToken is no route (404 WebrpcBadRoute)
  bool list_tokens = true;             ///< false: ListTokens is no route
  std::uint64_t first_page = 0;        ///< whether ListTokens counts pages from 0 or from 1
  std::uint64_t page_size_max = 1000;  ///< tokens in a page, whatever was asked for; at least 1
  Milliseconds latency{0};             ///< before a call is carried out
  Milliseconds latency_jitter{0};      ///< added at random, evenly from 0 to this
  std::optional<RateLimit> rate_limit = std::nullopt;
  Milliseconds idle_after{60'000};  ///< when an idle kept-alive connection is ended by the service
  IdleEnd idle_end = IdleEnd::kClose;
  /// Of rules with a probability and of jitter. What a rule does to the nth call of a method for a token depends on the
  /// seed, the rule's place, the method, the token and n alone, not on the order of calls.
  std::uint64_t seed = 1;
};

/// Answers an error. Names are those of the published description and of the vendor's middleware (see ErrorNames());
/// `code`, `status` and `msg` replace the documented ones where they are given.
struct AnswerError {
  std::string name = {};
  std::optional<int> code = std::nullopt;
  std::optional<int> status = std::nullopt;
  std::string msg = {};
  std::string cause = {};
};

/// Answers just this.
struct AnswerRaw {
  int status = 200;
  std::string content_type = "application/json";
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
};

enum class Garbage {
  kNotJson,           ///< 200, application/json, bytes that are no JSON
  kHtml,              ///< 200, text/html, a page
  kWrongContentType,  ///< the right body as text/plain
  kTruncatedJson,     ///< the first half of the right body, with a Content-Length that fits
  kShortBody,         ///< half of the body that Content-Length announces, then the connection ends
  kOversized,         ///< a JSON reply of oversized_bytes
  kWrongToken,        ///< 200 with a token of another tokenId
  kEmptyBody          ///< 200 without a byte of body
};

/// Answers what no client can read.
struct AnswerGarbage {
  Garbage kind = Garbage::kNotJson;
  std::size_t oversized_bytes = std::size_t{64} << 20;
};

/// Ends the connection without a byte of reply. `reset`: by RST instead of FIN.
struct Cut {
  bool reset = false;
};

/// Ends the connection after the first `bytes` bytes of the reply, status line and headers included.
struct CutReply {
  std::size_t bytes = 20;
  bool reset = false;
};

/// Answers nothing until the client gives up, at most this long; then the connection is closed.
struct AnswerNothing {
  Milliseconds longest{120'000};
};

/// Answers a byte in each interval, at most for `longest`; then the connection is closed.
struct Drip {
  Milliseconds interval{100};
  Milliseconds longest{120'000};
};

/// Ends the connection at once and carries the call out after `delay`.
struct ApplyLate {
  Milliseconds delay{1'000};
  bool reset = false;
};

/// Waits until StandinServer::Release(), at most `longest`, then goes on as if nothing was. With FaultRule::applies the
/// call is carried out first, and its answer waits.
struct Hold {
  Milliseconds longest{120'000};
};

using Effect = std::variant<AnswerError, AnswerRaw, AnswerGarbage, Cut, CutReply, AnswerNothing, Drip, ApplyLate, Hold>;

/// A fault and when it strikes. Rules are looked at in order; the first that matches strikes, and only that.
struct FaultRule {
  Effect effect;
  std::string method = {};                            ///< "CreateToken" and so on; empty: every method
  std::string token_id = {};                          ///< canonical; empty: every token
  std::uint64_t skip = 0;                             ///< lets this many matching calls pass first
  std::optional<std::uint64_t> times = std::nullopt;  ///< strikes so often, then never; absent: always
  double probability = 1.0;
  /// Whether the call is carried out before the effect. The effect then replaces the answer.
  bool applies = false;
};

// The JSON form (StandinServer::SetFaults, POST /standin/faults). Members that are missing leave things as they are;
// `rules` replaces all rules, `add_rules` appends; anything unknown is refused and changes nothing.
//
//   {"existing":"conflict|overwrite|error", "keeps_spelling":"snake|camel|both", "update":"replace|merge",
//    "drop_field":"NAME" or ["NAME",...], "stale_reads_ms":0, "get_token":true, "list_tokens":true,
//    "first_page":0, "page_size_max":1000, "latency_ms":0, "latency_jitter_ms":0,
//    "rate_limit":{"calls":10,"window_ms":60000,"retry_after":"seconds|date|none","credits":true} or null,
//    "idle_after_ms":60000, "idle_end":"close|reset|answer_408", "seed":1,
//    "rules":[{"effect":"...", "method":"CreateToken", "token_id":"7", "skip":0, "times":1, "probability":1,
//              "applies":false, ...}]}
//
// Effects and their members:
//   error {error, code?, status?, msg?, cause?}              raw {status, content_type?, body?, headers?}
//   garbage {kind, bytes?}, kind: not_json | html | wrong_content_type | truncated_json | short_body | oversized |
//                                 wrong_token | empty_body
//   cut {reset?}        cut_reply {bytes?, reset?}           nothing {longest_ms?}
//   drip {interval_ms?, longest_ms?}                         apply_late {delay_ms?, reset?}
//   hold {longest_ms?}

/// Every error that AnswerError knows by name.
std::vector<std::string> ErrorNames();

}  // namespace tokensync::standin
