#include "log_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "text.h"
#include "time_text.h"

namespace tokensync {

namespace {

constexpr std::size_t kCharactersMax = 2'000;
constexpr std::size_t kCharactersMin = 16;

constexpr std::string_view kDim = "\x1b[2m";
constexpr std::string_view kReset = "\x1b[0m";

std::string_view ColourOf(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return kDim;
    case LogLevel::kInfo:
      return "\x1b[32m";
    case LogLevel::kWarning:
      return "\x1b[33m";
    case LogLevel::kError:
      return "\x1b[1;31m";
  }
  return "";
}

/// A value of a text line: as it stands where it is one plain word, else quoted.
std::string Quoted(std::string_view text, std::size_t characters_max) {
  const std::string printable = PrintableText(text, characters_max);
  if (!printable.empty() && printable.find_first_of(" \"\\=") == std::string::npos) return printable;
  std::string quoted = "\"";
  for (std::size_t at = 0; at < text.size();) {
    if (characters_max-- == 0) {
      quoted += "…";
      break;
    }
    const CodePoint character = CodePointAt(text, at);
    if (character.code == '"' || character.code == '\\') quoted += '\\';
    quoted += PrintableText(text.substr(at, character.length));
    at += character.length;
  }
  return quoted += '"';
}

std::string FieldText(const LogField& field, std::size_t characters_max) {
  if (const auto* number = std::get_if<std::int64_t>(&field.value)) return std::to_string(*number);
  return Quoted(std::get<std::string>(field.value), characters_max);
}

/// " key=value" for each field.
std::string FieldsText(std::span<const LogField> fields, bool colour, std::size_t characters_max) {
  std::string text;
  for (const LogField& field : fields) {
    text += fmt::format(" {}{}={}{}", colour ? kDim : "", field.key, colour ? kReset : "",
                        FieldText(field, characters_max));
  }
  return text;
}

/// Without the newline, and in the order in which the members are given.
std::string MemberText(std::string_view name, const std::string& value) {
  std::string text = PrintableJson(JsonValue(value));
  text.pop_back();
  return fmt::format("\"{}\":{}", name, text);
}

/// What `write` makes of the line within `bytes_max`: values are cut first, then fields are left out from the end.
template <class Write>
std::string Fitted(std::span<const LogField> fields, std::size_t bytes_max, const Write& write) {
  std::size_t characters_max = kCharactersMax;
  std::string text = write(fields, characters_max);
  while (text.size() > bytes_max && (characters_max > kCharactersMin || !fields.empty())) {
    if (characters_max > kCharactersMin) {
      characters_max = std::max(characters_max / 2, kCharactersMin);
    } else {
      fields = fields.first(fields.size() - 1);
    }
    text = write(fields, characters_max);
  }
  return text;
}

}  // namespace

std::string_view LogLevelName(LogLevel level) {
  static constexpr std::array<std::string_view, 4> kNames = {"debug", "info", "warning", "error"};
  return kNames.at(static_cast<std::size_t>(level));
}

std::string TextLine(const LogLine& line, bool colour, std::size_t bytes_max) {
  return Fitted(line.fields, bytes_max, [&](std::span<const LogField> fields, std::size_t characters_max) {
    return fmt::format("{}{}{} {}{:<7}{} {}{}\n", colour ? kDim : "", FormatTime(line.time), colour ? kReset : "",
                       colour ? ColourOf(line.level) : "", LogLevelName(line.level), colour ? kReset : "",
                       PrintableText(line.message, characters_max), FieldsText(fields, colour, characters_max));
  });
}

std::string JsonLine(const LogLine& line, std::size_t bytes_max) {
  return Fitted(line.fields, bytes_max, [&](std::span<const LogField> fields, std::size_t characters_max) {
    std::string text =
        fmt::format("{{\"time\":\"{}\",\"level\":\"{}\",{}", FormatTime(line.time), LogLevelName(line.level),
                    MemberText("msg", ValidText(line.message, characters_max)));
    for (const LogField& field : fields) {
      const auto* number = std::get_if<std::int64_t>(&field.value);
      text += ',';
      text += number != nullptr ? fmt::format("\"{}\":{}", field.key, *number)
                                : MemberText(field.key, ValidText(std::get<std::string>(field.value), characters_max));
    }
    return text += "}\n";
  });
}

std::vector<std::string> JournalFields(const LogLine& line) {
  static constexpr std::array kPriorities = {7, 6, 4, 3};
  std::vector<std::string> fields;
  fields.push_back(fmt::format("PRIORITY={}", kPriorities.at(static_cast<std::size_t>(line.level))));
  fields.push_back("MESSAGE=" + PrintableText(line.message, kCharactersMax) +
                   FieldsText(line.fields, false, kCharactersMax));
  for (const LogField& field : line.fields) {
    std::string name(field.key);
    for (char& c : name) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    const auto* number = std::get_if<std::int64_t>(&field.value);
    fields.push_back("TOKENSYNCD_" + name + "=" +
                     (number != nullptr ? std::to_string(*number)
                                        : PrintableText(std::get<std::string>(field.value), kCharactersMax)));
  }
  return fields;
}

}  // namespace tokensync
