#include "http_metadata_api.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <mutex>
#include <utility>
#include <vector>

#include "connection.h"
#include "endpoint.h"
#include "foreign_text.h"
#include "http_reply.h"
#include "reply_meaning.h"
#include "unsent.h"

namespace tokensync {

namespace {

/// A reply can show a token in both spellings, and with escapes that the request does without.
constexpr std::uint64_t kReplyFactorMax = 12;

using Steady = std::chrono::steady_clock;

void IgnoreBrokenPipes() {
  struct sigaction current {};
  if (::sigaction(SIGPIPE, nullptr, &current) != 0 || current.sa_handler != SIG_DFL) return;
  struct sigaction ignored {};
  ignored.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &ignored, nullptr);
}

// A reply to a request that the service has not read whole can refuse it, but nothing was done because of it.
CreateOutcome WithoutWholeRequest(CreateOutcome outcome) {
  if (std::holds_alternative<Unknown>(outcome)) return NotSent{};
  if (std::holds_alternative<Created>(outcome)) return Unknown{};
  return outcome;
}

// Such a reply may be about another page, or another collection.
ListOutcome WithoutWholeRequest(ListOutcome outcome) {
  if (std::holds_alternative<Listed>(outcome)) return ReadingFailed{};
  return outcome;
}

}  // namespace

/// The idle connections, the newest last.
class HttpMetadataApi::Connections {
 public:
  Connections(const Endpoint& endpoint, const HttpApiOptions& options)
      : peer_(MakeServicePeer(endpoint, options.ca_file)), options_(options) {}

  /// An idle connection that can be used, or a new one. Throws ConnectFailure.
  std::unique_ptr<Connection> Take(Deadline deadline) {
    while (std::unique_ptr<Connection> idle = TakeIdle()) {
      if (idle->IsQuiet()) return idle;
    }
    return Connection::Open(peer_, std::min(deadline, Steady::now() + options_.connect_timeout));
  }

  void GiveBack(std::unique_ptr<Connection> connection, std::optional<Duration> server_keeps) {
    Duration idle_max = options_.idle_max;
    // A second less than the server says, for the way that the next request takes.
    if (server_keeps) idle_max = std::min(idle_max, *server_keeps - std::chrono::seconds(1));
    if (idle_max <= Duration(0)) return;
    const std::lock_guard lock(mutex_);
    if (idle_.size() < options_.idle_connections_max)
      idle_.push_back({std::move(connection), Steady::now() + idle_max});
  }

 private:
  struct Idle {
    std::unique_ptr<Connection> connection;
    Deadline use_until;
  };

  std::unique_ptr<Connection> TakeIdle() {
    std::vector<Idle> expired;  // closed after the lock is released
    const std::lock_guard lock(mutex_);
    const auto now = Steady::now();
    const auto still_good = [&](const Idle& idle) { return now < idle.use_until; };
    const auto first_expired = std::stable_partition(idle_.begin(), idle_.end(), still_good);
    std::move(first_expired, idle_.end(), std::back_inserter(expired));
    idle_.erase(first_expired, idle_.end());
    if (idle_.empty()) return nullptr;
    std::unique_ptr<Connection> newest = std::move(idle_.back().connection);
    idle_.pop_back();
    return newest;
  }

  const std::shared_ptr<const ServicePeer> peer_;
  const HttpApiOptions& options_;
  std::mutex mutex_;
  std::vector<Idle> idle_;
};

HttpMetadataApi::HttpMetadataApi(HttpApiOptions options, std::function<Secret()> token, Clock& clock)
    : options_(std::move(options)), token_(std::move(token)), clock_(clock) {
  const Endpoint endpoint = ParseEndpoint(options_.endpoint);
  host_header_ = endpoint.HostHeader();
  base_path_ = endpoint.base_path;
  connections_ = std::make_unique<Connections>(endpoint, options_);
  IgnoreBrokenPipes();
}

HttpMetadataApi::~HttpMetadataApi() = default;

std::string HttpMetadataApi::RequestBytes(const Call& call, const Secret& token) const {
  const std::string body = RequestBody(call, options_.spelling);
  return fmt::format(
      "POST {}{} HTTP/1.1\r\n"
      "Host: {}\r\n"
      "User-Agent: {}\r\n"
      "Authorization: Bearer {}\r\n"
      "Content-Type: application/json\r\n"
      "Accept: application/json\r\n"
      "Content-Length: {}\r\n"
      "Connection: keep-alive\r\n"
      "\r\n{}",
      base_path_, RequestPath(call.kind), host_header_, options_.user_agent, token.Reveal(), body.size(), body);
}

std::uint64_t HttpMetadataApi::ReplyBytesMax(const Call& call) const {
  if (call.kind == CallKind::kList) return options_.page_bytes_max;
  return std::max<std::uint64_t>(options_.reply_bytes_max, call.payload.size() * kReplyFactorMax);
}

Completion HttpMetadataApi::Perform(const Call& call) {
  const auto begin = Steady::now();
  const Deadline deadline = begin + options_.timeout;
  const Secret token = token_();
  const ForeignText foreign(token);

  Completion completion = UnsentCompletion(call, {});
  const auto ended = [&]() -> Completion& {
    completion.duration = std::chrono::duration_cast<Duration>(Steady::now() - begin);
    return completion;
  };

  std::unique_ptr<Connection> connection;
  try {
    connection = connections_->Take(deadline);
  } catch (const ConnectFailure& failure) {
    completion.answer.message = foreign.Clean(failure.what());
    return ended();
  }

  ReplyLimits limits;
  limits.body_bytes_max = ReplyBytesMax(call);
  ReplyReader reader(limits);
  const ExchangeEnd end = connection->Exchange(RequestBytes(call, token), reader, deadline);
  if (reader.connection_reusable() && end.sent_whole)
    connections_->GiveBack(std::move(connection), reader.keep_alive());

  const std::optional<HttpReply> reply = reader.TakeReply();
  if (!reply) {
    if (end.sent_whole) {
      completion.created = Unknown{};
      completion.read = ReadingFailed{};
      completion.listed = ReadingFailed{};
    }
    completion.answer.message = foreign.Clean(end.fault);
    return ended();
  }
  const auto keep_rest = [&](auto& reading) {
    completion.answer = std::move(reading.answer);
    completion.hint = reading.hint;
  };
  switch (call.kind) {
    case CallKind::kCreate: {
      CreateReading reading = ClassifyCreate(*reply, call, clock_.Now(), foreign);
      completion.created = end.sent_whole ? reading.outcome : WithoutWholeRequest(std::move(reading.outcome));
      keep_rest(reading);
      break;
    }
    case CallKind::kRead: {
      ReadReading reading = ClassifyRead(*reply, call, clock_.Now(), foreign);
      completion.read = std::move(reading.outcome);
      keep_rest(reading);
      break;
    }
    case CallKind::kList: {
      ListReading reading = ClassifyList(*reply, call, clock_.Now(), foreign);
      completion.listed = end.sent_whole ? std::move(reading.outcome) : WithoutWholeRequest(std::move(reading.outcome));
      keep_rest(reading);
      break;
    }
  }
  if (!end.fault.empty()) {
    std::string& message = completion.answer.message;
    message = foreign.Clean(message.empty() ? end.fault : fmt::format("{} ({})", end.fault, message));
  }
  return ended();
}

}  // namespace tokensync
