/// The process that checks OpenPGP signatures through GPGME: this same program, started anew.
///
/// A process of its own, since GPGME and the gpg that it starts cannot be stopped otherwise: gpg is neither our child
/// nor told by number, and without this a gpg that hangs would stay for ever. Here both are one process group, which is
/// killed as a whole. It also keeps GPGME, which forks, out of a program with threads.
///
/// It answers one line of at most kAnswerBytesMax for itself when it is ready, and then one for each line that it is
/// sent:
///   ready              the keyring is imported
///   keyring WHY        the keyring cannot be used, by its content; it ends
///   good SIGNER        or
///   bad WHY            what the files kSignature and kData in its folder come to
///   failed WHY         the signature was not judged; it ends
#pragma once

#include <string_view>

namespace tokensync {

struct OpenPgpCheckFiles {
  // Names in the folder that it is given.
  static constexpr std::string_view kHome = "gnupg";
  static constexpr std::string_view kKeyring = "keyring";
  static constexpr std::string_view kSignature = "openpgp-signature";
  static constexpr std::string_view kData = "openpgp-data";
};

inline constexpr std::string_view kOpenPgpCheckCommand = "openpgp-check";
inline constexpr std::size_t kAnswerBytesMax = 4096;

/// What main() does for the argument `openpgp-check`, which only this program gives: FOLDER GPG SECONDS follow it. Ends
/// with its standard input, which is also its output. Whatever takes longer than SECONDS kills the process group.
/// Nothing else may run in this process.
int OpenPgpCheckMain(int argc, char** argv);

}  // namespace tokensync
