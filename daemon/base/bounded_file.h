/// Small files that the configuration names.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace tokensync {

/// All bytes of a regular file (or what a link leads to). `setting`: the key that names it, for the text of the error.
/// Throws EnvironmentError where it cannot be read or holds more than `bytes_max`; the text never quotes the content.
std::string ReadBoundedFile(const std::filesystem::path& file, std::uint64_t bytes_max, std::string_view setting);

}  // namespace tokensync
