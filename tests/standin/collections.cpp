#include "collections.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

#include "webrpc_error.h"

namespace tokensync::standin {
namespace {

constexpr std::array<std::string_view, 5> kMethodNames = {"CreateToken", "GetToken", "ListTokens", "UpdateToken",
                                                          "DeleteToken"};
constexpr std::uint64_t kPageSizeDefault = 30;
constexpr std::uint64_t kPageMax = 1'000'000'000;
constexpr std::string_view kUint256Max =
    "115792089237316195423570985008687907853269984665640564039457584007913129639935";

enum class FieldType { kText, kMap, kMapList, kWholeNumber };
struct Field {
  std::string_view name;   ///< as on the wire of the vendor's clients
  std::string_view camel;  ///< the other spelling, or empty
  FieldType type;
};

/// In the order of replies, tokenId ahead of them.
constexpr std::array kFields = {
    Field{"name", "", FieldType::kText},
    Field{"description", "", FieldType::kText},
    Field{"image", "", FieldType::kText},
    Field{"video", "", FieldType::kText},
    Field{"audio", "", FieldType::kText},
    Field{"properties", "", FieldType::kMap},
    Field{"attributes", "", FieldType::kMapList},
    Field{"image_data", "imageData", FieldType::kText},
    Field{"external_url", "externalUrl", FieldType::kText},
    Field{"background_color", "backgroundColor", FieldType::kText},
    Field{"animation_url", "animationUrl", FieldType::kText},
    Field{"decimals", "", FieldType::kWholeNumber},
};

[[noreturn]] void BadRequest(const std::string& cause) {
  throw CallRefused("WebrpcBadRequest", "failed to unmarshal request data: " + cause);
}

/// The member, or null where it is absent or null: the service does not tell them apart.
template <typename Members>
auto Member(Members& members, std::string_view name) -> decltype(&members.begin()->second) {
  const auto found = members.find(name);
  return found == members.end() || found->second.IsNull() ? nullptr : &found->second;
}

std::optional<std::uint64_t> WholeNumber(const JsonMembers& members, std::string_view name) {
  const Json* value = Member(members, name);
  if (value == nullptr) return std::nullopt;
  const auto* number = value->As<JsonNumber>();
  if (number == nullptr || !number->whole) BadRequest(std::string(name) + " is not a JSON integer");
  return number->whole;
}

std::string Text(const JsonMembers& members, std::string_view name) {
  const Json* value = Member(members, name);
  if (value == nullptr) return {};
  const auto* text = value->As<std::string>();
  if (text == nullptr) BadRequest(std::string(name) + " is not a string");
  return *text;
}

bool Fits(const Json& value, FieldType type) {
  switch (type) {
    case FieldType::kText:
      return value.As<std::string>() != nullptr;
    case FieldType::kMap:
      return value.As<JsonMembers>() != nullptr;
    case FieldType::kMapList: {
      const auto* list = value.As<JsonList>();
      return list != nullptr && std::all_of(list->begin(), list->end(), [](const Json& item) {
               return item.IsNull() || item.As<JsonMembers>() != nullptr;
             });
    }
    case FieldType::kWholeNumber:
      return value.As<JsonNumber>() != nullptr && value.As<JsonNumber>()->whole.has_value();
  }
  return false;
}

/// What the service keeps of a token object, moved out of it.
FieldsPtr KeptFields(JsonMembers& token, const Behaviour& behaviour) {
  JsonMembers kept;
  for (const Field& field : kFields) {
    const auto& dropped = behaviour.dropped_fields;
    if (std::any_of(dropped.begin(), dropped.end(),
                    [&](const std::string& name) { return name == field.name || name == field.camel; }))
      continue;
    Json* value = nullptr;
    if (field.camel.empty() || behaviour.keeps_spelling != Spelling::kCamel) value = Member(token, field.name);
    if (value == nullptr && !field.camel.empty() && behaviour.keeps_spelling != Spelling::kSnake)
      value = Member(token, field.camel);
    if (value == nullptr) continue;
    if (!Fits(*value, field.type)) BadRequest(std::string(field.name) + " has the wrong type");
    kept.emplace(field.name, std::move(*value));
  }
  return std::make_shared<const JsonMembers>(std::move(kept));
}

bool IsEmpty(const Json& value) {
  const auto* text = value.As<std::string>();
  const auto* members = value.As<JsonMembers>();
  return (text != nullptr && text->empty()) || (members != nullptr && members->empty());
}

/// Appends the token object of a reply up to its last field; the caller closes it. Fields of the service's own type
/// always leave; of the others, those that are not empty.
void AppendFields(std::string& out, const std::string& token_id, const JsonMembers& fields, Spelling spelling) {
  out += "{\"tokenId\":";
  AppendJsonText(out, token_id);
  for (const Field& field : kFields) {
    const auto found = fields.find(field.name);
    const bool always = field.name == "name" || field.name == "image" || field.name == "attributes";
    if (!always && (found == fields.end() || IsEmpty(found->second))) continue;
    out.push_back(',');
    AppendJsonText(out, spelling == Spelling::kCamel && !field.camel.empty() ? field.camel : field.name);
    out.push_back(':');
    if (found != fields.end()) {
      AppendJson(out, found->second);
    } else {
      out += field.type == FieldType::kText ? "\"\"" : "null";
    }
  }
}

/// The echo of create and update: nothing in it comes from the store.
std::string EchoedToken(const CheckedCall& call, const Behaviour& behaviour) {
  std::string out;
  AppendFields(out, call.token.token_id, *call.fields, behaviour.keeps_spelling);
  out += ",\"updatedAt\":\"0001-01-01T00:00:00Z\"}";
  return out;
}

std::string StoredTokenText(const std::string& token_id, const StoredToken& token, const Behaviour& behaviour) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(token.updated);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char time[32];
  const std::size_t length = std::strftime(time, sizeof time, "%Y-%m-%dT%H:%M:%SZ", &utc);
  std::string out;
  AppendFields(out, token_id, *token.fields, behaviour.keeps_spelling);
  out += ",\"updatedAt\":\"" + std::string(time, length) + "\",\"status\":\"AVAILABLE\"}";
  return out;
}

/// Decimal digits times `base` plus `digit`.
void MultiplyAdd(std::string& digits, unsigned base, unsigned digit) {
  unsigned carry = digit;
  for (auto at = digits.rbegin(); at != digits.rend(); ++at) {
    const unsigned sum = static_cast<unsigned>(*at - '0') * base + carry;
    *at = static_cast<char>('0' + sum % 10);
    carry = sum / 10;
  }
  while (carry > 0) {
    digits.insert(digits.begin(), static_cast<char>('0' + carry % 10));
    carry /= 10;
  }
}

unsigned DigitValue(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
  return 99;
}

JsonMembers BodyMembers(std::string_view body) {
  try {
    Json json = ParseJsonText(body);
    if (json.IsNull()) return {};
    if (auto* members = json.As<JsonMembers>()) return std::move(*members);
  } catch (const NotJson& error) {
    BadRequest(error.what());
  }
  BadRequest("the body is not a JSON object");
}

StoredTokenPtr Stored(const CheckedCall& call, FieldsPtr fields) {
  auto token = std::make_shared<StoredToken>();
  token->fields = std::move(fields);
  token->is_private = call.is_private;
  token->updated = std::chrono::system_clock::now();
  token->applied = std::chrono::steady_clock::now();
  return token;
}

}  // namespace

