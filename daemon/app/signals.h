/// Signals as calls: SIGTERM, SIGINT and SIGHUP arrive on a thread of their own.
#pragma once

#include <functional>
#include <thread>

namespace tokensync {

/// Blocks the three signals in the calling thread, and so in every thread that it starts. Before any thread is started.
void BlockSignals();

class SignalThread {
 public:
  struct Handlers {
    std::function<void()> stop;    ///< SIGTERM or SIGINT, the first time; the second one ends the process at once
    std::function<void()> reload;  ///< SIGHUP
  };

  /// The handlers are called on the signal thread. BlockSignals was called before. Throws EnvironmentError.
  explicit SignalThread(Handlers handlers);
  ~SignalThread();
  SignalThread(const SignalThread&) = delete;
  SignalThread& operator=(const SignalThread&) = delete;

 private:
  void Run();

  Handlers handlers_;
  int signal_fd_ = -1;
  int end_fd_ = -1;
  std::thread thread_;
};

}  // namespace tokensync
