#include "payload.h"

#include <cstdio>
#include <cstdlib>

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

}  // namespace tokensync