std::string_view MethodName(Method method) {
  return kMethodNames[static_cast<std::size_t>(method)];
}

std::optional<Method> FindMethod(std::string_view name) {
  const auto found = std::find(kMethodNames.begin(), kMethodNames.end(), name);
  if (found == kMethodNames.end()) return std::nullopt;
  return static_cast<Method>(found - kMethodNames.begin());
}

std::string FoldTokenId(std::string_view text) {
  if (text.empty()) throw CallRefused("RequiredArgument", "tokenId");
  std::string_view digits = text;
  if (digits.front() == '+') digits.remove_prefix(1);
  unsigned base = 10;
  if (digits.size() > 2 && digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X')) {
    digits.remove_prefix(2);
    base = 16;
  }
  if (digits.empty() || std::any_of(digits.begin(), digits.end(), [&](char c) { return DigitValue(c) >= base; }))
    throw CallRefused("InvalidArgument", "tokenId is not a number");
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
  std::string folded;
  if (base == 10) {
    folded = digits;
  } else if (digits.size() <= kUint256Max.size()) {
    for (const char c : digits) MultiplyAdd(folded, base, DigitValue(c));
  }
  if (digits.size() > kUint256Max.size() || folded.size() > kUint256Max.size() ||
      (folded.size() == kUint256Max.size() && folded > kUint256Max))
    throw CallRefused("InvalidArgument", "tokenId is beyond uint256");
  return folded.empty() ? "0" : folded;
}

