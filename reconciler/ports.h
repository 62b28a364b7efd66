/// What the reconciler needs of the world. Each port has a contract here, adapters in daemon/, and doubles in tests/
/// that pass the same contract suite.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "errors.h"
#include "model.h"
#include "state.h"
#include "token_fields.h"

namespace tokensync {

/// Time. Every time in the program comes from here.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Wall-clock time that never steps back between two calls of one pass.
  virtual TimePoint Now() = 0;
};

// ---- ManifestSource -------------------------------------------------------------------------------------------------

/// The commit that brought a manifest's present text, its inherited files included.
struct Provenance {
  std::shared_ptr<const Commit> commit{};
  /// 0 for what the newest commit of the history brought, counting up with age.
  std::uint32_t age_rank = 0;
  /// Whose verified signature the commit bears; empty where its own was not looked at.
  std::string signer{};
};

/// Whether a commit may be applied, and on whose word.
struct Vouching {
  /// Why nothing of it may be applied: which commit is at fault, and how; empty: it may.
  std::string refusal{};
  /// Whose verified signature the commit bears; empty: signatures are not asked for.
  std::string signer{};
  /// Each commit that it reaches was verified as well: later commits need looking at only beyond it.
  bool reaches_vouched = false;
};

/// The repository. Used by one thread at a time.
class ManifestSource {
 public:
  virtual ~ManifestSource() = default;

  /// Brings the branch's head here and names it. Ends within the configured time-out.
  /// Throws EnvironmentError: unreachable, refused, no such branch, an empty repository. Never "no manifests" instead.
  virtual CommitId FetchHead() = 0;

  /// What that commit declares. The same commit gives an equal answer.
  /// Throws EnvironmentError where the commit cannot be read; a bad manifest is data (DesiredState::problems).
  virtual std::shared_ptr<const DesiredState> Read(const CommitId& commit) = 0;

  /// The payload (canonical JSON) of an entry of the state that Read gave last; its digest is the entry's.
  virtual std::string Payload(const Entry& entry) = 0;

  /// For each manifest, in order, the commit reachable from `head` that brought its present text. Where the history is
  /// longer than the limit of the walk, the oldest commit that was looked at. For a null manifest, `head` itself.
  virtual std::vector<Provenance> Attribute(const CommitId& head,
                                            std::span<const std::shared_ptr<const Manifest>> manifests) = 0;

  /// Whether `ancestor` is in the history of `head`. False where `ancestor` is not known here.
  virtual bool Descends(const CommitId& head, const CommitId& ancestor) = 0;

  /// Judges a commit by its signatures, before anything of it is read. `vouched`: a commit that reached only vouched
  /// ones (Vouching::reaches_vouched) at an earlier time.
  /// Throws EnvironmentError where that cannot be judged: a file of keys or a commit that cannot be read.
  virtual Vouching Vouch(const CommitId& commit, const std::optional<CommitId>& vouched) = 0;
};

// ---- MetadataApi ----------------------------------------------------------------------------------------------------

/// What the service said, for the log. All of it is foreign text of limited length.
struct ServiceAnswer {
  std::optional<int> http_status{};
  std::string error_name{};
  std::optional<int> error_code{};
  std::string message{};  ///< the service's msg, or what happened to the call
  std::string cause{};
};

/// Limits that a reply told about.
struct RateHint {
  std::optional<std::uint64_t> limit{};
  std::optional<std::uint64_t> remaining{};
  std::optional<TimePoint> reset{};
};

/// The service holds the token now. `differences`: what its reply did not show as it was sent.
struct Created {
  std::vector<FieldDifference> differences{};
};
/// A token with this key exists; nothing was changed.
struct AlreadyThere {};
/// Refused for good; nothing was changed. `bounded_tries`: a refusal of a kind that may be a fault of the service.
struct Refused {
  bool bounded_tries = false;
};
/// The service surely did not see the call.
struct NotSent {};
/// The service asks to go slower; nothing was changed.
struct Throttled {
  std::optional<Duration> retry_after{};
};
/// Why the service will refuse every other call as well.
enum class Denial {
  kCredential,     ///< 401, 403, 451, unknown project: the token does not give the right
  kEndpoint,       ///< 404 bad route, 405: this is not the service
  kQuotaExhausted  ///< 423
};
/// Nothing was changed, and no other call would fare better.
struct Unauthorized {
  Denial denial = Denial::kCredential;
};
/// It may have happened, or not.
struct Unknown {};

using CreateOutcome = std::variant<Created, AlreadyThere, Refused, NotSent, Throttled, Unauthorized, Unknown>;

