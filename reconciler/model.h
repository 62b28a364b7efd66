/// The words of the problem: what a manifests repository declares, and how its parts are named.
#pragma once

#include <array>
#include <chrono>
#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tokensync {

using Duration = std::chrono::milliseconds;
/// Wall-clock time, UTC, to the millisecond.
using TimePoint = std::chrono::sys_time<Duration>;

/// The largest integer that survives a double, and so the service: 2^53.
inline constexpr std::uint64_t kSafeIntegerMax = std::uint64_t{1} << 53;

/// A project at the service. At most kSafeIntegerMax.
struct ProjectId {
  std::uint64_t value = 0;
  auto operator<=>(const ProjectId&) const = default;
};

/// A collection of a project. At most kSafeIntegerMax.
struct CollectionId {
  std::uint64_t value = 0;
  auto operator<=>(const CollectionId&) const = default;
};

/// What a service lists as a whole.
struct CollectionKey {
  ProjectId project;
  CollectionId collection;

  /// PROJECT/COLLECTION.
  std::string Text() const;

  auto operator<=>(const CollectionKey&) const = default;
};

/// A token's number within its contract: a uint256 as a decimal text without sign or leading zeros.
class TokenId {
 public:
  /// `text` as a token id, or nothing where it is not canonical or exceeds 2^256-1.
  static std::optional<TokenId> Parse(std::string_view text);

  /// No token: stands ahead of all in the key of something that is about a whole collection. Its text is empty.
  static TokenId None() { return TokenId({}); }

  const std::string& text() const { return text_; }

  /// By number, not by text: 9 comes before 10.
  std::strong_ordering operator<=>(const TokenId& other) const;
  bool operator==(const TokenId& other) const = default;

 private:
  explicit TokenId(std::string text) : text_(std::move(text)) {}
  std::string text_{};
};

/// What makes a token one token: two entries with one key are the same token.
struct TokenKey {
  ProjectId project;
  CollectionId collection;
  TokenId token;

  /// The key of the collection as a whole: TokenId::None() in the place of a token.
  static TokenKey OfCollection(const CollectionKey& collection) {
    return {collection.project, collection.collection, TokenId::None()};
  }

  CollectionKey Collection() const { return {project, collection}; }
  /// PROJECT/COLLECTION/TOKENID, as the command line and the log write it; PROJECT/COLLECTION for one without a token.
  std::string Text() const;
  /// The inverse of Text().
  static std::optional<TokenKey> Parse(std::string_view text);

  std::strong_ordering operator<=>(const TokenKey&) const = default;
  bool operator==(const TokenKey&) const = default;
};

/// SHA-256 of an entry's payload and its `private`.
struct Digest {
  std::array<std::uint8_t, 32> bytes{};

  /// 64 lower-case hexadecimal digits.
  std::string Hex() const;
  /// The inverse of Hex().
  static std::optional<Digest> FromHex(std::string_view hex);

  auto operator<=>(const Digest&) const = default;
};

/// A commit's object id: 40 lower-case hexadecimal digits.
struct CommitId {
  std::string hex{};
  auto operator<=>(const CommitId&) const = default;
};

/// Who brought what: a commit as the log names it.
struct Commit {
  CommitId id{};
  std::string author{};   ///< "Name <mail>"
  std::string subject{};  ///< first line of the message
  TimePoint time{};       ///< author time
};

/// A place in a text. Lines and columns count from 1, columns in characters (code points); 0 means "the file as a
/// whole".
struct Place {
  std::string path{};  ///< relative to the folder that was read, with '/'
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  auto operator<=>(const Place&) const = default;
};

/// Something wrong in a manifest, told so that its author can mend it.
struct Problem {
  Place place;
  std::string what{};    ///< "unknown key 'atributes'"
  std::string advice{};  ///< what to write instead: "did you mean 'attributes'?"; may be empty
  std::string text{};    ///< the line of the file at place.line, at most 200 characters; empty where there is none
};

/// A file of the repository that was read as a manifest. Shared by the entries that it declares.
struct Manifest {
  std::string path{};     ///< relative to source.path
  std::string blob_id{};  ///< names the bytes: git's object id, or empty for a file outside git
  /// The `collection.yaml` files that the entries take values from, nearest first.
  std::vector<std::string> inherited{};
};

/// One token that a manifest declares. The payload is not kept here: ManifestSource::Payload reads it when it is sent.
struct Entry {
  TokenKey key;
  Digest digest{};
  bool is_private = false;
  std::shared_ptr<const Manifest> manifest;
  std::uint32_t line = 0;  ///< of the token's mapping
  std::uint32_t column = 0;
  std::uint32_t ordinal = 0;  ///< which of its manifest's tokens this is, from 0, over all documents
};

/// All that one commit (or folder) declares.
struct DesiredState {
  CommitId commit{};
  std::vector<Entry> entries;  ///< sorted by key; each key once
  /// Keys that are declared at more than one place: none of them counts, and none of them is absent. Sorted.
  std::vector<TokenKey> ambiguous{};
  std::vector<Problem> problems;  ///< sorted by place
  /// Files that could not be read or have a problem of their own: nothing that they declare is in `entries`. While
  /// there is one, no key can be said to be absent. Sorted.
  std::vector<std::string> unreadable{};
  std::size_t manifests = 0;  ///< files looked at, unreadable ones included

  const Entry* Find(const TokenKey& key) const;
  bool IsAmbiguous(const TokenKey& key) const;
};

}  // namespace tokensync
