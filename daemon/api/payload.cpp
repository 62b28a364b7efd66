#include "payload.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "json_text.h"

namespace tokensync {

namespace {

[[noreturn]] void AbortOnPayload(const Call& call, const char* why) {
  std::fprintf(stderr, "BUG: the payload of %s is no token object: %s\n", call.key.Text().c_str(), why);
  std::abort();
}

}  // namespace

JsonObject PayloadObject(const Call& call) {
  try {
    JsonValue value = ParseJson(call.payload, kPayloadDepthMax);
    if (JsonObject* object = value.AsObject()) return std::move(*object);
  } catch (const JsonTextError& error) {
    AbortOnPayload(call, error.what());
  }
  AbortOnPayload(call, "it is another JSON value");
}

std::string RemotePayload(const JsonObject& remote) {
  JsonObject known;
  for (const TokenField& field : TokenFields()) {
    // Of two spellings the one that holds something counts, as in CompareTokens.
    auto value = remote.find(field.name);
    if ((value == remote.end() || value->second.IsEmpty()) && !field.alias.empty()) value = remote.find(field.alias);
    if (value != remote.end()) known.emplace(std::string(field.name), value->second);
  }
  return CanonicalJson(NormalizedToken(std::move(known)));
}

}  // namespace tokensync
