#include "document_feed.h"

#include <algorithm>

namespace tokensync {

namespace {

/// streambuf wants to be able to write; it never does in a buffer without a put area.
char* Unconst(std::string_view text) {
  return const_cast<char*>(text.data());  // NOLINT(cppcoreguidelines-pro-type-const-cast)
}

}  // namespace

DocumentFeed::DocumentFeed(std::string_view lead, std::string_view text) : text_(text) {
  if (lead.empty()) std::swap(lead, text_);
  setg(Unconst(lead), Unconst(lead), Unconst(lead) + lead.size());
}

DocumentFeed::int_type DocumentFeed::underflow() {
  if (text_.empty()) return traits_type::eof();
  setg(Unconst(text_), Unconst(text_), Unconst(text_) + text_.size());
  text_ = {};
  return traits_type::to_int_type(*gptr());
}

std::streamsize DocumentFeed::xsgetn(char_type* out, std::streamsize count) {
  const std::streamsize got = std::streambuf::xsgetn(out, count);
  indicators_ahead_ += static_cast<std::size_t>(std::count_if(out, out + got, [](char c) {
    return c == ',' || c == ':' || c == '[' || c == ']' || c == '{' || c == '}' || c == '&' || c == '*' || c == '!' ||
           c == '"' || c == '\'';
  }));
  if (indicators_ahead_ > kIndicatorsAheadMax) throw ScannedTooFar{};
  return got;
}

}  // namespace tokensync
