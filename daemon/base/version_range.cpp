#include "version_range.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "text.h"

namespace tokensync {

namespace {

// What npm and JavaScript count exactly.
constexpr std::uint64_t kNumberMax = (std::uint64_t{1} << 53) - 1;

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

bool IsIdentifierCharacter(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

bool IsNumeric(std::string_view identifier) {
  return std::all_of(identifier.begin(), identifier.end(), IsDigit);
}

/// Takes texts off the front; what it could not take stays.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  bool Take(std::string_view expected) {
    if (!rest_.starts_with(expected)) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }
  std::optional<std::uint64_t> TakeNumber() {
    const std::size_t length =
        static_cast<std::size_t>(std::find_if_not(rest_.begin(), rest_.end(), IsDigit) - rest_.begin());
    if (length == 0 || (length > 1 && rest_.front() == '0')) return std::nullopt;
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + length, number);
    if (error != std::errc() || number > kNumberMax) return std::nullopt;
    rest_.remove_prefix(length);
    return number;
  }
  /// Identifiers with dots between them, to the end of the text or to a plus sign.
  std::optional<std::vector<std::string>> TakeIdentifiers(bool leading_zeros) {
    std::vector<std::string> identifiers;
    do {
      const std::size_t length =
          static_cast<std::size_t>(std::find_if_not(rest_.begin(), rest_.end(), IsIdentifierCharacter) - rest_.begin());
      const std::string_view identifier = rest_.substr(0, length);
      if (identifier.empty()) return std::nullopt;
      if (!leading_zeros && length > 1 && identifier.front() == '0' && IsNumeric(identifier)) return std::nullopt;
      identifiers.emplace_back(identifier);
      rest_.remove_prefix(length);
    } while (Take("."));
    return identifiers;
  }
  /// -rc.1+build, either or none of the two, up to the end; nothing where something else follows.
  std::optional<std::vector<std::string>> TakeQualifier() {
    std::vector<std::string> prerelease;
    if (Take("-")) {
      auto identifiers = TakeIdentifiers(false);
      if (!identifiers) return std::nullopt;
      prerelease = std::move(*identifiers);
    }
    if (Take("+") && !TakeIdentifiers(true)) return std::nullopt;
    if (!rest_.empty()) return std::nullopt;
    return prerelease;
  }
  bool AtEnd() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

std::strong_ordering CompareIdentifiers(const std::string& a, const std::string& b) {
  const bool a_numeric = IsNumeric(a);
  const bool b_numeric = IsNumeric(b);
  if (a_numeric != b_numeric) return a_numeric ? std::strong_ordering::less : std::strong_ordering::greater;
  // Without leading zeros the longer number is the greater one, whatever its size.
  if (a_numeric && a.size() != b.size()) return a.size() <=> b.size();
  return a <=> b;
}

/// A version or its beginning: of 1.2 and 1.2.x there are two numbers, of * none.
struct Partial {
  std::vector<std::uint64_t> numbers;
  std::vector<std::string> prerelease;

  bool Whole() const { return numbers.size() == 3; }
  /// The lowest version that begins so.
  Version Lowest() const {
    auto at = [&](std::size_t i) { return i < numbers.size() ? numbers[i] : 0; };
    return Version{at(0), at(1), at(2), prerelease};
  }
  /// Below this are all that share the first `kept` numbers: 2.0.0-0 for 1.2.3 and one number.
  Version After(std::size_t kept) const {
    Version after{0, 0, 0, {"0"}};
    after.major = numbers[0] + (kept == 1 ? 1 : 0);
    if (kept > 1) after.minor = numbers[1] + (kept == 2 ? 1 : 0);
    if (kept > 2) after.patch = numbers[2] + 1;
    return after;
  }
};

std::optional<Partial> ParsePartial(std::string_view text) {
  Cursor cursor(text);
  cursor.Take("v");
  Partial partial;
  bool wildcard = false;
  for (std::size_t i = 0; i < 3; ++i) {
    if (i > 0 && !cursor.Take(".")) break;
    if (cursor.Take("x") || cursor.Take("X") || cursor.Take("*")) {
      wildcard = true;
      continue;
    }
    const auto number = cursor.TakeNumber();
    if (!number || wildcard) return std::nullopt;
    partial.numbers.push_back(*number);
  }
  if (!partial.Whole()) return cursor.AtEnd() ? std::optional(partial) : std::nullopt;
  auto prerelease = cursor.TakeQualifier();
  if (!prerelease) return std::nullopt;
  partial.prerelease = std::move(*prerelease);
  return partial;
}

std::string_view Trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

/// The next word, taken off the text; empty at its end.
std::string_view TakeWord(std::string_view& text) {
  text = Trimmed(text);
  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(word.size());
  return word;
}

}  // namespace

/// Reads one range. A fault ends it by an exception, which Parse() catches.
class RangeReader {
 public:
  using Relation = VersionRange::Relation;
  using All = VersionRange::All;

  static VersionRange Read(std::string_view text) {
    VersionRange range;
    for (bool more = true; more;) {
      const std::size_t bars = text.find("||");
      more = bars != std::string_view::npos;
      range.any_of_.push_back(ReadAlternative(Trimmed(text.substr(0, bars))));
      if (more) text.remove_prefix(bars + 2);
    }
    return range;
  }

 private:
  static All ReadAlternative(std::string_view text) {
    if (text.empty()) {
      throw RangeFault{"an empty range, or nothing at one side of '||'; write * where any version will do"};
    }
    All all;
    if (ReadHyphen(text, all)) return all;
    while (!text.empty()) {
      std::string_view word = TakeWord(text);
      const std::string_view symbol = SymbolOf(word);
      word.remove_prefix(symbol.size());
      if (word.empty()) word = TakeWord(text);
      AddComparators(symbol, PartialOf(word), all);
    }
    return all;
  }

