/// A page of a collection, from the body of a reply to ListTokens. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "ports.h"

namespace tokensync {

/// Tokens that a page may hold; a reply with more is no page.
inline constexpr std::size_t kPageTokensMax = 10'000;
/// The text of a token that is read as one: no longer than a reply to GetToken may be.
inline constexpr std::size_t kListedTokenBytesMax = std::size_t{1024} * 1024;

struct PageReading {
  std::optional<Listed> page{};
  std::size_t left_out = 0;  ///< items without a tokenId that is a token's number
  std::string fault{};       ///< why there is no page
};

/// Reads a body: a JSON object with a list of tokens (null or missing where there is a page object) and a page that
/// tells whether there are more. A page without `more` is the last one where it holds fewer tokens than its pageSize,
/// or none; a full one has more, which at worst costs a call; without a pageSize nothing tells, and it is no page.
///
/// An item with a tokenId is always in the page. Its digests are those of its known fields as they are: where these are
/// of odd types, no token that can be declared has them. Where it cannot be read as a token (too long, nested too
/// deeply, not UTF-8 …), the digests are those of its text, which no declared token has either. An item without a
/// tokenId is left out where it is JSON; otherwise there is no page.
PageReading ReadPage(std::string_view body);

}  // namespace tokensync
