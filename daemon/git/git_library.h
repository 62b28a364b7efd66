/// libgit2 for the files of this folder: set up once, owned by unique_ptr, every call checked in one line.
///
/// Only .cpp files of this folder include it: libgit2's types end here.
#pragma once

#include <git2.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace tokensync {

/// A call into libgit2 failed. what(): "<gerund phrase>: <libgit2's text>".
class GitCallError : public std::runtime_error {
 public:
  GitCallError(int code_, int error_class_, std::string message_, const std::string& text)
      : std::runtime_error(text), code(code_), error_class(error_class_), message(std::move(message_)) {}
  int code;             ///< git_error_code
  int error_class;      ///< git_error_t; GIT_ERROR_NONE where libgit2 told nothing
  std::string message;  ///< libgit2's own text, sanitised
};

struct GitDeleter {
  void operator()(git_repository* p) const { git_repository_free(p); }
  void operator()(git_odb* p) const { git_odb_free(p); }
  void operator()(git_commit* p) const { git_commit_free(p); }
  void operator()(git_tree* p) const { git_tree_free(p); }
  void operator()(git_blob* p) const { git_blob_free(p); }
  void operator()(git_object* p) const { git_object_free(p); }
  void operator()(git_tag* p) const { git_tag_free(p); }
  void operator()(git_reference* p) const { git_reference_free(p); }
  void operator()(git_reference_iterator* p) const { git_reference_iterator_free(p); }
  void operator()(git_remote* p) const { git_remote_free(p); }
  void operator()(git_revwalk* p) const { git_revwalk_free(p); }
  void operator()(git_packbuilder* p) const { git_packbuilder_free(p); }
};
template <typename T>
using GitPtr = std::unique_ptr<T, GitDeleter>;

/// Hands a GitPtr to a libgit2 function that returns an object through its first parameter:
/// `CheckGit(git_tree_lookup(Out(tree), repository, &id), "reading a tree")`.
/// The target has it at the end of the full expression, not before.
template <typename T>
class Out {
 public:
  explicit Out(GitPtr<T>& target) : target_(target) {}
  ~Out() { target_.reset(raw_); }
  Out(const Out&) = delete;
  Out& operator=(const Out&) = delete;
  operator T**() { return &raw_; }  // NOLINT(google-explicit-constructor)

 private:
  GitPtr<T>& target_;
  T* raw_ = nullptr;
};

/// Sets libgit2 up for this process: no configuration of the user or the system is read, and a repository may belong to
/// any user. Any number of times, from any thread.
void StartGitLibrary();

/// Throws GitCallError where `code` is an error.
void CheckGit(int code, std::string_view doing);

/// What libgit2 told last in this thread, sanitised, or "no reason given".
std::string LastGitMessage();

/// The object id of 40 hexadecimal digits; false where it is none.
[[nodiscard]] bool ParseOid(std::string_view hex, git_oid& oid);
std::string OidHex(const git_oid& oid);

struct OidHash {
  std::size_t operator()(const git_oid& oid) const;
};
struct OidEqual {
  bool operator()(const git_oid& a, const git_oid& b) const { return git_oid_equal(&a, &b) != 0; }
};

}  // namespace tokensync
