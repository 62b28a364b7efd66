/// The stream from which yaml-cpp reads a document. Private to this folder.
#pragma once

#include <cstddef>
#include <streambuf>
#include <string_view>

namespace tokensync {

/// The scanner ran too far ahead of the parser. It keeps a token, some 100 bytes, for nearly each character of a text
/// like [[[[, until it knows whether the first one is a key.
struct ScannedTooFar {};

/// Gives `lead` and then `text`, both of which outlive it, without copying them as a whole.
/// Throws ScannedTooFar into the reader when too many indicators were read since the last NoteEvent().
class DocumentFeed : public std::streambuf {
 public:
  static constexpr std::size_t kIndicatorsAheadMax = 500'000;

  DocumentFeed(std::string_view lead, std::string_view text);

  void NoteEvent() { indicators_ahead_ = 0; }

 protected:
  int_type underflow() override;
  std::streamsize xsgetn(char_type* out, std::streamsize count) override;

 private:
  std::string_view text_;
  std::size_t indicators_ahead_ = 0;
};

}  // namespace tokensync
