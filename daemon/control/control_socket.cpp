#include "control_socket.h"

#include <fmt/format.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace tokensync {

namespace {

constexpr int kBacklog = 64;
constexpr mode_t kMode = 0660;

[[noreturn]] void Refuse(const std::filesystem::path& path, std::string_view why) {
  throw ConfigError(fmt::format("opening the control socket {}: {}; choose another control.socket, or mend this one",
                                path.native(), why));
}

sockaddr_un AddressOf(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string& name = path.native();
  // The last byte stays 0; a leading NUL would name something that is no file.
  if (name.empty() || name.size() >= sizeof(address.sun_path)) {
    Refuse(path, fmt::format("a socket's path has 1 to {} bytes, and this one {}", sizeof(address.sun_path) - 1,
                             name.size()));
  }
  name.copy(static_cast<char*>(address.sun_path), name.size());
  return address;
}

OpenFile NewSocket() {
  return OpenFile(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

bool Bind(const OpenFile& socket, const sockaddr_un& address) {
  return bind(socket.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
}

/// What is left of a daemon that died is taken away.
void RemoveStale(const std::filesystem::path& path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) return;
  if (!S_ISSOCK(status.st_mode)) Refuse(path, "something that is no socket is there");
  if (ConnectTo(path) || errno == EAGAIN) {
    throw EnvironmentError(
        fmt::format("opening the control socket {}: another tokensyncd answers there; stop that one first, or give "
                    "this one a control.socket of its own",
                    path.native()));
  }
  if (errno != ECONNREFUSED && errno != ENOENT) Refuse(path, std::strerror(errno));
  if (unlink(path.c_str()) != 0 && errno != ENOENT) Refuse(path, std::strerror(errno));
}

}  // namespace

SocketFile::SocketFile(std::filesystem::path path) : path_(std::move(path)), socket_(NewSocket()) {
  const sockaddr_un address = AddressOf(path_);
  if (!socket_) Refuse(path_, std::strerror(errno));
  if (!Bind(socket_, address)) {
    if (errno != EADDRINUSE) Refuse(path_, std::strerror(errno));
    RemoveStale(path_);
    if (!Bind(socket_, address)) Refuse(path_, std::strerror(errno));
  }
  struct stat status {};
  // Nobody can connect before listen, so nobody sees the mode that the umask left.
  if (chmod(path_.c_str(), kMode) != 0 || lstat(path_.c_str(), &status) != 0 || listen(socket_.fd(), kBacklog) != 0) {
    const int error = errno;
    unlink(path_.c_str());
    Refuse(path_, std::strerror(error));
  }
  device_ = status.st_dev;
  inode_ = status.st_ino;
}

SocketFile::~SocketFile() {
  if (!socket_ || inode_ == 0) return;
  struct stat status {};
  if (lstat(path_.c_str(), &status) == 0 && status.st_dev == device_ && status.st_ino == inode_) unlink(path_.c_str());
}

OpenFile ConnectTo(const std::filesystem::path& path) {
  const sockaddr_un address = AddressOf(path);
  OpenFile socket = NewSocket();
  if (socket && connect(socket.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    const int error = errno;
    socket = OpenFile();
    errno = error;
  }
  return socket;
}

std::string UserName(std::uint32_t uid) {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found);
  return found != nullptr ? std::string(found->pw_name) : std::to_string(uid);
}

std::string ActorText(const std::string& user, std::uint32_t uid) {
  return fmt::format("{} (uid {})", user, uid);
}

Peer PeerOf(int fd) {
  ucred credentials{};
  socklen_t size = sizeof(credentials);
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    credentials = {.pid = 0, .uid = static_cast<uid_t>(-1), .gid = static_cast<gid_t>(-1)};
  }
  Peer peer{.uid = credentials.uid, .gid = credentials.gid, .pid = credentials.pid};
  peer.user = UserName(peer.uid);
  return peer;
}

}  // namespace tokensync
