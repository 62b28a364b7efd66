#include "git_servers.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <random>
#include <stdexcept>

namespace tokensync::test {

namespace fs = std::filesystem;

namespace {

std::string RandomWord() {
  std::random_device device;
  std::string word;
  for (int i = 0; i < 24; ++i) word += static_cast<char>('a' + device() % 26);
  return word;
}

std::string Without(const std::string& text, char last) {
  return !text.empty() && text.back() == last ? text.substr(0, text.size() - 1) : text;
}

/// A private authority, and what it signed; made once for all servers of this process.
class Authority {
 public:
  static const fs::path& Folder() {
    static const Authority authority;
    return authority.folder_.path();
  }

 private:
  Authority() {
    Run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=Test Authority", "-addext", "keyUsage=critical,keyCertSign", "-keyout", At("ca.key"), "-out",
         At("ca.pem")});
    Sign("server", "localhost", 2);
    Sign("expired", "localhost", -1);
    Sign("misnamed", "elsewhere.example", 2);
  }

  std::string At(const std::string& name) const { return (folder_ / name).string(); }

  void Sign(const std::string& name, const std::string& host, int days) const {
    Run({"openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=" + host,
         "-keyout", At(name + ".key"), "-out", At(name + ".csr")});
    WriteFile(At(name + ".extensions"), "subjectAltName=DNS:" + host + "\n");
    Run({"openssl", "x509", "-req", "-days", std::to_string(days), "-in", At(name + ".csr"), "-CA", At("ca.pem"),
         "-CAkey", At("ca.key"), "-CAcreateserial", "-extfile", At(name + ".extensions"), "-out", At(name + ".pem")});
  }

  TempFolder folder_;
};

}  // namespace

int ConnectTo(int port) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return descriptor;
  ::close(descriptor);
  return -1;
}

bool Answers(int port) {
  const int descriptor = ConnectTo(port);
  if (descriptor < 0) return false;
  ::close(descriptor);
  return true;
}

LoopbackSocket::LoopbackSocket() : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (descriptor_ < 0 || ::bind(descriptor_, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      ::listen(descriptor_, 16) != 0 ||
      ::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    throw std::runtime_error("listening on loopback failed");
  }
  port_ = ntohs(address.sin_port);
}

LoopbackSocket::~LoopbackSocket() {
  ::close(descriptor_);
}

bool SilentPeer::Contacted() {
  pollfd poll{socket_.descriptor(), POLLIN, 0};
  if (::poll(&poll, 1, 0) != 1) return false;
  held_.push_back(::accept4(socket_.descriptor(), nullptr, nullptr, SOCK_CLOEXEC));
  return true;
}

SilentPeer::~SilentPeer() {
  for (int descriptor : held_) ::close(descriptor);
}

SshServer::SshServer(const fs::path& folder) : folder_(folder), user_(::getpwuid(::geteuid())->pw_name) {
  fs::create_directories(folder_);
  // sshd wants it even for one connection; packages make it when a real server starts.
  if (::geteuid() == 0) fs::create_directories("/run/sshd");
  MakeKey("host");
  WriteFile(folder_ / "authorized", "");
  WriteFile(folder_ / "sshd_config", "HostKey " + (folder_ / "host").string() + "\nAuthorizedKeysFile " +
                                         (folder_ / "authorized").string() +
                                         "\nPidFile none\nUsePAM no\nStrictModes no\nPermitRootLogin yes\n"
                                         "PasswordAuthentication no\nKbdInteractiveAuthentication no\n");
  thread_ = std::thread([this] { Serve(); });
}

SshServer::~SshServer() {
  stop_ = true;
  thread_.join();
}

