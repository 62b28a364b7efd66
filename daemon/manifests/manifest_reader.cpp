#include "manifest_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "errors.h"
#include "ignore_rules.h"
#include "problem_text.h"
#include "source_text.h"
#include "text.h"
#include "tree_path.h"

namespace tokensync {

namespace {

constexpr std::string_view kIgnoreFileName = ".tokensyncignore";
constexpr std::size_t kParsedFilesMax = 2;
constexpr std::size_t kFilesBetweenProgress = 256;
/// Duplicates are named with the line of the file, which is read again for it, up to this number.
constexpr std::size_t kLinesReadAgainMax = 1'000;

bool HasHiddenName(std::string_view path) {
  return path.starts_with('.') || path.find("/.") != std::string_view::npos;
}

bool HasManifestName(std::string_view path) {
  const std::string_view name = LastName(path);
  return name != kCollectionFileName && (name.ends_with(".yaml") || name.ends_with(".yml") || name.ends_with(".json"));
}

Problem ProblemOfFile(const std::string& path, std::string what, std::string advice) {
  return {{ValidText(path), 0, 0}, std::move(what), std::move(advice), {}};
}

}  // namespace

/// One call of Read.
class ManifestReader::Reading {
 public:
  Reading(FileTree& tree, const Progress& progress) : tree_(tree), progress_(progress) {}

  DesiredState Run() {
    files_ = tree_.List();
    CollectSpecialFiles();
    std::vector<const TreeFile*> manifests;
    for (const TreeFile& file : files_) {
      if (HasManifestName(file.path) && !HasHiddenName(file.path) && !rules_.Ignores(file.path)) {
        manifests.push_back(&file);
      }
    }
    state_.manifests = manifests.size();
    for (const auto& [folder, file] : collection_files_) FolderAt(folder);
    for (std::size_t i = 0; i < manifests.size(); ++i) {
      if (progress_ && i % kFilesBetweenProgress == 0) progress_(i, manifests.size());
      ReadFile(*manifests[i]);
    }
    if (progress_) progress_(manifests.size(), manifests.size());
    SetAmbiguousAside();
    FinishProblems();
    std::sort(state_.unreadable.begin(), state_.unreadable.end());
    return std::move(state_);
  }

  std::unordered_map<std::string, std::shared_ptr<const Folder>> TakeFolders() { return std::move(folders_); }

 private:
  void CollectSpecialFiles() {
    for (const TreeFile& file : files_) {
      if (LastName(file.path) == kIgnoreFileName && !HasHiddenName(ParentFolder(file.path))) ReadIgnoreFile(file);
    }
    for (const TreeFile& file : files_) {
      const bool counts = LastName(file.path) == kCollectionFileName && !HasHiddenName(file.path);
      if (counts && !rules_.Ignores(file.path)) collection_files_.emplace(std::string(ParentFolder(file.path)), &file);
    }
  }

  void ReadIgnoreFile(const TreeFile& file) {
    const std::string folder(ParentFolder(file.path));
    const std::optional<std::string> bytes = Bytes(file);
    if (!bytes) {
      broken_ignores_.emplace(folder, true);
      return;
    }
    const SourceText source(file.path, *bytes);
    ProblemList problems(source);
    if (auto bad = source.FindBadCharacter()) {
      problems.Add(*std::move(bad));
    } else {
      rules_.Add(folder, source, problems);
    }
    if (problems.empty()) return;
    broken_ignores_.emplace(folder, true);
    SetUnreadable(file.path, problems.Take());
  }

