/// The tokens that the stand-in holds, in memory.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "standin_json.h"
#include "standin_server.h"

namespace tokensync::standin {

using SteadyTime = std::chrono::steady_clock::time_point;

using FieldsPtr = std::shared_ptr<const JsonMembers>;

struct StoredToken {
  FieldsPtr fields;  ///< without tokenId; the four two-spelled fields in snake_case
  bool is_private = false;
  std::chrono::system_clock::time_point updated;
  SteadyTime applied;  ///< decides whether a stale read sees it
};
using StoredTokenPtr = std::shared_ptr<const StoredToken>;
using NamedToken = std::pair<TokenName, StoredTokenPtr>;

/// By project, collection and the number that token_id is.
struct TokenNameOrder {
  bool operator()(const TokenName& a, const TokenName& b) const;
};

/// Used from any thread; each call is one step.
class TokenStore {
 public:
  /// Stores the token unless there is one and `replace` is false. Whether it was stored.
  bool Put(const TokenName& name, StoredTokenPtr token, bool replace);
  /// Stores the token if there is one. Whether there was.
  bool Replace(const TokenName& name, StoredTokenPtr token);
  bool Erase(const TokenName& name);
  /// The token, or null.
  StoredTokenPtr Find(const TokenName& name) const;
  /// Tokens of a collection that were applied at `newest` or before, in order, from the `offset`th, at most `count`.
  std::vector<NamedToken> Page(std::uint64_t project, std::uint64_t collection, SteadyTime newest, std::uint64_t offset,
                               std::uint64_t count) const;
  std::vector<NamedToken> All() const;
  std::uint64_t size() const { return size_.load(); }
  void Clear();

 private:
  using Map = std::map<TokenName, StoredTokenPtr, TokenNameOrder>;
  mutable std::mutex mutex_;
  Map tokens_;
  std::atomic<std::uint64_t> size_ = 0;
};

}  // namespace tokensync::standin
