#include "webhook_payload.h"

#include <Poco/Exception.h>
#include <Poco/URI.h>
#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

#include "json_text.h"
#include "text.h"

namespace tokensync {

namespace {

constexpr std::size_t kShownCharactersMax = 100;
constexpr std::size_t kNameBytesMax = 4096;
constexpr std::size_t kChangesMax = 10'000;
constexpr std::size_t kHexDigitsSha1 = 40;
constexpr std::size_t kHexDigitsSha256 = 64;

/// Ends the reading of a payload: a member is not what the forge's documentation says.
struct BadPayload {
  std::string why;
};

[[noreturn]] void Fail(std::string_view member, std::string_view wanted) {
  throw BadPayload{fmt::format("the payload's '{}' is not {}", member, wanted)};
}

/// The member at that path, or null where one of its parts is absent or null. Throws where one on the way is no object.
const JsonValue* At(const JsonValue& root, std::initializer_list<std::string_view> path) {
  const JsonValue* value = &root;
  std::string walked;
  for (const std::string_view name : path) {
    if (value->AsObject() == nullptr) Fail(walked.empty() ? "root" : walked, "an object");
    walked += walked.empty() ? name : fmt::format(".{}", name);
    value = value->Find(name);
    if (value == nullptr || value->IsNull()) return nullptr;
  }
  return value;
}

std::string PathText(std::initializer_list<std::string_view> path) {
  return fmt::format("{}", fmt::join(path, "."));
}

/// The text at that path, or nothing where it is absent or null.
std::optional<std::string> OptionalText(const JsonValue& root, std::initializer_list<std::string_view> path) {
  const JsonValue* value = At(root, path);
  if (value == nullptr) return std::nullopt;
  const std::string* text = value->AsString();
  if (text == nullptr) Fail(PathText(path), "a string");
  if (text->size() > kNameBytesMax) Fail(PathText(path), "of a length that makes sense");
  return *text;
}

std::string Text(const JsonValue& root, std::initializer_list<std::string_view> path) {
  std::optional<std::string> text = OptionalText(root, path);
  if (!text || text->empty()) Fail(PathText(path), "there");
  return *std::move(text);
}

const JsonArray& Array(const JsonValue& root, std::initializer_list<std::string_view> path) {
  const JsonValue* value = At(root, path);
  if (value == nullptr || value->AsArray() == nullptr) Fail(PathText(path), "a list");
  if (value->AsArray()->size() > kChangesMax) Fail(PathText(path), "a list of a length that makes sense");
  return *value->AsArray();
}

/// Who is told to have done something: shown, never acted upon, so that a shape of its own stops nothing.
std::string Sender(const JsonValue& root, std::initializer_list<std::initializer_list<std::string_view>> paths) {
  for (const auto& path : paths) {
    const JsonValue* value = &root;
    for (const std::string_view name : path) value = value == nullptr ? nullptr : value->Find(name);
    if (value != nullptr && value->AsString() != nullptr && !value->AsString()->empty()) {
      return PrintableText(*value->AsString(), kShownCharactersMax);
    }
  }
  return {};
}

bool IsZero(std::string_view id) {
  return id.find_first_not_of('0') == std::string_view::npos;
}

/// A reference with the object that it points at now. All zeros stand for a deletion; an id of a repository in SHA-256
/// says no commit that could be waited for.
PushedReference Reference(std::string name, const std::string& id, std::string_view id_member) {
  if (!name.starts_with("refs/")) Fail("ref", "the full name of a reference, such as refs/heads/main");
  const bool is_id = (id.size() == kHexDigitsSha1 || id.size() == kHexDigitsSha256) &&
                     id.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!is_id) Fail(id_member, "the id of a commit");
  PushedReference reference{std::move(name), std::nullopt, IsZero(id)};
  if (!reference.deleted && id.size() == kHexDigitsSha1) reference.commit = CommitId{id};
  return reference;
}

// GitHub, and Gitea and Forgejo after its model. An annotated tag's "after" is the tag, and its commit is
// "head_commit".
WebhookPush ReadGitHubPush(const JsonValue& root) {
  std::string name = Text(root, {"ref"});
  PushedReference reference = Reference(std::move(name), Text(root, {"after"}), "after");
  const std::optional<std::string> head = OptionalText(root, {"head_commit", "id"});
  if (head && !reference.deleted && reference.name.starts_with("refs/tags/")) {
    reference = Reference(reference.name, *head, "head_commit.id");
  }
  return {{std::move(reference)},
          Text(root, {"repository", "full_name"}),
          Sender(root, {{"sender", "login"}, {"pusher", "login"}, {"pusher", "name"}})};
}

WebhookMeaning ReadGitLab(const JsonValue& root) {
  // A test of a tag hook has a push for its body, and a system hook tells nothing in its header: the body counts.
  std::optional<std::string> kind = OptionalText(root, {"object_kind"});
  if (!kind) kind = OptionalText(root, {"event_name"});
  if (!kind) Fail("object_kind", "there");
  if (*kind != "push" && *kind != "tag_push") {
    return WebhookIgnored{fmt::format("the event '{}' is no push", PrintableText(*kind, kShownCharactersMax))};
  }
  std::string name = Text(root, {"ref"});
  PushedReference reference = Reference(std::move(name), Text(root, {"after"}), "after");
  const std::optional<std::string> checkout = OptionalText(root, {"checkout_sha"});
  if (checkout && !reference.deleted) reference = Reference(reference.name, *checkout, "checkout_sha");
  return WebhookPush{{std::move(reference)},
                     Text(root, {"project", "path_with_namespace"}),
                     Sender(root, {{"user_username"}, {"user_name"}})};
}

WebhookPush ReadBitbucketCloud(const JsonValue& root) {
  WebhookPush push;
  for (const JsonValue& change : Array(root, {"push", "changes"})) {
    const JsonValue* now = At(change, {"new"});
    const JsonValue* before = At(change, {"old"});
    const JsonValue* one = now != nullptr ? now : before;
    if (one == nullptr) Fail("push.changes", "a list of changes from something to something");
    const std::string kind = Text(*one, {"type"});
    std::string name = (kind == "tag" ? "refs/tags/" : "refs/heads/") + Text(*one, {"name"});
    if (now == nullptr) {
      push.references.push_back({std::move(name), std::nullopt, true});
    } else {
      push.references.push_back(Reference(std::move(name), Text(*now, {"target", "hash"}), "target.hash"));
    }
  }
  push.repository = Text(root, {"repository", "full_name"});
  push.sender = Sender(root, {{"actor", "nickname"}, {"actor", "display_name"}});
  return push;
}

WebhookPush ReadBitbucketDataCenter(const JsonValue& root) {
  WebhookPush push;
  for (const JsonValue& change : Array(root, {"changes"})) {
    std::string name = Text(change, {"ref", "id"});
    PushedReference reference = Reference(std::move(name), Text(change, {"toHash"}), "toHash");
    if (OptionalText(change, {"type"}) == "DELETE") reference = {std::move(reference.name), std::nullopt, true};
    push.references.push_back(std::move(reference));
  }
  push.repository = Text(root, {"repository", "project", "key"}) + "/" + Text(root, {"repository", "slug"});
  push.sender = Sender(root, {{"actor", "name"}, {"actor", "displayName"}});
  return push;
}

WebhookPush ReadGeneric(const JsonValue& root) {
  WebhookPush push;
  std::optional<std::string> name = OptionalText(root, {"ref"});
  const std::optional<std::string> after = OptionalText(root, {"after"});
  if (name && after) {
    push.references.push_back(Reference(*std::move(name), *after, "after"));
  } else if (name) {
    if (!name->starts_with("refs/")) Fail("ref", "the full name of a reference, such as refs/heads/main");
    push.references.push_back({*std::move(name), std::nullopt, false});
  } else if (after) {
    Fail("ref", "there, but its 'after' is");
  }
  push.repository = OptionalText(root, {"repository"}).value_or("");
  return push;
}

/// The JSON of the body, which is either that or a form with it in the field "payload". Whoever writes a generic
/// delivery by hand is not made to say which.
std::string JsonOf(const WebhookDelivery& delivery, WebhookForge forge) {
  constexpr std::string_view kForm = "application/x-www-form-urlencoded";
  constexpr std::string_view kField = "payload=";
  const std::string_view type = delivery.Header("content-type").value_or("");
  const std::string_view media_type = type.substr(0, type.find_first_of("; \t"));
  const bool is_form = std::equal(media_type.begin(), media_type.end(), kForm.begin(), kForm.end(), [](char a, char b) {
    return a == b || (a >= 'A' && a <= 'Z' && a - 'A' + 'a' == b);
  });
  if (!is_form || forge == WebhookForge::kGeneric) return delivery.body;
  std::string_view rest = delivery.body;
  while (!rest.empty()) {
    const std::string_view field = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(field.size() + 1, rest.size()));
    if (!field.starts_with(kField)) continue;
    // Poco takes a plus for a space only behind a question mark.
    std::string encoded(field.substr(kField.size()));
    std::replace(encoded.begin(), encoded.end(), '+', ' ');
    std::string json;
    try {
      Poco::URI::decode(encoded, json);
    } catch (const Poco::Exception&) {
      throw BadPayload{"the form's 'payload' is not URL-encoded"};
    }
    return json;
  }
  throw BadPayload{"the form has no 'payload'"};
}

