/// Bringing the objects of what is followed into a repository: over the network by libgit2's transports, or from a
/// folder.
///
/// Runs in the child only.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

#include "git_fetch.h"
#include "git_library.h"
#include "git_source.h"
#include "git_tip.h"

namespace tokensync {

/// The repository that is fetched into cannot be used; a fresh one may do.
class StoreFailed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Tells what is under way: "connecting to HOST".
using PhaseReport = std::function<void(const std::string&)>;

/// The source's references, as of the last Bring(), and its objects.
class GitTransfer : public SourceReferences {
 public:
  /// Makes the tip of what the request follows, and all that it reaches, present in `into`, and names it. `fresh`:
  /// `into` holds no object yet. Changes no reference. Throws FetchStop (the source is at fault), StoreFailed (`into`
  /// is).
  virtual Tip Bring(git_repository* into, bool fresh) = 0;
};

/// `scratch`: a private folder that outlives the transfer. Reads the files that the request names, and sets HOME,
/// libgit2's trust anchors and its kind of connection for the whole process. Throws FetchStop.
std::unique_ptr<GitTransfer> NetworkTransfer(const GitSource& source, const FetchRequest& request,
                                             const std::filesystem::path& scratch, const PhaseReport& report);
std::unique_ptr<GitTransfer> LocalTransfer(const GitSource& source, const FetchRequest& request,
                                           const PhaseReport& report);

/// A mirror of more packs is slow to search and holds as many open files: it is cloned anew.
inline constexpr std::size_t kPacksMax = 200;
/// A source with more packs than this is packed anew instead of copied, so that the mirror starts well below kPacksMax.
inline constexpr std::size_t kCopiedPacksMax = kPacksMax / 2;
/// The most that one fetch may bring.
inline constexpr std::size_t kReceivedBytesMax = std::size_t{4} * 1024 * 1024 * 1024;

}  // namespace tokensync
