/// What passes between the socket side of the stand-in and its answering side.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "standin_faults.h"

namespace tokensync::standin {

/// A request that was read to its end, or up to the limit of its body.
struct Request {
  std::uint64_t connection = 0;
  std::string verb = {};
  std::string path = {};
  std::string query = {};  ///< after '?', or empty
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
  bool too_large = false;  ///< the body is longer than the limit, and cut off here
};

struct Reply {
  int status = 200;
  std::string content_type = "application/json";
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
  bool close = false;  ///< the connection ends after it
};

/// The reply leaves as it is.
struct SendWhole {};
/// Half of the body leaves, then the connection ends.
struct SendShort {};
/// The body is filled up to that many bytes.
struct SendOversized {
  std::size_t bytes = 0;
};

using Wire = std::variant<SendWhole, SendShort, SendOversized, Cut, CutReply, AnswerNothing, Drip>;

/// A reply and the way in which it leaves.
struct Delivery {
  Reply reply = {};
  Wire wire = SendWhole{};
  /// Goes with the last reference: keeps a call in flight while its answer does not come.
  std::shared_ptr<void> in_flight = nullptr;
};

}  // namespace tokensync::standin
