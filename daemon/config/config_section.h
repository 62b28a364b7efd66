/// One section of the configuration file. Private to this folder.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model.h"
#include "yaml_node.h"

namespace tokensync {

template <typename Value>
struct Choice {
  std::string_view name;
  Value value;
};

/// The members of one map of the file, each asked for once; what was not asked for is unknown. What is wrong goes to
/// the list of problems, and leaves the value that is to be set as it was. The map, the list and the keys outlive it.
class Section {
 public:
  /// `map` may be null: then nothing is set.
  Section(std::string name, const YamlNode* map, ProblemList& problems);

  /// The key, which is known from now on, or null where it is not there.
  const YamlMember* Take(std::string_view key);

  /// The place of a value that is not there: that of its section, or the start of the file.
  TextPosition Position() const { return map_ == nullptr ? TextPosition{} : map_->position; }

  /// Notes a problem of a value that one of the others gave.
  void Fault(const YamlMember& member, std::string_view what, std::string advice);

  /// The text of a string; nothing where the key is not there or its value is none. `member` is the key, or null.
  std::optional<std::string> Text(std::string_view key, const YamlMember*& member);

  /// Sets `value` to a whole number within the bounds.
  void Number(std::string_view key, std::uint32_t least, std::uint32_t most, std::uint32_t& value);

  /// Sets `value` to a part of a whole: above 0, at most 1.
  void Share(std::string_view key, double& value);

  /// Sets `value` to a duration within the bounds. `or_zero`: 0 is a value too, with a meaning of its own.
  void Time(std::string_view key, Duration least, Duration most, bool or_zero, Duration& value);

  /// Sets `value` to the choice of that name.
  template <typename Value, std::size_t N>
  void OneOf(std::string_view key, const std::array<Choice<Value>, N>& choices, Value& value) {
    const YamlMember* member = nullptr;
    const auto text = Text(key, member);
    if (!text) return;
    std::vector<std::string_view> names;
    for (const Choice<Value>& choice : choices) {
      if (choice.name == *text) {
        value = choice.value;
        return;
      }
      names.push_back(choice.name);
    }
    FaultOfName(*member, *text, names);
  }

  /// A value of which only one choice is there yet.
  void NotYet(std::string_view key, std::string_view available, std::string_view later);

  /// Notes the keys that were not asked for.
  void Finish();

 private:
  std::string Path(const YamlMember& member) const;
  void FaultOfName(const YamlMember& member, std::string_view text, const std::vector<std::string_view>& names);

  std::string name_;
  const YamlNode* map_;
  ProblemList& problems_;
  std::vector<std::string_view> known_;
};

}  // namespace tokensync
