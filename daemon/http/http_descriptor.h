/// An open file descriptor of a socket.
#pragma once

#include <unistd.h>

#include <utility>

namespace tokensync {

/// An open descriptor, or none (-1). Closed with its owner.
class HttpDescriptor {
 public:
  HttpDescriptor() = default;
  explicit HttpDescriptor(int fd) : fd_(fd) {}
  HttpDescriptor(HttpDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  HttpDescriptor& operator=(HttpDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~HttpDescriptor() {
    if (fd_ >= 0) close(fd_);
  }

  int fd() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  /// From here on the caller's.
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

}  // namespace tokensync
