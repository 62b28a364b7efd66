/// `run`: the daemon.
#include <unistd.h>

#include <fmt/format.h>

#include "commands.h"
#include "control_server.h"
#include "engine.h"
#include "exit_status.h"
#include "pass_text.h"
#include "service_notifier.h"
#include "signals.h"
#include "time_text.h"

namespace tokensync {

namespace {

// What is due later than this is left to the next pass, so that whoever waits for this one is not held up.
constexpr Duration kPatience = std::chrono::seconds(5);

/// What the daemon says of itself over the control socket.
class Control : public ControlHandler {
 public:
  Control(Engine& engine, Log& log) : engine_(engine), log_(log), started_(engine.clock().Now()) {}

  std::uint64_t OnTrigger(const Peer& peer) override {
    log_.Write(LogLevel::kInfo, "a pass is asked for", {{"user", peer.user}, {"uid", peer.uid}, {"pid", peer.pid}});
    return engine_.triggers().Request("trigger");
  }

  std::optional<JsonValue> ResultOf(std::uint64_t ticket) override { return engine_.triggers().ResultOf(ticket); }

  JsonValue OnStatus() override {
    const std::lock_guard lock(mutex_);
    JsonObject live = {{"pid", static_cast<double>(getpid())},
                       {"version", kVersion},
                       {"started", FormatTime(started_)},
                       {"passing", passing_}};
    if (passing_) {
      const Progress progress = engine_.reporter().Latest();
      live["progress"] = JsonObject{{"pass", static_cast<double>(progress.pass)},
                                    {"done", static_cast<double>(progress.done)},
                                    {"total", static_cast<double>(progress.total)},
                                    {"in_flight", static_cast<double>(progress.in_flight)}};
    }
    if (next_pass_) live["next_pass"] = FormatTime(*next_pass_);
    return live;
  }

  void PassBegins() {
    const std::lock_guard lock(mutex_);
    passing_ = true;
    next_pass_.reset();
  }

  void PassEnded(std::optional<TimePoint> next_pass) {
    const std::lock_guard lock(mutex_);
    passing_ = false;
    next_pass_ = next_pass;
  }

 private:
  Engine& engine_;
  Log& log_;
  const TimePoint started_;
  std::mutex mutex_;
  bool passing_ = false;
  std::optional<TimePoint> next_pass_;
};

std::string StatusLine(const PassSummary& summary, std::optional<TimePoint> next_pass) {
  const PassRecord& record = summary.record;
  std::string line;
  if (!record.error.empty()) {
    line = record.error;
  } else {
    line = fmt::format("at {}: {} tokens in sync, {} waiting, {} rejected, {} conflicting",
                       record.commit.hex.substr(0, 12), summary.counts.in_sync, summary.waiting,
                       summary.counts.rejected, summary.counts.conflicting);
  }
  return next_pass ? fmt::format("{}; next pass at {}", line, FormatTime(*next_pass)) : line;
}

}  // namespace

int Execute(const RunCommand& command) {
  BlockSignals();
  const Config config = LoadConfig(command.config);
  RequireApiToken(config);
  Log log(config.log.level, config.log.format);
  ServiceNotifier notifier;
  Engine engine(config, log, {.patience = kPatience, .beat = [&notifier] { notifier.Alive(); }});
  Control control(engine, log);
  ControlServer server(config.control.socket, control);
  const SignalThread signals(
      {.stop = [&] { engine.triggers().RequestStop(); }, .reload = [&] { engine.triggers().Request("signal"); }});
  log.Write(LogLevel::kInfo, "tokensyncd runs",
            {{"version", kVersion},
             {"url", config.source.url},
             {"branch", config.source.branch},
             {"endpoint", config.api.endpoint},
             {"ledger", config.ledger.path.string()}});
  notifier.Ready();

  engine.triggers().Request("start");
  std::optional<TimePoint> next_pass;
  while (const std::optional<std::string> cause = engine.triggers().WaitForPass(next_pass)) {
    control.PassBegins();
    const PassSummary summary = engine.Pass(*cause);
    next_pass =
        engine.schedule().NextPass(engine.clock().Now(), engine.checkpoint().failures_in_a_row, summary.next_due);
    JsonValue told = PassSummaryJson(summary);
    (*told.AsObject())["text"] = PassSummaryText(summary, Terminal{});
    (*told.AsObject())["exit_status"] = static_cast<int>(ExitStatusOf(summary));
    control.PassEnded(next_pass);
    engine.triggers().PassEnded(told);
    server.Wake();
    notifier.Status(StatusLine(summary, next_pass));
    if (summary.record.result == PassResult::kStopped) break;
  }
  notifier.Stopping();
  server.Stop();
  log.Write(LogLevel::kInfo, "tokensyncd ends");
  return kDone;
}

}  // namespace tokensync
