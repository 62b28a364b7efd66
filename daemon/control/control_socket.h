/// The unix-domain socket itself: its file, its ends, and who is at the other end. For the files of this folder only.
///
/// By system calls, not Poco: Poco 1.11 accepts connections that a child process inherits, and so keeps clients waiting
/// for as long as a fetch takes.
#pragma once

#include <filesystem>
#include <utility>

#include "control_server.h"
#include "open_file.h"

namespace tokensync {

/// A listening socket and its file.
class SocketFile {
 public:
  /// Throws as ControlServer does.
  explicit SocketFile(std::filesystem::path path);
  /// A socket that listens already; its file is left alone.
  explicit SocketFile(OpenFile listening) : socket_(std::move(listening)) {}
  SocketFile(SocketFile&& other) noexcept = default;
  SocketFile& operator=(SocketFile&&) = delete;
  /// Removes the file that it made, unless another one has taken its place.
  ~SocketFile();

  int fd() const { return socket_.fd(); }

 private:
  std::filesystem::path path_;
  OpenFile socket_;
  std::uint64_t device_ = 0;
  std::uint64_t inode_ = 0;
};

/// Connects to `path`, without waiting for the other end to accept. Without a connection, the error is in errno.
/// Throws ConfigError where the path is too long for a socket.
OpenFile ConnectTo(const std::filesystem::path& path);

/// Who is at the other end of a connected socket.
Peer PeerOf(int fd);

}  // namespace tokensync
