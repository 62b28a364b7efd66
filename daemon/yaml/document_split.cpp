#include "document_split.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>

namespace tokensync {

namespace {

bool IsBlank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

bool IsMarker(std::string_view line, std::string_view marker) {
  return line.starts_with(marker) && (line.size() == marker.size() || IsBlank(line[marker.size()]));
}

std::string_view TrimLeft(std::string_view line) {
  while (!line.empty() && IsBlank(line.front())) line.remove_prefix(1);
  return line;
}

bool IsEmptyOrComment(std::string_view line) {
  line = TrimLeft(line);
  return line.empty() || line.front() == '#';
}

void CheckDirective(std::string_view line, TextPosition position, bool repeated, ProblemList& problems) {
  const std::string_view words = line.substr(0, std::min(line.find(" #"), line.size()));
  const std::size_t name_end = std::min(words.find_first_of(" \t\r"), words.size());
  const std::string_view name = words.substr(0, name_end);
  std::string_view value = TrimLeft(words.substr(name_end));
  while (!value.empty() && IsBlank(value.back())) value.remove_suffix(1);
  if (name == "%TAG") {
    problems.Add(position, "a %TAG directive", "only the tags of YAML's core schema are taken, and they need none");
  } else if (name != "%YAML") {
    problems.Add(position, "an unknown directive", "only '%YAML 1.2' is taken; quote a value that begins with '%'");
  } else if (value != "1.2") {
    problems.Add(position, "a YAML version other than 1.2",
                 "this file is read by the rules of YAML 1.2: remove the directive or write '%YAML 1.2'");
  } else if (repeated) {
    problems.Add(position, "a repeated %YAML directive", "remove one of them");
  }
}

}  // namespace

std::vector<DocumentSpan> SplitDocuments(const SourceText& source, std::size_t documents_max, ProblemList& problems) {
  const std::string_view text = source.text();
  std::vector<DocumentSpan> documents;
  bool inside = false;
  std::optional<std::size_t> directive;

  const auto close = [&](std::size_t end) {
    if (inside) documents.back().end = end;
    inside = false;
  };
  const auto open = [&](std::size_t begin, std::size_t content) {
    documents.push_back({begin, text.size(), content});
    inside = true;
    directive.reset();
  };

  for (std::size_t start = 0; start < text.size();) {
    const std::size_t line_end = std::min(text.find('\n', start), text.size());
    const std::string_view line = text.substr(start, line_end - start);
    const bool marker = IsMarker(line, "---");
    const bool begins =
        marker || (!inside && !IsMarker(line, "...") && !line.starts_with('%') && !IsEmptyOrComment(line));
    if (begins) {
      close(start);
      if (documents.size() == documents_max) {
        problems.Add(source.PositionAt(start), fmt::format("more than {} documents in one file", documents_max),
                     "divide the file");
        return documents;
      }
      if (!marker && directive) {
        problems.Add(source.PositionAt(*directive), "a directive that no '---' follows", "add a line '---' after it");
      }
      open(start, marker ? start + 3 : start);
    } else if (IsMarker(line, "...")) {
      close(start);
      if (!IsEmptyOrComment(line.substr(3))) {
        problems.Add(source.PositionAt(start + 3), "text after the '...' that ends a document",
                     "begin the next document on a line of its own");
      }
    } else if (!inside && line.starts_with('%')) {
      CheckDirective(line, source.PositionAt(start), directive.has_value(), problems);
      directive = start;
    }
    start = line_end + 1;
  }
  if (directive) {
    problems.Add(source.PositionAt(*directive), "a directive that no document follows", "remove it");
  }
  return documents;
}

}  // namespace tokensync
