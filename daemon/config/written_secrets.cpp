#include "written_secrets.h"

#include <algorithm>
#include <string>

namespace tokensync {

namespace {

constexpr std::string_view kTokenBegin = "eyJ";
constexpr std::string_view kTokenCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
// A name could begin with these letters too.
constexpr std::size_t kTokenBytesMin = 40;
constexpr std::string_view kKeyBegin = "-----BEGIN";
constexpr std::string_view kHidden = "***";

std::string WithoutTokens(std::string text) {
  for (std::size_t at = text.find(kTokenBegin); at != std::string::npos; at = text.find(kTokenBegin, at + 1)) {
    const std::size_t end = std::min(text.find_first_not_of(kTokenCharacters, at), text.size());
    if (end - at >= kTokenBytesMin) text.replace(at, end - at, kHidden);
  }
  return text;
}

std::string WithoutUserInformation(std::string text) {
  constexpr std::string_view kScheme = "://";
  constexpr std::string_view kCut = "…";
  for (std::size_t at = text.find(kScheme); at != std::string::npos; at = text.find(kScheme, at + 1)) {
    const std::size_t begin = at + kScheme.size();
    std::size_t end = text.rfind('@');
    // Of a URL that was cut, nobody sees any more how much of it is a password.
    if (end == std::string::npos || end < begin) end = text.find(kCut, begin);
    if (end == std::string::npos) break;
    text.replace(begin, end - begin, kHidden);
  }
  return text;
}

std::string WithoutSecrets(const std::string& text) {
  return WithoutUserInformation(WithoutTokens(text));
}

}  // namespace

bool IsSecretItself(std::string_view text) {
  const bool is_token = text.starts_with(kTokenBegin) && text.size() >= kTokenBytesMin;
  return is_token || text.find(kKeyBegin) != std::string_view::npos;
}

void HideSecrets(Problem& problem) {
  // The caret below the line counts the characters of the file: a line is shown as it is, or not at all.
  const bool holds_key = problem.text.find(kKeyBegin) != std::string::npos;
  if (holds_key || WithoutSecrets(problem.text) != problem.text) problem.text.clear();
  problem.what = WithoutSecrets(problem.what);
  problem.advice = WithoutSecrets(problem.advice);
}

}  // namespace tokensync
