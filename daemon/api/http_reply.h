/// An HTTP/1.1 reply, and a reader that knows whether all of it has come.
///
/// Poco's own session takes a body that was cut short for a whole one, and a head that was cut short likewise; a create
/// must not be believed on such grounds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model.h"

namespace tokensync {

struct HttpReply {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case, in the order of arrival
  std::string body;
  bool body_complete = false;  ///< the body is as long as the head says that it is

  /// The first header of that lower-case name, or null.
  const std::string* Header(std::string_view lower_case_name) const;
};

struct ReplyLimits {
  std::uint64_t head_bytes_max =
      std::uint64_t{64} * 1024;  ///< status line and headers, interim replies and trailers included
  int headers_max = 100;
  std::uint64_t body_bytes_max = std::uint64_t{1024} * 1024;
};

/// Reads the reply to one POST from the bytes of a connection, piece by piece. Pure; one thread.
class ReplyReader {
 public:
  enum class State {
    kMore,        ///< the reply goes on
    kComplete,    ///< all of it is there
    kUnreadable,  ///< this is no HTTP/1.1 reply, or is beyond a limit, or ended too early: fault() says why
  };

  explicit ReplyReader(ReplyLimits limits) : limits_(limits) {}

  /// Takes the next bytes. After kComplete or kUnreadable nothing more is taken.
  State Feed(std::string_view bytes);
  /// The peer has closed the stream in an orderly way.
  State End();

  State state() const { return state_; }
  /// Whether any byte of a reply has come.
  bool started() const { return started_; }
  const std::string& fault() const { return fault_; }

  /// The reply as far as it was read; nothing while its head is not complete. Its status can be relied on.
  std::optional<HttpReply> TakeReply();

  /// Whether the connection is at the start of the next reply: the whole reply was read, it said where it ends, nothing
  /// followed it, and the server keeps the connection open.
  bool connection_reusable() const { return state_ == State::kComplete && keeps_alive_ && !surplus_; }
  /// How long the server says that it keeps an idle connection.
  std::optional<Duration> keep_alive() const { return keep_alive_; }

 private:
  enum class Part { kHead, kSized, kUntilClose, kChunkSize, kChunkData, kChunkEnd, kTrailers };

  State Fail(std::string why);
  void ReadHead();
  void ReadFraming();
  void ReadKeepAlive();
  void ReadBodyPart();
  bool TakeLine(std::string& line);
  bool BodyExceeds(std::uint64_t more);
  void Complete();

  const ReplyLimits limits_;
  State state_ = State::kMore;
  Part part_ = Part::kHead;
  std::string pending_;           // bytes that are not yet understood
  std::uint64_t head_bytes_ = 0;  // counted against the limit
  std::uint64_t left_ = 0;        // of a sized body or of a chunk
  HttpReply reply_;
  bool has_head_ = false;
  bool started_ = false;
  bool keeps_alive_ = false;
  bool surplus_ = false;
  std::optional<Duration> keep_alive_;
  std::string fault_;
};

}  // namespace tokensync