std::string_view FirstHeader(const WebhookDelivery& delivery, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    if (const auto value = delivery.Header(name)) return *value;
  }
  return {};
}

std::string_view EventOf(const WebhookDelivery& delivery, WebhookForge forge) {
  switch (forge) {
    case WebhookForge::kGitHub:
      return FirstHeader(delivery, {"x-github-event"});
    case WebhookForge::kGitLab:
      return FirstHeader(delivery, {"x-gitlab-event"});
    case WebhookForge::kGitea:
      return FirstHeader(delivery, {"x-gitea-event"});
    case WebhookForge::kForgejo:
      return FirstHeader(delivery, {"x-forgejo-event", "x-gitea-event"});
    case WebhookForge::kBitbucket:
      return FirstHeader(delivery, {"x-event-key"});
    case WebhookForge::kGeneric:
      return "push";
  }
  return {};
}

WebhookMeaning ReadPush(const WebhookDelivery& delivery, WebhookForge forge, std::string_view event) {
  if (forge == WebhookForge::kGeneric && delivery.body.empty()) return WebhookPush{};
  const JsonValue root = ParseJson(JsonOf(delivery, forge));
  if (root.AsObject() == nullptr) Fail("root", "an object");
  switch (forge) {
    case WebhookForge::kGitHub:
    case WebhookForge::kGitea:
    case WebhookForge::kForgejo:
      return ReadGitHubPush(root);
    case WebhookForge::kGitLab:
      return ReadGitLab(root);
    case WebhookForge::kBitbucket: {
      WebhookPush push = event == "repo:push" ? ReadBitbucketCloud(root) : ReadBitbucketDataCenter(root);
      if (push.references.empty()) return WebhookIgnored{"the push moves no reference"};
      return push;
    }
    case WebhookForge::kGeneric:
      return ReadGeneric(root);
  }
  return WebhookPing{};
}

