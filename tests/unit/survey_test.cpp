// The reading of a collection, page by page.
#include "survey.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <vector>

#include "samples.h"

using namespace tokensync;

namespace {

/// A page of a collection of `count` tokens as a service gives it that counts pages from `base`.
Listed Page(std::uint64_t count, std::uint64_t page_size, std::uint32_t base, std::uint32_t page) {
  const std::uint64_t index = page > base ? page - base : 0;
  Listed listed;
  for (std::uint64_t i = index * page_size; i < std::min(count, (index + 1) * page_size); ++i) {
    const std::uint8_t seed = static_cast<std::uint8_t>(i);
    listed.tokens.push_back({SampleKey(i).token, SampleDigest(seed), SampleDigest(seed)});
  }
  listed.more = (index + 1) * page_size < count;
  return listed;
}

}  // namespace

TEST_CASE("a collection is read whole whether its pages count from 0 or from 1, for at most one page more") {
  for (const std::uint32_t base : {0U, 1U}) {
    for (std::uint64_t count = 0; count < 25; ++count) {
      INFO(base << " " << count);
      Survey survey;
      Survey::Progress progress = Survey::Progress::kMore;
      while (progress == Survey::Progress::kMore) {
        progress = survey.Add(Page(count, 6, base, survey.next_page()), At(0));
      }
      CHECK(progress == Survey::Progress::kComplete);
      CHECK(survey.size() == count);
      for (std::uint64_t i = 0; i < count; ++i) CHECK(survey.tokens().contains(SampleKey(i).token));
      CHECK(survey.pages() <= std::max<std::uint64_t>((count + 5) / 6, 1) + base);
    }
  }
}

TEST_CASE("a service that gives the same page for ever is found out") {
  Survey survey;
  Listed same = Page(30, 6, 0, 0);
  Survey::Progress progress = Survey::Progress::kMore;
  for (int i = 0; i < 10 && progress == Survey::Progress::kMore; ++i) progress = survey.Add(same, At(0));
  CHECK(progress == Survey::Progress::kStuck);
  CHECK(survey.pages() < 10);
}

TEST_CASE("an empty page that says there is more is not the end") {
  Survey survey;
  CHECK(survey.Add({.tokens = {}, .more = true}, At(0)) == Survey::Progress::kMore);
  CHECK(survey.Add(Page(3, 6, 0, 0), At(0)) == Survey::Progress::kComplete);
  CHECK(survey.size() == 3);
}

TEST_CASE("a survey that was left lying begins anew, one that goes on does not") {
  Survey survey;
  CHECK_FALSE(survey.IsStale(At(0)));
  (void)survey.Add({.tokens = {}, .more = true}, At(0));
  CHECK_FALSE(survey.IsStale(At(10 * 60'000)));
  CHECK(survey.IsStale(At(60 * 60'000)));
}
