/// The limits of the HTTP server.
#pragma once

#include <chrono>
#include <cstddef>

#include "http_request_reader.h"

namespace tokensync {

struct HttpLimits {
  HttpReadLimits read{};
  /// Connections at once. One more takes the place of the one that has kept us waiting longest, where that is longer
  /// than `patience`; otherwise it is answered 503 and closed. So connections that drip cannot keep others out.
  std::size_t connections_max = 256;
  std::chrono::milliseconds patience{1'000};
  /// From the accepting of a connection to the last byte of its request: handshake, head and body together, however
  /// steadily the bytes come.
  std::chrono::milliseconds request_time{10'000};
  std::chrono::milliseconds answer_time{10'000};  ///< for taking the answer, as a whole
  /// How long what the client still sends is read and dropped after the answer: a connection that is closed over unread
  /// bytes is reset, and takes the answer with it.
  std::chrono::milliseconds linger_time{1'000};
  /// What all requests together may take beyond 64 KiB each. A large one that would take more is answered 503.
  std::size_t requests_bytes_max = std::size_t{64} * 1024 * 1024;
  std::size_t handlers = 2;  ///< threads that call HttpHandler::Handle
};

}  // namespace tokensync