bool IsPush(std::string_view event) {
  return event == "push" || event == "repo:push" || event == "repo:refs_changed" || event == "Push Hook" ||
         event == "Tag Push Hook" || event == "System Hook";
}

}  // namespace

WebhookMeaning ReadWebhookPayload(const WebhookDelivery& delivery, WebhookForge forge) {
  const std::string_view event = EventOf(delivery, forge);
  if (event.empty()) return WebhookRefused{400, "the delivery does not name one event in its header"};
  if (event == "ping" || event == "diagnostics:ping") return WebhookPing{};
  if (!IsPush(event)) {
    return WebhookIgnored{fmt::format("the event '{}' is no push; let the forge send pushes only",
                                      PrintableText(event, kShownCharactersMax))};
  }
  try {
    return ReadPush(delivery, forge, event);
  } catch (const JsonTextError& error) {
    return WebhookRefused{400, error.what()};
  } catch (const BadPayload& bad) {
    return WebhookRefused{400, bad.why};
  }
}

std::string WebhookDeliveryId(const WebhookDelivery& delivery, WebhookForge forge) {
  std::string_view id;
  switch (forge) {
    case WebhookForge::kGitHub:
      id = FirstHeader(delivery, {"x-github-delivery"});
      break;
    case WebhookForge::kGitLab:
      id = FirstHeader(delivery, {"x-gitlab-event-uuid", "idempotency-key"});
      break;
    case WebhookForge::kGitea:
      id = FirstHeader(delivery, {"x-gitea-delivery"});
      break;
    case WebhookForge::kForgejo:
      id = FirstHeader(delivery, {"x-forgejo-delivery", "x-gitea-delivery"});
      break;
    case WebhookForge::kBitbucket:
      id = FirstHeader(delivery, {"x-request-uuid", "x-request-id"});
      break;
    case WebhookForge::kGeneric:
      id = FirstHeader(delivery, {"x-tokensync-delivery"});
      break;
  }
  return PrintableText(id, kShownCharactersMax);
}

}  // namespace tokensync
