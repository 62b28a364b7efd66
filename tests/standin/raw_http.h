/// A client of a few lines over a plain socket, for tests of the stand-in: it shows every byte, repeats nothing, and is
/// no client of the program's.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace tokensync::standin {

/// How the bytes ended.
enum class RawEnd { kComplete, kClosed, kReset, kTimeout };

struct RawReply {
  RawEnd end = RawEnd::kComplete;
  int status = 0;                              ///< 0 where no status line came
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
};

/// One connection to 127.0.0.1. Each wait ends after ten seconds (RawEnd::kTimeout). Throws std::runtime_error where
/// the connection cannot be made.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  /// False where the peer has closed.
  bool Send(std::string_view bytes) const;
  /// Reads one reply, up to its Content-Length.
  RawReply Receive();
  /// Whatever comes until the connection ends; `end` tells how it did.
  std::string ReceiveAll(RawEnd& end);

  RawReply Post(std::string_view path, std::string_view body, std::string_view more_headers = "");
  RawReply Get(std::string_view path);
  /// POST /rpc/Collections/METHOD.
  RawReply Call(std::string_view method, std::string_view body);

 private:
  /// Appends to buffer_. kComplete where something came.
  RawEnd Fill();

  int fd_ = -1;
  std::string buffer_;
};

/// The text of such a POST, Authorization included.
std::string PostText(std::string_view path, std::string_view body, std::string_view more_headers = "");

/// {"projectId":1,"collectionId":2,"private":false,"token":{"tokenId":ID,"name":"n","attributes":[]}}
std::string CreateBody(std::string_view token_id);
/// {"projectId":1,"collectionId":2,"tokenId":ID}
std::string KeyBody(std::string_view token_id);

}  // namespace tokensync::standin
