/// A private folder for the files that the checking programs read.
#pragma once

#include <filesystem>
#include <string_view>

namespace tokensync {

/// `below`/trust-XXXXXX.d of mode 0700, and a lock beside it by which others know that it is in use. Both are removed
/// at the end; what a killed process left is removed by the next one. Every method throws EnvironmentError.
class PrivateFolder {
 public:
  explicit PrivateFolder(const std::filesystem::path& below);
  ~PrivateFolder();
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;

  /// Absolute.
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

  /// Makes the file, mode 0600, or replaces its content.
  void Write(std::string_view name, std::string_view bytes) const;
  /// Makes an empty folder, mode 0700, in the place of what has this name.
  void MakeEmpty(std::string_view name) const;

 private:
  std::filesystem::path lock_file_;
  std::filesystem::path path_;
  int lock_ = -1;
};

}  // namespace tokensync
