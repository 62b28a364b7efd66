/// For the tests of the control socket: a daemon that does what the test says, and a client that says what it wants.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "control_server.h"
#include "json_text.h"

namespace tokensync {

inline constexpr std::chrono::milliseconds kPatience{10'000};
/// The fingerprint of the plan that waits at the ScriptedDaemon.
inline constexpr const char* kWaitingPlan = "0123456789ab";

/// Until the condition holds, or kPatience is over.
inline bool Eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "control-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }

  std::filesystem::path operator/(const char* name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// A daemon whose passes end when the test says so.
class ScriptedDaemon : public ControlHandler {
 public:
  std::uint64_t OnTrigger(const Peer& peer) override {
    const std::lock_guard lock(mutex_);
    peer_ = peer;
    return ++tickets_;
  }
  std::variant<std::uint64_t, std::string> OnApprove(const Peer& peer, const std::string& fingerprint) override {
    if (fingerprint != kWaitingPlan) return "no plan of that fingerprint waits";
    return OnTrigger(peer);
  }
  std::optional<JsonValue> ResultOf(std::uint64_t ticket) override {
    const std::lock_guard lock(mutex_);
    ++asked_;
    const auto found = results_.find(ticket);
    return found == results_.end() ? std::nullopt : std::optional(found->second);
  }
  JsonValue OnStatus() override {
    const std::lock_guard lock(mutex_);
    ++asked_;
    return status_;
  }

  void EndPass(std::uint64_t ticket, JsonValue summary) {
    const std::lock_guard lock(mutex_);
    results_.insert_or_assign(ticket, std::move(summary));
  }
  void SetStatus(JsonValue status) {
    const std::lock_guard lock(mutex_);
    status_ = std::move(status);
  }
  std::uint64_t tickets() const {
    const std::lock_guard lock(mutex_);
    return tickets_;
  }
  int asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }
  Peer peer() const {
    const std::lock_guard lock(mutex_);
    return peer_;
  }

 private:
  mutable std::mutex mutex_;
  std::uint64_t tickets_ = 0;
  int asked_ = 0;
  Peer peer_;
  std::map<std::uint64_t, JsonValue> results_;
  JsonValue status_ = JsonObject{{"state", "idle"}};
};

/// A client that says what the test wants.
class RawClient {
 public:
  explicit RawClient(const std::filesystem::path& path) : fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.native().copy(static_cast<char*>(address.sun_path), sizeof(address.sun_path) - 1);
    REQUIRE(connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient() { HangUp(); }

  void Say(const std::string& text) const { send(fd_, text.data(), text.size(), MSG_NOSIGNAL); }
  void EndOfRequest() const { shutdown(fd_, SHUT_WR); }
  void HangUp() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

  /// One line with its newline, or what came before the end.
  std::string Line() const {
    std::string text;
    char c = 0;
    pollfd ready{.fd = fd_, .events = POLLIN, .revents = 0};
    while (text.find('\n') == std::string::npos) {
      if (poll(&ready, 1, static_cast<int>(kPatience.count())) != 1) return text + "(nothing came)";
      if (recv(fd_, &c, 1, 0) != 1) return text;
      text.push_back(c);
    }
    return text;
  }

 private:
  int fd_;
};

inline std::string ErrorOf(const std::string& line) {
  const JsonValue value = ParseJson(line);
  const JsonValue* error = value.Find("error");
  return error == nullptr ? "" : *error->AsString();
}

}  // namespace tokensync
