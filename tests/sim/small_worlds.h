/// Small worlds whose whole story is told, so that it can end at every step of it.
#pragma once

#include <string_view>
#include <vector>

#include "world.h"

namespace tokensync {

/// Nothing in it is by chance but how long calls take.
struct SmallWorld {
  std::string_view name;
  /// Its story is so short that it can end twice, at every pair of steps.
  bool in_pairs = false;
  /// What happens, one after the other, each when the world has come to rest after the one before; those ahead of the
  /// first commit before there is any process.
  std::vector<void (*)(World&)> acts;
};

const std::vector<SmallWorld>& SmallWorlds();

}  // namespace tokensync
