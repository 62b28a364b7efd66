#include "listener.h"

#include <Poco/Exception.h>
#include <Poco/Net/Context.h>
#include <Poco/Net/SecureServerSocket.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocket.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <list>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>

#include "http_connection.h"

namespace tokensync::standin {
namespace {

constexpr int kBacklog = 512;
constexpr std::chrono::milliseconds kAfterFailedAccept{10};

Poco::Net::ServerSocket Listening(const StandinOptions& options) {
  try {
    const Poco::Net::SocketAddress address("127.0.0.1", options.port);
    Poco::Net::ServerSocket socket;
    if (!options.tls_certificate_file.empty()) {
      Poco::Net::Context::Params params;
      params.privateKeyFile = options.tls_key_file;
      params.certificateFile = options.tls_certificate_file;
      params.verificationMode = Poco::Net::Context::VERIFY_NONE;
      params.loadDefaultCAs = false;
      Poco::Net::Context::Ptr context(new Poco::Net::Context(Poco::Net::Context::TLS_SERVER_USE, params));
      context->requireMinimumProtocol(Poco::Net::Context::PROTO_TLSV1_2);
      socket = Poco::Net::SecureServerSocket(context);
    }
    // Not SO_REUSEPORT: a second server on one port is a mistake.
    socket.bind(address, true, false);
    socket.listen(kBacklog);
    return socket;
  } catch (const Poco::Exception& error) {
    throw std::runtime_error("starting the stand-in service: " + error.displayText());
  }
}

/// A write to a connection that the peer has closed is an error here, never the end of the process.
void BlockSigpipe() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

}  // namespace

class Listener::Sockets {
 public:
  Sockets(const StandinOptions& options, ListenerCalls calls)
      : connections_max_(options.connections_max), calls_(std::move(calls)), listening_(Listening(options)) {}

  ~Sockets() { End(); }

  void End() {
    stopping_.store(true);
    // Wakes the accepting thread.
    ::shutdown(listening_.impl()->sockfd(), SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
    CutAll();
    for (Open& open : open_) open.thread.join();
    open_.clear();
  }

  void Begin() {
    thread_ = std::thread([this] { Accept(); });
  }

  std::uint16_t port() const { return listening_.address().port(); }
  std::uint64_t total() const { return total_.load(); }
  std::uint64_t open() const { return open_count_.load(); }

  void CutAll() {
    const std::lock_guard lock(mutex_);
    for (const Open& open : open_)
      if (open.fd >= 0) ::shutdown(open.fd, SHUT_RDWR);
  }

 private:
  struct Open {
    int fd = -1;                     ///< -1 once the connection is about to be closed; under mutex_
    std::atomic<bool> done = false;  ///< the thread has nothing left to do
    std::thread thread;
  };

  void Accept() {
    BlockSigpipe();
    while (!stopping_.load()) {
      try {
        // Behind a pointer, since moving a Poco socket copies it: no copy of the accepting thread's is left when the
        // connection's own thread uses it. (Its reference count is in a library that the thread sanitizer does not
        // see.)
        auto socket = std::make_unique<Poco::Net::StreamSocket>(listening_.acceptConnection());
        if (open_count_.load() < connections_max_) Start(std::move(socket));
      } catch (const Poco::Exception&) {
        // Out of descriptors, or a peer that left before it was accepted; or this is the end.
        if (!stopping_.load()) std::this_thread::sleep_for(kAfterFailedAccept);
      }
    }
  }

  void Start(std::unique_ptr<Poco::Net::StreamSocket> socket) {
    socket->setNoDelay(true);
    std::list<Open> ended;
    const std::lock_guard lock(mutex_);
    for (auto at = open_.begin(); at != open_.end();) {
      const auto next = std::next(at);
      if (at->done.load()) ended.splice(ended.end(), open_, at);
      at = next;
    }
    for (Open& open : ended) open.thread.join();
    const std::uint64_t number = total_.fetch_add(1) + 1;
    open_count_.fetch_add(1);
    Open& open = open_.emplace_back();
    open.fd = socket->impl()->sockfd();
    open.thread = std::thread([this, &open, number, moved = std::move(socket)]() mutable {
      ServeConnection(*moved, number, calls_, [this, &open] {
        // A descriptor that is listed must not become another connection's.
        const std::lock_guard unlisting(mutex_);
        open.fd = -1;
      });
      open_count_.fetch_sub(1);
      open.done.store(true);
    });
  }

  const std::size_t connections_max_;
  const ListenerCalls calls_;
  Poco::Net::ServerSocket listening_;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::uint64_t> total_ = 0;
  std::atomic<std::uint64_t> open_count_ = 0;
  std::mutex mutex_;
  std::list<Open> open_;
  std::thread thread_;
};

Listener::Listener(const StandinOptions& options, ListenerCalls calls)
    : sockets_(std::make_unique<Sockets>(options, std::move(calls))) {}
Listener::~Listener() = default;

void Listener::End() {
  sockets_->End();
}

void Listener::Begin() {
  sockets_->Begin();
}

std::uint16_t Listener::port() const {
  return sockets_->port();
}
std::uint64_t Listener::connections() const {
  return sockets_->total();
}
std::uint64_t Listener::connections_open() const {
  return sockets_->open();
}
void Listener::CutAllConnections() {
  sockets_->CutAll();
}

}  // namespace tokensync::standin
