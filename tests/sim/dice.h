/// Chance from a seed: the same seed gives the same throws on every machine.
#pragma once

#include <cstdint>
#include <random>

#include "model.h"

namespace tokensync {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed) {}

  /// From 0 to `bound` - 1.
  std::uint64_t Below(std::uint64_t bound) { return random_() % bound; }
  /// Both ends included.
  Duration Between(Duration least, Duration most) {
    return least + Duration(static_cast<std::int64_t>(Below(static_cast<std::uint64_t>((most - least).count()) + 1)));
  }
  bool Percent(std::uint64_t chance) { return Below(100) < chance; }
  template <class Container>
  const typename Container::value_type& OneOf(const Container& container) {
    return *std::next(container.begin(), static_cast<std::ptrdiff_t>(Below(container.size())));
  }
  /// For something else that wants dice of its own.
  std::uint64_t Seed() { return random_(); }

 private:
  std::mt19937_64 random_;
};

}  // namespace tokensync
