/// A repository of manifests. The input is several files: a line `==> PATH` begins one, `==@ PATH` a symbolic link, and
/// what stands before the first such line is the manifest m.yaml.
#include <fmt/format.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "fuzz_checks.h"
#include "json.h"
#include "json_text.h"
#include "manifest_memory_tree.h"
#include "manifest_reader.h"
#include "problem_text.h"
#include "sha256.h"
#include "token_fields.h"
#include "yaml_reader.h"

namespace tokensync {
namespace {

constexpr std::size_t kLineCharactersMax = 200;

/// A path as git has them.
bool IsPath(std::string_view path) {
  if (path.empty() || path.find('\0') != std::string_view::npos) return false;
  while (true) {
    const std::size_t slash = path.find('/');
    const std::string_view name = path.substr(0, slash);
    if (name.empty() || name == "." || name == "..") return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

using Files = std::map<std::string, std::pair<FileKind, std::string>>;

Files FilesOf(std::string_view input) {
  Files files;
  std::string* bytes = nullptr;
  while (!input.empty()) {
    const std::size_t end = std::min(input.find('\n'), input.size() - 1) + 1;
    const std::string_view line = input.substr(0, end);
    input.remove_prefix(end);
    const bool regular = line.starts_with("==> ");
    if (regular || line.starts_with("==@ ")) {
      const std::string_view path = line.substr(4, line.size() - 4 - (line.ends_with('\n') ? 1 : 0));
      if (!IsPath(path)) continue;
      auto& file = files[std::string(path)];
      file.first = regular ? FileKind::kRegular : FileKind::kSymbolicLink;
      bytes = &file.second;
    } else {
      if (bytes == nullptr) bytes = &files["m.yaml"].second;
      bytes->append(line);
    }
  }
  return files;
}

MemoryTree TreeOf(const Files& files) {
  MemoryTree tree;
  for (const auto& [path, file] : files) {
    if (file.first == FileKind::kRegular) {
      tree.Put(path, file.second);
    } else {
      tree.PutKind(path, file.first);
    }
  }
  return tree;
}

/// The lines of a file, as an editor counts them.
std::vector<std::string> LinesOf(std::string_view bytes) {
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  std::vector<std::string> lines(1);
  for (const char byte : bytes) {
    if (byte == '\n') {
      lines.emplace_back();
    } else {
      lines.back().push_back(byte);
    }
  }
  return lines;
}

void CheckPlace(std::uint32_t line, std::uint32_t column, std::string_view bytes, std::string_view about) {
  const std::vector<std::string> lines = LinesOf(bytes);
  Require(line >= 1 && line <= lines.size(), "a line is one of the file", about);
  const auto characters = std::count_if(lines[line - 1].begin(), lines[line - 1].end(),
                                        [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; });
  Require(column >= 1 && column <= characters + 1, "a column is one of the line", about);
}

void CheckProblem(const Problem& problem, const Files& files) {
  const std::string about = ProblemText(problem, false);
  RequirePrintableLines(about);
  RequirePrintable(ProblemGithub(problem), kNoLimit);
  Require(!problem.what.empty(), "a problem says what is wrong");
  const JsonValue json = ParseJson(ProblemJson(problem));
  Require(json.Find("path")->AsString() != nullptr && json.Find("what")->AsString() != nullptr, "a problem as JSON");
  Require(ValidText(problem.text) == problem.text, "a quoted line is text", about);
  Require(CharactersOf(problem.text) <= kLineCharactersMax, "a quoted line has a limit", about);
  if (problem.place.line == 0) {
    Require(problem.place.column == 0 && problem.text.empty(), "no line without its number", about);
    return;
  }
  const auto file = std::find_if(files.begin(), files.end(),
                                 [&](const auto& item) { return ValidText(item.first) == problem.place.path; });
  Require(file != files.end(), "a problem is in a file of the tree", about);
  CheckPlace(problem.place.line, problem.place.column, file->second.second, about);
}

std::size_t DepthOf(const JsonValue& value) {
  std::size_t below = 0;
  if (const JsonArray* array = value.AsArray()) {
    for (const JsonValue& item : *array) below = std::max(below, DepthOf(item));
  } else if (const JsonObject* object = value.AsObject()) {
    for (const auto& [name, member] : *object) below = std::max(below, DepthOf(member));
  } else {
    return 0;
  }
  return below + 1;
}

void CheckNumbers(const JsonValue& value, std::string_view about) {
  if (const double* number = value.AsNumber()) {
    const bool integer = JsonNumberText(*number).find_first_of(".e") == std::string::npos;
    Require(!integer || std::abs(*number) <= static_cast<double>(kSafeIntegerMax), "integers survive a double", about);
  } else if (const JsonArray* array = value.AsArray()) {
    for (const JsonValue& item : *array) CheckNumbers(item, about);
  } else if (const JsonObject* object = value.AsObject()) {
    for (const auto& [name, member] : *object) CheckNumbers(member, about);
  }
}

/// JSON as a manifest may have it: YAML forbids some characters outside of escapes.
std::string AsYaml(std::string_view json) {
  std::string out;
  for (std::size_t at = 0; at < json.size();) {
    const CodePoint c = CodePointAt(json, at);
    if ((c.code >= 0x7F && c.code <= 0x9F) || c.code == 0xFEFF || c.code == 0xFFFE || c.code == 0xFFFF) {
      out += fmt::format("\\u{:04X}", static_cast<std::uint32_t>(c.code));
    } else {
      out += json.substr(at, c.length);
    }
    at += c.length;
  }
  return out;
}

/// The payload, put into a manifest of its own, declares the same token.
void CheckWrittenAgain(const Entry& entry, const std::string& payload) {
  constexpr std::size_t kKeyBytesMax = 1'000;  // longer keys need YAML's '?', which manifests do not have
  if (payload.size() > kKeyBytesMax) return;
  MemoryTree tree{{"again.json", fmt::format(R"({{"projectId":{},"collectionId":{},"private":{},"token":{}}})",
                                             entry.key.project.value, entry.key.collection.value, entry.is_private,
                                             AsYaml(payload))}};
  ManifestReader reader;
  const DesiredState state = reader.Read(tree);
  Require(state.problems.empty(), "a payload is a manifest's token",
          state.problems.empty() ? std::string() : ProblemText(state.problems[0], false));
  Require(state.entries.size() == 1 && state.entries[0].key == entry.key && state.entries[0].digest == entry.digest,
          "a payload declares the token that it is the payload of", payload);
}

void CheckEntry(ManifestReader& reader, MemoryTree& tree, const Entry& entry, const Files& files) {
  const std::string payload = reader.Payload(tree, entry);
  const JsonValue value = ParseJson(payload);
  Require(CanonicalJson(value) == payload, "a payload is canonical", payload);
  Require(PayloadDigest(payload, entry.is_private) == entry.digest, "a digest is that of the payload", payload);
  const JsonObject* token = value.AsObject();
  Require(token != nullptr && NormalizedToken(*token) == *token, "a payload is a normalised token", payload);
  for (const auto& [name, member] : *token) {
    const TokenField* field = FindTokenField(name);
    Require(field != nullptr && field->name == name, "a payload has known fields, in one spelling", payload);
  }
  const JsonValue* id = value.Find("tokenId");
  const JsonValue* name = value.Find("name");
  Require(id != nullptr && id->AsString() != nullptr && *id->AsString() == entry.key.token.text(), "its id", payload);
  Require(name != nullptr && name->AsString() != nullptr, "a token has a name", payload);
  Require(TokenKey::Parse(entry.key.Text()) == entry.key, "a key is one that a command line can name");
  Require(DepthOf(value) <= YamlLimits::kDepthMax, "nesting has its limit", payload);
  CheckNumbers(value, payload);
  CheckPlace(entry.line, entry.column, files.at(entry.manifest->path).second, entry.key.Text());
  CheckWrittenAgain(entry, payload);
}

bool Same(const Entry& a, const Entry& b) {
  return a.key == b.key && a.digest == b.digest && a.is_private == b.is_private &&
         a.manifest->path == b.manifest->path && a.manifest->blob_id == b.manifest->blob_id &&
         a.manifest->inherited == b.manifest->inherited && a.line == b.line && a.column == b.column &&
         a.ordinal == b.ordinal;
}

bool SameEntries(const DesiredState& a, const DesiredState& b) {
  return std::equal(a.entries.begin(), a.entries.end(), b.entries.begin(), b.entries.end(), Same) &&
         a.ambiguous == b.ambiguous;
}

bool Same(const Problem& a, const Problem& b) {
  return a.place == b.place && a.what == b.what && a.advice == b.advice && a.text == b.text;
}

void CheckState(const DesiredState& state, const Files& files) {
  const auto above = [](const Entry& a, const Entry& b) { return !(a.key < b.key); };
  Require(std::adjacent_find(state.entries.begin(), state.entries.end(), above) == state.entries.end(),
          "entries are sorted, each key once");
  Require(std::is_sorted(state.ambiguous.begin(), state.ambiguous.end()), "ambiguous keys are sorted");
  for (const TokenKey& key : state.ambiguous) Require(state.Find(key) == nullptr, "an ambiguous key counts nowhere");
  Require(std::is_sorted(state.unreadable.begin(), state.unreadable.end()), "unreadable files are sorted");
  const auto unreadable = [&](const std::string& path) {
    return std::binary_search(state.unreadable.begin(), state.unreadable.end(), path);
  };
  for (const Entry& entry : state.entries) {
    Require(files.contains(entry.manifest->path), "an entry is in a file of the tree", entry.manifest->path);
    Require(!unreadable(entry.manifest->path), "a file with a problem gives no entries", entry.manifest->path);
  }
  for (const Problem& problem : state.problems) {
    CheckProblem(problem, files);
    Require(unreadable(problem.place.path) || !state.ambiguous.empty(),
            "a file with a problem of its own is unreadable", problem.place.path);
  }
  Require(std::is_sorted(state.problems.begin(), state.problems.end(),
                         [](const Problem& a, const Problem& b) { return a.place < b.place; }),
          "problems are sorted by place");
  Require(state.manifests <= files.size(), "no more manifests than files");
}

void Check(std::string_view input) {
  const Files files = FilesOf(input);
  MemoryTree tree = TreeOf(files);
  ManifestReader reader;
  const DesiredState state = reader.Read(tree);
  CheckState(state, files);
  for (const Entry& entry : state.entries) CheckEntry(reader, tree, entry, files);

  ManifestReader other;
  const DesiredState again = other.Read(tree);
  Require(SameEntries(state, again) && state.unreadable == again.unreadable && state.manifests == again.manifests,
          "what is read twice is the same");
  Require(std::equal(state.problems.begin(), state.problems.end(), again.problems.begin(), again.problems.end(),
                     [](const Problem& a, const Problem& b) { return Same(a, b); }),
          "and has the same problems");

  // Without the manifests that cannot be read, all the others say what they said.
  Files good = files;
  std::erase_if(good, [&](const auto& file) {
    const std::string& path = file.first;
    const bool special = path.ends_with("collection.yaml") || path.ends_with(".tokensyncignore");
    return !special && std::binary_search(state.unreadable.begin(), state.unreadable.end(), ValidText(path));
  });
  if (good.size() == files.size()) return;
  MemoryTree good_tree = TreeOf(good);
  Require(SameEntries(state, other.Read(good_tree)), "a bad manifest stops no other");
}

}  // namespace
}  // namespace tokensync

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tokensync::Check(tokensync::InputText(data, size));
  return 0;
}
