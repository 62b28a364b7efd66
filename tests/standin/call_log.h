/// What the stand-in was asked: counts, times, the last requests, and how often each token was created.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "collections.h"
#include "standin_server.h"

namespace tokensync::standin {

/// Used from any thread.
class CallLog {
 public:
  explicit CallLog(std::size_t requests_kept) : requests_kept_(requests_kept) {}

  /// A request is here: it is in flight until Left(). Sets its number and arrival.
  void Arrived(RecordedRequest& request);
  void Applied(Change change, const TokenName& name);
  void Struck();
  void RateLimited();
  /// How the request ends is decided; the answer has not left yet.
  void Ended(RecordedRequest request);
  void Left();

  /// Without connections, tokens and late creates, which others know.
  Counts counts() const;
  std::uint64_t CreatesApplied(const TokenName& name) const;
  std::vector<TokenName> Duplicates() const;
  std::vector<RecordedRequest> LastRequests() const;
  std::vector<CallTime> CallTimes() const;

  /// Waits until `reached` holds, which is asked under this log's lock after each change. False at the time limit.
  bool Await(const std::function<bool(const Counts&)>& reached, Milliseconds within) const;
  /// Something else that Await() may ask about has changed.
  void Notify();

  /// Requests in flight stay so.
  void Reset();

 private:
  struct NameHash {
    std::size_t operator()(const TokenName& name) const;
  };

  const std::size_t requests_kept_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::uint64_t number_ = 0;
  Counts counts_;
  std::unordered_map<TokenName, std::uint64_t, NameHash> creates_;
  std::deque<RecordedRequest> last_;
  std::deque<CallTime> times_;
};

}  // namespace tokensync::standin
