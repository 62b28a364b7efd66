/// The JSON form of faults, as standin_faults.h describes it.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "standin_faults.h"

namespace tokensync::standin {

struct FaultChange {
  Behaviour behaviour;                          ///< the one that was, with what is given changed
  std::optional<std::vector<FaultRule>> rules;  ///< instead of all that there are
  std::vector<FaultRule> added;                 ///< after those
};

/// Throws std::runtime_error that names the member which is wrong.
FaultChange ParseFaults(std::string_view json, const Behaviour& present);

}  // namespace tokensync::standin
