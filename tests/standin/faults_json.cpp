#include "faults_json.h"

#include <cmath>
#include <initializer_list>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

#include "standin_json.h"
#include "webrpc_error.h"

namespace tokensync::standin {
namespace {

[[noreturn]] void Wrong(const std::string& what) {
  throw std::runtime_error("reading faults: " + what);
}

/// The members of an object, each taken once; what nobody took is unknown.
class Taker {
 public:
  Taker(const Json& value, std::string where) : where_(std::move(where)) {
    members_ = value.As<JsonMembers>();
    if (members_ == nullptr) Wrong(where_ + " is not an object");
  }

  const Json* Take(const std::string& name) {
    taken_.insert(name);
    const auto found = members_->find(name);
    return found == members_->end() ? nullptr : &found->second;
  }

  void Set(const std::string& name, std::string& text) {
    if (const Json* value = Take(name)) {
      if (value->As<std::string>() == nullptr) Wrong(where_ + "." + name + " is not a string");
      text = *value->As<std::string>();
    }
  }

  void Set(const std::string& name, bool& flag) {
    if (const Json* value = Take(name)) {
      if (value->As<bool>() == nullptr) Wrong(where_ + "." + name + " is not true or false");
      flag = *value->As<bool>();
    }
  }

  void Set(const std::string& name, std::uint64_t& number) {
    if (const Json* value = Take(name)) {
      if (value->As<JsonNumber>() == nullptr || !value->As<JsonNumber>()->whole)
        Wrong(where_ + "." + name + " is not a whole number");
      number = *value->As<JsonNumber>()->whole;
    }
  }

  void Set(const std::string& name, Milliseconds& duration) {
    auto count = static_cast<std::uint64_t>(duration.count());
    Set(name, count);
    if (count > 86'400'000) Wrong(where_ + "." + name + " is more than a day");
    duration = Milliseconds(count);
  }

  void Set(const std::string& name, std::optional<int>& number) {
    if (const Json* value = Take(name)) {
      const auto* given = value->As<JsonNumber>();
      if (given == nullptr || given->value != std::floor(given->value) || std::fabs(given->value) > 1e6)
        Wrong(where_ + "." + name + " is not a small whole number");
      number = static_cast<int>(given->value);
    }
  }

  template <typename Choice>
  void Set(const std::string& name, Choice& choice, std::initializer_list<std::pair<std::string_view, Choice>> known) {
    std::string text;
    Set(name, text);
    if (Take(name) == nullptr) return;
    for (const auto& [word, value] : known)
      if (word == text) return void(choice = value);
    Wrong(where_ + "." + name + " is \"" + text + "\", which is unknown");
  }

  void RefuseOthers() const {
    for (const auto& [name, value] : *members_)
      if (!taken_.contains(name)) Wrong(where_ + "." + name + " is unknown");
  }

