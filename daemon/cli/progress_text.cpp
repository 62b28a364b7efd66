#include "progress_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "text.h"
#include "time_text.h"

namespace tokensync {

namespace {

constexpr Duration kWindow{10'000};
/// Samples nearer to each other than this add nothing.
constexpr Duration kSampleInterval{200};
constexpr Duration kRedrawInterval{100};
constexpr std::size_t kBarColumnsMax = 40;
constexpr std::size_t kBarColumnsMin = 10;

std::string RateText(double rate) {
  return rate >= 9.95 ? fmt::format("{}/s", std::lround(rate)) : fmt::format("{:.1f}/s", rate);
}

/// "40/s, 20 s left, 3 failed"
std::string PaceText(const Progress& progress, double rate) {
  std::string text = RateText(rate);
  if (rate > 0) {
    const double left = std::ceil(static_cast<double>(progress.total - progress.done) / rate);
    if (left < 1e7) text += fmt::format(", {} left", FormatDuration(std::chrono::seconds(std::lround(left))));
  }
  if (progress.failed > 0) text += fmt::format(", {} failed", progress.failed);
  return text;
}

}  // namespace

double ProgressRate::Update(const Progress& progress, TimePoint now) {
  if (pass_ != progress.pass || samples_.empty()) {
    pass_ = progress.pass;
    samples_.assign(1, {progress.started, 0});
  }
  const Sample oldest = samples_.front();
  if (now - samples_.back().time >= kSampleInterval) samples_.push_back({now, progress.done});
  while (samples_.size() > 1 && now - samples_[1].time >= kWindow) samples_.pop_front();
  const double seconds = std::chrono::duration<double>(now - oldest.time).count();
  if (seconds <= 0 || progress.done <= oldest.done) return 0;
  return static_cast<double>(progress.done - oldest.done) / seconds;
}

std::string ProgressBar::Update(const Progress& progress, TimePoint now) {
  const double rate = rate_.Update(progress, now);
  if (!terminal_.IsTerminal() || progress.total == 0) return "";
  if (last_ && now - *last_ < kRedrawInterval) return "";
  last_ = now;
  drawn_ = true;
  // The last column stays free: some terminals go to the next line as soon as it is written.
  const std::size_t columns = static_cast<std::size_t>(terminal_.columns) - 1;
  const std::string numbers = fmt::format("{}/{} {:>3}%  {}", progress.done, progress.total,
                                          progress.done * 100 / progress.total, PaceText(progress, rate));
  std::string line;
  if (columns >= kBarColumnsMin + numbers.size() + 3) {
    const std::size_t bar = std::min(kBarColumnsMax, columns - numbers.size() - 3);
    const std::size_t filled = bar * progress.done / progress.total;
    line = fmt::format("[{:<{}}] ", std::string(filled, '=') + (filled < bar ? ">" : ""), bar);
  }
  line += numbers;
  return "\r" + FitColumns(line, columns);
}

std::string ProgressBar::Clear() {
  if (!drawn_) return "";
  drawn_ = false;
  last_.reset();
  return "\r" + std::string(static_cast<std::size_t>(terminal_.columns) - 1, ' ') + "\r";
}

std::optional<std::string> ProgressLines::Update(const Progress& progress, TimePoint now) {
  const double rate = rate_.Update(progress, now);
  if (pass_ != progress.pass) {
    pass_ = progress.pass;
    last_ = progress.started;
  }
  if (progress.total == 0 || now - last_ < interval_) return std::nullopt;
  last_ = now;
  return fmt::format("{} of {} calls done, {}", progress.done, progress.total, PaceText(progress, rate));
}

}  // namespace tokensync
