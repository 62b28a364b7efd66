#include "control.h"

#include <charconv>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "held_text.h"
#include "standin_json.h"

namespace tokensync::standin {
namespace {

constexpr std::string_view kRoot = "/standin/";

/// Builds a JSON object member by member.
class ObjectText {
 public:
  void Add(std::string_view name, std::uint64_t value) { Key(name) += std::to_string(value); }
  void Add(std::string_view name, std::string_view value) { AppendJsonText(Key(name), value); }
  void AddRaw(std::string_view name, std::string_view json) { Key(name) += json; }
  std::string Text() const { return (text_.empty() ? "{" : text_) + "}"; }

 private:
  std::string& Key(std::string_view name) {
    text_ += text_.empty() ? "{" : ",";
    AppendJsonText(text_, name);
    return text_ += ":";
  }
  std::string text_;
};

std::string KeyText(const TokenName& name) {
  return std::to_string(name.project) + "/" + std::to_string(name.collection) + "/" + name.token_id;
}

std::string StateText(const StandinServer& server) {
  const Counts counts = server.counts();
  ObjectText calls;
  for (const auto& [method, count] : counts.calls) calls.Add(method, count);
  ObjectText answers;
  for (const auto& [status, count] : counts.answers) answers.Add(std::to_string(status), count);
  std::string duplicates = "[";
  for (const TokenName& name : server.Duplicates()) {
    if (duplicates.size() > 1) duplicates += ",";
    AppendJsonText(duplicates, KeyText(name));
  }
  ObjectText state;
  state.AddRaw("calls", calls.Text());
  state.AddRaw("answers", answers.Text());
  state.Add("creates_applied", counts.creates_applied);
  state.Add("updates_applied", counts.updates_applied);
  state.Add("deletes_applied", counts.deletes_applied);
  state.AddRaw("duplicates", duplicates + "]");
  state.Add("faults", counts.faults);
  state.Add("rate_limited", counts.rate_limited);
  state.Add("late_pending", counts.late_pending);
  state.Add("connections", counts.connections);
  state.Add("connections_open", counts.connections_open);
  state.Add("calls_in_flight", counts.calls_in_flight);
  state.Add("calls_in_flight_max", counts.calls_in_flight_max);
  state.Add("tokens", counts.tokens);
  state.Add("digest", server.Digest());
  return state.Text() + "\n";
}

/// The value of NAME=VALUE in a query, as it stands.
std::optional<std::string_view> Parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::string_view part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(part.size() + 1, query.size()));
    if (part.starts_with(name) && part.substr(name.size()).starts_with('=')) return part.substr(name.size() + 1);
  }
  return std::nullopt;
}

std::optional<std::size_t> NumberParameter(std::string_view query, std::string_view name) {
  const auto text = Parameter(query, name);
  if (!text) return std::nullopt;
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size() || number > 1'000'000'000)
    throw std::runtime_error("reading the query: " + std::string(name) + " is no number");
  return number;
}

Reply TokensReply(const StandinServer& server, std::string_view query) {
  const bool lines = Parameter(query, "format") == "lines";
  const std::vector<HeldToken> tokens = server.Tokens();
  const std::size_t page_size = NumberParameter(query, "page_size").value_or(tokens.size());
  const std::size_t begin = std::min(NumberParameter(query, "page").value_or(0) * page_size, tokens.size());
  const std::size_t end = std::min(begin + page_size, tokens.size());
  Reply reply;
  if (lines) reply.content_type = "application/x-ndjson";
  std::string& body = reply.body;
  if (!lines) body.push_back('[');
  for (std::size_t i = begin; i < end; ++i) {
    if (!lines && i > begin) body += ",\n";
    body += HeldText(tokens[i]);
    if (lines) body += "\n";
  }
  if (!lines) body += "]\n";
  return reply;
}

std::string PutTokens(StandinServer& server, std::string_view body) {
  const Json json = ParseJsonText(body);
  std::uint64_t stored = 1;
  if (const auto* list = json.As<JsonList>()) {
    for (const Json& item : *list) PutHeld(server, item);
    stored = list->size();
  } else {
    PutHeld(server, json);
  }
  return "{\"stored\":" + std::to_string(stored) + "}\n";
}

std::string RequestsText(const StandinServer& server) {
  std::string text = "[";
  for (const RecordedRequest& request : server.LastRequests()) {
    ObjectText headers;
    for (const auto& [name, value] : request.headers) headers.Add(name, value);
    const auto duration = std::chrono::duration_cast<std::chrono::microseconds>(request.ended - request.arrived);
    ObjectText object;
    object.Add("number", request.number);
    object.Add("connection", request.connection);
    object.Add("verb", request.verb);
    object.Add("path", request.path);
    object.AddRaw("headers", headers.Text());
    object.Add("body", request.body);
    object.Add("key", KeyText(request.token));
    object.Add("status", static_cast<std::uint64_t>(request.status));
    object.AddRaw("applied", request.applied ? "true" : "false");
    // Nanoseconds of CLOCK_MONOTONIC, which other programs of this machine read as well.
    object.Add("arrived_ns", static_cast<std::uint64_t>(request.arrived.time_since_epoch().count()));
    object.Add("duration_us", static_cast<std::uint64_t>(duration.count()));
    if (text.size() > 1) text += ",\n";
    text += object.Text();
  }
  return text + "]\n";
}

Reply ErrorReply(int status, std::string_view what) {
  ObjectText object;
  object.Add("error", what);
  Reply reply;
  reply.status = status;
  reply.body = object.Text() + "\n";
  return reply;
}

Reply Respond(StandinServer& server, const Request& request) {
  const std::string what = request.verb + " " + request.path.substr(kRoot.size());
  Reply reply;
  reply.body = "{}\n";
  if (what == "GET state") {
    reply.body = StateText(server);
  } else if (what == "GET tokens") {
    reply = TokensReply(server, request.query);
  } else if (what == "POST tokens") {
    reply.body = PutTokens(server, request.body);
  } else if (what == "GET requests") {
    reply.body = RequestsText(server);
  } else if (what == "POST faults") {
    server.SetFaults(request.body);
  } else if (what == "POST release") {
    server.Release();
  } else if (what == "POST cut") {
    server.CutAllConnections();
  } else if (what == "POST reset") {
    server.Reset();
  } else {
    return ErrorReply(404, "there is no " + request.verb + " " + request.path);
  }
  return reply;
}

}  // namespace

bool IsControlPath(std::string_view path) {
  return path.starts_with(kRoot);
}

Reply AnswerControl(StandinServer& server, const Request& request) {
  if (request.too_large) {
    Reply reply = ErrorReply(413, "the request is too large");
    reply.close = true;
    return reply;
  }
  try {
    return Respond(server, request);
  } catch (const std::runtime_error& error) {
    return ErrorReply(400, error.what());
  }
}

}  // namespace tokensync::standin
