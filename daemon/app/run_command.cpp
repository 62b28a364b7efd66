/// `run`: the daemon.
#include <fmt/format.h>

#include <utility>

#include "commands.h"
#include "control_desk.h"
#include "engine.h"
#include "exit_status.h"
#include "inherited_sockets.h"
#include "live_status.h"
#include "pass_answer.h"
#include "program_version.h"
#include "service_notifier.h"
#include "signals.h"
#include "time_text.h"
#include "webhook_gate.h"

namespace tokensync {

namespace {

// What is due later than this is left to the next pass, so that whoever waits for this one is not held up.
constexpr Duration kPatience = std::chrono::seconds(5);

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

/// The loop: one pass after the other, as they are asked for.
class Daemon {
 public:
  Daemon(std::filesystem::path file, Config config, Log& log)
      : file_(std::move(file)), config_(std::move(config)), log_(log) {
    engine_ = MakeEngine(config_);
  }

  void Run(InheritedSockets& sockets) {
    ControlDesk desk(triggers_, live_, log_);
    const int listening = sockets.Take("control");
    ControlServer server = listening < 0 ? ControlServer(config_.control.socket, desk) : ControlServer(listening, desk);
    gate_.emplace(config_, sockets.Take("http"), triggers_, clock_, log_);
    const SignalThread signals(
        {.stop = [&] { triggers_.RequestStop(); }, .reload = [&] { triggers_.RequestReload(); }});
    if (const std::string left = sockets.CloseRest(); !left.empty()) {
      log_.Write(LogLevel::kWarning,
                 "systemd passed sockets that are not served: one is served of each of the names control and http",
                 {{"names", left}});
    }
    log_.Write(LogLevel::kInfo, "tokensyncd runs",
               {{"version", kVersion},
                {"url", config_.source.url},
                {"ref", config_.source.ref.Text()},
                {"endpoint", config_.api.endpoint},
                {"ledger", config_.ledger.path.string()}});
    notifier_.Ready();
    triggers_.Request("start");
    std::optional<TimePoint> next_pass;
    while (const std::optional<std::string> cause = triggers_.WaitForPass(next_pass)) {
      if (triggers_.TakeReload()) Reload();
      const PassSummary summary = Pass(*cause, next_pass);
      server.Wake();
      if (summary.record.result == PassResult::kStopped) break;
      engine_->Rest();
    }
    notifier_.Stopping();
    gate_->Stop();
    server.Stop();
    log_.Write(LogLevel::kInfo, "tokensyncd ends");
  }

 private:
  std::unique_ptr<Engine> MakeEngine(const Config& config) {
    auto engine = std::make_unique<Engine>(config, log_, clock_, triggers_, Engine::Options{.patience = kPatience});
    live_.Watch(&engine->reporter());
    live_.Hold(engine->HeldPlanInLedger());
    return engine;
  }

  PassSummary Pass(const std::string& cause, std::optional<TimePoint>& next_pass) {
    live_.PassBegins();
    for (const Approval& approval : triggers_.TakeApprovals()) engine_->Approve(approval);
    PassSummary summary = engine_->Pass(cause);
    next_pass = engine_->schedule().NextPass(clock_.Now(), engine_->checkpoint().failures_in_a_row, summary.next_due);
    live_.PassEnded(engine_->checkpoint(), next_pass);
    triggers_.PassEnded(PassAnswer(summary));
    notifier_.Status(StatusLine(summary, next_pass));
    return summary;
  }

  /// Goes on by the configuration as the file has it now; or as before, where that cannot be used.
  void Reload() {
    notifier_.Reloading();
    try {
      Config next = LoadConfig(file_);
      RequireApiToken(next);
      // What can be tried is tried before the engine that runs is given up.
      const TokenFile readable(next.api.token_file);
      TakeConfiguration(std::move(next));
    } catch (const ConfigError& error) {
      log_.Write(LogLevel::kError, std::string(error.what()) + "; going on with the configuration as it was");
    }
    notifier_.Ready();
  }

  /// Throws EnvironmentError or LedgerError where neither the new configuration nor the old one can be gone on with.
  void TakeConfiguration(Config next) {
    if (next.control != config_.control || next.http != config_.http || next.log != config_.log) {
      log_.Write(LogLevel::kWarning,
                 "changes of the sections control, http and log take effect when the daemon is "
                 "started anew");
      next.control = config_.control;
      next.http = config_.http;
      next.log = config_.log;
    }
    gate_->Take(next);
    if (next == config_) return;
    // One engine at a time: it holds the lock of its ledger.
    live_.Watch(nullptr);
    engine_.reset();
    try {
      engine_ = MakeEngine(next);
      config_ = std::move(next);
      log_.Write(LogLevel::kInfo, "the configuration was read again", {{"file", file_.string()}});
    } catch (const std::runtime_error& error) {
      log_.Write(LogLevel::kError, std::string(error.what()) + "; going on with the configuration as it was");
      gate_->Take(config_);
      Recover();
    }
  }

  void Recover() {
    try {
      engine_ = MakeEngine(config_);
    } catch (const ConfigError& error) {
      // It could be used when the daemon started: whoever restarts it may have mended by then what is amiss.
      throw EnvironmentError(std::string(error.what()) + "; the daemon ends");
    }
  }

  const std::filesystem::path file_;
  Config config_;
  Log& log_;
  ServiceNotifier notifier_;
  SystemClock clock_;
  Triggers triggers_{clock_, [this] { notifier_.Alive(); }};
  LiveStatus live_{clock_.Now(), triggers_};
  std::unique_ptr<Engine> engine_;
  std::optional<WebhookGate> gate_;
};

}  // namespace

int Execute(const RunCommand& command) {
  BlockSignals();
  InheritedSockets sockets;
  Config config = LoadConfig(command.config);
  RequireApiToken(config);
  Log log(config.log.level, config.log.format);
  Daemon(command.config, std::move(config), log).Run(sockets);
  return kDone;
}

}  // namespace tokensync
