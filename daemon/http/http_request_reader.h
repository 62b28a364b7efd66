/// Reads one request of HTTP/1.0 or 1.1 from the bytes of a connection, piece by piece.
///
/// Strict where Poco's HTTPRequest is lenient (bare line feeds, folded lines, white space ahead of a colon, two
/// lengths, encoded words in values): every shape in which two readers of one request can see different requests is
/// refused, and each byte is looked at by this reader alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "http_message.h"

namespace tokensync {

struct HttpReadLimits {
  std::size_t request_line_bytes_max = std::size_t{8} * 1024;
  std::size_t head_bytes_max = std::size_t{32} * 1024;  ///< request line and headers; trailers likewise
  std::size_t headers_max = 100;
};

/// Pure; one thread.
class HttpRequestReader {
 public:
  enum class State {
    kHead,      ///< the head goes on
    kHeadRead,  ///< head() is there, and Accept() or Refuse() is next; bytes that come meanwhile are kept
    kBody,      ///< the body goes on
    kComplete,  ///< all of it is there
    kRefused    ///< malformed, or beyond a limit: status() and why()
  };

  explicit HttpRequestReader(HttpReadLimits limits = {}) : limits_(limits) {}

  /// Takes the next bytes. Those that follow a whole request are dropped: a connection carries one request.
  State Feed(std::string_view bytes);
  /// The body may have so many bytes. For the state kHeadRead.
  State Accept(std::uint64_t body_bytes_max);
  /// The request is not read any further.
  void Refuse();

  State state() const { return state_; }
  /// Whether any byte has come.
  bool started() const { return started_; }
  /// Whether the client waits for a "100 Continue" before it sends the body that Accept() let in.
  bool expects_continue() const { return expects_continue_; }
  /// The head; the body is empty. From kHeadRead on.
  const HttpRequest& head() const { return request_; }
  /// The whole request, which is not kept. For the state kComplete.
  HttpRequest TakeRequest() { return std::move(request_); }

  /// With kRefused: 400, 413 (body), 414 (request line), 417 (expectation), or 431 (headers).
  int status() const { return status_; }
  /// With kRefused: why, without a word of the request.
  const std::string& why() const { return why_; }

  /// How much memory the request takes as far as it was read.
  std::size_t held_bytes() const { return pending_.capacity() + request_.body.capacity(); }

 private:
  enum class Part { kSized, kChunkSize, kChunkData, kChunkEnd, kTrailers };

  void Fail(int status, std::string why);
  void CheckHeadBytes(std::size_t end);
  void ReadHead();
  bool ReadRequestLine(std::string_view line);
  bool ReadHeader(std::string_view line);
  bool ReadFraming();
  std::size_t CountOf(std::string_view name) const;
  void ReadBody();
  bool ReadBodyPart();
  bool ReadChunkSize(std::string_view line);
  bool ReadTrailer(std::string_view line);
  bool TakeLine(std::string_view& line);
  void Drop(std::size_t bytes) { taken_ += bytes; }
  std::string_view Rest() const { return std::string_view(pending_).substr(taken_); }

  const HttpReadLimits limits_;
  State state_ = State::kHead;
  Part part_ = Part::kSized;
  std::string pending_;          // bytes that are not yet understood, behind those that are
  std::size_t taken_ = 0;        // of pending_
  std::size_t checked_ = 0;      // of pending_, while the head goes on
  bool in_request_line_ = true;  // where checked_ is
  std::uint64_t body_bytes_max_ = 0;
  std::uint64_t left_ = 0;  // of a sized body or of a chunk
  std::uint64_t content_length_ = 0;
  std::size_t trailer_bytes_ = 0;
  bool chunked_ = false;
  bool is_http_1_1_ = true;
  bool started_ = false;
  bool expects_continue_ = false;
  HttpRequest request_;
  int status_ = 0;
  std::string why_;
};

}  // namespace tokensync
