#include "config_section.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

#include "config_values.h"
#include "core_schema.h"
#include "nearest_name.h"
#include "problem_text.h"

namespace tokensync {

namespace {

std::string TimeText(Duration time) {
  using std::chrono::hours;
  using std::chrono::minutes;
  using std::chrono::seconds;
  if (time % hours(1) == Duration(0)) return fmt::format("{}h", time / hours(1));
  if (time % minutes(1) == Duration(0)) return fmt::format("{}m", time / minutes(1));
  if (time % seconds(1) == Duration(0)) return fmt::format("{}s", time / seconds(1));
  return fmt::format("{}ms", time.count());
}

}  // namespace

Section::Section(std::string name, const YamlNode* map, ProblemList& problems)
    : name_(std::move(name)), map_(map), problems_(problems) {
  if (map_ == nullptr || map_->kind == YamlKind::kMap) return;
  if (map_->kind != YamlKind::kNull) {
    const std::string subject = name_.empty() ? "the configuration" : fmt::format("'{}'", name_);
    problems_.Add(map_->position, fmt::format("{} is {}, not a map", subject, KindText(map_->kind)),
                  "write its keys below it, indented");
  }
  map_ = nullptr;
}

const YamlMember* Section::Take(std::string_view key) {
  known_.push_back(key);
  return map_ == nullptr ? nullptr : map_->Find(key);
}

void Section::Fault(const YamlMember& member, std::string_view what, std::string advice) {
  problems_.Add(member.value.position, fmt::format("{}: {}", Path(member), what), std::move(advice));
}

std::optional<std::string> Section::Text(std::string_view key, const YamlMember*& member) {
  member = Take(key);
  if (member == nullptr) return std::nullopt;
  const YamlNode& node = member->value;
  if (node.kind == YamlKind::kString) return node.text;
  const bool scalar = node.kind == YamlKind::kBool || node.kind == YamlKind::kInteger || node.kind == YamlKind::kFloat;
  Fault(*member, fmt::format("{}, not a string", KindText(node.kind)),
        scalar ? fmt::format("quote it: \"{}\"", Shortened(node.text)) : "write a text, or \"\" for none");
  return std::nullopt;
}

void Section::Number(std::string_view key, std::uint32_t least, std::uint32_t most, std::uint32_t& value) {
  const YamlMember* member = Take(key);
  if (member == nullptr) return;
  if (member->value.kind == YamlKind::kInteger) {
    const auto number = ExactNumber(member->value.text, ScalarKind::kInteger);
    const double* exact = std::get_if<double>(&number);
    if (exact != nullptr && *exact >= least && *exact <= most) {
      value = static_cast<std::uint32_t>(*exact);
      return;
    }
  }
  Fault(*member, "not a whole number within its bounds", fmt::format("write a number from {} to {}", least, most));
}

void Section::Share(std::string_view key, double& value) {
  const YamlMember* member = Take(key);
  if (member == nullptr) return;
  const YamlNode& node = member->value;
  if (node.kind == YamlKind::kInteger || node.kind == YamlKind::kFloat) {
    const auto number =
        ExactNumber(node.text, node.kind == YamlKind::kInteger ? ScalarKind::kInteger : ScalarKind::kFloat);
    const double* exact = std::get_if<double>(&number);
    if (exact != nullptr && *exact > 0 && *exact <= 1) {
      value = *exact;
      return;
    }
  }
  Fault(*member, "not a share of a whole", "write a number above 0 and up to 1, such as 0.5");
}

void Section::Time(std::string_view key, Duration least, Duration most, bool or_zero, Duration& value) {
  const YamlMember* member = Take(key);
  if (member == nullptr) return;
  const YamlNode& node = member->value;
  const bool scalar = node.kind == YamlKind::kString || node.kind == YamlKind::kInteger;
  const auto time = scalar ? ParseDuration(node.text) : std::nullopt;
  if (!time) {
    Fault(*member, "not a duration", "write a whole number and a unit: ms, s, m or h, such as 30s");
  } else if ((*time < least || *time > most) && !(or_zero && time->count() == 0)) {
    Fault(*member, "a duration out of its bounds",
          fmt::format("write {}{} to {}", or_zero ? "0, or " : "", TimeText(least), TimeText(most)));
  } else {
    value = *time;
  }
}

void Section::NotYet(std::string_view key, std::string_view available, std::string_view later) {
  const YamlMember* member = nullptr;
  const auto text = Text(key, member);
  if (!text || *text == available) return;
  if (*text == later) {
    Fault(*member, fmt::format("'{}' is not available yet", later), fmt::format("write '{}'", available));
  } else {
    FaultOfName(*member, *text, {available});
  }
}

void Section::Finish() {
  if (map_ == nullptr) return;
  for (const YamlMember& member : map_->members) {
    if (std::find(known_.begin(), known_.end(), member.key) != known_.end()) continue;
    problems_.Add(member.position, fmt::format("unknown key '{}'", Shortened(Path(member))),
                  NameAdvice(member.key, known_));
  }
}

std::string Section::Path(const YamlMember& member) const {
  return name_.empty() ? member.key : fmt::format("{}.{}", name_, member.key);
}

void Section::FaultOfName(const YamlMember& member, std::string_view text, const std::vector<std::string_view>& names) {
  Fault(member, fmt::format("'{}' is not known", Shortened(text)), NameAdvice(text, names));
}

}  // namespace tokensync
