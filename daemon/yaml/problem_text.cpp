#include "problem_text.h"

#include <fmt/format.h>

#include <cstdint>

#include "json.h"
#include "text.h"

namespace tokensync {

namespace {

constexpr std::size_t kShortenedCharactersMax = 60;

std::string PlaceText(const Place& place) {
  std::string text = PrintableText(place.path);
  if (place.line > 0) text += fmt::format(":{}", place.line);
  if (place.line > 0 && place.column > 0) text += fmt::format(":{}", place.column);
  return text;
}

/// The line and, below its `column`, a caret. Tabs become single spaces, so that both lines agree.
std::string QuotedLine(const Problem& problem, std::string_view bold_red, std::string_view reset) {
  std::string line;
  std::string caret;
  std::uint32_t column = 0;
  for (std::size_t at = 0; at < problem.text.size();) {
    const std::size_t length = CodePointAt(problem.text, at).length;
    const std::string_view bytes = std::string_view(problem.text).substr(at, length);
    const std::string shown = bytes == "\t" ? std::string(" ") : PrintableText(bytes);
    line += shown;
    if (++column < problem.place.column) caret.append(ColumnsOf(shown), ' ');
    at += length;
  }
  const std::string number = fmt::format("{:>5}", problem.place.line);
  std::string out = fmt::format("\n{} | {}", number, line);
  if (problem.place.column > 0) {
    out += fmt::format("\n{:>5} | {}{}^{}", "", caret, bold_red, reset);
  }
  return out;
}

/// GitHub's escapes, in a property of ':' and ',' as well; what else is not printable is shown as such.
std::string GithubEscaped(std::string_view text, bool property) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view character = text.substr(at, CodePointAt(text, at).length);
    const char c = character[0];
    const bool escape = c == '%' || c == '\r' || c == '\n' || (property && (c == ':' || c == ','));
    out += escape ? fmt::format("%{:02X}", static_cast<unsigned char>(c)) : PrintableText(character);
    at += character.size();
  }
  return out;
}

}  // namespace

std::string Shortened(std::string_view text) {
  return PrintableText(text, kShortenedCharactersMax);
}

std::string ProblemText(const Problem& problem, bool colour) {
  const std::string_view bold = colour ? "\x1b[1m" : "";
  const std::string_view bold_red = colour ? "\x1b[1;31m" : "";
  const std::string_view cyan = colour ? "\x1b[36m" : "";
  const std::string_view reset = colour ? "\x1b[0m" : "";
  std::string out = fmt::format("{}{}:{} {}", bold, PlaceText(problem.place), reset, PrintableText(problem.what));
  if (problem.place.line > 0 && !problem.text.empty()) out += QuotedLine(problem, bold_red, reset);
  if (!problem.advice.empty()) out += fmt::format("\n      {}= {}{}", cyan, PrintableText(problem.advice), reset);
  return out;
}

std::string ProblemJson(const Problem& problem) {
  std::string out = R"({"path":)";
  AppendJsonString(out, ValidText(problem.place.path));
  out += fmt::format(R"(,"line":{},"column":{},"what":)", problem.place.line, problem.place.column);
  AppendJsonString(out, ValidText(problem.what));
  out += R"(,"advice":)";
  AppendJsonString(out, ValidText(problem.advice));
  out += "}";
  return out;
}

std::string ProblemGithub(const Problem& problem) {
  std::string out = "::error file=" + GithubEscaped(problem.place.path, true);
  if (problem.place.line > 0) out += fmt::format(",line={}", problem.place.line);
  if (problem.place.line > 0 && problem.place.column > 0) out += fmt::format(",col={}", problem.place.column);
  const std::string message =
      problem.advice.empty() ? problem.what : fmt::format("{} ({})", problem.what, problem.advice);
  return out + "::" + GithubEscaped(PrintableText(message), false);
}

}  // namespace tokensync
