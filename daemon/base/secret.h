/// A text that must not be seen: a token or password.
#pragma once

#include <ostream>
#include <string>
#include <utility>

namespace tokensync {

/// Holds a secret; writing it anywhere gives `***`. Only Reveal() hands it out, to the one place that sends it.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  const std::string& Reveal() const { return text_; }
  bool empty() const { return text_.empty(); }

 private:
  std::string text_;
};

inline std::ostream& operator<<(std::ostream& out, const Secret&) {
  return out << "***";
}

}  // namespace tokensync
