#include "token_store.h"

#include <tuple>

namespace tokensync::standin {

bool TokenNameOrder::operator()(const TokenName& a, const TokenName& b) const {
  const auto rank = [](const TokenName& name) {
    return std::tuple(name.project, name.collection, name.token_id.size(), std::string_view(name.token_id));
  };
  return rank(a) < rank(b);
}

bool TokenStore::Put(const TokenName& name, StoredTokenPtr token, bool replace) {
  // The node is made before the lock and an old token dies after it: the lock is held for the search alone.
  Map fresh;
  fresh.emplace(name, std::move(token));
  auto node = fresh.extract(fresh.begin());
  const std::lock_guard lock(mutex_);
  auto result = tokens_.insert(std::move(node));
  if (result.inserted) {
    size_.store(tokens_.size());
    return true;
  }
  node = std::move(result.node);
  if (!replace) return false;
  result.position->second.swap(node.mapped());
  return true;
}

bool TokenStore::Replace(const TokenName& name, StoredTokenPtr token) {
  const std::lock_guard lock(mutex_);
  const auto found = tokens_.find(name);
  if (found == tokens_.end()) return false;
  found->second.swap(token);
  return true;
}

bool TokenStore::Erase(const TokenName& name) {
  const std::lock_guard lock(mutex_);
  const bool erased = tokens_.erase(name) > 0;
  size_.store(tokens_.size());
  return erased;
}

StoredTokenPtr TokenStore::Find(const TokenName& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = tokens_.find(name);
  return found == tokens_.end() ? nullptr : found->second;
}

std::vector<NamedToken> TokenStore::Page(std::uint64_t project, std::uint64_t collection, SteadyTime newest,
                                         std::uint64_t offset, std::uint64_t count) const {
  std::vector<NamedToken> page;
  const std::lock_guard lock(mutex_);
  for (auto at = tokens_.lower_bound(TokenName{project, collection, {}});
       at != tokens_.end() && at->first.project == project && at->first.collection == collection && page.size() < count;
       ++at) {
    if (at->second->applied > newest) continue;
    if (offset > 0) {
      --offset;
    } else {
      page.emplace_back(*at);
    }
  }
  return page;
}

std::vector<NamedToken> TokenStore::All() const {
  const std::lock_guard lock(mutex_);
  return {tokens_.begin(), tokens_.end()};
}

void TokenStore::Clear() {
  Map old;
  const std::lock_guard lock(mutex_);
  tokens_.swap(old);
  size_.store(0);
}

}  // namespace tokensync::standin
