/// The whole way of a delivery: from an HTTP request to an answer, and perhaps a push to act on.
///
/// A delivery only says "look now". What is applied is what git then holds, so that one that is repeated, forged by
/// somebody who knows the secret, or out of order does no more than a look. Nothing is stored.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "model.h"
#include "ports.h"
#include "webhook_delivery.h"
#include "webhook_secret.h"
#include "webhook_target.h"

namespace tokensync {

struct WebhookOptions {
  WebhookTarget target{};
  /// Pushes that are taken, and failed signatures, each; 0: no limit. Half of it may come at once.
  std::uint32_t requests_per_minute = 60;
  /// GitHub sends up to 25 MiB, a push of a thousand commits about 2. A larger one is answered 413, and found by
  /// polling.
  std::uint64_t body_bytes_max = std::uint64_t{5} * 1024 * 1024;
};

/// A push to act on.
struct TakenPush {
  WebhookForge forge = WebhookForge::kGeneric;
  std::string reference{};           ///< as the delivery names it; empty where it names none
  std::optional<CommitId> commit{};  ///< what the reference is said to be at now: it may not be visible yet
  std::string repository{};          ///< likewise as the delivery names it
  std::string delivery{};            ///< printable line; empty where the forge gives none
  std::string sender{};              ///< printable line; empty where it is not told
};

/// What a delivery is answered, and what the caller does with it.
struct WebhookReply {
  int status = 200;
  std::string body;                            ///< a JSON object
  std::optional<std::string> allow{};          ///< the header Allow
  std::optional<std::uint32_t> retry_after{};  ///< the header Retry-After, in seconds
  std::optional<TakenPush> push{};             ///< with 202 only
  /// A printable line for the log, of limited length; empty where a flood must not fill the log.
  std::string log{};
  bool log_is_warning = false;
};

/// A bucket of tokens: `per_minute` of them come in evenly, at most half of that are kept. Time is passed in.
class WebhookBudget {
 public:
  /// 0: no limit.
  explicit WebhookBudget(std::uint32_t per_minute);

  /// Nothing where a token was there and is spent; otherwise how long it takes until there is one. A clock that was set
  /// back costs nothing and gives nothing.
  std::optional<Duration> Spend(TimePoint now);

 private:
  const double per_millisecond_;
  const double capacity_;
  double tokens_;
  std::optional<TimePoint> counted_{};
};

/// Any thread, several deliveries at once.
///
/// Where what counts. Two budgets, and neither can be spent for the other:
///   - Failed signatures. When theirs is spent they get 429 in place of 401, and no line in the log: a flood of them
///     costs no more than the hashing. It is looked at after the signature only, so that no flood keeps a good one out.
///   - Pushes that are taken, the only deliveries that cause work. Signed deliveries of other branches, repositories
///   and
///     events are answered without counting: a busy organisation's must not push out the one that matters.
class WebhookReceiver {
 public:
  /// The secrets as they are now; throws EnvironmentError. Called for each delivery that shows a signature; any thread.
  using SecretSource = std::function<WebhookSecrets()>;

  /// `clock` outlives the receiver.
  WebhookReceiver(WebhookOptions options, SecretSource secrets, Clock& clock);

  /// Decides on the head of a request below /webhook/, before its body is read: 404 for a path that is none of ours,
  /// 405 for another method than POST, 401 where it shows no signature, 415 where its content type is neither JSON nor
  /// a form (of generic ones, it is not looked at); nothing where the body may come. Reads no file.
  std::optional<WebhookReply> RefuseHead(const WebhookDelivery& head);

  /// Answers a whole request (RefuseHead included):
  ///   202 {"taken":true}      a push to what is followed: `push` is set
  ///   200 {"ping":true}       a ping
  ///   200 {"ignored":"why"}   another event, branch or repository
  ///   400 {"error":"why"}     signed, but no payload that the forge's documentation tells of
  ///   401 {"error":"…"}       no signature, or a wrong one: which, is not said. Nothing of the body was parsed
  ///   413                     a body beyond the limit
  ///   429                     a budget is spent: retry_after
  ///   503                     the secrets cannot be read
  WebhookReply Receive(const WebhookDelivery& delivery);

  std::uint64_t body_bytes_max() const { return options_.body_bytes_max; }

 private:
  WebhookReply Unauthenticated(WebhookForge forge);
  WebhookReply Judge(const WebhookDelivery& delivery, WebhookForge forge);
  WebhookReply Take(const WebhookDelivery& delivery, WebhookForge forge, const WebhookPush& push);
  std::optional<Duration> Spend(WebhookBudget& budget);

  const WebhookOptions options_;
  const SecretSource secrets_;
  Clock& clock_;
  std::mutex mutex_;
  WebhookBudget failures_;  // under mutex_
  WebhookBudget pushes_;    // under mutex_
};

}  // namespace tokensync
