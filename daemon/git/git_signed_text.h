/// A commit's signature, and what it signs.
#pragma once

#include <string>
#include <string_view>

namespace tokensync {

struct SignedText {
  std::string signature;    ///< lines that end in newlines; empty where the commit bears none, or more than one
  std::string signed_data;  ///< the commit without its signature; empty likewise
};

/// Takes a commit object's bytes apart as git's own verification does (parse_signed_commit in its commit.c), and not as
/// libgit2 1.5, which looks for signatures in the message, too, and stops at a NUL: the header gpgsig with its
/// continuation lines is the signature, all other bytes are what was signed.
SignedText SplitSignature(std::string_view commit);

}  // namespace tokensync
