#include "scripted_source.h"

#include <algorithm>
#include <cstdio>

#include "broken_promise.h"
#include "sha256.h"

namespace tokensync {

namespace {

std::string BlobId(const ScriptedFile& file) {
  std::string text = file.readable ? "" : "broken;";
  for (const ScriptedToken& token : file.tokens) {
    text += token.key.Text() + (token.is_private ? "!" : "=") + token.payload + ";";
  }
  return text;
}

}  // namespace

CommitId ScriptedSource::Push(ScriptedTree tree) {
  return Add(std::move(tree), history_.empty() ? std::nullopt : std::optional(history_.size() - 1));
}

CommitId ScriptedSource::PushRewritten(ScriptedTree tree, std::size_t number_below) {
  return Add(std::move(tree), number_below);
}

CommitId ScriptedSource::Add(ScriptedTree tree, std::optional<std::size_t> below) {
  char hex[41];
  std::snprintf(hex, sizeof hex, "%040zx", history_.size() + 1);
  auto commit = std::make_shared<Commit>();
  commit->id.hex = hex;
  commit->author = "A <a@example.com>";
  commit->subject = "commit " + std::to_string(history_.size() + 1);
  history_.push_back({.commit = std::move(commit), .tree = std::move(tree), .below = below});
  return Head();
}

CommitId ScriptedSource::FetchHead() {
  MayFail(SourceStep::kFetch, "fetching the branch: the server does not answer");
  return Head();
}

std::shared_ptr<const DesiredState> ScriptedSource::Read(const CommitId& commit) {
  MayFail(SourceStep::kRead, "reading the commit: an object is missing");
  // A new value each time, so that whoever keeps a pointer into an old one too long is found out.
  last_read_ = std::make_shared<const DesiredState>(Declared(commit));
  return last_read_;
}

DesiredState ScriptedSource::Declared(const CommitId& commit) const {
  DesiredState desired;
  desired.commit = commit;
  for (const auto& [path, file] : history_.at(NumberOf(commit)).tree) {
    ++desired.manifests;
    if (!file.readable) {
      desired.unreadable.push_back(path);
      desired.problems.push_back({.place = {.path = path, .line = 1, .column = 1}, .what = "broken"});
      continue;
    }
    auto manifest = std::make_shared<Manifest>();
    manifest->path = path;
    manifest->blob_id = BlobId(file);
    std::uint32_t ordinal = 0;
    for (const ScriptedToken& token : file.tokens) {
      desired.entries.push_back({.key = token.key,
                                 .digest = PayloadDigest(token.payload, token.is_private),
                                 .is_private = token.is_private,
                                 .manifest = manifest,
                                 .line = ordinal + 1,
                                 .column = 1,
                                 .ordinal = ordinal});
      ++ordinal;
    }
  }
  std::stable_sort(desired.entries.begin(), desired.entries.end(),
                   [](const Entry& a, const Entry& b) { return a.key < b.key; });
  for (std::size_t i = 1; i < desired.entries.size(); ++i) {
    const TokenKey& key = desired.entries[i].key;
    if (key != desired.entries[i - 1].key) continue;
    if (!desired.IsAmbiguous(key)) desired.ambiguous.push_back(key);
    desired.problems.push_back(
        {.place = {.path = desired.entries[i].manifest->path, .line = 1, .column = 1}, .what = "declared twice"});
  }
  std::erase_if(desired.entries, [&](const Entry& entry) { return desired.IsAmbiguous(entry.key); });
  return desired;
}

std::string ScriptedSource::Payload(const Entry& entry) {
  MayFail(SourceStep::kPayload, "reading the payload: an object is missing");
  const auto& entries = last_read_->entries;
  const bool is_of_last_read =
      std::any_of(entries.begin(), entries.end(), [&](const Entry& known) { return &known == &entry; });
  Demand(is_of_last_read, "the payload of an entry that is not of the state read last was asked for");
  ++payloads_read_;
  const ScriptedTree& tree = history_.at(NumberOf(last_read_->commit)).tree;
  return tree.at(entry.manifest->path).tokens.at(entry.ordinal).payload;
}

std::vector<Provenance> ScriptedSource::Attribute(const CommitId& head,
                                                  std::span<const std::shared_ptr<const Manifest>> manifests) {
  MayFail(SourceStep::kAttribute, "walking the history: an object is missing");
  const std::size_t newest = NumberOf(head);
  std::vector<Provenance> answers;
  for (const auto& manifest : manifests) {
    std::size_t number = newest;
    std::uint32_t rank = 0;
    if (manifest) {
      const ScriptedTree& tree = history_[newest].tree;
      const auto file = tree.find(manifest->path);
      Demand(file != tree.end() && BlobId(file->second) == manifest->blob_id,
             "who brought a manifest was asked of a commit that does not have it");
      for (; history_[number].below; number = *history_[number].below, ++rank) {
        const ScriptedTree& below = history_[*history_[number].below].tree;
        const auto before = below.find(manifest->path);
        if (before == below.end() || before->second != file->second) break;
      }
    }
    answers.push_back({.commit = history_[number].commit, .age_rank = rank});
  }
  return answers;
}

bool ScriptedSource::Descends(const CommitId& head, const CommitId& ancestor) {
  return Continues(head, ancestor);
}

bool ScriptedSource::Continues(const CommitId& head, const CommitId& ancestor) const {
  const std::size_t wanted = NumberOf(ancestor);
  std::optional<std::size_t> number = NumberOf(head);
  while (number && *number != wanted) number = history_[*number].below;
  return number.has_value();
}

Vouching ScriptedSource::Vouch(const CommitId& commit, const std::optional<CommitId>&) {
  return vouches ? vouches(commit) : Vouching{};
}

std::size_t ScriptedSource::NumberOf(const CommitId& commit) const {
  const auto found =
      std::find_if(history_.begin(), history_.end(), [&](const Past& past) { return past.commit->id == commit; });
  if (found == history_.end()) throw EnvironmentError("reading commit " + commit.hex + ": there is none");
  return static_cast<std::size_t>(found - history_.begin());
}

void ScriptedSource::MayFail(SourceStep step, const char* what) const {
  if (fails && fails(step)) throw EnvironmentError(what);
}

}  // namespace tokensync
