/// yaml-cpp's terse words for what it cannot parse, as what a manifest's author needs to know. Private to this folder.
#pragma once

#include <string>
#include <string_view>

namespace tokensync {

struct FaultText {
  std::string what;
  std::string advice;
};

/// `message` is YAML::Exception::msg; `here` is the text from the place that it names.
FaultText ExplainParseFault(std::string_view message, std::string_view here);

}  // namespace tokensync
