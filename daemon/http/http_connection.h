/// One connection: it carries one request and its answer, then it is closed.
///
/// One request only, so that there is never a second one to disagree about with a proxy in front of us. This header is
/// for the files of this folder only.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "http_limits.h"
#include "http_message.h"
#include "http_request_reader.h"
#include "http_stream.h"

namespace tokensync {

using HttpTime = std::chrono::steady_clock::time_point;

/// The loop's thread only.
class HttpConnection {
 public:
  enum class Stage {
    kHandshake,  ///< of TLS
    kReading,    ///< the request
    kRead,       ///< TakeRequest() is next
    kHandling,   ///< Answer() is next
    kSending,    ///< the answer
    kLingering,  ///< for the client to take it
    kOver
  };

  HttpConnection(OpenFile socket, std::string peer, const Poco::Net::Context::Ptr& certificate,
                 const HttpLimits& limits, HttpTime now);

  Stage stage() const { return stage_; }
  const std::string& peer() const { return peer_; }
  /// Ends it without an answer.
  void Drop() { stage_ = Stage::kOver; }
  int fd() const { return stream_.fd(); }
  /// For poll; 0 where it is not the peer that is waited for.
  short events() const;
  /// When Expire() is due. Not for kRead and kHandling.
  HttpTime deadline() const { return deadline_; }
  /// Whether it may be closed in favour of another one: it has kept us waiting since accepted().
  bool dispensable() const;
  HttpTime accepted() const { return accepted_; }
  std::size_t held_bytes() const { return held_bytes_ + reader_.held_bytes(); }

  using Admit = std::function<HttpAdmission(const HttpRequest&)>;
  /// Goes as far as it goes without waiting. `admit` is asked once, when the head is there.
  void Advance(HttpTime now, const Admit& admit);
  /// The request; from here on it is being handled.
  HttpRequest TakeRequest();
  /// Begins to send. In any stage before kSending.
  void Answer(const HttpAnswer& answer, HttpTime now);
  /// The deadline has passed.
  void Expire(HttpTime now);

  /// The status that was given without the handler, and why, once.
  struct Refusal {
    int status = 0;  ///< 0: no answer, since the handshake failed or the client left in mid-request
    std::string why;
  };
  std::optional<Refusal> TakeRefusal() { return std::exchange(refusal_, std::nullopt); }

 private:
  bool Step(HttpTime now, const Admit& admit);
  bool StepReading(HttpTime now, const Admit& admit);
  bool StepSending(HttpTime now);
  void Judge(HttpTime now, const Admit& admit);
  void Refuse(int status, const std::string& why, HttpTime now);
  void Leave(const std::string& why);

  const HttpLimits& limits_;
  HttpStream stream_;
  const std::string peer_;
  const HttpTime accepted_;
  HttpRequestReader reader_;
  Stage stage_ = Stage::kHandshake;
  HttpTime deadline_;
  short wants_ = 0;
  bool continue_due_ = false;
  bool with_body_ = true;
  std::size_t held_bytes_ = 0;
  std::string answer_;
  std::string_view to_send_;  // of answer_
  std::optional<Refusal> refusal_;
};

}  // namespace tokensync