CheckedCall Collections::Read(Method method, std::string_view body, const Behaviour& behaviour, TokenName& name) const {
  JsonMembers members = BodyMembers(body);
  CheckedCall call;
  call.method = method;

  const auto project = WholeNumber(members, "projectId");
  name.project = project.value_or(projects_.empty() ? 0 : projects_.front());
  const auto collection = WholeNumber(members, "collectionId");
  name.collection = collection.value_or(0);

  const bool writes = method == Method::kCreateToken || method == Method::kUpdateToken;
  Json* token = writes ? Member(members, "token") : nullptr;
  if (token != nullptr && token->As<JsonMembers>() == nullptr) BadRequest("token is not an object");
  JsonMembers no_members;
  JsonMembers& token_members = token == nullptr ? no_members : *token->As<JsonMembers>();
  const bool has_name = !Text(token_members, "name").empty();
  call.fields = KeptFields(token_members, behaviour);
  if (const Json* is_private = Member(members, "private"); is_private != nullptr && writes) {
    if (is_private->As<bool>() == nullptr) BadRequest("private is not a boolean");
    call.is_private = *is_private->As<bool>();
  }
  const std::string outer_id = Text(members, "tokenId");
  const std::string inner_id = Text(token_members, "tokenId");

  if (!projects_.empty() && std::find(projects_.begin(), projects_.end(), name.project) == projects_.end())
    throw CallRefused("ProjectNotFound", "project " + std::to_string(name.project));
  if (name.collection == 0) throw CallRefused("RequiredArgument", "collectionId");

  if (method == Method::kListTokens) {
    const Json* page = Member(members, "page");
    if (page != nullptr && page->As<JsonMembers>() == nullptr) BadRequest("page is not an object");
    const JsonMembers& page_members = page == nullptr ? no_members : *page->As<JsonMembers>();
    const std::uint64_t number = WholeNumber(page_members, "page").value_or(0);
    const std::uint64_t size = WholeNumber(page_members, "pageSize").value_or(0);
    call.page = number > behaviour.first_page ? std::min(number - behaviour.first_page, kPageMax) : 0;
    call.page_size = std::min(size == 0 ? kPageSizeDefault : size, behaviour.page_size_max);
    call.token = name;
    return call;
  }

  if (writes && token == nullptr) throw CallRefused("RequiredArgument", "token");
  name.token_id = FoldTokenId(method == Method::kCreateToken ? inner_id : outer_id);
  if (method == Method::kUpdateToken && !inner_id.empty() && FoldTokenId(inner_id) != name.token_id)
    throw CallRefused("InvalidArgument", "token.tokenId differs from tokenId");
  if (method == Method::kCreateToken && !has_name) throw CallRefused("RequiredArgument", "token.name");
  call.token = name;
  return call;
}

CheckedCall Collections::ReadToken(TokenName name, std::string_view token_json, const Behaviour& behaviour) const {
  std::string body = "{\"projectId\":" + std::to_string(name.project) +
                     ",\"collectionId\":" + std::to_string(name.collection) + ",\"token\":";
  body += token_json;
  body += "}";
  return Read(Method::kCreateToken, body, behaviour, name);
}

Carried Collections::Carry(const CheckedCall& call, const Behaviour& behaviour) {
  const std::string& id = call.token.token_id;
  const SteadyTime newest = std::chrono::steady_clock::now() - behaviour.stale_reads;
  switch (call.method) {
    case Method::kCreateToken: {
      if (!store_.Put(call.token, Stored(call, call.fields), behaviour.existing == ExistingToken::kOverwrite)) {
        if (behaviour.existing == ExistingToken::kConflict)
          throw CallRefused("RequestConflict", "token " + id + " exists already");
        throw CallRefused("WebrpcEndpoint", "duplicate key value violates unique constraint");
      }
      return {Change::kCreated, "{\"token\":" + EchoedToken(call, behaviour) + ",\"assets\":null}"};
    }
    case Method::kGetToken: {
      const StoredTokenPtr token = store_.Find(call.token);
      if (token == nullptr || token->applied > newest) throw CallRefused("NotFound", "token " + id);
      return {Change::kNone, "{\"token\":" + StoredTokenText(id, *token, behaviour) + ",\"assets\":null}"};
    }
    case Method::kListTokens: {
      auto page = store_.Page(call.token.project, call.token.collection, newest, call.page * call.page_size,
                              call.page_size + 1);
      const bool more = page.size() > call.page_size;
      if (more) page.pop_back();
      std::string body = "{\"page\":{\"pageSize\":" + std::to_string(call.page_size) +
                         ",\"more\":" + (more ? "true" : "false") + "},\"tokens\":[";
      for (const auto& [name, token] : page) {
        if (body.back() != '[') body.push_back(',');
        body += StoredTokenText(name.token_id, *token, behaviour);
      }
      return {Change::kNone, body + "]}"};
    }
    case Method::kUpdateToken: {
      FieldsPtr fields = call.fields;
      if (behaviour.update == UpdateStyle::kMerge) {
        JsonMembers merged = *call.fields;
        const StoredTokenPtr old = store_.Find(call.token);
        if (old != nullptr) merged.insert(old->fields->begin(), old->fields->end());
        fields = std::make_shared<const JsonMembers>(std::move(merged));
      }
      if (!store_.Replace(call.token, Stored(call, std::move(fields)))) throw CallRefused("NotFound", "token " + id);
      return {Change::kUpdated, "{\"token\":" + EchoedToken(call, behaviour) + "}"};
    }
    case Method::kDeleteToken:
      if (!store_.Erase(call.token)) throw CallRefused("NotFound", "token " + id);
      return {Change::kDeleted, "{\"status\":true}"};
  }
  return {};
}

}  // namespace tokensync::standin
