#include "git_library.h"

#include <cstring>
#include <mutex>

#include "git_text.h"

namespace tokensync {

namespace {
constexpr std::size_t kMessageBytesMax = 500;
}

void StartGitLibrary() {
  static std::once_flag once;
  std::call_once(once, [] {
    git_libgit2_init();
    // An unreadable ~/.gitconfig fails every open, and HOME is unset under DynamicUser.
    for (int level :
         {GIT_CONFIG_LEVEL_PROGRAMDATA, GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL}) {
      git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, level, "");
    }
    // The check guards people who step into a foreign work tree and run its hooks; nothing of a source is ever run
    // here.
    git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
  });
}

std::string LastGitMessage() {
  const git_error* last = git_error_last();
  if (last == nullptr || last->message == nullptr || last->message[0] == '\0') return "no reason given";
  return CleanText(last->message, kMessageBytesMax);
}

void CheckGit(int code, std::string_view doing) {
  if (code >= 0) return;
  const git_error* last = git_error_last();
  std::string message = LastGitMessage();
  std::string text = std::string(doing) + ": " + message;
  throw GitCallError(code, last == nullptr ? static_cast<int>(GIT_ERROR_NONE) : last->klass, std::move(message), text);
}

bool ParseOid(std::string_view hex, git_oid& oid) {
  return hex.size() == GIT_OID_HEXSZ && git_oid_fromstrn(&oid, hex.data(), hex.size()) == 0;
}

std::string OidHex(const git_oid& oid) {
  std::string hex(GIT_OID_HEXSZ, '0');
  git_oid_fmt(hex.data(), &oid);
  return hex;
}

std::size_t OidHash::operator()(const git_oid& oid) const {
  std::size_t hash = 0;
  std::memcpy(&hash, oid.id, sizeof hash);
  return hash;
}

}  // namespace tokensync
