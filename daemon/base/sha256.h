/// SHA-256, by OpenSSL.
#pragma once

#include <string_view>

#include "model.h"

namespace tokensync {

/// SHA-256 of the bytes.
Digest Sha256(std::string_view bytes);

/// An entry's digest: SHA-256 of the canonical JSON {"private":…,"token":PAYLOAD}. `payload` is canonical JSON.
Digest PayloadDigest(std::string_view payload, bool is_private);

}  // namespace tokensync
