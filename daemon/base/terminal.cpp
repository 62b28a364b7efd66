#include "terminal.h"

#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>

#include "errors.h"

namespace tokensync {

namespace {

constexpr int kUsualColumns = 80;
constexpr int kColumnsMin = 20;

std::string_view Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

}  // namespace

Terminal Terminal::Of(int fd) {
  if (isatty(fd) == 0) return {};
  Terminal terminal{.colour = false, .columns = kUsualColumns};
  winsize size{};
  if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col >= kColumnsMin) terminal.columns = size.ws_col;
  const std::string_view kind = Variable("TERM");
  terminal.colour = Variable("NO_COLOR").empty() && !kind.empty() && kind != "dumb";
  return terminal;
}

ssize_t WriteQuietly(int fd, std::string_view bytes) {
  sigset_t broken_pipe;
  sigset_t before;
  sigset_t pending;
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  sigpending(&pending);
  const bool was_pending = sigismember(&pending, SIGPIPE) == 1;
  pthread_sigmask(SIG_BLOCK, &broken_pipe, &before);
  const ssize_t written = write(fd, bytes.data(), bytes.size());
  const int error = errno;
  // The signal of this write is taken off before it can be delivered; one that somebody else waits for stays.
  if (written < 0 && error == EPIPE && !was_pending) {
    const timespec at_once{};
    while (sigtimedwait(&broken_pipe, nullptr, &at_once) < 0 && errno == EINTR) {
    }
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return written;
}

bool WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = WriteQuietly(fd, text);
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EPIPE) {
      return false;
    } else if (errno == EAGAIN) {
      pollfd ready{.fd = fd, .events = POLLOUT, .revents = 0};
      poll(&ready, 1, -1);
    } else if (errno != EINTR) {
      const std::string cause = std::strerror(errno);
      throw EnvironmentError("writing the output: " + cause + "; it is not complete");
    }
  }
  return true;
}

}  // namespace tokensync
