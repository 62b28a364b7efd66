#include "source_continuity.h"

#include <fmt/format.h>

#include "errors.h"

namespace tokensync {

void RequireContinuity(const Config& config, const FollowedSource& followed, ManifestSource& source,
                       const CommitId& head) {
  if (!followed.head_seen && !followed.has_entries) return;
  if (config.source.previous_url == followed.url) return;
  if (followed.head_seen && source.Descends(head, *followed.head_seen)) return;
  const std::string gap = followed.head_seen
                              ? fmt::format("its head {} does not continue from {}, the last that was seen there",
                                            head.hex, followed.head_seen->hex)
                              : std::string("no head was noted there that it could continue from");
  throw LedgerError(fmt::format(
      "following {}, {}: the ledger {} follows {}, and {}; nothing was done. Correct source.url; or, "
      "where this is the same team's repository with a rewritten history, confirm it with "
      "source.previous_url: {}; or set ledger.path to another file, for another team's tokens",
      config.source.url, config.source.ref.Text(), config.ledger.path.string(), followed.url, gap, followed.url));
}

CommitId ContinuousSource::FetchHead() {
  CommitId head = source_.FetchHead();
  if (confirmed_) {
    const bool accepted = ledger_.LoadCheckpoint().head_accepted == confirmed_;
    confirmed_ = accepted ? std::nullopt : std::optional(head);
  }
  if (const auto& previous = ledger_.previous_source_url()) {
    const std::string before = *previous;
    RequireContinuity(
        config_,
        {.url = before, .head_seen = ledger_.LoadCheckpoint().head_seen, .has_entries = !ledger_.Entries().empty()},
        source_, head);
    if (config_.source.previous_url == before) confirmed_ = head;
    ledger_.FollowSource();
    log_.Write(LogLevel::kWarning, "the ledger follows another source.url from now on",
               {{"url", config_.source.url}, {"previous_url", before}});
  }
  return head;
}

}  // namespace tokensync
