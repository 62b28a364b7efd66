/// What is sent for a call: its path and its JSON body, as the service's vendor speaks them on the wire.
#pragma once

#include <string>
#include <string_view>

#include "ports.h"

namespace tokensync {

/// How the four fields with two spellings are written (TokenField::name is the camelCase one).
enum class WireSpelling { kBoth, kSnakeCase, kCamelCase };

/// "/rpc/Collections/CreateToken" or "/rpc/Collections/GetToken".
std::string_view RequestPath(CallKind kind);

/// The request's body as canonical JSON: equal calls give equal bytes.
///
/// CreateToken: collectionId, private, projectId and token. The token holds the payload's values as they are, its
/// two-spelled fields as `spelling` says, and `attributes` always, [] where the payload has none.
/// GetToken: collectionId, projectId and tokenId.
/// The payload of a create is a JSON object and the ids are within their limits, or the program aborts.
std::string RequestBody(const Call& call, WireSpelling spelling);

}  // namespace tokensync
