/// The metadata service over HTTP.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "ports.h"
#include "secret.h"
#include "wire_request.h"

namespace tokensync {

struct HttpApiOptions {
  std::string endpoint;           ///< https://HOST[:PORT][/PATH], or http:// for a service on this machine
  std::filesystem::path ca_file;  ///< PEM; trusted besides the system's roots; empty: none
  Duration timeout = std::chrono::seconds(30);          ///< of a call as a whole
  Duration connect_timeout = std::chrono::seconds(10);  ///< of its part that opens a connection
  Duration idle_max = std::chrono::seconds(4);  ///< a connection that was idle for longer is not used again: less than
                                                ///< any usual server's own limit
  std::uint32_t idle_connections_max = 16;      ///< connections kept for reuse: as many as there are workers
  std::uint64_t reply_bytes_max = std::uint64_t{1024} * 1024;      ///< of a reply's body; of a large token's, more
  std::uint64_t page_bytes_max = std::uint64_t{32} * 1024 * 1024;  ///< of the body of a page: as many of the longest
                                                                   ///< tokens that can be read singly as it holds
  WireSpelling spelling = WireSpelling::kBoth;
  std::string user_agent = "tokensyncd";
};

/// MetadataApi on HTTP/1.1 and TLS 1.2 or newer. Any number of threads; each connection serves one call at a time and
/// is kept for the next.
///
/// A request is written at most once, by one loop, on one connection: nothing below this class connects or writes
/// again. A connection is reused only when the reply before it ended exactly where it said, nothing has come on it
/// since, and it was idle for less than the server keeps it. A close that races with the request is Unknown. NotSent (a
/// create) is claimed when there was no connection, or the system took less than the whole request. A call ends within
/// `timeout`, but for the time that the system takes to look up a name; a reply that drips in does not lengthen it.
/// Redirects are not followed, and no proxy is used. The token is in the Authorization header only; no text of a
/// completion holds it, even where the service echoes it.
class HttpMetadataApi : public MetadataApi {
 public:
  /// `token` gives the bearer token for each call, from any thread; it does not throw, and the token is visible ASCII.
  /// `clock` outlives this object, and its Now() can be called from any thread.
  /// SIGPIPE is ignored by the process from here on, where nobody has set it otherwise: OpenSSL writes without a flag
  /// against it.
  /// Throws ConfigError where the endpoint or the trust anchors cannot be used. Nothing is connected yet.
  HttpMetadataApi(HttpApiOptions options, std::function<Secret()> token, Clock& clock);
  ~HttpMetadataApi() override;

  Completion Perform(const Call& call) override;

 private:
  class Connections;

  std::string RequestBytes(const Call& call, const Secret& token) const;
  std::uint64_t ReplyBytesMax(const Call& call) const;

  const HttpApiOptions options_;
  const std::function<Secret()> token_;
  Clock& clock_;
  std::string host_header_;
  std::string base_path_;
  std::unique_ptr<Connections> connections_;
};

}  // namespace tokensync
