/// Secrets that somebody wrote into the configuration by mistake, kept out of what is told about it. Private to this
/// folder.
#pragma once

#include <string_view>

#include "model.h"

namespace tokensync {

/// Whether a value is a secret where the name of a file with a secret is wanted: a token or a private key.
bool IsSecretItself(std::string_view text);

/// Hides, wherever they stand in the problem's texts, tokens and the user information of URLs. A quoted line that holds
/// one, or a private key, is not quoted.
void HideSecrets(Problem& problem);

}  // namespace tokensync
