/// Making a folder's list of names durable. For this folder only.
#pragma once

#include <filesystem>

namespace tokensync {

/// The names in the folder are on the disk. False, with errno, where that failed; a file system that does not do that
/// for folders is taken for one that does not need it.
bool FlushFolder(const std::filesystem::path& folder);

}  // namespace tokensync
