/// The values of a manifest and of a `collection.yaml`, read from their nodes and checked.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "json.h"
#include "yaml_node.h"

namespace tokensync {

/// What the files of a folder take from the `collection.yaml` files in it and above it.
struct InheritedValues {
  std::optional<std::uint64_t> project;
  std::optional<std::uint64_t> collection;
  std::optional<bool> is_private;
  JsonObject defaults;  ///< token fields by TokenField::name
  /// One of those files is bad: what is missing may only be missing because of that.
  bool incomplete = false;
};

/// projectId or collectionId; nothing after a problem.
std::optional<std::uint64_t> ReadId(const YamlMember& member, ProblemList& problems);

/// `private`; nothing after a problem.
std::optional<bool> ReadPrivate(const YamlMember& member, ProblemList& problems);

/// Where a map of token fields stands.
enum class FieldsOf { kToken, kDefaults };

/// The token fields of a map, by TokenField::name. Unknown, repeated, service-owned and mistyped ones are problems and
/// are left out. `defaults` cannot set tokenId.
JsonObject ReadTokenFields(const YamlNode& map, FieldsOf of, ProblemList& problems);

/// Sets the members of `over` in `base`: maps are merged, everything else is replaced.
void MergeInto(JsonObject& base, const JsonObject& over);

/// A problem for a key that a manifest or `collection.yaml` does not have.
void AddUnknownKey(const YamlMember& member, std::span<const std::string_view> known, ProblemList& problems);

}  // namespace tokensync
