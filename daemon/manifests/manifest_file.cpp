#include "manifest_file.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "json.h"
#include "sha256.h"
#include "token_fields.h"
#include "yaml_reader.h"

namespace tokensync {

namespace {

constexpr std::array<std::string_view, 5> kManifestKeys = {"projectId", "collectionId", "private", "token", "tokens"};
constexpr std::array<std::string_view, 4> kCollectionKeys = {"projectId", "collectionId", "private", "defaults"};

/// One document of a manifest, while it is read.
class DocumentReader {
 public:
  DocumentReader(const InheritedValues& inherited, ProblemList& problems, std::vector<DeclaredToken>& tokens)
      : inherited_(inherited), problems_(problems), tokens_(tokens) {}

  void Read(const YamlNode& document) {
    if (document.kind != YamlKind::kMap) {
      problems_.Add(document.position, fmt::format("the document is {}, not a map", KindText(document.kind)),
                    "write projectId, collectionId, private and token (or tokens)");
      return;
    }
    for (const YamlMember& member : document.members) ReadMember(member);
    CheckId(document, "projectId", project_, inherited_.project);
    CheckId(document, "collectionId", collection_, inherited_.collection);
    if (token_ != nullptr && tokens_member_ != nullptr) {
      problems_.Add(tokens_member_->position, "both 'token' and 'tokens'", "list all tokens below 'tokens'");
    } else if (token_ != nullptr) {
      ReadToken(token_->value, "'token'");
    } else if (tokens_member_ != nullptr) {
      ReadTokens(*tokens_member_);
    } else {
      problems_.Add(document.position, "missing 'token' (or 'tokens')",
                    fmt::format("a file that only gives values to its folder is named {}", kCollectionFileName));
    }
  }

 private:
  void ReadMember(const YamlMember& member) {
    if (member.key == "projectId") {
      project_ = ReadId(member, problems_);
    } else if (member.key == "collectionId") {
      collection_ = ReadId(member, problems_);
    } else if (member.key == "private") {
      is_private_ = ReadPrivate(member, problems_);
    } else if (member.key == "token") {
      token_ = &member;
    } else if (member.key == "tokens") {
      tokens_member_ = &member;
    } else if (member.key == "defaults") {
      problems_.Add(member.position, "'defaults' in a manifest",
                    fmt::format("they belong into a file named {}", kCollectionFileName));
    } else {
      AddUnknownKey(member, kManifestKeys, problems_);
    }
  }

  /// The document's own id, or the inherited one; a problem where neither is there.
  void CheckId(const YamlNode& document, std::string_view name, std::optional<std::uint64_t>& id,
               const std::optional<std::uint64_t>& inherited) {
    if (document.Find(name) != nullptr) return;
    id = inherited;
    if (id || inherited_.incomplete) return;
    problems_.Add(document.position, fmt::format("missing '{}'", name),
                  fmt::format("write it here, or in a {} of this folder or one above it", kCollectionFileName));
  }

  void ReadTokens(const YamlMember& member) {
    if (member.value.kind != YamlKind::kSequence) {
      problems_.Add(member.value.position, fmt::format("'tokens' is {}, not a list", KindText(member.value.kind)),
                    "write each token after a '- '");
      return;
    }
    for (const YamlNode& token : member.value.items) ReadToken(token, "a token");
  }

  void ReadToken(const YamlNode& node, std::string_view name) {
    if (node.kind != YamlKind::kMap) {
      problems_.Add(node.position, fmt::format("{} is {}, not a map", name, KindText(node.kind)),
                    "write at least tokenId and name");
      return;
    }
    const JsonObject own = ReadTokenFields(node, FieldsOf::kToken, problems_);
    JsonObject token = inherited_.defaults;
    MergeInto(token, own);
    if (node.Find("tokenId") == nullptr) {
      problems_.Add(node.position, "missing 'tokenId'", "write the token's number: tokenId: \"200\"");
    }
    CheckName(node, token);
    if (!problems_.empty() || !project_ || !collection_) return;

    const auto id = token.find("tokenId");
    // What ReadTokenFields let through is canonical.
    auto token_id = TokenId::Parse(*id->second.AsString());
    DeclaredToken declared{{ProjectId{*project_}, CollectionId{*collection_}, *std::move(token_id)}, {}, {}, {}, {}};
    declared.is_private = is_private_.value_or(inherited_.is_private.value_or(false));
    declared.payload = CanonicalJson(NormalizedToken(std::move(token)));
    declared.digest = PayloadDigest(declared.payload, declared.is_private);
    declared.position = node.position;
    tokens_.push_back(std::move(declared));
  }

