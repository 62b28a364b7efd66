/// What a client asks, and what it is answered.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tokensync {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

/// A request that keeps to RFC 9112. All of it is foreign text of limited length.
struct HttpRequest {
  std::string method;   ///< as it was sent: "GET"
  std::string path;     ///< begins with '/'; visible ASCII; nothing of it is decoded
  std::string query;    ///< what follows the '?'; nothing of it is decoded
  HttpHeaders headers;  ///< names in lower case, values without white space around them; in order of arrival
  std::string body;
  std::string peer;  ///< who is connected: "192.0.2.7:51312", "[2001:db8::1]:51312", or "unix"

  /// The first header of that lower-case name, or null.
  const std::string* Header(std::string_view lower_case_name) const;
};

struct HttpAnswer {
  int status = 200;  ///< one that HTTP has a name for
  std::string body{};
  std::string content_type = "application/json";
  HttpHeaders headers{};  ///< further ones, such as Allow and Retry-After; neither names nor values are foreign text
};

/// {"error":"why"}, which may be foreign text.
HttpAnswer HttpError(int status, std::string_view why);

/// What is decided on a request's head, before its body is read.
struct HttpAdmission {
  std::uint64_t body_bytes_max = 0;
  std::optional<HttpAnswer> refusal{};  ///< answered at once, without reading the body
};

/// The answer as it goes over the wire. `with_body` false: to a HEAD request, whose answer has only a body's length.
/// Always closes the connection, is never cached, and says nothing about the program.
std::string HttpAnswerText(const HttpAnswer& answer, bool with_body);

}  // namespace tokensync
