#include "git_proxies.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

namespace tokensync::test {

namespace fs = std::filesystem;

TinyProxy::TinyProxy(const fs::path& folder, const std::string& settings) : folder_(folder) {
  fs::create_directories(folder_);
  // It cannot tell which port the kernel picked, so the kernel picks first; another program may take it meanwhile.
  for (int attempt = 0; attempt < 5; ++attempt) {
    port_ = LoopbackSocket().port();
    WriteFile(folder_ / "tinyproxy.conf", "Port " + std::to_string(port_) +
                                              "\nListen 127.0.0.1\nAllow 127.0.0.1\nLogLevel Connect\nLogFile \"" +
                                              (folder_ / "log").string() + "\"\n" + settings);
    program_ = std::make_unique<StartedProgram>(
        std::vector<std::string>{"tinyproxy", "-d", "-c", (folder_ / "tinyproxy.conf").string()}, Environment{}, -1, -1,
        folder_ / "errors");
    WaitUntil([&] { return !program_->Running() || Answers(port_); });
    if (program_->Running()) return;
  }
  throw std::runtime_error("tinyproxy does not start: " + ReadFile(folder_ / "errors") + ReadFile(folder_ / "log"));
}

std::string TinyProxy::Log() const {
  return ReadFile(folder_ / "log");
}

Wiretap::Wiretap(int target_port) : target_port_(target_port), listener_([this] { Listen(); }) {}

Wiretap::~Wiretap() {
  stop_ = true;
  listener_.join();
  for (std::thread& relay : relays_) relay.join();
}

std::string Wiretap::Heard() const {
  const std::lock_guard lock(mutex_);
  return heard_;
}

void Wiretap::Listen() {
  while (!stop_) {
    pollfd poll{socket_.descriptor(), POLLIN, 0};
    if (::poll(&poll, 1, 20) != 1) continue;
    const int from = ::accept4(socket_.descriptor(), nullptr, nullptr, SOCK_CLOEXEC);
    const int to = ConnectTo(target_port_);
    relays_.emplace_back([this, from, to] { Relay(from, to); });
  }
}

void Wiretap::Relay(int from, int to) {
  bool open = from >= 0 && to >= 0;
  while (open && !stop_) {
    pollfd polls[] = {{from, POLLIN, 0}, {to, POLLIN, 0}};
    if (::poll(polls, 2, 20) <= 0) continue;
    for (int side = 0; side < 2; ++side) {
      if (polls[side].revents == 0) continue;
      char buffer[16 * 1024];
      const ssize_t got = ::recv(polls[side].fd, buffer, sizeof buffer, 0);
      open = open && got > 0;
      if (got <= 0) continue;
      if (side == 0) {
        const std::lock_guard lock(mutex_);
        heard_.append(buffer, static_cast<std::size_t>(got));
      }
      open = open && ::send(polls[1 - side].fd, buffer, static_cast<std::size_t>(got), MSG_NOSIGNAL) == got;
    }
  }
  ::close(from);
  ::close(to);
}

}  // namespace tokensync::test