  /// The bytes of a file of which the name asks to be read; nothing after a problem, which makes the file unreadable.
  std::optional<std::string> Bytes(const TreeFile& file) {
    const auto refuse = [&](std::string what, std::string advice) {
      std::vector<Problem> problems;
      problems.push_back(ProblemOfFile(file.path, std::move(what), std::move(advice)));
      SetUnreadable(file.path, std::move(problems));
      return std::nullopt;
    };
    if (ValidText(file.path) != file.path) return refuse("a file name that is no UTF-8", "rename the file");
    if (file.kind == FileKind::kSymbolicLink) return refuse("a symbolic link", "put the file itself here");
    if (file.kind != FileKind::kRegular) return refuse("no regular file", "put a file here, or give this another name");
    auto bytes = tree_.Read(file, kFileBytesMax);
    if (!bytes) return refuse(fmt::format("a file of more than {} MiB", kFileBytesMax >> 20U), "divide it");
    return bytes;
  }

  const Folder& FolderAt(std::string_view path) {
    const std::string key(path);
    if (const auto known = folders_.find(key); known != folders_.end()) return *known->second;
    auto folder = std::make_shared<Folder>(path.empty() ? Folder() : FolderAt(ParentFolder(path)));
    if (broken_ignores_.contains(key)) folder->broken = folder->ignore_broken = true;
    if (const auto file = collection_files_.find(key); file != collection_files_.end()) {
      ReadCollection(*file->second, *folder);
    }
    const Folder& result = *folder;
    folders_.emplace(key, std::move(folder));
    return result;
  }

  void ReadCollection(const TreeFile& file, Folder& folder) {
    folder.inherited.insert(folder.inherited.begin(), file.path);
    if (folder.ignore_broken) {
      // It may be left out by what could not be read: then its problems are none.
      state_.unreadable.push_back(ValidText(file.path));
      return;
    }
    const std::optional<std::string> bytes = Bytes(file);
    if (!bytes) {
      folder.broken = true;
      folder.values.incomplete = true;
      return;
    }
    CollectionContent content = ReadCollectionFile(SourceText(file.path, *bytes), folder.values);
    folder.values = std::move(content.values);
    if (content.problems.empty()) return;
    folder.broken = true;
    SetUnreadable(file.path, std::move(content.problems));
  }

  void ReadFile(const TreeFile& file) {
    const Folder& folder = FolderAt(ParentFolder(file.path));
    if (folder.ignore_broken) {
      state_.unreadable.push_back(ValidText(file.path));
      return;
    }
    const std::optional<std::string> bytes = Bytes(file);
    if (!bytes) return;
    ManifestContent content = ReadManifest(SourceText(file.path, *bytes), folder.values);
    if (folder.broken || !content.problems.empty()) {
      SetUnreadable(file.path, std::move(content.problems));
      return;
    }
    const auto manifest = std::make_shared<const Manifest>(Manifest{file.path, file.blob_id, folder.inherited});
    std::uint32_t ordinal = 0;
    for (DeclaredToken& token : content.tokens) {
      state_.entries.push_back({std::move(token.key), token.digest, token.is_private, manifest, token.position.line,
                                token.position.column, ordinal});
      ++ordinal;
    }
  }

  void SetUnreadable(const std::string& path, std::vector<Problem> problems) {
    state_.unreadable.push_back(ValidText(path));
    for (Problem& problem : problems) AddProblem(std::move(problem));
  }

  void AddProblem(Problem problem) {
    if (state_.problems.size() < kProblemsMax) {
      problem.place.path = ValidText(problem.place.path);
      state_.problems.push_back(std::move(problem));
    } else {
      ++problems_left_out_;
    }
  }

