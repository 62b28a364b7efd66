#include "wire_request.h"

#include <cstdlib>
#include <utility>

#include "payload.h"

namespace tokensync {

namespace {

JsonObject WireToken(JsonObject&& payload, WireSpelling spelling) {
  JsonObject token;
  for (auto& [name, value] : payload) {
    const TokenField* field = FindTokenField(name);
    if (field == nullptr || field->alias.empty()) {
      token.insert_or_assign(name, std::move(value));
      continue;
    }
    if (spelling != WireSpelling::kCamelCase) token.insert_or_assign(std::string(field->alias), value);
    if (spelling != WireSpelling::kSnakeCase) token.insert_or_assign(std::string(field->name), value);
  }
  token.try_emplace("attributes", JsonArray());
  return token;
}

}  // namespace

std::string_view RequestPath(CallKind kind) {
  return kind == CallKind::kCreate ? "/rpc/Collections/CreateToken" : "/rpc/Collections/GetToken";
}

std::string RequestBody(const Call& call, WireSpelling spelling) {
  if (call.key.project.value > kSafeIntegerMax || call.key.collection.value > kSafeIntegerMax) std::abort();
  JsonObject body;
  body.emplace("projectId", static_cast<double>(call.key.project.value));
  body.emplace("collectionId", static_cast<double>(call.key.collection.value));
  if (call.kind == CallKind::kCreate) {
    body.emplace("private", call.is_private);
    body.emplace("token", WireToken(PayloadObject(call), spelling));
  } else {
    body.emplace("tokenId", call.key.token.text());
  }
  return CanonicalJson(body);
}

}  // namespace tokensync
