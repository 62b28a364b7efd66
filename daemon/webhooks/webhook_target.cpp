#include "webhook_target.h"

#include <Poco/Exception.h>
#include <Poco/URI.h>
#include <fmt/format.h>

#include <algorithm>

#include "text.h"

namespace tokensync {

namespace {

constexpr std::size_t kShownCharactersMax = 100;

char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return Lower(x) == Lower(y); });
}

std::string_view WithoutEnds(std::string_view path) {
  constexpr std::string_view kSuffix = ".git";
  while (path.ends_with('/')) path.remove_suffix(1);
  if (path.ends_with(kSuffix)) path.remove_suffix(kSuffix.size());
  while (path.ends_with('/')) path.remove_suffix(1);
  while (path.starts_with('/')) path.remove_prefix(1);
  return path;
}

std::string Shown(std::string_view text) {
  return PrintableText(text, kShownCharactersMax);
}

}  // namespace

std::string WebhookRepositoryOfUrl(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) {
    // user@host:path; a colon behind a slash is part of a path.
    const std::size_t colon = url.find(':');
    const bool is_remote = colon != std::string_view::npos && url.substr(0, colon).find('/') == std::string_view::npos;
    return std::string(WithoutEnds(is_remote ? url.substr(colon + 1) : url));
  }
  std::string_view rest = url.substr(scheme + 3);
  rest = rest.substr(0, rest.find_first_of("?#"));
  const std::string_view path = rest.substr(std::min(rest.find('/'), rest.size()));
  std::string decoded;
  try {
    Poco::URI::decode(std::string(path), decoded);
  } catch (const Poco::Exception&) {
    decoded = path;
  }
  return std::string(WithoutEnds(decoded));
}

bool IsWebhookRepository(const WebhookTarget& target, std::string_view name) {
  const std::string_view wanted = WithoutEnds(target.repository);
  name = WithoutEnds(name);
  if (name.empty() || name.size() > wanted.size()) return false;
  const std::size_t begin = wanted.size() - name.size();
  return (begin == 0 || wanted[begin - 1] == '/') && EqualsIgnoringCase(wanted.substr(begin), name);
}

std::variant<FollowedPush, ForeignPush> JudgeWebhookPush(const WebhookTarget& target, const WebhookPush& push) {
  if (!push.repository.empty() && !IsWebhookRepository(target, push.repository)) {
    return ForeignPush{
        fmt::format("a push to the repository {}, and {} is followed here; if they are one, name it in "
                    "webhook.repository",
                    Shown(push.repository), Shown(target.repository))};
  }
  if (push.references.empty()) return FollowedPush{};
  const PushedReference* best = nullptr;
  for (const PushedReference& reference : push.references) {
    if (!target.ref.Follows(reference.name)) continue;
    if (best == nullptr || (!best->commit && reference.commit)) best = &reference;
  }
  if (best != nullptr) return FollowedPush{*best};
  const std::size_t others = push.references.size() - 1;
  return ForeignPush{fmt::format("a push to {}{}, and {} is followed here", Shown(push.references.front().name),
                                 others == 0 ? "" : fmt::format(" and {} more", others), Shown(target.ref.Text()))};
}

}  // namespace tokensync