/// Read back: the token as the service holds it, compared with the expected payload.
struct Found {
  std::vector<FieldDifference> differences{};  ///< empty: equal by meaning
  Digest remote_digest{};                      ///< of the normalised token, with the expected `private`
};
/// The service has no such token (now).
struct Absent {};
/// The service has no such call: it cannot be read at all.
struct Unsupported {};
/// The reading gave no answer. `unsent`: the service surely did not see it.
struct ReadingFailed {
  bool unsent = false;
};

using ReadOutcome = std::variant<Found, Absent, Unsupported, Throttled, Unauthorized, ReadingFailed>;

/// A token of a collection as a page told it: the digests that its normalised payload has. Which of the two is right
/// is for the one to say who knows whether it is private: the service never tells.
struct ListedToken {
  TokenId token;
  Digest if_public{};
  Digest if_private{};
};
/// A page of a collection. Tokens whose id cannot be read are left out; content that cannot be read has digests that
/// equal nothing.
struct Listed {
  std::vector<ListedToken> tokens{};
  bool more = false;  ///< there are further pages
};

using ListOutcome = std::variant<Listed, Refused, Unsupported, Throttled, Unauthorized, ReadingFailed>;

/// CreateToken; GetToken to compare with `payload`; ListTokens.
enum class CallKind { kCreate, kRead, kList };

struct Call {
  CallKind kind = CallKind::kCreate;
  TokenKey key;  ///< of the token; for kList, of the collection
  bool is_private = false;
  std::string payload{};   ///< canonical JSON of the normalised token; for kList empty
  std::uint32_t page = 0;  ///< for kList: counted from 0
};

/// How a call ended.
struct Completion {
  CallKind kind = CallKind::kCreate;
  TokenKey key;
  CreateOutcome created{};  ///< for kCreate
  ReadOutcome read{};       ///< for kRead
  ListOutcome listed{};     ///< for kList
  ServiceAnswer answer{};
  RateHint hint{};
  Duration duration{0};
};

/// The service, one call at a time, from any number of threads at once.
///
/// Retry contract: a call is sent at most once; whatever the transport does, it never repeats a request by itself.
/// Nothing is thrown for what the service or the network does: that is the outcome. A call ends within `api.timeout`
/// plus the time for connecting, and an outcome never claims more than is known.
class MetadataApi {
 public:
  virtual ~MetadataApi() = default;
  /// Carries out one call. The completion's kind and key are the call's.
  virtual Completion Perform(const Call& call) = 0;
};

/// Calls in flight. Start and Await are for one thread; Wake for any.
class CallRunner {
 public:
  virtual ~CallRunner() = default;
  /// Takes the call; never waits for it. At most one call for a key at a time.
  virtual void Start(Call call) = 0;
  /// Completions since the last time, oldest first. Waits for the first one until `deadline`; returns empty at the
  /// deadline or after Wake().
  virtual std::vector<Completion> Await(TimePoint deadline) = 0;
  /// Ends a wait that is under way, or the next one.
  virtual void Wake() = 0;
};

// ---- Ledger ---------------------------------------------------------------------------------------------------------

/// One row of the log: what happened to one token, and who caused it.
struct LogRecord {
  TimePoint time{};
  std::uint64_t pass = 0;
  TokenKey key;
  std::string action{};  ///< "create", "resolve", "adopt", "report"
  std::optional<Digest> digest{};
  std::optional<Digest> other_digest{};  ///< the service's, or git's, where there are two
  std::uint32_t attempt = 0;
  std::shared_ptr<const Commit> commit{};  ///< brought the manifest's present text; null where git no longer has it
  /// Whose verified signature vouches for it: the commit's own where each commit is verified, else that of the head
  /// that was applied. Empty: signatures were not asked for.
  std::string signer{};
  std::string path{};  ///< of the manifest; empty likewise
  std::uint32_t line = 0;
  ServiceAnswer answer{};
  Duration duration{0};
  std::string detail{};  ///< what else a person should know
};

/// A change of one entry: what happened, what is true after it, and its row of the log.
struct Change {
  Event event;
  EntryState after{};
  LogRecord record;
  /// With an event that CarriesPayload(): what is sent or compared. Kept until the next one for this key.
  std::optional<std::string> payload{};
  bool is_private = false;  ///< goes with `payload`
};

/// What happens to the repository as a whole.
enum class NoticeKind {
  kHeadRefused,       ///< a head was not applied, for its signatures
  kHistoryRewritten,  ///< a head that does not continue the one before was applied
  kPlanHeld,          ///< a plan waits for an approval
  kPlanApproved       ///< somebody approved a plan
};
/// "head-refused", "history-rewritten", "plan-held", "plan-approved".
std::string_view NoticeName(NoticeKind kind);

