#include "signals.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

#include "errors.h"

namespace tokensync {

namespace {

sigset_t HandledSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  return set;
}

}  // namespace

void BlockSignals() {
  const sigset_t set = HandledSignals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

SignalThread::SignalThread(Handlers handlers) : handlers_(std::move(handlers)) {
  const sigset_t set = HandledSignals();
  signal_fd_ = signalfd(-1, &set, SFD_CLOEXEC);
  end_fd_ = eventfd(0, EFD_CLOEXEC);
  if (signal_fd_ < 0 || end_fd_ < 0) {
    throw EnvironmentError(std::string("preparing to receive signals: ") + std::strerror(errno));
  }
  try {
    thread_ = std::thread([this] { Run(); });
  } catch (const std::system_error& error) {
    close(signal_fd_);
    close(end_fd_);
    throw EnvironmentError("starting the thread that receives signals: " + error.code().message());
  }
}

SignalThread::~SignalThread() {
  eventfd_write(end_fd_, 1);
  thread_.join();
  close(signal_fd_);
  close(end_fd_);
}

void SignalThread::Run() {
  bool stopping = false;
  while (true) {
    pollfd wanted[2] = {{signal_fd_, POLLIN, 0}, {end_fd_, POLLIN, 0}};
    if (poll(wanted, 2, -1) < 0) continue;
    if (wanted[1].revents != 0) return;
    signalfd_siginfo info;
    if (read(signal_fd_, &info, sizeof info) != sizeof info) continue;
    if (info.ssi_signo == SIGHUP) {
      handlers_.reload();
    } else if (!stopping) {
      stopping = true;
      handlers_.stop();
    } else {
      // Whoever asks twice does not want to wait. Every call in flight has its intent in the ledger.
      _exit(128 + static_cast<int>(info.ssi_signo));
    }
  }
}

}  // namespace tokensync
