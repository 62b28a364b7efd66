#include "bounded_file.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

#include "errors.h"

namespace tokensync {

std::string ReadBoundedFile(const std::filesystem::path& file, std::uint64_t bytes_max, std::string_view setting) {
  const auto fail = [&](std::string_view why) {
    throw EnvironmentError(fmt::format("reading {}, which {} names: {}", file.string(), setting, why));
  };
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) fail(error ? error.message() : "it is not a regular file");
  errno = 0;
  std::ifstream stream(file, std::ios::binary);
  if (!stream) fail(std::strerror(errno));
  std::string bytes(static_cast<std::size_t>(bytes_max) + 1, '\0');
  stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (stream.bad()) fail(std::strerror(errno));
  bytes.resize(static_cast<std::size_t>(stream.gcount()));
  if (bytes.size() > bytes_max) fail(fmt::format("it has more than {} bytes", bytes_max));
  return bytes;
}

}  // namespace tokensync
