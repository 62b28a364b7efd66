#include "unsent.h"

#include <utility>

namespace tokensync {

Completion UnsentCompletion(const Call& call, std::string why) {
  Completion completion{.kind = call.kind,
                        .key = call.key,
                        .created = NotSent{},
                        .read = ReadingFailed{.unsent = true},
                        .listed = ReadingFailed{.unsent = true},
                        .answer = {},
                        .hint = {},
                        .duration = Duration(0)};
  completion.answer.message = std::move(why);
  return completion;
}

}  // namespace tokensync