void SshServer::Serve() {
  while (!stop_) {
    pollfd poll{socket_.descriptor(), POLLIN, 0};
    if (::poll(&poll, 1, 20) != 1) continue;
    const int connection = ::accept4(socket_.descriptor(), nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) continue;
    const std::lock_guard lock(mutex_);
    std::erase_if(sessions_, [](const auto& session) { return !session->Running(); });
    sessions_.push_back(std::make_unique<StartedProgram>(
        std::vector<std::string>{"/usr/sbin/sshd", "-i", "-e", "-f", (folder_ / "sshd_config").string()}, Environment{},
        connection, connection, folder_ / "log"));
    ::close(connection);
  }
}

std::string SshServer::Url(const std::string& path) const {
  return "ssh://" + user_ + "@127.0.0.1:" + std::to_string(port()) + path;
}

std::string SshServer::KnownHostLine() const {
  return "[127.0.0.1]:" + std::to_string(port()) + " " + ReadFile(folder_ / "host.pub");
}

fs::path SshServer::MakeKey(const std::string& name, const std::string& type) {
  Run({"ssh-keygen", "-q", "-t", type, "-N", "", "-C", "test", "-f", (folder_ / name).string()});
  return folder_ / name;
}

void SshServer::Authorize(const fs::path& key) {
  WriteFile(folder_ / "authorized", ReadFile(folder_ / "authorized") + ReadFile(key.string() + ".pub"));
}

void SshServer::AuthorizeToStall(const fs::path& key, const std::string& path, std::size_t bytes) {
  // cat ends when the client does.
  WriteFile(folder_ / "stall.sh", "git-upload-pack '" + path + "' | dd bs=1 count=" + std::to_string(bytes) +
                                      " 2>/dev/null\nexec cat >/dev/null\n");
  WriteFile(folder_ / "authorized",
            "command=\"sh " + (folder_ / "stall.sh").string() + "\" " + ReadFile(key.string() + ".pub"));
}

HttpsServer::HttpsServer(const fs::path& folder, const fs::path& repositories, int redirect_port)
    : folder_(folder), repositories_(repositories), ca_file_(Authority::Folder() / "ca.pem"), password_(RandomWord()) {
  fs::create_directories(folder_);
  const std::string hash = Without(Run({"openssl", "passwd", "-apr1", password_}), '\n');
  WriteFile(folder_ / "users", user_ + ":" + hash + "\n");

  const fs::path gate = folder_ / "fcgi.sock";
  wrapper_ = std::make_unique<StartedProgram>(std::vector<std::string>{"fcgiwrap", "-s", "unix:" + gate.string()},
                                              Environment{{"HOME", folder_.string()}, {"GIT_CONFIG_NOSYSTEM", "1"}}, -1,
                                              -1, folder_ / "fcgi.log");
  if (!WaitUntil([&] { return fs::exists(gate); })) throw std::runtime_error("fcgiwrap does not start");

  // nginx cannot tell which port the kernel picked, so the kernel picks first; another program may take it meanwhile.
  for (int attempt = 0; attempt < 5; ++attempt) {
    {
      const LoopbackSocket held[5];
      port_ = held[0].port();
      plain_port_ = held[1].port();
      other_port_ = held[2].port();
      expired_port_ = held[3].port();
      misnamed_port_ = held[4].port();
    }
    WriteFile(folder_ / "nginx.conf", Configuration(redirect_port));
    nginx_ = std::make_unique<StartedProgram>(
        std::vector<std::string>{"nginx", "-p", folder_.string(), "-e", (folder_ / "error.log").string(), "-c",
                                 (folder_ / "nginx.conf").string()},
        Environment{}, -1, -1, folder_ / "nginx.log");
    // All of one configuration are there, or none.
    WaitUntil([&] { return !nginx_->Running() || Answers(port_); });
    if (nginx_->Running()) return;
  }
  throw std::runtime_error("nginx does not start: " + ReadFile(folder_ / "nginx.log") +
                           ReadFile(folder_ / "error.log"));
}

