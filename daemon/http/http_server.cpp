#include "http_server.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "http_certificate.h"
#include "http_connection.h"
#include "http_listener.h"
#include "http_workers.h"

namespace tokensync {

namespace {

using std::chrono::milliseconds;
using Stage = HttpConnection::Stage;

/// How long an accept that failed for want of descriptors is left alone.
constexpr milliseconds kAcceptPause{100};
constexpr milliseconds kStopTime{1'000};
constexpr int kAcceptsMax = 64;  // in one turn of the loop
/// What a request takes of memory without being counted.
constexpr std::size_t kSmallRequestBytes = std::size_t{64} * 1024;

HttpTime Now() {
  return std::chrono::steady_clock::now();
}

Poco::Net::Context::Ptr CertificateOf(const HttpServerOptions& options) {
  if (options.certificate_file.empty() != options.key_file.empty()) {
    throw ConfigError("preparing TLS for the HTTP server: http.certificate_file and http.key_file go together");
  }
  if (options.certificate_file.empty()) return {};
  return LoadHttpCertificate(options.certificate_file, options.key_file);
}

HttpAnswer Busy(std::string_view why) {
  HttpAnswer answer = HttpError(503, why);
  answer.headers.emplace_back("Retry-After", "10");
  return answer;
}

}  // namespace

class HttpServer::Loop {
 public:
  Loop(const HttpServerOptions& options, HttpHandler& handler)
      : options_(options),
        handler_(handler),
        certificate_(CertificateOf(options)),
        listener_(options.listening_socket ? HttpListener::Adopt(*options.listening_socket)
                                           : HttpListener::At(options.listen)),
        address_(listener_->Address()),
        wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        workers_(std::max<std::size_t>(options.limits.handlers, 1), handler, [this] { Wake(); }) {
    if (!wake_) throw EnvironmentError(fmt::format("starting the HTTP server: {}", std::strerror(errno)));
    try {
      thread_ = std::thread([this] { Serve(); });
    } catch (const std::system_error& error) {
      throw EnvironmentError(fmt::format("starting the HTTP server: {}", error.code().message()));
    }
  }

  ~Loop() { Stop(); }

  void Stop() {
    stop_ = true;
    Wake();
    if (thread_.joinable()) thread_.join();
    workers_.Stop();
  }

  const std::string& address() const { return address_; }

  void ReloadCertificate() {
    const Poco::Net::Context::Ptr fresh = CertificateOf(options_);
    const std::lock_guard lock(mutex_);
    certificate_ = fresh;
  }

 private:
  using Connections = std::map<std::uint64_t, HttpConnection>;

  void Wake() {
    const std::uint64_t one = 1;
    // A full counter wakes just as well.
    [[maybe_unused]] const ssize_t written = write(wake_.fd(), &one, sizeof one);
  }

  void Serve() {
    // Signals are for the thread that expects them, and SIGPIPE, which TLS would raise, for none.
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    while (!stop_) {
      Settle();
      WaitForSomething();
    }
    listener_.reset();
    // What is being handled has no time limit but the handler's; only the sending has one.
    for (HttpTime end = Now() + kStopTime;;) {
      Settle();
      std::erase_if(connections_, [](const auto& c) { return c.second.dispensable(); });
      const bool handling = std::any_of(connections_.begin(), connections_.end(),
                                        [](const auto& c) { return c.second.stage() == Stage::kHandling; });
      if (handling) end = Now() + kStopTime;
      if (connections_.empty() || Now() >= end) break;
      WaitForSomething();
    }
    connections_.clear();
  }

  /// Answers what was handled, and ends what is late or over.
  void Settle() {
    const HttpTime now = Now();
    for (HttpWorkers::Result& result : workers_.Take()) {
      const auto at = connections_.find(result.connection);
      if (at == connections_.end()) continue;
      if (!result.fault.empty()) handler_.OnRefused(result.answer.status, result.fault, at->second.peer());
      at->second.Answer(result.answer, now);
      Advance(at);
    }
    for (auto& [id, connection] : connections_) {
      if (connection.events() != 0 && now >= connection.deadline()) {
        connection.Expire(now);
        TellRefusal(connection);
      }
    }
    std::erase_if(connections_, [](const auto& c) { return c.second.stage() == Stage::kOver; });
  }

  void WaitForSomething() {
    std::vector<pollfd> polled;
    polled.reserve(connections_.size() + 2);
    const bool accepts = listener_ && Now() >= accept_after_;
    polled.push_back({.fd = wake_.fd(), .events = POLLIN, .revents = 0});
    polled.push_back({.fd = accepts ? listener_->fd() : -1, .events = POLLIN, .revents = 0});
    for (const auto& [id, connection] : connections_) {
      // A descriptor that nothing is wanted of would still tell that its peer is gone, again and again.
      const short events = connection.events();
      polled.push_back({.fd = events != 0 ? connection.fd() : -1, .events = events, .revents = 0});
    }
    if (poll(polled.data(), polled.size(), Patience()) <= 0) return;
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t drained = read(wake_.fd(), &count, sizeof count);
    auto ready = polled.begin() + 2;
    for (auto at = connections_.begin(); at != connections_.end(); ++at) {
      if ((ready++)->revents != 0) Advance(at);
    }
    if ((polled[1].revents & POLLIN) != 0) Accept();
  }

