/// How loud the log is, and in which form.
#pragma once

namespace tokensync {

enum class LogLevel { kDebug, kInfo, kWarning, kError };
enum class LogFormat { kAuto, kText, kJson, kJournal };

}  // namespace tokensync
