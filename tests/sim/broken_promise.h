/// What the doubles and the watcher throw when the program under test does what it must not.
#pragma once

#include <stdexcept>
#include <string>

namespace tokensync {

class BrokenPromise : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// Throws BrokenPromise where `kept` is false.
inline void Demand(bool kept, const char* what) {
  if (!kept) throw BrokenPromise(what);
}

}  // namespace tokensync
