/// One file of a manifests repository: a manifest, or a `collection.yaml`.
#pragma once

#include <string>
#include <vector>

#include "model.h"
#include "source_text.h"
#include "token_values.h"

namespace tokensync {

/// The name of the file that gives values to its folder and all below it.
inline constexpr std::string_view kCollectionFileName = "collection.yaml";

/// A token as a manifest and what it inherits declare it.
struct DeclaredToken {
  TokenKey key;
  bool is_private = false;
  std::string payload;  ///< canonical JSON of the normalised token
  Digest digest;
  TextPosition position;  ///< of the token's map
};

struct ManifestContent {
  std::vector<DeclaredToken> tokens;  ///< in the order of the file; empty where there is a problem
  std::vector<Problem> problems;
};

/// Reads a manifest. Never throws; may be called from any thread.
ManifestContent ReadManifest(const SourceText& source, const InheritedValues& inherited);

struct CollectionContent {
  InheritedValues values;  ///< those of the folder above, overridden by those of this file
  std::vector<Problem> problems;
};

/// Reads a `collection.yaml` of a folder below one with the values `above`.
CollectionContent ReadCollectionFile(const SourceText& source, const InheritedValues& above);

}  // namespace tokensync
