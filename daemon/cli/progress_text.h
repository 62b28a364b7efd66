/// How far a pass has come: a bar on a terminal, a line now and then in a log.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "pass.h"
#include "terminal.h"

namespace tokensync {

/// Counts the rate of a pass over its last seconds.
class ProgressRate {
 public:
  /// Calls a second; 0 until something is known.
  double Update(const Progress& progress, TimePoint now);

 private:
  struct Sample {
    TimePoint time;
    std::size_t done;
  };
  std::uint64_t pass_ = 0;
  std::deque<Sample> samples_;
};

/// One line of a terminal that is redrawn.
class ProgressBar {
 public:
  explicit ProgressBar(Terminal terminal) : terminal_(terminal) {}
  /// What to write now; empty where the last drawing is less than a tenth of a second old, or there is nothing to do,
  /// or this is no terminal.
  std::string Update(const Progress& progress, TimePoint now);
  /// What to write before anything else is written there, and at the end; empty where nothing is drawn.
  std::string Clear();

 private:
  Terminal terminal_;
  ProgressRate rate_;
  std::optional<TimePoint> last_;
  bool drawn_ = false;
};

/// Lines for a log.
class ProgressLines {
 public:
  explicit ProgressLines(Duration interval = std::chrono::seconds(5)) : interval_(interval) {}
  /// The line, without a newline, where one is due: "1200 of 2000 calls done, 40/s, 20 s left". The first one is due
  /// when the pass has lasted for the interval.
  std::optional<std::string> Update(const Progress& progress, TimePoint now);

 private:
  Duration interval_;
  ProgressRate rate_;
  std::uint64_t pass_ = 0;
  TimePoint last_{};
};

}  // namespace tokensync
