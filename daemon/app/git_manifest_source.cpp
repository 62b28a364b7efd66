#include "git_manifest_source.h"

#include <utility>

#include "bounded_file.h"

namespace tokensync {

namespace {

constexpr std::uint64_t kPasswordBytesMax = 16 * 1024;

/// The git password, read for each fetch, so that it can be replaced at any time.
Secret ReadPassword(const std::filesystem::path& file) {
  if (file.empty()) return {};
  std::string text = ReadBoundedFile(file, kPasswordBytesMax, "source.token_file");
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return Secret(std::move(text));
}

}  // namespace

GitManifestSource::GitManifestSource(const Config& config, std::function<void()> beat)
    : source_(config.source),
      mirror_path_(config.StateDirectory() / "mirror.git"),
      beat_(std::move(beat)),
      mirror_(mirror_path_, beat_),
      trust_(config, mirror_, beat_) {}

CommitId GitManifestSource::FetchHead() {
  const FetchRequest request{.mirror = mirror_path_,
                             .url = source_.url,
                             .ref = source_.ref,
                             .username = source_.username,
                             .password = ReadPassword(source_.token_file),
                             .ssh_key_file = source_.ssh_key_file,
                             .known_hosts_file = source_.known_hosts_file,
                             .ca_file = source_.ca_file,
                             .proxy = source_.proxy,
                             .timeout = source_.timeout};
  return fetcher_.Fetch(request, beat_);
}

std::shared_ptr<const DesiredState> GitManifestSource::Read(const CommitId& commit) {
  if (desired_ && desired_->commit == commit) return desired_;
  std::unique_ptr<FileTree> tree = mirror_.Tree(commit, source_.path);
  auto desired = std::make_shared<DesiredState>(reader_.Read(*tree, [this](std::size_t, std::size_t) { beat_(); }));
  desired->commit = commit;
  tree_ = std::move(tree);
  desired_ = std::move(desired);
  return desired_;
}

std::string GitManifestSource::Payload(const Entry& entry) {
  return reader_.Payload(*tree_, entry);
}

std::vector<Provenance> GitManifestSource::Attribute(const CommitId& head,
                                                     std::span<const std::shared_ptr<const Manifest>> manifests) {
  std::vector<std::shared_ptr<const Manifest>> present;
  for (const auto& manifest : manifests) {
    if (manifest) present.push_back(manifest);
  }
  const std::vector<Provenance> found = mirror_.Attribute(head, source_.path, present);
  std::vector<Provenance> answers;
  answers.reserve(manifests.size());
  std::size_t next = 0;
  for (const auto& manifest : manifests) {
    answers.push_back(manifest ? found.at(next++) : Provenance{.commit = mirror_.Describe(head)});
    // Where only heads are verified, a commit that was one speaks for what was pushed with it, not for its own text.
    if (source_.verify == Verify::kEvery) answers.back().signer = trust_.SignerOf(answers.back().commit->id);
  }
  return answers;
}

bool GitManifestSource::Descends(const CommitId& head, const CommitId& ancestor) {
  return mirror_.Descends(head, ancestor);
}

Vouching GitManifestSource::Vouch(const CommitId& commit, const std::optional<CommitId>& vouched) {
  return trust_.Vouch(commit, vouched);
}

}  // namespace tokensync
