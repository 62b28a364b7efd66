#include "http_connection.h"

#include <poll.h>

#include <utility>

namespace tokensync {

namespace {

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

HttpConnection::HttpConnection(OpenFile socket, std::string peer, const Poco::Net::Context::Ptr& certificate,
                               const HttpLimits& limits, HttpTime now)
    : limits_(limits),
      stream_(std::move(socket), certificate),
      peer_(std::move(peer)),
      accepted_(now),
      reader_(limits.read),
      deadline_(now + limits.request_time),
      wants_(POLLIN) {}

short HttpConnection::events() const {
  switch (stage_) {
    case Stage::kHandshake:
    case Stage::kReading:
    case Stage::kSending:
      return wants_;
    case Stage::kLingering:
      return POLLIN;
    case Stage::kRead:
    case Stage::kHandling:
    case Stage::kOver:
      return 0;
  }
  return 0;
}

bool HttpConnection::dispensable() const {
  return stage_ == Stage::kHandshake || stage_ == Stage::kReading || stage_ == Stage::kLingering;
}

void HttpConnection::Advance(HttpTime now, const Admit& admit) {
  while (Step(now, admit)) {
  }
}

// Whether there may be more to do without waiting.
bool HttpConnection::Step(HttpTime now, const Admit& admit) {
  switch (stage_) {
    case Stage::kHandshake: {
      const HttpProgress progress = stream_.Handshake();
      if (progress == HttpProgress::kEnded) Leave("the TLS handshake failed");
      if (progress == HttpProgress::kDone) stage_ = Stage::kReading;
      wants_ = progress == HttpProgress::kWantWrite ? POLLOUT : POLLIN;
      return progress == HttpProgress::kDone;
    }
    case Stage::kReading:
      return StepReading(now, admit);
    case Stage::kSending:
      return StepSending(now);
    case Stage::kLingering:
      if (stream_.Discard() == HttpProgress::kEnded) stage_ = Stage::kOver;
      return false;
    case Stage::kRead:
    case Stage::kHandling:
    case Stage::kOver:
      return false;
  }
  return false;
}

bool HttpConnection::StepReading(HttpTime now, const Admit& admit) {
  if (continue_due_) {
    const HttpProgress progress = stream_.Send(to_send_);
    if (progress == HttpProgress::kEnded) Leave("the client left before its request was read");
    wants_ = progress == HttpProgress::kWantRead ? POLLIN : POLLOUT;
    if (progress != HttpProgress::kDone) return false;
    continue_due_ = !to_send_.empty();
    return true;
  }
  std::string bytes;
  const HttpProgress progress = stream_.Receive(bytes);
  wants_ = progress == HttpProgress::kWantWrite ? POLLOUT : POLLIN;
  if (progress == HttpProgress::kEnded) {
    Leave(reader_.started() ? "the client left before its request was read" : "");
    return false;
  }
  if (progress != HttpProgress::kDone) return false;
  reader_.Feed(bytes);
  Judge(now, admit);
  return true;
}

void HttpConnection::Judge(HttpTime now, const Admit& admit) {
  using State = HttpRequestReader::State;
  if (reader_.state() == State::kHeadRead) {
    with_body_ = reader_.head().method != "HEAD";
    HttpRequest head = reader_.head();
    head.peer = peer_;
    const HttpAdmission admission = admit(head);
    if (admission.refusal) {
      reader_.Refuse();
      Answer(*admission.refusal, now);
      return;
    }
    reader_.Accept(admission.body_bytes_max);
    continue_due_ = reader_.state() == State::kBody && reader_.expects_continue();
    if (continue_due_) to_send_ = kContinue;
  }
  if (reader_.state() == State::kRefused) Refuse(reader_.status(), reader_.why(), now);
  if (reader_.state() == State::kComplete) stage_ = Stage::kRead;
}

HttpRequest HttpConnection::TakeRequest() {
  HttpRequest request = reader_.TakeRequest();
  request.peer = peer_;
  held_bytes_ = request.body.capacity();
  stage_ = Stage::kHandling;
  return request;
}

void HttpConnection::Answer(const HttpAnswer& answer, HttpTime now) {
  answer_ = HttpAnswerText(answer, with_body_);
  to_send_ = answer_;
  held_bytes_ = 0;
  stage_ = Stage::kSending;
  wants_ = POLLOUT;
  deadline_ = now + limits_.answer_time;
}

void HttpConnection::Refuse(int status, const std::string& why, HttpTime now) {
  refusal_ = Refusal{status, why};
  Answer(HttpError(status, why), now);
}

void HttpConnection::Leave(const std::string& why) {
  if (!why.empty()) refusal_ = Refusal{0, why};
  stage_ = Stage::kOver;
}

bool HttpConnection::StepSending(HttpTime now) {
  if (!to_send_.empty()) {
    const HttpProgress progress = stream_.Send(to_send_);
    if (progress == HttpProgress::kEnded) stage_ = Stage::kOver;
    wants_ = progress == HttpProgress::kWantRead ? POLLIN : POLLOUT;
    return progress == HttpProgress::kDone;
  }
  stream_.EndSending();
  stage_ = Stage::kLingering;
  deadline_ = now + limits_.linger_time;
  return true;
}

void HttpConnection::Expire(HttpTime now) {
  if (stage_ == Stage::kReading) {
    reader_.Refuse();
    // Half of an interim reply cannot be followed by anything.
    if (continue_due_ || !reader_.started()) {
      Leave(reader_.started() ? "the request did not come in time" : "");
    } else {
      Refuse(408, "the request did not come in time", now);
    }
  } else {
    Leave(stage_ == Stage::kHandshake ? "the TLS handshake did not end in time" : "");
  }
}

}  // namespace tokensync