  /// Until the next thing to do without being woken, for poll; -1: nothing.
  int Patience() const {
    HttpTime next = stop_ ? Now() + kStopTime : HttpTime::max();
    if (listener_ && accept_after_ > Now()) next = std::min(next, accept_after_);
    for (const auto& [id, connection] : connections_) {
      if (connection.events() != 0) next = std::min(next, connection.deadline());
    }
    if (next == HttpTime::max()) return -1;
    return static_cast<int>(std::clamp<std::int64_t>(std::chrono::ceil<milliseconds>(next - Now()).count(), 0, 60'000));
  }

  void Advance(Connections::iterator at) {
    HttpConnection& connection = at->second;
    try {
      connection.Advance(Now(), [this](const HttpRequest& head) { return handler_.Admit(head); });
    } catch (const std::exception& error) {
      // Memory that ends over one stranger's request costs that one its connection.
      handler_.OnRefused(0, error.what(), connection.peer());
      connection.Drop();
      return;
    }
    const bool is_request = connection.stage() == Stage::kReading || connection.stage() == Stage::kRead;
    if (is_request && connection.held_bytes() > kSmallRequestBytes && TooMuchIsHeld()) {
      constexpr std::string_view kWhy = "too many large requests at once; try again later";
      handler_.OnRefused(503, kWhy, connection.peer());
      connection.Answer(Busy(kWhy), Now());
    }
    TellRefusal(connection);
    if (connection.stage() == Stage::kRead) workers_.Start({at->first, connection.TakeRequest()});
  }

  bool TooMuchIsHeld() const {
    std::size_t bytes = 0;
    for (const auto& [id, connection] : connections_) {
      bytes += connection.held_bytes() - std::min(connection.held_bytes(), kSmallRequestBytes);
    }
    return bytes > options_.limits.requests_bytes_max;
  }

  void TellRefusal(HttpConnection& connection) {
    if (const auto refusal = connection.TakeRefusal()) {
      handler_.OnRefused(refusal->status, refusal->why, connection.peer());
    }
  }

  void Accept() {
    for (int i = 0; i < kAcceptsMax; ++i) {
      auto accepted = listener_->Accept();
      if (!accepted) {
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) accept_after_ = Now() + kAcceptPause;
        return;
      }
      Take(std::move(*accepted));
    }
  }

  void Take(HttpListener::Accepted accepted) {
    Poco::Net::Context::Ptr certificate;
    {
      const std::lock_guard lock(mutex_);
      certificate = certificate_;
    }
    if (connections_.size() < options_.limits.connections_max || MakeRoom()) {
      const std::string peer = accepted.peer;
      try {
        const auto [at, is_new] = connections_.try_emplace(
            next_id_++, std::move(accepted.socket), std::move(accepted.peer), certificate, options_.limits, Now());
        // Most often the request is there already.
        Advance(at);
      } catch (const std::exception& error) {
        handler_.OnRefused(0, error.what(), peer);
      }
      return;
    }
    constexpr std::string_view kWhy = "too many connections at once; try again later";
    handler_.OnRefused(503, kWhy, accepted.peer);
    if (!certificate.isNull()) return;
    HttpConnection connection(std::move(accepted.socket), std::move(accepted.peer), certificate, options_.limits,
                              Now());
    connection.Answer(Busy(kWhy), Now());
    connection.Advance(Now(), {});
  }

  /// Whether a connection that has kept us waiting too long was closed.
  bool MakeRoom() {
    auto oldest = connections_.end();
    for (auto at = connections_.begin(); at != connections_.end(); ++at) {
      // Numbered in the order of arrival.
      if (at->second.dispensable()) {
        oldest = at;
        break;
      }
    }
    if (oldest == connections_.end() || Now() - oldest->second.accepted() < options_.limits.patience) return false;
    handler_.OnRefused(0, "closed in favour of another connection", oldest->second.peer());
    connections_.erase(oldest);
    return true;
  }

  const HttpServerOptions options_;
  HttpHandler& handler_;
  std::mutex mutex_;
  Poco::Net::Context::Ptr certificate_;  // under mutex_ once the thread runs
  std::optional<HttpListener> listener_;
  const std::string address_;
  OpenFile wake_;
  std::atomic<bool> stop_ = false;
  HttpTime accept_after_{};
  std::uint64_t next_id_ = 1;
  Connections connections_;
  HttpWorkers workers_;
  std::thread thread_;
};

HttpServer::HttpServer(const HttpServerOptions& options, HttpHandler& handler)
    : loop_(std::make_unique<Loop>(options, handler)) {}

HttpServer::~HttpServer() = default;

std::string HttpServer::Address() const {
  return loop_->address();
}

void HttpServer::ReloadCertificate() {
  loop_->ReloadCertificate();
}

void HttpServer::Stop() {
  loop_->Stop();
}

}  // namespace tokensync
