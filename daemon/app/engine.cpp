#include "engine.h"

#include <algorithm>
#include <random>
#include <utility>

#include "jwt_claims.h"
#include "ledger_notice.h"
#include "program_version.h"
#include "sha256.h"
#include "time_text.h"

namespace tokensync {

namespace {

constexpr Duration kExpiryWarning = std::chrono::hours(7 * 24);

std::uint64_t RandomSeed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

WireSpelling SpellingOf(FieldSpelling spelling) {
  switch (spelling) {
    case FieldSpelling::kBoth:
      return WireSpelling::kBoth;
    case FieldSpelling::kSnakeCase:
      return WireSpelling::kSnakeCase;
    case FieldSpelling::kCamelCase:
      return WireSpelling::kCamelCase;
  }
  return WireSpelling::kBoth;
}

HttpApiOptions ApiOptionsOf(const ApiConfig& api) {
  HttpApiOptions options;
  options.endpoint = api.endpoint;
  options.ca_file = api.ca_file;
  options.timeout = api.timeout;
  options.connect_timeout = std::min<Duration>(options.connect_timeout, api.timeout);
  options.idle_connections_max = api.concurrency;
  options.spelling = SpellingOf(api.field_spelling);
  options.user_agent = kUserAgent;
  return options;
}

}  // namespace

PassPolicy PassPolicyOf(const Config& config, Duration patience) {
  PassPolicy policy;
  policy.executor.rate.concurrency = config.api.concurrency;
  policy.executor.rate.requests_per_minute = config.api.requests_per_minute;
  policy.executor.rate.share = config.api.rate_share;
  policy.executor.survey = config.api.survey != SurveyMode::kNever;
  policy.executor.survey_required = config.api.survey == SurveyMode::kAlways;
  policy.executor.settling = config.api.timeout * 2;
  policy.executor.failures_max = std::max<std::uint32_t>(8, config.api.concurrency);
  policy.executor.read_back = config.api.read_back != ReadBack::kNever;
  policy.executor.read_back_required = config.api.read_back == ReadBack::kAlways;
  policy.patience = patience;
  policy.stop_grace = config.api.timeout + std::chrono::seconds(15);
  policy.hold_rewrites = config.source.on_rewrite == OnRewrite::kHold;
  policy.sha256 = Sha256;
  return policy;
}

Engine::Engine(const Config& config, Log& log, SystemClock& clock, Triggers& triggers, Options options)
    : config_(config),
      log_(log),
      clock_(clock),
      schedule_({.poll_interval = config.source.poll_interval}, RandomSeed()),
      reporter_(log, clock_, options.terminal),
      triggers_(triggers),
      ledger_(SqliteLedger::Open(config.ledger.path, {.endpoint = config.api.endpoint,
                                                      .source_url = config.source.url,
                                                      .program_version = kVersion,
                                                      .opened_at = clock_.Now()})),
      source_(config_, [this] { BeatUnlessStopped(); }),
      continuous_(source_, *ledger_, config_, log_),
      token_(config.api.token_file),
      api_(
          ApiOptionsOf(config.api), [this] { return token_.Current(); }, clock_),
      pool_(api_, clock_, config.api.concurrency),
      reconciler_({.source = continuous_,
                   .runner = pool_,
                   .ledger = *ledger_,
                   .clock = clock_,
                   .observer = reporter_,
                   .control = triggers_},
                  PassPolicyOf(config, options.patience), RandomSeed()) {
  triggers_.Attach({.wake = [this] { pool_.Wake(); },
                    .next_poll = [this](TimePoint now) { return schedule_.NextPoll(now); },
                    .has = [this](const CommitId& commit) { return Has(commit); },
                    .missing =
                        [this](const CommitId& commit) {
                          log_.Write(LogLevel::kInfo,
                                     "a webhook announced a commit that is not in what is followed; polling goes on",
                                     {{"commit", commit.hex}});
                        }});
  if (const auto notice = LedgerNotice(ledger_->standing(), config.api.survey != SurveyMode::kNever)) {
    log_.Write(LogLevel::kWarning, *notice, {{"ledger", config.ledger.path.string()}});
  }
}

Engine::~Engine() {
  triggers_.Detach();
}

PassSummary Engine::Pass(const std::string& cause, const std::optional<std::string>& revision) {
  FollowWallClock();
  RefreshToken();
  std::optional<CommitId> commit;
  if (revision) {
    continuous_.FetchHead();
    commit = source_.Resolve(*revision);
  }
  PassSummary summary = reconciler_.Run(cause, commit);
  reporter_.OnEnded(summary);
  // Where there was no plan, what waits is not known.
  waits_ = summary.waiting > 0 || summary.record.commit.hex.empty() || summary.record.result == PassResult::kHeld;
  return summary;
}

void Engine::Approve(const Approval& approval) {
  if (reconciler_.Approve(approval.fingerprint, approval.actor)) return;
  log_.Write(LogLevel::kWarning, "a plan was approved that does not wait any more; nothing is done",
             {{"fingerprint", approval.fingerprint}, {"actor", approval.actor}});
}

void Engine::BeatUnlessStopped() {
  triggers_.Beat();
  if (triggers_.StopRequested()) throw EnvironmentError("the repository is not read to the end: tokensyncd is to stop");
}

bool Engine::Has(const CommitId& commit) {
  const std::optional<CommitId>& head = reconciler_.checkpoint().head_seen;
  try {
    return head && source_.Descends(*head, commit);
  } catch (const EnvironmentError&) {
    return false;
  }
}

void Engine::FollowWallClock() {
  // What waits for a time waits by this clock. A step of the machine's clock would end the wait for a late call too
  // early, or make it as long as the step.
  if (waits_) return;
  clock_.TakeWallTime();
  triggers_.ClockWasSet();
}

void Engine::RefreshToken() {
  try {
    token_.Refresh();
  } catch (const EnvironmentError& error) {
    log_.Write(LogLevel::kWarning, std::string(error.what()) + "; going on with the token that was read before");
  }
  HeedClaims();
}

void Engine::HeedClaims() {
  const std::optional<JwtClaims> claims = ReadJwtClaims(token_.Current());
  reporter_.ExpectProject(claims ? claims->project : std::nullopt);
  const std::optional<TimePoint> expires = claims ? claims->expires : std::nullopt;
  if (expires == warned_of_expiry_ || !expires || *expires >= clock_.Now() + kExpiryWarning) return;
  warned_of_expiry_ = expires;
  log_.Write(LogLevel::kWarning, "the service token expires soon, or has expired", {{"expires", FormatTime(*expires)}});
}

}  // namespace tokensync
