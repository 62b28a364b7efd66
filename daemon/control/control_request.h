/// What a client of the control socket may ask. For the files of this folder only.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <variant>

#include "control_server.h"

namespace tokensync {

struct StatusRequest {};
struct TriggerRequest {
  bool wait = false;
  std::chrono::milliseconds timeout{};  ///< for `wait`, within the limits
};
struct ApproveRequest {
  std::string fingerprint;  ///< hexadecimal digits, not all of them perhaps
  bool wait = false;
  std::chrono::milliseconds timeout{};
};
/// Not a request; why.
struct BadRequest {
  std::string why;
};
using ControlRequest = std::variant<StatusRequest, TriggerRequest, ApproveRequest, BadRequest>;

/// One line, without its newline.
ControlRequest ParseRequest(std::string_view line, const ControlLimits& limits);

}  // namespace tokensync
