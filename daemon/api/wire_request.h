/// What is sent for a call: its path and its JSON body, as the service's vendor speaks them on the wire.
#pragma once

#include <string>
#include <string_view>

#include "ports.h"

namespace tokensync {

/// How the four fields with two spellings are written (TokenField::name is the camelCase one).
enum class WireSpelling { kBoth, kSnakeCase, kCamelCase };

/// "/rpc/Collections/CreateToken", "…/GetToken" or "…/ListTokens".
std::string_view RequestPath(CallKind kind);

/// Tokens that a page of ListTokens is asked to hold.
inline constexpr int kPageSize = 30;

/// The request's body as canonical JSON: equal calls give equal bytes.
///
/// CreateToken: collectionId, private, projectId and token. The token holds the payload's values as they are, its
/// two-spelled fields as `spelling` says, and `attributes` always, [] where the payload has none.
/// GetToken: collectionId, projectId and tokenId.
/// ListTokens: collectionId, projectId and page: pageSize, and the page's number unless it is 0. Where the service
/// counts from 1, the pages 0 and 1 are the same. The payload of a create is a JSON object and the ids are within their
/// limits, or the program aborts.
std::string RequestBody(const Call& call, WireSpelling spelling);

}  // namespace tokensync
