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

bool Answers(int port) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool connected = ::connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  ::close(descriptor);
  return connected;
}

std::string Without(const std::string& text, char last) {
  return !text.empty() && text.back() == last ? text.substr(0, text.size() - 1) : text;
}

}  // namespace

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

HttpsServer::HttpsServer(const fs::path& folder, const fs::path& repositories, int redirect_port)
    : folder_(folder), repositories_(repositories), ca_file_(folder / "ca.pem"), password_(RandomWord()) {
  fs::create_directories(folder_);
  MakeCertificates();
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
      const LoopbackSocket one;
      const LoopbackSocket two;
      const LoopbackSocket three;
      port_ = one.port();
      plain_port_ = two.port();
      other_port_ = three.port();
    }
    WriteFile(folder_ / "nginx.conf", Configuration(redirect_port));
    nginx_ = std::make_unique<StartedProgram>(
        std::vector<std::string>{"nginx", "-p", folder_.string(), "-e", (folder_ / "error.log").string(), "-c",
                                 (folder_ / "nginx.conf").string()},
        Environment{}, -1, -1, folder_ / "nginx.log");
    WaitUntil([&] { return !nginx_->Running() || (Answers(port_) && Answers(plain_port_) && Answers(other_port_)); });
    if (nginx_->Running()) return;
  }
  throw std::runtime_error("nginx does not start: " + ReadFile(folder_ / "nginx.log") +
                           ReadFile(folder_ / "error.log"));
}

void HttpsServer::MakeCertificates() {
  const std::string at = folder_.string() + "/";
  Run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
       "-subj", "/CN=Test Authority", "-addext", "keyUsage=critical,keyCertSign", "-keyout", at + "ca.key", "-out",
       at + "ca.pem"});
  Run({"openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost",
       "-keyout", at + "server.key", "-out", at + "server.csr"});
  WriteFile(folder_ / "extensions", "subjectAltName=DNS:localhost\n");
  Run({"openssl", "x509", "-req", "-days", "2", "-in", at + "server.csr", "-CA", at + "ca.pem", "-CAkey", at + "ca.key",
       "-CAcreateserial", "-extfile", at + "extensions", "-out", at + "server.pem"});
}

std::string HttpsServer::Configuration(int redirect_port) const {
  const std::string at = folder_.string() + "/";
  auto listen = [](int port) { return "listen 127.0.0.1:" + std::to_string(port); };
  const std::string tls = " ssl;\nssl_certificate " + at + "server.pem;\nssl_certificate_key " + at + "server.key;\n";
  const std::string git = "include " + at + "git.conf;\n";
  WriteFile(folder_ / "git.conf", "fastcgi_pass unix:" + at +
                                      "fcgi.sock;\n"
                                      "fastcgi_param SCRIPT_FILENAME /usr/lib/git-core/git-http-backend;\n"
                                      "fastcgi_param GIT_HTTP_EXPORT_ALL 1;\n"
                                      "fastcgi_param GIT_PROJECT_ROOT " +
                                      repositories_.string() +
                                      ";\nfastcgi_param PATH_INFO /$1;\n"
                                      "fastcgi_param QUERY_STRING $query_string;\n"
                                      "fastcgi_param REQUEST_METHOD $request_method;\n"
                                      "fastcgi_param CONTENT_TYPE $content_type;\n"
                                      "fastcgi_param CONTENT_LENGTH $content_length;\n"
                                      "fastcgi_param REMOTE_USER $remote_user;\n");
  const std::string repositories = "location ~ ^/open/(.*)$ {\n" + git +
                                   "}\n"
                                   "location ~ ^/private/(.*)$ {\nauth_basic git;\nauth_basic_user_file " +
                                   at + "users;\n" + git + "}\n";
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
         "server {\n" + listen(port_) + tls + repositories + redirects + "}\nserver {\n" + listen(plain_port_) + ";\n" +
         repositories + redirects + "}\nserver {\n" + listen(other_port_) + tls + repositories + "}\n}\n";
}

std::string HttpsServer::AccessLog() const {
  return ReadFile(folder_ / "access.log");
}

}  // namespace tokensync::test
