/// Listening sockets that systemd opened for the service (socket activation, sd_listen_fds(3)).
#pragma once

#include <map>
#include <string>

namespace tokensync {

class InheritedSockets {
 public:
  /// Takes over what systemd passed to this process; the environment tells nobody of it any more, and no child inherits
  /// it. Once, before any thread is started. Throws EnvironmentError where what was passed cannot be read.
  InheritedSockets();
  /// CloseRest().
  ~InheritedSockets();
  InheritedSockets(const InheritedSockets&) = delete;
  InheritedSockets& operator=(const InheritedSockets&) = delete;

  /// The descriptor of that name (FileDescriptorName= of the socket unit), from now on the caller's; -1: there is none.
  int Take(const std::string& name);

  /// Closes those that nobody took, so that no client waits at one, and gives their names.
  std::string CloseRest();

 private:
  std::multimap<std::string, int> sockets_;
};

}  // namespace tokensync
