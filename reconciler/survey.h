/// The reading of one collection as a whole, page by page, before anything is created in it.
///
/// The service does not say whether its pages count from 0 or from 1, and a page can shift while somebody else creates
/// tokens: pages are asked for from 0 on, and what comes twice counts once. On a service that counts from 1, the pages
/// 0 and 1 are the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

#include "model.h"
#include "ports.h"

namespace tokensync {

class Survey {
 public:
  enum class Progress {
    kMore,      ///< next_page() is to be read
    kComplete,  ///< every token of the collection is known
    kStuck      ///< the service says "more" and gives nothing new, or gives more than any collection has
  };

  /// Takes the page that next_page() named.
  Progress Add(const Listed& page, TimePoint now);

  /// Whether the last page was read so long ago that the survey has to begin anew.
  bool IsStale(TimePoint now) const;

  /// What the collection holds, as far as it was read.
  const std::map<TokenId, ListedToken>& tokens() const { return tokens_; }

  std::uint32_t next_page() const { return next_page_; }
  /// Pages that were read.
  std::uint32_t pages() const { return next_page_; }
  /// Different tokens so far.
  std::size_t size() const { return tokens_.size(); }

  /// Refusals of the next page that may be the service's fault.
  std::uint32_t tries = 0;

 private:
  std::map<TokenId, ListedToken> tokens_;
  std::uint32_t next_page_ = 0;
  std::uint32_t pages_without_news_ = 0;
  TimePoint last_page_at_{};
};

}  // namespace tokensync
