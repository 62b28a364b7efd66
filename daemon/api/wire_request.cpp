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

// The size is the documented default, so that no cap is below it, and is sent so that all pages are cut alike. The
// first page goes by no number: whether 0 or 1 is the first, a service takes the one that is left out for it, while one
// that counts from 1 might refuse a 0.
JsonObject WirePage(std::uint32_t page) {
  JsonObject wire{{"pageSize", kPageSize}};
  if (page > 0) wire.emplace("page", static_cast<double>(page));
  return wire;
}

}  // namespace

std::string_view RequestPath(CallKind kind) {
  switch (kind) {
    case CallKind::kCreate:
      return "/rpc/Collections/CreateToken";
    case CallKind::kRead:
      return "/rpc/Collections/GetToken";
    case CallKind::kList:
      return "/rpc/Collections/ListTokens";
  }
  std::abort();
}

std::string RequestBody(const Call& call, WireSpelling spelling) {
  if (call.key.project.value > kSafeIntegerMax || call.key.collection.value > kSafeIntegerMax) std::abort();
  JsonObject body;
  body.emplace("projectId", static_cast<double>(call.key.project.value));
  body.emplace("collectionId", static_cast<double>(call.key.collection.value));
  switch (call.kind) {
    case CallKind::kCreate:
      body.emplace("private", call.is_private);
      body.emplace("token", WireToken(PayloadObject(call), spelling));
      break;
    case CallKind::kRead:
      body.emplace("tokenId", call.key.token.text());
      break;
    case CallKind::kList:
      body.emplace("page", WirePage(call.page));
      break;
  }
  return CanonicalJson(body);
}

}  // namespace tokensync
