/// The child that fetches: one request, one mirror, one answer.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "git_fetch.h"
#include "git_fetch_protocol.h"
#include "git_library.h"
#include "git_mirror_folder.h"
#include "git_source.h"
#include "git_transfer.h"

namespace tokensync {

namespace fs = std::filesystem;

namespace {

constexpr int kUsageStatus = 64;

void RefuseCoreDumps() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  // A core_pattern that is a pipe does not heed the limit.
  ::prctl(PR_SET_DUMPABLE, 0);
}

std::string ReadStandardInput() {
  std::string text;
  char buffer[4096];
  while (text.size() <= kRequestBytesMax) {
    const ssize_t got = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    text.append(buffer, static_cast<std::size_t>(got));
  }
  return text;
}

// A parent that is gone is no error to tell anybody.
void Say(const FetchReply& reply) {
  const std::string line = WriteReply(reply);
  for (std::size_t at = 0; at < line.size();) {
    const ssize_t put = ::write(STDOUT_FILENO, line.data() + at, line.size() - at);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return;
    at += static_cast<std::size_t>(put);
  }
}

GitPtr<git_repository> OpenUsable(const fs::path& mirror, const GitSource& source) {
  GitPtr<git_repository> repository;
  if (IsMarkedDamaged(mirror) || RecordedSource(mirror) != source.address) return repository;
  if (CountPacks(mirror / "objects") > kPacksMax) return repository;
  if (git_repository_open_bare(Out(repository), mirror.c_str()) < 0) repository.reset();
  return repository;
}

CommitId FetchInto(git_repository* repository, bool fresh, GitTransfer& transfer) {
  try {
    const Tip tip = transfer.Bring(repository, fresh);
    // Before anything is changed: it throws where there is no commit to follow.
    CommitOf(repository, tip);
    // And before the move: main/x must go before there can be a main.
    if (!fresh) ForgetStale(repository, tip, transfer);
    return CommitId{OidHex(MoveTo(repository, tip))};
  } catch (const GitCallError& e) {
    throw StoreFailed(e.what());
  }
}

GitPtr<git_repository> MakeRepository(const fs::path& path) {
  git_repository_init_options options{};
  git_repository_init_options_init(&options, GIT_REPOSITORY_INIT_OPTIONS_VERSION);
  options.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_MKDIR | GIT_REPOSITORY_INIT_NO_REINIT;
  GitPtr<git_repository> repository;
  if (git_repository_init_ext(Out(repository), path.c_str(), &options) < 0) {
    throw StoreFailed("making a repository at " + path.string() + ": " + LastGitMessage());
  }
  return repository;
}

CommitId FetchIntoMirror(FetchRequest request) {
  const GitSource source = ParseSource(request.url, request.username);
  if (const auto fault = FaultOf(request.ref)) throw FetchStop(FetchFailure::kUnusable, *fault);
  request.mirror = fs::absolute(request.mirror).lexically_normal();
  if (!request.mirror.has_filename()) request.mirror = request.mirror.parent_path();
  const PhaseReport report = [](const std::string& doing) { Say(FetchPhase{doing}); };

  report("waiting for another fetch into " + request.mirror.string());
  fs::create_directories(request.mirror.parent_path());
  const MirrorLock lock(request.mirror);
  RemoveLeftovers(request.mirror);
  const ScratchFolder scratch(ScratchPrefix(request.mirror));
  if (source.kind == SourceKind::kLocal && !request.proxy.empty()) {
    throw FetchStop(FetchFailure::kUnusable, "source.proxy is only for http and https; remove it");
  }
  const std::unique_ptr<GitTransfer> transfer = source.kind == SourceKind::kLocal
                                                    ? LocalTransfer(source, request, report)
                                                    : NetworkTransfer(source, request, scratch.path(), report);
  if (GitPtr<git_repository> mirror = OpenUsable(request.mirror, source)) {
    try {
      return FetchInto(mirror.get(), false, *transfer);
    } catch (const StoreFailed&) {
      report("cloning anew, because the mirror is damaged");
    }
  }
  const fs::path fresh = scratch.path() / "repository";
  GitPtr<git_repository> repository = MakeRepository(fresh);
  CommitId head = FetchInto(repository.get(), true, *transfer);
  repository.reset();
  RecordSource(fresh, source.address);
  PutInPlace(request.mirror, fresh);
  return head;
}

}  // namespace

int GitFetchChildMain() {
  RefuseCoreDumps();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::signal(SIGPIPE, SIG_IGN);
  // Before there is a request: a child that was started ahead has it done when one comes.
  StartGitLibrary();
  ChildRequest request;
  try {
    request = ReadRequest(ReadStandardInput());
  } catch (const FetchStop& stop) {
    Say(FetchFailed{stop.failure, stop.what()});
    return kUsageStatus;
  }
  // A parent that died before prctl() sends no signal any more.
  if (::getppid() != request.parent) return kUsageStatus;
  try {
    Say(FetchDone{FetchIntoMirror(std::move(request.fetch))});
  } catch (const FetchStop& stop) {
    Say(FetchFailed{stop.failure, stop.what()});
  } catch (const std::exception& e) {
    Say(FetchFailed{FetchFailure::kInternal, std::string("keeping the mirror failed: ") + e.what()});
  }
  return 0;
}

}  // namespace tokensync