/// A row of the log that is not about a token.
struct Notice {
  TimePoint time{};
  std::uint64_t pass = 0;  ///< 0: outside of a pass
  NoticeKind kind = NoticeKind::kHeadRefused;
  std::shared_ptr<const Commit> commit{};  ///< the head it is about
  std::string signer{};                    ///< as in LogRecord
  std::string actor{};                     ///< who asked for it: "ada (uid 1000)"; empty: nobody, it came about
  std::string detail{};                    ///< reason, numbers, fingerprint
};

/// What an intent was about.
struct StoredPayload {
  std::string payload{};
  bool is_private = false;
};

struct LedgerEntry {
  TokenKey key;
  EntryState state{};
};

/// How a pass ended.
enum class PassResult {
  kComplete,
  kIncomplete,
  kStopped,
  kEnvironment,
  kDenied,
  kHeld  ///< the head is not applied: for its signatures, or until its plan is approved
};

/// What is remembered of a pass.
struct PassRecord {
  std::uint64_t pass = 0;
  std::string cause{};  ///< "start", "poll", "signal", "trigger", "webhook", "approval", "sync"
  TimePoint started{};
  TimePoint ended{};
  CommitId commit{};
  PassResult result = PassResult::kComplete;
  std::uint64_t created = 0, confirmed = 0, adopted = 0, reported = 0, rejected = 0, conflicting = 0, unresolved = 0,
                bad_manifests = 0;
  std::string error{};  ///< why it ended early; empty otherwise
};

/// A plan that is not carried out until it is approved.
struct HeldPlan {
  std::string fingerprint{};  ///< names exactly this plan: 64 hexadecimal digits
  CommitId commit{};
  TimePoint since{};
  std::string why{};      ///< what is unusual, with the plan's numbers
  bool approved = false;  ///< the next pass carries it out, if its plan is this one
  bool operator==(const HeldPlan&) const = default;
};

/// A head that is not applied for its signatures.
struct RefusedHead {
  CommitId commit{};
  std::string why{};
  bool operator==(const RefusedHead&) const = default;
};

/// What the runner knows between passes.
struct Checkpoint {
  std::optional<CommitId> head_seen{};      ///< newest head that was fetched
  std::optional<CommitId> head_applied{};   ///< newest head of which nothing is left to do or wait for
  std::optional<CommitId> head_accepted{};  ///< newest head that was planned for and not held back
  std::optional<CommitId> head_vouched{};   ///< newest head accepted with Vouching::reaches_vouched
  std::optional<HeldPlan> held{};
  std::optional<RefusedHead> refused{};  ///< the newest head, where it is refused
  std::uint64_t last_pass = 0;           ///< number of the last pass that was recorded
  std::uint32_t failures_in_a_row = 0;   ///< passes since the last that ended neither kEnvironment nor kDenied
  /// Collections that were read as a whole before anything was created in them, and when.
  std::map<CollectionKey, TimePoint> surveyed{};
  /// Tokens that a survey found, and that neither git nor the ledger laid claim to: they exist, whoever made them.
  std::map<CollectionKey, std::set<TokenId>> unclaimed{};
  /// When the ledger was found not to be the one that ran last: it may be older than the service. Nothing in `surveyed`
  /// and `unclaimed` is from before that.
  std::optional<TimePoint> distrusted_since{};
  bool operator==(const Checkpoint&) const = default;
};

/// The memory. Used by one thread at a time; other processes may read the same ledger meanwhile.
/// Every method throws LedgerError where the ledger cannot be used; after that, nothing of the failed call is recorded.
class Ledger {
 public:
  virtual ~Ledger() = default;
  /// All entries but those in state None, sorted by key.
  virtual std::vector<LedgerEntry> Entries() = 0;
  /// Records the changes, in order and all or none, with their log records. Durable on return.
  virtual void Record(std::span<const Change> changes) = 0;
  /// What was sent last for this key, or nothing.
  virtual std::optional<StoredPayload> Payload(const TokenKey& key) = 0;
  virtual Checkpoint LoadCheckpoint() = 0;
  /// Records the checkpoint, the pass where there is one, and the notices in order, all or none. Durable on return.
  virtual void SaveCheckpoint(const Checkpoint& checkpoint, const PassRecord* pass,
                              std::span<const Notice> notices = {}) = 0;
};

}  // namespace tokensync