  // `1.2 - 2.3` alone: both ends belong to it.
  static bool ReadHyphen(std::string_view text, All& all) {
    const std::size_t hyphen = text.find(" - ");
    if (hyphen == std::string_view::npos) return false;
    const Partial from = PartialOf(Trimmed(text.substr(0, hyphen)));
    const Partial to = PartialOf(Trimmed(text.substr(hyphen + 3)));
    AddComparators(">=", from, all);
    AddComparators("<=", to, all);
    return true;
  }

  static std::string_view SymbolOf(std::string_view word) {
    for (const std::string_view symbol : {">=", "<=", "~>", ">", "<", "=", "^", "~"}) {
      if (word.starts_with(symbol)) return symbol;
    }
    return {};
  }

  static Partial PartialOf(std::string_view word) {
    if (auto partial = ParsePartial(word)) return *partial;
    throw RangeFault{"'" + PrintableText(word, 40) +
                     "' is no version; write 1.2.3, 1.2 or 1.2.x, >= < ^ ~ before it, a space for 'and', || for 'or'"};
  }

  // As node-semver takes them apart; a bound that ends in -0 keeps pre-releases of the next version out.
  static void AddComparators(std::string_view symbol, const Partial& partial, All& all) {
    const std::size_t given = partial.numbers.size();
    auto add = [&](Relation relation, Version version) { all.push_back({relation, std::move(version)}); };
    if (given == 0) {
      if (symbol == ">" || symbol == "<") add(Relation::kLess, Version{0, 0, 0, {"0"}});
      return;
    }
    if (symbol == "^" || symbol == "~" || symbol == "~>") {
      add(Relation::kGreaterOrEqual, partial.Lowest());
      add(Relation::kLess, partial.After(symbol == "^" ? KeptByCaret(partial) : std::min<std::size_t>(given, 2)));
    } else if (symbol == ">") {
      if (partial.Whole()) return add(Relation::kGreater, partial.Lowest());
      Version next = partial.After(given);
      next.prerelease.clear();
      add(Relation::kGreaterOrEqual, std::move(next));
    } else if (symbol == ">=") {
      add(Relation::kGreaterOrEqual, partial.Lowest());
    } else if (symbol == "<") {
      Version lowest = partial.Lowest();
      if (!partial.Whole()) lowest.prerelease = {"0"};
      add(Relation::kLess, std::move(lowest));
    } else if (symbol == "<=") {
      if (partial.Whole()) return add(Relation::kLessOrEqual, partial.Lowest());
      add(Relation::kLess, partial.After(given));
    } else if (partial.Whole()) {
      add(Relation::kEqual, partial.Lowest());
    } else {
      add(Relation::kGreaterOrEqual, partial.Lowest());
      add(Relation::kLess, partial.After(given));
    }
  }

  // How many numbers ^ keeps: up to the first that is not 0.
  static std::size_t KeptByCaret(const Partial& partial) {
    std::size_t kept = 1;
    while (kept < partial.numbers.size() && partial.numbers[kept - 1] == 0) ++kept;
    return kept;
  }
};

std::optional<Version> Version::Parse(std::string_view text) {
  if (text.size() > kVersionBytesMax) return std::nullopt;
  auto partial = ParsePartial(text);
  if (!partial || !partial->Whole()) return std::nullopt;
  return Version{partial->numbers[0], partial->numbers[1], partial->numbers[2], std::move(partial->prerelease)};
}

std::strong_ordering Version::operator<=>(const Version& other) const {
  if (const auto order = major <=> other.major; order != 0) return order;
  if (const auto order = minor <=> other.minor; order != 0) return order;
  if (const auto order = patch <=> other.patch; order != 0) return order;
  if (prerelease.empty() || other.prerelease.empty()) return prerelease.empty() <=> other.prerelease.empty();
  const std::size_t shared = std::min(prerelease.size(), other.prerelease.size());
  for (std::size_t i = 0; i < shared; ++i) {
    if (const auto order = CompareIdentifiers(prerelease[i], other.prerelease[i]); order != 0) return order;
  }
  return prerelease.size() <=> other.prerelease.size();
}

std::variant<VersionRange, RangeFault> VersionRange::Parse(std::string_view text) {
  if (text.size() > kVersionBytesMax) return RangeFault{"a range of more than 256 bytes; shorten it"};
  try {
    return RangeReader::Read(text);
  } catch (const RangeFault& fault) {
    return fault;
  }
}

bool VersionRange::Contains(const Version& version) const {
  auto holds = [&](const Comparator& comparator) {
    const auto order = version <=> comparator.version;
    switch (comparator.relation) {
      case Relation::kLess:
        return order < 0;
      case Relation::kLessOrEqual:
        return order <= 0;
      case Relation::kEqual:
        return order == 0;
      case Relation::kGreaterOrEqual:
        return order >= 0;
      case Relation::kGreater:
        return order > 0;
    }
    return false;
  };
  auto names_prerelease = [&](const Comparator& comparator) {
    const Version& named = comparator.version;
    return !named.prerelease.empty() && named.major == version.major && named.minor == version.minor &&
           named.patch == version.patch;
  };
  return std::any_of(any_of_.begin(), any_of_.end(), [&](const All& all) {
    return std::all_of(all.begin(), all.end(), holds) &&
           (version.prerelease.empty() || std::any_of(all.begin(), all.end(), names_prerelease));
  });
}

}  // namespace tokensync
