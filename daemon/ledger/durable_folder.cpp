#include "durable_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace tokensync {

bool FlushFolder(const std::filesystem::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool flushed = ::fsync(fd) == 0 || errno == EINVAL || errno == EROFS;
  const int error = errno;
  ::close(fd);
  errno = error;
  return flushed;
}

}  // namespace tokensync
