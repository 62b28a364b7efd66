#include "git_signed_text.h"

#include <algorithm>
#include <cstddef>

namespace tokensync {

SignedText SplitSignature(std::string_view commit) {
  constexpr std::string_view kHeader = "gpgsig ";
  SignedText text;
  bool in_signature = false;
  bool in_other = false;  // the signature of another hash: no part of what is signed
  int signatures = 0;
  while (!commit.empty()) {
    // The blank line ends the headers; what follows is the message.
    if (commit.front() == '\n') {
      text.signed_data += commit;
      break;
    }
    const std::string_view line = commit.substr(0, std::min(commit.find('\n'), commit.size() - 1) + 1);
    if (line.starts_with(kHeader)) {
      in_signature = true;
      in_other = false;
      ++signatures;
      text.signature += line.substr(kHeader.size());
    } else if (in_signature && line.front() == ' ') {
      text.signature += line.substr(1);
    } else if (line.starts_with("gpgsig") || (in_other && line.front() == ' ')) {
      in_signature = false;
      in_other = true;
    } else {
      in_signature = in_other = false;
      text.signed_data += line;
    }
    commit.remove_prefix(line.size());
  }
  return signatures == 1 ? text : SignedText{};
}

}  // namespace tokensync
