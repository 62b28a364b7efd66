#include "page_reading.h"

#include <utility>

#include "json_slices.h"
#include "json_text.h"
#include "payload.h"
#include "sha256.h"

namespace tokensync {

namespace {

constexpr std::size_t kPageMemberBytesMax = std::size_t{64} * 1024;
// A number of 78 digits with its quotes, each digit escaped, is shorter.
constexpr std::size_t kTokenIdBytesMax = 1024;

// Nothing where the reply leaves it open. A service written in Go may leave a false out.
std::optional<bool> MorePages(const JsonValue& page, std::size_t tokens) {
  const JsonValue* more = page.Find("more");
  if (more != nullptr && !more->IsNull()) {
    const bool* told = more->AsBool();
    return told == nullptr ? std::nullopt : std::optional(*told);
  }
  if (tokens == 0) return false;
  const JsonValue* size = page.Find("pageSize");
  const double* size_told = size == nullptr ? nullptr : size->AsNumber();
  if (size_told == nullptr || *size_told < 1) return std::nullopt;
  return static_cast<double>(tokens) >= *size_told;
}

std::optional<TokenId> IdOf(const JsonValue* value) {
  const std::string* text = value == nullptr ? nullptr : value->AsString();
  return text == nullptr ? std::nullopt : TokenId::Parse(*text);
}

ListedToken WithDigests(TokenId token, std::string_view payload) {
  return {std::move(token), PayloadDigest(payload, false), PayloadDigest(payload, true)};
}

// Throws JsonTextError where not even the id can be read.
std::optional<ListedToken> ReadItem(std::string_view item) {
  if (item.size() <= kListedTokenBytesMax) {
    try {
      const JsonValue value = ParseJson(item, kPayloadDepthMax);
      std::optional<TokenId> id = IdOf(value.Find("tokenId"));
      if (!id) return std::nullopt;
      return WithDigests(std::move(*id), RemotePayload(*value.AsObject()));
    } catch (const JsonTextError&) {
      // Its id may still be told.
    }
  }
  const std::optional<std::string_view> id_text = MemberText(item, "tokenId");
  if (!id_text || id_text->size() > kTokenIdBytesMax) throw JsonTextError("reading JSON: an item cannot be read");
  const JsonValue id_value = ParseJson(*id_text);
  std::optional<TokenId> id = IdOf(&id_value);
  if (!id) throw JsonTextError("reading JSON: an item cannot be read");
  return WithDigests(std::move(*id), item);
}

}  // namespace

PageReading ReadPage(std::string_view body) {
  try {
    const std::optional<std::string_view> page_text = MemberText(body, "page");
    if (page_text && page_text->size() > kPageMemberBytesMax) return {{}, 0, "the reply's page is too long"};
    const JsonValue page = page_text ? ParseJson(*page_text) : JsonValue();
    const std::optional<std::string_view> tokens_text = MemberText(body, "tokens");
    std::vector<std::string_view> items;
    if (tokens_text && *tokens_text != "null") {
      items = ItemTexts(*tokens_text, kPageTokensMax);
    } else if (page.AsObject() == nullptr) {
      return {{}, 0, "the reply has no tokens"};
    }
    const std::optional<bool> more = MorePages(page, items.size());
    if (!more) return {{}, 0, "the reply does not tell whether there are more pages"};

    PageReading reading;
    reading.page = Listed{{}, *more};
    for (const std::string_view item : items) {
      if (std::optional<ListedToken> token = ReadItem(item)) {
        reading.page->tokens.push_back(std::move(*token));
      } else {
        ++reading.left_out;
      }
    }
    return reading;
  } catch (const JsonTextError& error) {
    return {{}, 0, error.what()};
  }
}

}  // namespace tokensync
