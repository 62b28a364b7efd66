#include "api_test_support.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <utility>

namespace tokensync {

namespace {

std::string RandomLetters(std::size_t count) {
  std::random_device random;
  std::uniform_int_distribution<int> letter('a', 'z');
  std::string text;
  while (text.size() < count) text.push_back(static_cast<char>(letter(random)));
  return text;
}

std::string NameOfDenial(Denial denial) {
  switch (denial) {
    case Denial::kCredential:
      return "denied-credential";
    case Denial::kEndpoint:
      return "denied-endpoint";
    case Denial::kQuotaExhausted:
      return "denied-quota";
  }
  return "?";
}

struct OutcomeNamer {
  std::string operator()(const Created&) const { return "created"; }
  std::string operator()(const AlreadyThere&) const { return "already-there"; }
  std::string operator()(const Refused& refused) const {
    return refused.bounded_tries ? "refused-after-tries" : "refused";
  }
  std::string operator()(const NotSent&) const { return "not-sent"; }
  std::string operator()(const Throttled&) const { return "throttled"; }
  std::string operator()(const Unauthorized& unauthorized) const { return NameOfDenial(unauthorized.denial); }
  std::string operator()(const Unknown&) const { return "unknown"; }
  std::string operator()(const Found& found) const { return found.differences.empty() ? "found" : "found-different"; }
  std::string operator()(const Absent&) const { return "absent"; }
  std::string operator()(const Listed&) const { return "listed"; }
  std::string operator()(const Unsupported&) const { return "unsupported"; }
  std::string operator()(const ReadingFailed&) const { return "reading-failed"; }
};

}  // namespace

const Secret& RunToken() {
  static const Secret token(RandomLetters(24) + "." + RandomLetters(40) + "." + RandomLetters(32));
  return token;
}

TokenKey KeyOf(const std::string& token_id) {
  return TokenKey{ProjectId{30957}, CollectionId{888}, TokenId::Parse(token_id).value()};
}

Call CreateCall(const std::string& token_id) {
  Call call{CallKind::kCreate, KeyOf(token_id), false, {}};
  call.payload =
      fmt::format(R"({{"externalUrl":"https://example.com/{0}","name":"Dragon {0}","tokenId":"{0}"}})", token_id);
  return call;
}

Call ReadCall(const std::string& token_id) {
  Call call = CreateCall(token_id);
  call.kind = CallKind::kRead;
  return call;
}

Call ListCall(std::uint32_t page) {
  return {CallKind::kList, TokenKey::OfCollection({ProjectId{30957}, CollectionId{888}}), false, {}, page};
}

std::string TokenReply(const std::string& token_id) {
  return fmt::format(
      R"({{"token":{{"tokenId":"{0}","name":"Dragon {0}","external_url":"https://example.com/{0}","description":"",)"
      R"("attributes":null,"updatedAt":"0001-01-01T00:00:00Z"}},"assets":null}})",
      token_id);
}

std::unique_ptr<HttpMetadataApi> ApiFor(const std::string& url, Clock& clock, HttpApiOptions options) {
  options.endpoint = url;
  if (options.timeout == HttpApiOptions().timeout) options.timeout = std::chrono::seconds(10);
  options.connect_timeout = std::min<Duration>(options.connect_timeout, options.timeout);
  options.user_agent = "tokensyncd/test";
  return std::make_unique<HttpMetadataApi>(
      std::move(options), [] { return RunToken(); }, clock);
}

std::string NameOf(const CreateOutcome& outcome) {
  return std::visit(OutcomeNamer(), outcome);
}

std::string NameOf(const ReadOutcome& outcome) {
  return std::visit(OutcomeNamer(), outcome);
}

std::string NameOf(const ListOutcome& outcome) {
  return std::visit(OutcomeNamer(), outcome);
}

}  // namespace tokensync
