/// A look into the armour of an OpenPGP signature, before gpg sees it.
///
/// gpg unpacks whatever it finds there: a few hundred bytes of a compressed packet keep it busy for minutes, and a
/// signed message of its own makes it fall silent. A signature is one signature packet (RFC 4880, 4.2, 5.2, 6.2); what
/// is more or less than that is refused here. This judges nothing else: what is let through is for gpg to judge.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tokensync {

/// Why `armour`, one block "-----BEGIN PGP SIGNATURE-----" to its end, does not hold exactly one signature packet; or
/// nothing.
std::optional<std::string> FaultOfOpenPgpArmour(std::string_view armour);

}  // namespace tokensync
