/// Paths as a FileTree has them: relative, with '/'.
#pragma once

#include <string_view>

namespace tokensync {

/// The folder that holds it; empty for the root.
inline std::string_view ParentFolder(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

/// What follows the last '/'.
inline std::string_view LastName(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

}  // namespace tokensync
