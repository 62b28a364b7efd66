/// One visitor of a variant out of a lambda for each alternative.
#pragma once

namespace tokensync {

template <class... Alternatives>
struct Overloaded : Alternatives... {
  using Alternatives::operator()...;
};
// Clang 14 does not deduce aggregates by itself.
template <class... Alternatives>
Overloaded(Alternatives...) -> Overloaded<Alternatives...>;

}  // namespace tokensync
