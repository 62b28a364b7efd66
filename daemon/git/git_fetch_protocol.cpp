#include "git_fetch_protocol.h"

#include <array>
#include <cstdlib>
#include <utility>

#include "git_text.h"
#include "json.h"
#include "json_text.h"

namespace tokensync {

namespace {

constexpr std::array<std::pair<FetchFailure, const char*>, 10> kFailureNames{{
    {FetchFailure::kUnreachable, "unreachable"},
    {FetchFailure::kRefused, "refused"},
    {FetchFailure::kCertificate, "certificate"},
    {FetchFailure::kHostKey, "host_key"},
    {FetchFailure::kNotRepository, "not_repository"},
    {FetchFailure::kEmpty, "empty"},
    {FetchFailure::kNoBranch, "no_branch"},
    {FetchFailure::kTimedOut, "timed_out"},
    {FetchFailure::kUnusable, "unusable"},
    {FetchFailure::kInternal, "internal"},
}};

std::string FailureName(FetchFailure failure) {
  for (const auto& [value, name] : kFailureNames) {
    if (value == failure) return name;
  }
  return "internal";
}

FetchFailure FailureOf(std::string_view text) {
  for (const auto& [value, name] : kFailureNames) {
    if (text == name) return value;
  }
  return FetchFailure::kInternal;
}

constexpr std::array<std::pair<SourceRef::Kind, const char*>, 3> kKindNames{{
    {SourceRef::Kind::kBranch, "branch"},
    {SourceRef::Kind::kTag, "tag"},
    {SourceRef::Kind::kSemver, "semver"},
}};

std::string KindName(SourceRef::Kind kind) {
  for (const auto& [value, name] : kKindNames) {
    if (value == kind) return name;
  }
  std::abort();
}

SourceRef::Kind KindOf(std::string_view text) {
  for (const auto& [value, name] : kKindNames) {
    if (text == name) return value;
  }
  throw FetchStop(FetchFailure::kInternal, "the request follows neither a branch nor tags");
}

std::string TextOf(const JsonValue& object, const char* name) {
  const JsonValue* member = object.Find(name);
  if (member == nullptr || member->AsString() == nullptr) {
    throw FetchStop(FetchFailure::kInternal, std::string("the request lacks '") + name + "'");
  }
  return *member->AsString();
}

double NumberOf(const JsonValue& object, const char* name) {
  const JsonValue* member = object.Find(name);
  if (member == nullptr || member->AsNumber() == nullptr) {
    throw FetchStop(FetchFailure::kInternal, std::string("the request lacks '") + name + "'");
  }
  return *member->AsNumber();
}

}  // namespace

std::string WriteRequest(const ChildRequest& request) {
  const FetchRequest& fetch = request.fetch;
  JsonObject object{{"parent", static_cast<double>(request.parent)},
                    {"timeout_ms", static_cast<double>(fetch.timeout.count())}};
  const std::pair<const char*, std::string> texts[] = {
      {"mirror", fetch.mirror.string()},
      {"url", fetch.url},
      {"ref_kind", KindName(fetch.ref.kind)},
      {"ref", fetch.ref.text},
      {"proxy", fetch.proxy},
      {"username", fetch.username},
      {"password", fetch.password.Reveal()},
      {"ssh_key_file", fetch.ssh_key_file.string()},
      {"ca_file", fetch.ca_file.string()},
      {"known_hosts_file", fetch.known_hosts_file.string()},
  };
  for (const auto& [name, text] : texts) {
    if (!IsUtf8(text) || text.find('\0') != std::string::npos) {
      throw FetchStop(FetchFailure::kUnusable, std::string("the ") + name + " is not UTF-8 text; write it as such");
    }
    object.emplace(name, text);
  }
  std::string out = CanonicalJson(object);
  if (out.size() > kRequestBytesMax) {
    throw FetchStop(FetchFailure::kUnusable,
                    "the settings of the source are too long; shorten its URL or its credential");
  }
  return out;
}

ChildRequest ReadRequest(std::string_view text) {
  try {
    const JsonValue value = ParseJson(text, 2);
    ChildRequest request;
    request.parent = static_cast<pid_t>(NumberOf(value, "parent"));
    request.fetch.timeout = Duration(static_cast<Duration::rep>(NumberOf(value, "timeout_ms")));
    request.fetch.mirror = TextOf(value, "mirror");
    request.fetch.url = TextOf(value, "url");
    request.fetch.ref = {KindOf(TextOf(value, "ref_kind")), TextOf(value, "ref")};
    request.fetch.proxy = TextOf(value, "proxy");
    request.fetch.username = TextOf(value, "username");
    request.fetch.password = Secret(TextOf(value, "password"));
    request.fetch.ssh_key_file = TextOf(value, "ssh_key_file");
    request.fetch.known_hosts_file = TextOf(value, "known_hosts_file");
    request.fetch.ca_file = TextOf(value, "ca_file");
    return request;
  } catch (const JsonTextError&) {
    throw FetchStop(FetchFailure::kInternal, "the request on standard input is not JSON; only the daemon starts this");
  }
}

std::string WriteReply(const FetchReply& reply) {
  JsonObject object;
  if (const auto* phase = std::get_if<FetchPhase>(&reply)) {
    object.emplace("phase", CleanText(phase->doing, 300));
  } else if (const auto* done = std::get_if<FetchDone>(&reply)) {
    object.emplace("head", done->head.hex);
  } else {
    const auto& failed = std::get<FetchFailed>(reply);
    object.emplace("failure", FailureName(failed.failure));
    object.emplace("text", CleanText(failed.text, 2000));
  }
  return CanonicalJson(object) + "\n";
}

std::optional<FetchReply> ReadReply(std::string_view line) {
  try {
    const JsonValue value = ParseJson(line, 2);
    auto text = [&](const char* name) -> const std::string* {
      const JsonValue* member = value.Find(name);
      return member == nullptr ? nullptr : member->AsString();
    };
    if (const auto* phase = text("phase")) return FetchPhase{*phase};
    if (const auto* head = text("head")) return FetchDone{CommitId{*head}};
    if (text("failure") != nullptr && text("text") != nullptr) {
      return FetchFailed{FailureOf(*text("failure")), *text("text")};
    }
  } catch (const JsonTextError&) {
    return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace tokensync
