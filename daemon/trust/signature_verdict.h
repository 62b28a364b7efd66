/// What a check of a signature comes to.
#pragma once

#include <string>
#include <variant>

namespace tokensync {

/// It fits the data, and the team trusts who made it. `signer`: one printable line that says who and by which key:
/// "ada@example.com (ssh SHA256:…)", "Ada Example <ada@example.com> (openpgp 0123…)" with the primary key's
/// fingerprint.
struct GoodSignature {
  std::string signer;
};

/// Anything else. `why`: one printable line, to be read after "the commit … is refused: "; with advice.
struct BadSignature {
  std::string why;
};

using SignatureVerdict = std::variant<GoodSignature, BadSignature>;

}  // namespace tokensync
