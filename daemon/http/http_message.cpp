#include "http_message.h"

#include <Poco/Net/HTTPResponse.h>
#include <Poco/Timestamp.h>

#include <algorithm>
#include <sstream>

#include "json.h"
#include "text.h"

namespace tokensync {

const std::string* HttpRequest::Header(std::string_view lower_case_name) const {
  const auto found =
      std::find_if(headers.begin(), headers.end(), [&](const auto& header) { return header.first == lower_case_name; });
  return found == headers.end() ? nullptr : &found->second;
}

HttpAnswer HttpError(int status, std::string_view why) {
  return {.status = status, .body = PrintableJson(JsonObject{{"error", ValidText(why)}})};
}

std::string HttpAnswerText(const HttpAnswer& answer, bool with_body) {
  using Poco::Net::HTTPResponse;
  HTTPResponse response(HTTPResponse::HTTP_1_1, static_cast<HTTPResponse::HTTPStatus>(answer.status));
  response.setDate(Poco::Timestamp());
  for (const auto& [name, value] : answer.headers) response.set(name, value);
  response.set("Cache-Control", "no-store");
  response.set("X-Content-Type-Options", "nosniff");
  response.setContentType(answer.content_type);
  response.setContentLength64(static_cast<Poco::Int64>(answer.body.size()));
  response.setKeepAlive(false);
  std::ostringstream text;
  response.write(text);
  if (with_body) text << answer.body;
  return std::move(text).str();
}

}  // namespace tokensync
