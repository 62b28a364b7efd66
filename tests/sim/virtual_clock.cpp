#include "virtual_clock.h"

#include <algorithm>

namespace tokensync {

void VirtualClock::PassUntil(TimePoint until, const std::function<bool()>& enough) {
  bool done = enough && enough();
  if (done) until = now_;
  while (!agenda_.empty() && agenda_.begin()->first <= until) {
    const auto node = agenda_.extract(agenda_.begin());
    now_ = std::max(now_, node.key());
    node.mapped()();
    if (!done && enough && enough()) {
      done = true;
      until = now_;
    }
  }
  now_ = std::max(now_, until);
}

}  // namespace tokensync
