#include <fmt/format.h>

#include <map>

#include "paint.h"
#include "plan_text.h"
#include "text.h"

namespace tokensync {

namespace {

constexpr std::string_view kIndent = "      ";
/// Two values that do not fit on one line of this many columns get a line each.
constexpr std::size_t kLineColumns = 100;

using Leaves = std::map<std::string, const JsonValue*>;

std::string OneLine(const JsonValue& value) {
  std::string text = PrintableJson(value);
  text.pop_back();
  return text;
}

/// A member's name as a step of a path: quoted where it could be taken for two steps, or for something else.
std::string Step(const std::string& name) {
  const bool plain = !name.empty() && name.find_first_of(". \"\\:") == std::string::npos && PrintableText(name) == name;
  return plain ? name : OneLine(JsonValue(name));
}

/// Maps are taken apart; lists are compared as a whole, for what their places mean is not known here.
void AddLeaves(Leaves& leaves, const std::string& path, const JsonValue& value) {
  const JsonObject* object = value.AsObject();
  if (object == nullptr || object->empty()) {
    leaves.emplace(path, &value);
    return;
  }
  for (const auto& [name, member] : *object)
    AddLeaves(leaves, path.empty() ? Step(name) : path + "." + Step(name), member);
}

std::string Added(const std::string& path, const std::string& value, const Terminal& terminal) {
  return fmt::format("{}{}\n", kIndent, Painted(terminal, Ink::kGreen, fmt::format("+ {}: {}", path, value)));
}

std::string Removed(const std::string& path, const std::string& value, const Terminal& terminal) {
  return fmt::format("{}{}\n", kIndent, Painted(terminal, Ink::kRed, fmt::format("- {}: {}", path, value)));
}

std::string Changed(const std::string& path, const std::string& before, const std::string& after,
                    const Terminal& terminal) {
  const std::size_t columns = terminal.IsTerminal() ? static_cast<std::size_t>(terminal.columns) : kLineColumns;
  const std::string head = Painted(terminal, Ink::kYellow, fmt::format("~ {}:", path));
  const std::string old_text = Painted(terminal, Ink::kRed, before);
  const std::string new_text = Painted(terminal, Ink::kGreen, after);
  constexpr std::size_t kSigns = 8;  // "~ ", ": ", " -> "
  if (kIndent.size() + kSigns + ColumnsOf(path) + ColumnsOf(before) + ColumnsOf(after) <= columns) {
    return fmt::format("{}{} {} -> {}\n", kIndent, head, old_text, new_text);
  }
  return fmt::format("{0}{1}\n{0}    {2}\n{0} -> {3}\n", kIndent, head, old_text, new_text);
}

}  // namespace

std::string DiffText(const JsonValue& old_payload, const JsonValue& new_payload, const Terminal& terminal) {
  Leaves before;
  Leaves after;
  AddLeaves(before, "", old_payload);
  AddLeaves(after, "", new_payload);
  std::string text;
  auto old_leaf = before.begin();
  auto new_leaf = after.begin();
  while (old_leaf != before.end() || new_leaf != after.end()) {
    if (new_leaf == after.end() || (old_leaf != before.end() && old_leaf->first < new_leaf->first)) {
      text += Removed(old_leaf->first, OneLine(*old_leaf->second), terminal);
      ++old_leaf;
    } else if (old_leaf == before.end() || new_leaf->first < old_leaf->first) {
      text += Added(new_leaf->first, OneLine(*new_leaf->second), terminal);
      ++new_leaf;
    } else {
      if (!(*old_leaf->second == *new_leaf->second)) {
        text += Changed(old_leaf->first, OneLine(*old_leaf->second), OneLine(*new_leaf->second), terminal);
      }
      ++old_leaf;
      ++new_leaf;
    }
  }
  return text;
}

}  // namespace tokensync
