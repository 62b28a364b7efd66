/// The outside of a signature: its kind, and that nothing else comes with it.
#pragma once

#include <string>
#include <string_view>
#include <variant>

namespace tokensync {

enum class SignatureKind { kSsh, kOpenPgp };

struct NoSignature {
  std::string why;
};

/// The kind of `signature`, which is one armoured block from its first byte to its last but for white space at the end;
/// or why it cannot be checked.
std::variant<SignatureKind, NoSignature> KindOfSignature(std::string_view signature);

}  // namespace tokensync
