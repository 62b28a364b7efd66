/// Texts that the service wrote, made fit for a log.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "secret.h"

namespace tokensync {

/// Cleans what the service wrote. Any thread.
class ForeignText {
 public:
  /// Characters (code points) that are kept of a text.
  static constexpr std::size_t kCharactersMax = 500;

  /// `token` never appears in a cleaned text: neither as a whole nor in one of its parts between dots (of 16 characters
  /// or more), wherever the service echoes it.
  explicit ForeignText(const Secret& token);

  /// One line that can be shown, as PrintableText makes it of at most kCharactersMax characters.
  std::string Clean(std::string_view foreign) const;

 private:
  std::vector<std::string> hidden_;
};

}  // namespace tokensync
