/// Real servers on loopback: OpenSSH's sshd, nginx with git http-backend behind TLS, and a peer that never answers.
/// All end with their owner. Keys, certificates and passwords are made at run time.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "git_workshop.h"

namespace tokensync::test {

/// A listening socket on a port that the kernel picked.
class LoopbackSocket {
 public:
  LoopbackSocket();
  ~LoopbackSocket();
  LoopbackSocket(const LoopbackSocket&) = delete;
  LoopbackSocket& operator=(const LoopbackSocket&) = delete;
  int port() const { return port_; }
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_ = -1;
  int port_ = 0;
};

/// A connection to this port of loopback; -1 where nobody takes it.
int ConnectTo(int port);
/// Whether somebody takes connections there.
bool Answers(int port);

/// Takes connections and says nothing.
class SilentPeer {
 public:
  int port() const { return socket_.port(); }
  /// Whether somebody has connected since the last time.
  bool Contacted();

 private:
  LoopbackSocket socket_;
  std::vector<int> held_;

 public:
  ~SilentPeer();
};

/// Starts `sshd -i` for each connection.
class SshServer {
 public:
  explicit SshServer(const std::filesystem::path& folder);
  ~SshServer();
  int port() const { return socket_.port(); }
  /// ssh://USER@127.0.0.1:PORT + path
  std::string Url(const std::string& path) const;
  /// A line of a known_hosts file with this server's key.
  std::string KnownHostLine() const;
  /// A new key pair of this kind in the server's folder; gives the private half's file.
  std::filesystem::path MakeKey(const std::string& name, const std::string& type = "ed25519");
  void Authorize(const std::filesystem::path& key);
  /// Has whoever comes with this key get the answer of git-upload-pack up to this byte, and then nothing more.
  void AuthorizeToStall(const std::filesystem::path& key, const std::string& path, std::size_t bytes);

 private:
  void Serve();

  std::filesystem::path folder_;
  std::string user_;
  LoopbackSocket socket_;
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::vector<std::unique_ptr<StartedProgram>> sessions_;
  std::thread thread_;
};

/// nginx, fcgiwrap and git http-backend. /open/ needs no credential, /private/ needs user and password, /moved/
/// redirects to another host, /renamed/ to /open/, /elsewhere/ to /private/ at another port, /broken/ answers 503,
/// /page/ a page; /stalled/ is like /open/, but falls silent after the first kStalledAfter bytes of a pack.
class HttpsServer {
 public:
  /// `repositories`: the folder that is served.
  HttpsServer(const std::filesystem::path& folder, const std::filesystem::path& repositories, int redirect_port);
  std::string Url(const std::string& path) const { return "https://localhost:" + std::to_string(port_) + path; }
  std::string PlainUrl(const std::string& path) const {
    return "http://localhost:" + std::to_string(plain_port_) + path;
  }
  /// The same at a port whose certificate expired yesterday.
  std::string ExpiredUrl(const std::string& path) const {
    return "https://localhost:" + std::to_string(expired_port_) + path;
  }
  /// The same at a port whose certificate is for elsewhere.example.
  std::string MisnamedUrl(const std::string& path) const {
    return "https://localhost:" + std::to_string(misnamed_port_) + path;
  }
  static constexpr std::size_t kStalledAfter = 20'000;
  int port() const { return port_; }
  const std::filesystem::path& ca_file() const { return ca_file_; }
  const std::string& user() const { return user_; }
  const std::string& password() const { return password_; }
  /// "METHOD URI STATUS USER" of each request so far.
  std::string AccessLog() const;

 private:
  std::string Configuration(int redirect_port) const;

  std::filesystem::path folder_;
  std::filesystem::path repositories_;
  std::filesystem::path ca_file_;
  std::string user_ = "deploy";
  std::string password_;
  int port_ = 0;
  int plain_port_ = 0;
  int other_port_ = 0;
  int expired_port_ = 0;
  int misnamed_port_ = 0;
  std::unique_ptr<StartedProgram> wrapper_;
  std::unique_ptr<StartedProgram> nginx_;
};

}  // namespace tokensync::test
