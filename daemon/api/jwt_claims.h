/// What a service token says about itself.
#pragma once

#include <cstdint>
#include <optional>

#include "model.h"
#include "secret.h"

namespace tokensync {

/// Claims of a JWT's payload, without any check of its signature: good for a warning, never for a decision.
struct JwtClaims {
  std::optional<std::uint64_t> project;  ///< `project`, written as a number or as its digits
  std::optional<TimePoint> expires;      ///< `exp`
};

/// The token's claims, or nothing where it is no JWT.
std::optional<JwtClaims> ReadJwtClaims(const Secret& token);

}  // namespace tokensync
