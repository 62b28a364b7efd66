/// The words of a command line that are more than a name: keys, digests, times, durations.
#include <string>

#include "config_values.h"
#include "fuzz_checks.h"
#include "model.h"
#include "time_text.h"

namespace tokensync {
namespace {

constexpr TimePoint kNow{std::chrono::seconds(1'800'000'000)};
constexpr TimePoint kYear10000{std::chrono::seconds(253'402'300'800)};

void CheckNames(std::string_view text) {
  if (const auto key = TokenKey::Parse(text)) {
    Require(key->Text() == text, "a key that was understood is the text that names it", text);
    Require(key->project.value <= kSafeIntegerMax && key->collection.value <= kSafeIntegerMax, "ids survive a double");
  }
  if (const auto digest = Digest::FromHex(text)) Require(digest->Hex() == text, "a digest is its digits", text);
}

void CheckTimes(std::string_view text) {
  if (const auto time = ParseTime(text, kNow)) {
    Require(*time >= TimePoint{} && *time < kYear10000, "a time lies within 1970 and 9999", text);
    const std::string shown = FormatTime(*time);
    Require(ParseTime(shown, kNow) == time, "a time that is shown is read as the same", shown);
    Require(!FormatDuration(*time - kNow).empty(), "a duration has a text");
  }
  if (const auto duration = ParseDuration(text)) {
    Require(duration->count() >= 0 && *duration <= std::chrono::hours(24 * 365), "a duration has its bounds", text);
    RequirePrintable(FormatDuration(*duration), 40);
  }
}

}  // namespace
}  // namespace tokensync

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = tokensync::InputText(data, size);
  tokensync::CheckNames(text);
  tokensync::CheckTimes(text);
  return 0;
}
