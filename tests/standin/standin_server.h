/// The stand-in for the Sequence Metadata service: a real HTTP(S) server on loopback that speaks the Collections token
/// calls, keeps tokens in memory, counts what it was asked, and can be told to fail in every way that a service or a
/// network can (standin_faults.h).
///
/// It shares no code with the program that it tests.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "standin_faults.h"

namespace tokensync::standin {

class Listener;
class MetadataService;

struct StandinOptions {
  std::uint16_t port = 0;                 ///< 0: the kernel picks one
  std::string tls_certificate_file = {};  ///< PEM, chain included; with tls_key_file: HTTPS
  std::string tls_key_file = {};          ///< PEM, without passphrase
  /// The token that Authorization must carry; empty: any that is not empty. The scheme is taken in any case: the
  /// vendor's own client writes BEARER.
  std::string bearer = {};
  std::vector<std::uint64_t> projects = {};           ///< projectIds that exist; empty: any
  std::size_t connections_max = 320;                  ///< at once, a thread for each; more are closed at once
  std::size_t body_bytes_max = std::size_t{1} << 20;  ///< of a request; more is answered 413
  std::size_t requests_kept = 256;                    ///< how many of the last requests LastRequests() knows
};

/// Which token a call was about. `token_id` as the service folds it ("7" for "007").
struct TokenName {
  std::uint64_t project = 0;
  std::uint64_t collection = 0;
  std::string token_id = {};
  bool operator==(const TokenName&) const = default;
};

/// One request below /rpc/, as it was read and how it ended.
struct RecordedRequest {
  std::uint64_t number = 0;      ///< counts from 1 in the order of arrival
  std::uint64_t connection = 0;  ///< requests of one connection have one number
  std::string verb = {};         ///< "POST"
  std::string path = {};
  std::vector<std::pair<std::string, std::string>> headers = {};  ///< as sent
  std::string body = {};
  std::string method = {};  ///< "CreateToken", or empty for no route
  TokenName token = {};     ///< zero and empty where the body does not tell
  std::chrono::steady_clock::time_point arrived = {};
  std::chrono::steady_clock::time_point ended = {};
  int status = 0;  ///< that was answered, 0 where the connection was cut without one
  /// Whether a create, update or delete took effect before the answer.
  bool applied = false;

  /// The value of the header (case does not matter), or nothing.
  std::optional<std::string> Header(std::string_view name) const;
};

/// A call's time, for rates. At most the first million calls since Reset() are kept.
struct CallTime {
  std::chrono::steady_clock::time_point arrived = {};
  std::string_view method;  ///< static text
};

/// Counts since the start or Reset(). Calls that were refused (401, 429, …) count in `calls` too.
struct Counts {
  std::map<std::string, std::uint64_t> calls = {};  ///< by method; "other" for no route
  std::map<int, std::uint64_t> answers = {};        ///< by HTTP status; 0: no answer
  std::uint64_t creates_applied = 0;
  std::uint64_t updates_applied = 0;
  std::uint64_t deletes_applied = 0;
  std::uint64_t duplicates = 0;  ///< keys for which more than one create was applied
  std::uint64_t faults = 0;      ///< rules that struck
  std::uint64_t rate_limited = 0;
  std::uint64_t late_pending = 0;      ///< creates that are still to be applied late
  std::uint64_t connections = 0;       ///< accepted since the start
  std::uint64_t connections_open = 0;  ///< now
  std::uint64_t calls_in_flight = 0;   ///< now
  std::uint64_t calls_in_flight_max = 0;
  std::uint64_t tokens = 0;  ///< held now

  std::uint64_t Calls(const std::string& method) const;
};

/// A token as the service holds it.
struct HeldToken {
  TokenName name = {};
  bool is_private = false;
  std::string token_json = {};  ///< what was kept, members sorted by name, without what the service adds
};

/// Runs from construction to destruction. All methods may be called from any thread.
class StandinServer {
 public:
  /// Listens on 127.0.0.1 on return. Throws std::runtime_error where that, or the certificate, does not work.
  explicit StandinServer(StandinOptions options = {});
  /// Ends all connections and calls in flight at once.
  ~StandinServer();
  StandinServer(const StandinServer&) = delete;
  StandinServer& operator=(const StandinServer&) = delete;

  std::uint16_t port() const;
  /// http(s)://127.0.0.1:PORT
  std::string url() const;

  // ---- faults
  void SetBehaviour(const Behaviour& behaviour);
  Behaviour behaviour() const;
  void AddRule(FaultRule rule);
  void ClearRules();
  /// Takes the JSON form of standin_faults.h. Throws std::runtime_error, and changes nothing then.
  void SetFaults(std::string_view json);
  /// Lets all held calls go on (see Hold); those that come later are held as before.
  void Release();
  /// Ends idle and busy connections at once, as a service that restarts does.
  void CutAllConnections();

  // ---- tokens
  /// Stores a token as if it had been created before, `token_json` like the `token` of a request. It counts as no call,
  /// and stale reads do not concern it. Throws std::runtime_error for what CreateToken would refuse.
  void Put(std::uint64_t project, std::uint64_t collection, std::string_view token_json, bool is_private = false);
  std::optional<HeldToken> Find(const TokenName& name) const;
  /// All, sorted by project, collection and token number.
  std::vector<HeldToken> Tokens() const;
  /// SHA-256 (hex) of all that is held, times left out: equal contents give equal digests.
  std::string Digest() const;

  // ---- what it was asked
  Counts counts() const;
  /// How often a create for this token was applied.
  std::uint64_t CreatesApplied(const TokenName& name) const;
  /// The tokens for which more than one create was applied: must stay empty where nothing may happen twice.
  std::vector<TokenName> Duplicates() const;
  /// Answered requests, oldest first. A request is here before its answer leaves.
  std::vector<RecordedRequest> LastRequests() const;
  std::vector<CallTime> CallTimes() const;

  /// Waits until that many calls of `method` have arrived (empty: of any). False at the time limit.
  bool AwaitCalls(std::string_view method, std::uint64_t calls, Milliseconds within) const;
  /// Waits until at least that many tokens are held. False at the time limit.
  bool AwaitTokens(std::uint64_t tokens, Milliseconds within) const;

  /// Forgets tokens, counts, records and faults. Connections stay; creates that were to be applied late are dropped.
  void Reset();

 private:
  std::unique_ptr<MetadataService> service_;
  std::unique_ptr<Listener> listener_;
  bool tls_ = false;
};

}  // namespace tokensync::standin
