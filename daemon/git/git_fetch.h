/// Fetching the watched branch or tag into the mirror, in a child process that can be killed.
///
/// libgit2 has no time-outs: a silent peer would hold a pass for ever, whatever the transport. The child is this same
/// program, started with the one argument `git-fetch`; what it is to do goes to its standard input, so that no secret
/// shows in `ps`. When its time is up it is killed, and the mirror is as good as before.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "errors.h"
#include "model.h"
#include "secret.h"
#include "source_ref.h"

namespace tokensync {

/// What to bring, from where, and with which credential. Files are named absolutely or relative to the working
/// directory; an empty one is not used.
struct FetchRequest {
  std::filesystem::path mirror;  ///< bare repository; made where it is missing. Beside it lie MIRROR.lock, MIRROR.tmp-*
  std::string url;               ///< https, http, ssh, user@host:path, file:// or a path
  SourceRef ref;                 ///< what is followed
  std::string username;          ///< empty: what the URL says, else "git"
  Secret password;               ///< for http and https; only sent to the URL's host, and only when it asks
  std::filesystem::path ssh_key_file;      ///< private key without passphrase; mandatory for ssh
  std::filesystem::path known_hosts_file;  ///< OpenSSH's format; mandatory for ssh
  std::filesystem::path ca_file;           ///< PEM, trusted in addition to the system's roots
  /// http://HOST:PORT for http and https; must be empty for all else. Empty: what https_proxy, http_proxy and no_proxy
  /// of the environment say. The password passes a proxy within TLS only.
  std::string proxy;
  Duration timeout{120'000};  ///< for all of it, waiting for another fetch of this mirror included
};

/// Why nothing was fetched.
enum class FetchFailure {
  kUnreachable,    ///< no such host, no connection, cut off, or the server says that it is unwell
  kRefused,        ///< the credential, or that there is none
  kCertificate,    ///< https: not trusted; the connection is not made
  kHostKey,        ///< ssh: unknown or changed; the connection is not made
  kNotRepository,  ///< something answers or exists there, but it is not a git repository that we can see
  kEmpty,          ///< a repository without any branch, or tag where tags are followed
  kNoBranch,       ///< a repository without this branch, or without a tag that matches
  kTimedOut,       ///< the child was killed
  kUnusable,       ///< the URL, a file that the request names, or the tag that is followed cannot be used
  kInternal        ///< anything else: a full disk, a child that did not start or died
};

/// The text names subject, cause and what to do. It never holds a secret.
class GitFetchError : public EnvironmentError {
 public:
  GitFetchError(FetchFailure failure, const std::string& text) : EnvironmentError(text), failure_(failure) {}
  FetchFailure failure() const { return failure_; }

 private:
  FetchFailure failure_;
};

/// Starts the child. Used by one thread at a time; that thread must outlive the call, for the child dies with it.
class GitFetcher {
 public:
  /// `program`: a program whose main() calls GitFetchChildMain() for the argument `git-fetch`.
  explicit GitFetcher(std::filesystem::path program = "/proc/self/exe");
  ~GitFetcher();
  GitFetcher(const GitFetcher&) = delete;
  GitFetcher& operator=(const GitFetcher&) = delete;

  /// Starts the next fetch's child ahead of it: a good part of a small fetch is that the program loads. Until then it
  /// knows nothing and waits; it goes with this object. It dies with the calling thread, too, and Fetch() then starts
  /// another. Nothing happens where one waits already or none can be started.
  void Prepare();

  /// Brings the head of what is followed, and all that it reaches, into the mirror and names it: the branch's, or the
  /// commit of the newest tag that matches, which may descend from the one before or not. In the mirror HEAD names it,
  /// and branches and tags of earlier fetches remain as long as the source has them in the same place. A mirror that is
  /// missing, damaged, of another URL or of too many packs is replaced by a fresh clone, in one step; the old one
  /// serves until then.
  /// Two processes may call this at the same time for one mirror: the second waits for the first.
  ///
  /// `beat` is called at once and then about once a second; when it throws, the child is killed and the exception
  /// passes on. On return and on every exception the child is gone. Throws GitFetchError; the mirror's references are
  /// then as they were.
  CommitId Fetch(const FetchRequest& request, const std::function<void()>& beat = {});

 private:
  class Child;
  std::filesystem::path program_;
  std::unique_ptr<Child> prepared_;
};

/// What main() does for the argument `git-fetch`: reads the request from standard input, answers on standard output,
/// and returns the exit status. Nothing else may run in this process: it changes HOME, the limits and libgit2's
/// options.
int GitFetchChildMain();

}  // namespace tokensync
