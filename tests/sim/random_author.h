/// Commits by chance: what people do to a manifests repository, on few tokens and few files so that it collides.
#pragma once

#include <cstdint>

#include "dice.h"
#include "scripted_source.h"

namespace tokensync {

/// The token of that number, in one of two collections.
TokenKey KeyNumber(std::uint64_t number);

/// Whether the service is to refuse this create for what it says.
bool IsBad(const Call& call);

/// Makes commits: each one the tree before it with a few changes.
class RandomAuthor {
 public:
  /// `keys`: how many tokens there are to write about.
  RandomAuthor(Dice& dice, std::uint64_t keys) : dice_(dice), keys_(keys) {}

  ScriptedTree First();
  ScriptedTree Next(const ScriptedSource& source);

 private:
  ScriptedToken NewText(const TokenKey& key);
  void Change(ScriptedTree& tree);
  void AddOrEdit(ScriptedTree& tree, const TokenKey& key);
  void Move(ScriptedTree& tree, const TokenKey& key);

  Dice& dice_;
  const std::uint64_t keys_;
};

}  // namespace tokensync
