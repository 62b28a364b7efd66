#include "foreign_text.h"

#include <algorithm>

#include "text.h"

namespace tokensync {

namespace {

constexpr std::size_t kPartCharactersMin = 16;
// Far more than can be shown, so that a secret which straddles the cut is still seen whole.
constexpr std::size_t kBytesLookedAtMax = std::size_t{64} * 1024;

void ReplaceAll(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

}  // namespace

ForeignText::ForeignText(const Secret& token) {
  const std::string& text = token.Reveal();
  if (text.empty()) return;
  hidden_.push_back(text);
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('.', begin), text.size());
    if (end - begin >= kPartCharactersMin && end - begin < text.size()) {
      hidden_.push_back(text.substr(begin, end - begin));
    }
    begin = end + 1;
  }
}

std::string ForeignText::Clean(std::string_view foreign) const {
  std::string text(foreign.substr(0, kBytesLookedAtMax));
  for (const std::string& secret : hidden_) ReplaceAll(text, secret, "***");
  return PrintableText(text, kCharactersMax);
}

}  // namespace tokensync