std::string HttpsServer::Configuration(int redirect_port) const {
  const std::string at = folder_.string() + "/";
  auto listen = [](int port) { return "listen 127.0.0.1:" + std::to_string(port); };
  auto listen_tls = [&](int port, const std::string& certificate) {
    const std::string file = (Authority::Folder() / certificate).string();
    return listen(port) + " ssl;\nssl_certificate " + file + ".pem;\nssl_certificate_key " + file + ".key;\n";
  };
  auto git = [&](const std::string& script) {
    return "fastcgi_param SCRIPT_FILENAME " + script + ";\ninclude " + at + "git.conf;\n";
  };
  const std::string backend = "/usr/lib/git-core/git-http-backend";
  const std::string count = std::to_string(kStalledAfter);
  WriteFile(folder_ / "stall.sh", "#!/bin/sh\n[ \"$REQUEST_METHOD\" = POST ] || exec " + backend + "\n" + backend +
                                      " >\"$0.$$\"\n[ $(wc -c <\"$0.$$\") -gt " + count +
                                      " ] || exec cat \"$0.$$\"\nhead -c " + count + " \"$0.$$\"\nexec sleep 60\n");
  fs::permissions(folder_ / "stall.sh", fs::perms::owner_all);
  WriteFile(folder_ / "git.conf", "fastcgi_pass unix:" + at +
                                      "fcgi.sock;\n"
                                      "fastcgi_buffering off;\n"
                                      "fastcgi_param GIT_HTTP_EXPORT_ALL 1;\n"
                                      "fastcgi_param GIT_PROJECT_ROOT " +
                                      repositories_.string() +
                                      ";\nfastcgi_param PATH_INFO /$1;\n"
                                      "fastcgi_param QUERY_STRING $query_string;\n"
                                      "fastcgi_param REQUEST_METHOD $request_method;\n"
                                      "fastcgi_param CONTENT_TYPE $content_type;\n"
                                      "fastcgi_param CONTENT_LENGTH $content_length;\n"
                                      "fastcgi_param REMOTE_USER $remote_user;\n");
  const std::string repositories = "location ~ ^/open/(.*)$ {\n" + git(backend) + "}\nlocation ~ ^/stalled/(.*)$ {\n" +
                                   git(at + "stall.sh") +
                                   "}\nlocation ~ ^/private/(.*)$ {\nauth_basic git;\nauth_basic_user_file " + at +
                                   "users;\n" + git(backend) + "}\n";
  const std::string redirects = "location /moved/ { return 302 https://127.0.0.1:" + std::to_string(redirect_port) +
                                "$request_uri; }\n"
                                "location ~ ^/renamed/(.*)$ { return 301 /open/$1$is_args$args; }\n"
                                "location ~ ^/elsewhere/(.*)$ { return 302 https://localhost:" +
                                std::to_string(other_port_) +
                                "/private/$1$is_args$args; }\n"
                                "location /broken/ { return 503; }\n"
                                "location /page/ { default_type text/html; return 200 hello; }\n";
  return "daemon off;\nmaster_process off;\nuser root;\npid " + at + "nginx.pid;\nerror_log " + at +
         "error.log;\nevents {}\nhttp {\nlog_format short '$request_method $uri $status $remote_user';\naccess_log " +
         at + "access.log short;\nclient_body_temp_path " + at + "t1;\nproxy_temp_path " + at +
         "t2;\nfastcgi_temp_path " + at + "t3;\nuwsgi_temp_path " + at + "t4;\nscgi_temp_path " + at + "t5;\n" +
         "server {\n" + listen_tls(port_, "server") + repositories + redirects + "}\nserver {\n" + listen(plain_port_) +
         ";\n" + repositories + redirects + "}\nserver {\n" + listen_tls(other_port_, "server") + repositories +
         "}\nserver {\n" + listen_tls(expired_port_, "expired") + repositories + "}\nserver {\n" +
         listen_tls(misnamed_port_, "misnamed") + repositories + "}\n}\n";
}

std::string HttpsServer::AccessLog() const {
  return ReadFile(folder_ / "access.log");
}

}  // namespace tokensync::test