  void CheckName(const YamlNode& node, const JsonObject& token) {
    const YamlMember* member = node.Find("name");
    const auto name = token.find("name");
    const bool is_text = name != token.end() && name->second.AsString() != nullptr;
    if (is_text && !name->second.IsEmpty()) return;
    if (member == nullptr) {
      if (!inherited_.incomplete) problems_.Add(node.position, "missing 'name'", "every token has a name");
    } else if (is_text || member->value.kind == YamlKind::kNull) {
      problems_.Add(member->value.position, "an empty 'name'", "every token has a name");
    }
  }

  const InheritedValues& inherited_;
  ProblemList& problems_;
  std::vector<DeclaredToken>& tokens_;
  std::optional<std::uint64_t> project_;
  std::optional<std::uint64_t> collection_;
  std::optional<bool> is_private_;
  const YamlMember* token_ = nullptr;
  const YamlMember* tokens_member_ = nullptr;
};

void ReadCollectionMember(const YamlMember& member, InheritedValues& values, ProblemList& problems) {
  if (member.key == "projectId") {
    if (const auto id = ReadId(member, problems)) values.project = id;
  } else if (member.key == "collectionId") {
    if (const auto id = ReadId(member, problems)) values.collection = id;
  } else if (member.key == "private") {
    if (const auto is_private = ReadPrivate(member, problems)) values.is_private = is_private;
  } else if (member.key == "defaults") {
    if (member.value.kind == YamlKind::kMap) {
      MergeInto(values.defaults, ReadTokenFields(member.value, FieldsOf::kDefaults, problems));
    } else {
      problems.Add(member.value.position, fmt::format("'defaults' is {}, not a map", KindText(member.value.kind)),
                   "write token fields below it");
    }
  } else if (member.key == "token" || member.key == "tokens") {
    problems.Add(member.position, fmt::format("'{}' in a {}", member.key, kCollectionFileName),
                 "it gives values to the manifests beside and below it: declare tokens in a file of another name");
  } else if (FindTokenField(member.key) != nullptr) {
    problems.Add(member.position, fmt::format("'{}' outside of 'defaults'", member.key),
                 "it is a field of a token: indent it below 'defaults:'");
  } else {
    AddUnknownKey(member, kCollectionKeys, problems);
  }
}

}  // namespace

ManifestContent ReadManifest(const SourceText& source, const InheritedValues& inherited) {
  ManifestContent content;
  ProblemList problems(source);
  bool any = false;
  for (const YamlNode& document : ReadYaml(source, problems)) {
    if (document.kind == YamlKind::kNull) continue;
    any = true;
    DocumentReader(inherited, problems, content.tokens).Read(document);
  }
  // An empty file is more likely cut off than meant, and what it declared before must not seem withdrawn.
  if (!any && problems.empty()) {
    problems.Add(source.ProblemOfFile("the file declares nothing", "remove it, or write 'tokens: []'"));
  }
  content.problems = problems.Take();
  if (!content.problems.empty()) content.tokens.clear();
  return content;
}

CollectionContent ReadCollectionFile(const SourceText& source, const InheritedValues& above) {
  CollectionContent content{above, {}};
  ProblemList problems(source);
  const std::vector<YamlNode> documents = ReadYaml(source, problems);
  if (documents.size() > 1) {
    problems.Add(documents[1].position, fmt::format("a second document in a {}", kCollectionFileName), "remove it");
  } else if (documents.empty() || documents[0].kind == YamlKind::kNull) {
    if (problems.empty())
      problems.Add(source.ProblemOfFile("the file gives no values", "remove it, or write 'defaults: {}'"));
  } else if (documents[0].kind != YamlKind::kMap) {
    problems.Add(documents[0].position, fmt::format("the document is {}, not a map", KindText(documents[0].kind)),
                 "write projectId, collectionId, private and defaults");
  } else {
    for (const YamlMember& member : documents[0].members) ReadCollectionMember(member, content.values, problems);
  }
  content.problems = problems.Take();
  if (!content.problems.empty()) content.values.incomplete = true;
  return content;
}

}  // namespace tokensync