  /// Takes the keys that are declared more than once out of the entries.
  void SetAmbiguousAside() {
    std::vector<Entry>& entries = state_.entries;
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
      if (const auto order = a.key <=> b.key; order != 0) return order < 0;
      return std::tie(a.manifest->path, a.ordinal) < std::tie(b.manifest->path, b.ordinal);
    });
    std::vector<Entry> unique;
    unique.reserve(entries.size());
    for (auto first = entries.begin(); first != entries.end();) {
      const auto last = std::find_if(first, entries.end(), [&](const Entry& entry) { return entry.key != first->key; });
      if (last - first == 1) {
        unique.push_back(std::move(*first));
      } else {
        state_.ambiguous.push_back(first->key);
        for (auto entry = first; entry != last; ++entry) AddDuplicate(*entry, entry == first ? *(first + 1) : *first);
      }
      first = last;
    }
    entries = std::move(unique);
  }

  void AddDuplicate(const Entry& entry, const Entry& other) {
    Problem problem;
    const TextPosition position{entry.line, entry.column};
    problem.what = fmt::format("the token {} is declared more than once: also at {}:{}:{}", entry.key.Text(),
                               PrintableText(other.manifest->path), other.line, other.column);
    problem.advice = "keep one of them; until then none of them counts";
    std::optional<std::string> bytes;
    if (lines_read_again_ < kLinesReadAgainMax) {
      ++lines_read_again_;
      bytes = tree_.Read({entry.manifest->path, FileKind::kRegular, entry.manifest->blob_id}, kFileBytesMax);
    }
    if (bytes) {
      problem = SourceText(entry.manifest->path, *bytes).ProblemAt(position, problem.what, problem.advice);
    } else {
      problem.place = {entry.manifest->path, entry.line, entry.column};
    }
    AddProblem(std::move(problem));
  }

  void FinishProblems() {
    std::stable_sort(state_.problems.begin(), state_.problems.end(),
                     [](const Problem& a, const Problem& b) { return a.place < b.place; });
    if (problems_left_out_ > 0) {
      state_.problems.push_back(
          {{"", 0, 0}, fmt::format("{} more problems", problems_left_out_), "mend those above first", {}});
    }
  }

  FileTree& tree_;
  const Progress& progress_;
  std::vector<TreeFile> files_;
  IgnoreRules rules_;
  std::unordered_map<std::string, bool> broken_ignores_;               ///< by folder
  std::unordered_map<std::string, const TreeFile*> collection_files_;  ///< by folder
  std::unordered_map<std::string, std::shared_ptr<const Folder>> folders_;
  DesiredState state_;
  std::size_t problems_left_out_ = 0;
  std::size_t lines_read_again_ = 0;
};

DesiredState ManifestReader::Read(FileTree& tree, const Progress& progress) {
  Reading reading(tree, progress);
  DesiredState state = reading.Run();
  folders_ = reading.TakeFolders();
  parsed_.clear();
  return state;
}

const ManifestContent& ManifestReader::Parsed(FileTree& tree, const Manifest& manifest) {
  const auto known = std::find_if(parsed_.begin(), parsed_.end(), [&](const ParsedFile& file) {
    return file.path == manifest.path && file.blob_id == manifest.blob_id;
  });
  if (known != parsed_.end()) {
    parsed_.splice(parsed_.begin(), parsed_, known);
    return parsed_.front().content;
  }
  ParsedFile file{manifest.path, manifest.blob_id, {}};
  const auto folder = folders_.find(std::string(ParentFolder(manifest.path)));
  const auto bytes = tree.Read({manifest.path, FileKind::kRegular, manifest.blob_id}, kFileBytesMax);
  if (bytes && folder != folders_.end()) {
    file.content = ReadManifest(SourceText(manifest.path, *bytes), folder->second->values);
  }
  parsed_.push_front(std::move(file));
  if (parsed_.size() > kParsedFilesMax) parsed_.pop_back();
  return parsed_.front().content;
}

std::string ManifestReader::Payload(FileTree& tree, const Entry& entry) {
  const std::vector<DeclaredToken>& tokens = Parsed(tree, *entry.manifest).tokens;
  if (entry.ordinal < tokens.size()) {
    const DeclaredToken& token = tokens[entry.ordinal];
    if (token.key == entry.key && token.digest == entry.digest) return token.payload;
  }
  throw EnvironmentError(
      fmt::format("reading the token {} from {}: the file no longer declares what was read from it before; the next "
                  "pass reads it anew",
                  entry.key.Text(), PrintableText(entry.manifest->path)));
}

}  // namespace tokensync
