/// The token object: which fields a manifest may set, what they hold, and when two tokens mean the same.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "json.h"

namespace tokensync {

enum class FieldType { kTokenId, kText, kProperties, kAttributes, kDecimals };

/// A field of the token object. Four of them are spelled in two ways: as the published OpenAPI has them (`name`), and
/// as every client and server of the vendor has them on the wire (`alias`).
struct TokenField {
  std::string_view name;
  std::string_view alias;  ///< empty where there is one spelling only
  FieldType type;
};

/// Every field that a manifest may set, `tokenId` and `name` first.
std::span<const TokenField> TokenFields();

/// The field with that name or alias, or null.
const TokenField* FindTokenField(std::string_view spelling);

/// Whether only the service may set this field (status, source, updatedAt, queuedAt, lastFetched, assets).
bool IsServiceField(std::string_view spelling);

/// The payload form of a token: fields by `name`, empty ones (null, "", [], {}) left out, so that tokens which mean the
/// same are the same. `token` holds known fields only, each in one spelling.
JsonObject NormalizedToken(JsonObject token);

/// One field in which two tokens differ; values as canonical JSON, empty text for an absent one.
struct FieldDifference {
  std::string field;
  std::string sent;
  std::string kept;
};

/// Compares by meaning what we declare with what the service holds. Of `remote` only known fields count, in either
/// spelling; in maps a member that is empty equals one that is absent.
std::vector<FieldDifference> CompareTokens(const JsonObject& payload, const JsonObject& remote);

}  // namespace tokensync
