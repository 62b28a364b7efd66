#include "sha256.h"

#include <openssl/evp.h>

#include <cstdlib>
#include <string>

namespace tokensync {

Digest Sha256(std::string_view bytes) {
  Digest digest;
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.bytes.data(), &size, EVP_sha256(), nullptr) != 1 ||
      size != digest.bytes.size()) {
    std::abort();
  }
  return digest;
}

Digest PayloadDigest(std::string_view payload, bool is_private) {
  std::string text = is_private ? R"({"private":true,"token":)" : R"({"private":false,"token":)";
  text.append(payload);
  text.push_back('}');
  return Sha256(text);
}

}  // namespace tokensync
