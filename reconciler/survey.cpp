#include "survey.h"

namespace tokensync {

namespace {

/// Longer than a service asks to wait, shorter than somebody needs to fill a collection by hand.
constexpr Duration kPageAgeMax = std::chrono::minutes(20);

/// Pages 0 and 1 of a service that counts from 1 are the same, and so may be two pages when tokens were removed
/// between.
constexpr std::uint32_t kPagesWithoutNewsMax = 3;

constexpr std::uint32_t kPagesMax = 1'000'000;

}  // namespace

Survey::Progress Survey::Add(const Listed& page, TimePoint now) {
  const std::size_t known = tokens_.size();
  for (const ListedToken& token : page.tokens) tokens_.insert_or_assign(token.token, token);
  ++next_page_;
  tries = 0;
  last_page_at_ = now;
  if (!page.more) return Progress::kComplete;
  pages_without_news_ = tokens_.size() > known ? 0 : pages_without_news_ + 1;
  if (pages_without_news_ >= kPagesWithoutNewsMax || next_page_ >= kPagesMax) return Progress::kStuck;
  return Progress::kMore;
}

bool Survey::IsStale(TimePoint now) const {
  return next_page_ > 0 && now - last_page_at_ > kPageAgeMax;
}

}  // namespace tokensync