 private:
  const JsonMembers* members_ = nullptr;
  std::string where_;
  std::set<std::string> taken_;
};

Effect ReadEffect(const std::string& kind, const std::string& where, Taker& rule) {
  if (kind == "error") {
    AnswerError effect;
    rule.Set("error", effect.name);
    rule.Set("code", effect.code);
    rule.Set("status", effect.status);
    rule.Set("msg", effect.msg);
    rule.Set("cause", effect.cause);
    if (FindError(effect.name) == nullptr) Wrong(where + ".error is \"" + effect.name + "\", which is unknown");
    return effect;
  }
  if (kind == "raw") {
    AnswerRaw effect;
    std::optional<int> status;
    rule.Set("status", status);
    effect.status = status.value_or(effect.status);
    rule.Set("content_type", effect.content_type);
    rule.Set("body", effect.body);
    if (const Json* headers = rule.Take("headers")) {
      const auto* members = headers->As<JsonMembers>();
      if (members == nullptr) Wrong(where + ".headers is not an object");
      for (const auto& [name, value] : *members) {
        if (value.As<std::string>() == nullptr) Wrong(where + ".headers." + name + " is not a string");
        effect.headers.emplace_back(name, *value.As<std::string>());
      }
    }
    return effect;
  }
  if (kind == "garbage") {
    AnswerGarbage effect;
    rule.Set<Garbage>("kind", effect.kind,
                      {{"not_json", Garbage::kNotJson},
                       {"html", Garbage::kHtml},
                       {"wrong_content_type", Garbage::kWrongContentType},
                       {"truncated_json", Garbage::kTruncatedJson},
                       {"short_body", Garbage::kShortBody},
                       {"oversized", Garbage::kOversized},
                       {"wrong_token", Garbage::kWrongToken},
                       {"empty_body", Garbage::kEmptyBody}});
    rule.Set("bytes", effect.oversized_bytes);
    return effect;
  }
  if (kind == "cut") {
    Cut effect;
    rule.Set("reset", effect.reset);
    return effect;
  }
  if (kind == "cut_reply") {
    CutReply effect;
    rule.Set("bytes", effect.bytes);
    rule.Set("reset", effect.reset);
    return effect;
  }
  if (kind == "nothing") {
    AnswerNothing effect;
    rule.Set("longest_ms", effect.longest);
    return effect;
  }
  if (kind == "drip") {
    Drip effect;
    rule.Set("interval_ms", effect.interval);
    rule.Set("longest_ms", effect.longest);
    return effect;
  }
  if (kind == "apply_late") {
    ApplyLate effect;
    rule.Set("delay_ms", effect.delay);
    rule.Set("reset", effect.reset);
    return effect;
  }
  if (kind == "hold") {
    Hold effect;
    rule.Set("longest_ms", effect.longest);
    return effect;
  }
  Wrong(where + ".effect is \"" + kind + "\", which is unknown");
}

FaultRule ReadRule(const Json& value, const std::string& where) {
  Taker taker(value, where);
  std::string kind;
  taker.Set("effect", kind);
  FaultRule rule{.effect = ReadEffect(kind, where, taker), .times = std::nullopt};
  taker.Set("method", rule.method);
  taker.Set("token_id", rule.token_id);
  taker.Set("skip", rule.skip);
  if (const Json* times = taker.Take("times"); times != nullptr && !times->IsNull()) {
    std::uint64_t count = 0;
    taker.Set("times", count);
    rule.times = count;
  }
  if (const Json* probability = taker.Take("probability")) {
    const auto* number = probability->As<JsonNumber>();
    if (number == nullptr || number->value < 0 || number->value > 1) Wrong(where + ".probability is not in 0 to 1");
    rule.probability = number->value;
  }
  taker.Set("applies", rule.applies);
  taker.RefuseOthers();
  return rule;
}

std::vector<FaultRule> ReadRules(const Json& value, const std::string& where) {
  const auto* list = value.As<JsonList>();
  if (list == nullptr) Wrong(where + " is not a list");
  std::vector<FaultRule> rules;
  for (const Json& item : *list) rules.push_back(ReadRule(item, where + "[" + std::to_string(rules.size()) + "]"));
  return rules;
}

std::vector<std::string> ReadNames(const Json& value) {
  if (const auto* name = value.As<std::string>()) return {*name};
  const auto* list = value.As<JsonList>();
  if (list == nullptr) Wrong("drop_field is neither a name nor a list");
  std::vector<std::string> names;
  for (const Json& item : *list) {
    if (item.As<std::string>() == nullptr) Wrong("drop_field holds what is no name");
    names.push_back(*item.As<std::string>());
  }
  return names;
}

Json Parsed(std::string_view json) {
  try {
    return ParseJsonText(json);
  } catch (const NotJson& error) {
    Wrong(error.what());
  }
}

}  // namespace

FaultChange ParseFaults(std::string_view json, const Behaviour& present) {
  const Json document = Parsed(json);
  Taker taker(document, "faults");
  FaultChange change{.behaviour = present, .rules = std::nullopt, .added = {}};
  Behaviour& behaviour = change.behaviour;
  taker.Set<ExistingToken>("existing", behaviour.existing,
                           {{"conflict", ExistingToken::kConflict},
                            {"overwrite", ExistingToken::kOverwrite},
                            {"error", ExistingToken::kError}});
  taker.Set<Spelling>("keeps_spelling", behaviour.keeps_spelling,
                      {{"snake", Spelling::kSnake}, {"camel", Spelling::kCamel}, {"both", Spelling::kBoth}});
  taker.Set<UpdateStyle>("update", behaviour.update,
                         {{"replace", UpdateStyle::kReplace}, {"merge", UpdateStyle::kMerge}});
  if (const Json* names = taker.Take("drop_field")) behaviour.dropped_fields = ReadNames(*names);
  taker.Set("stale_reads_ms", behaviour.stale_reads);
  taker.Set("get_token", behaviour.get_token);
  taker.Set("list_tokens", behaviour.list_tokens);
  taker.Set("first_page", behaviour.first_page);
  taker.Set("page_size_max", behaviour.page_size_max);
  if (behaviour.page_size_max == 0) Wrong("faults.page_size_max is 0");
  taker.Set("latency_ms", behaviour.latency);
  taker.Set("latency_jitter_ms", behaviour.latency_jitter);
  if (const Json* limit = taker.Take("rate_limit")) {
    behaviour.rate_limit.reset();
    if (!limit->IsNull()) {
      RateLimit given;
      Taker members(*limit, "faults.rate_limit");
      members.Set("calls", given.calls);
      members.Set("window_ms", given.window);
      members.Set<RetryAfter>(
          "retry_after", given.retry_after,
          {{"seconds", RetryAfter::kSeconds}, {"date", RetryAfter::kDate}, {"none", RetryAfter::kNone}});
      members.Set("credits", given.credits);
      members.RefuseOthers();
      behaviour.rate_limit = given;
    }
  }
  taker.Set("idle_after_ms", behaviour.idle_after);
  taker.Set<IdleEnd>("idle_end", behaviour.idle_end,
                     {{"close", IdleEnd::kClose}, {"reset", IdleEnd::kReset}, {"answer_408", IdleEnd::kAnswer408}});
  taker.Set("seed", behaviour.seed);
  if (const Json* rules = taker.Take("rules")) change.rules = ReadRules(*rules, "faults.rules");
  if (const Json* rules = taker.Take("add_rules")) change.added = ReadRules(*rules, "faults.add_rules");
  taker.RefuseOthers();
  return change;
}

}  // namespace tokensync::standin
