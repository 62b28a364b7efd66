/// Small values for tests: keys, digests and times by number.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "model.h"

namespace tokensync {

inline TokenKey SampleKey(std::uint64_t number) {
  return {.project = {30957}, .collection = {888}, .token = TokenId::Parse(std::to_string(number)).value()};
}

inline Digest SampleDigest(std::uint8_t number) {
  Digest digest;
  digest.bytes.fill(number);
  return digest;
}

/// That many milliseconds after some morning.
inline TimePoint At(std::int64_t milliseconds) {
  return TimePoint(std::chrono::hours(24 * 20'000) + Duration(milliseconds));
}

inline Entry SampleEntry(const TokenKey& key, const Digest& digest, const std::string& path = "a.yaml") {
  auto manifest = std::make_shared<Manifest>();
  manifest->path = path;
  return {.key = key, .digest = digest, .manifest = std::move(manifest), .line = 1};
}

}  // namespace tokensync
