#include "inherited_sockets.h"

#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "errors.h"

namespace tokensync {

InheritedSockets::InheritedSockets() {
  char** names = nullptr;
  // The descriptors are close-on-exec afterwards.
  const int count = sd_listen_fds_with_names(1, &names);
  if (count < 0) {
    throw EnvironmentError(std::string("taking the sockets that systemd passed: ") + std::strerror(-count));
  }
  for (int at = 0; at < count; ++at) {
    sockets_.emplace(names[at], SD_LISTEN_FDS_START + at);
    std::free(names[at]);
  }
  std::free(names);
}

InheritedSockets::~InheritedSockets() {
  CloseRest();
}

int InheritedSockets::Take(const std::string& name) {
  const auto found = sockets_.find(name);
  if (found == sockets_.end()) return -1;
  return sockets_.extract(found).mapped();
}

std::string InheritedSockets::CloseRest() {
  std::string names;
  for (const auto& [name, fd] : sockets_) {
    close(fd);
    names += (names.empty() ? "" : ", ") + name;
  }
  sockets_.clear();
  return names;
}

}  // namespace tokensync
