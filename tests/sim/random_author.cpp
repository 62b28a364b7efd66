#include "random_author.h"

#include <string>
#include <vector>

namespace tokensync {

namespace {

const std::vector<std::string> kPaths = {"a.yaml", "b.yaml", "c/a.yaml", "c/b.yaml"};

ScriptedToken* Find(ScriptedTree& tree, const TokenKey& key) {
  for (auto& [path, file] : tree) {
    for (ScriptedToken& token : file.tokens) {
      if (token.key == key) return &token;
    }
  }
  return nullptr;
}

void RemoveFrom(ScriptedTree& tree, const TokenKey& key) {
  for (auto& [path, file] : tree) {
    std::erase_if(file.tokens, [&](const ScriptedToken& token) { return token.key == key; });
  }
}

}  // namespace

TokenKey KeyNumber(std::uint64_t number) {
  return {.project = {1}, .collection = {number % 2}, .token = TokenId::Parse(std::to_string(number + 5)).value()};
}

bool IsBad(const Call& call) {
  return call.payload.find("bad") != std::string::npos;
}

ScriptedTree RandomAuthor::First() {
  ScriptedTree tree;
  for (std::uint64_t number = 0; number < keys_; ++number) {
    if (dice_.Percent(80)) tree[dice_.OneOf(kPaths)].tokens.push_back(NewText(KeyNumber(number)));
  }
  return tree;
}

ScriptedTree RandomAuthor::Next(const ScriptedSource& source) {
  if (dice_.Percent(15)) return source.TreeOf(dice_.Below(source.CommitCount()));
  ScriptedTree tree = source.HeadTree();
  for (auto changes = 1 + dice_.Below(3); changes > 0; --changes) Change(tree);
  return tree;
}

ScriptedToken RandomAuthor::NewText(const TokenKey& key) {
  // Few enough texts that an older one comes back now and then.
  const std::string name = (dice_.Percent(7) ? "bad" : "v") + std::to_string(dice_.Below(4));
  return {.key = key,
          .payload = R"({"name":")" + name + R"(","tokenId":")" + key.token.text() + R"("})",
          .is_private = dice_.Percent(20)};
}

void RandomAuthor::Change(ScriptedTree& tree) {
  const TokenKey key = KeyNumber(dice_.Below(keys_));
  switch (dice_.Below(7)) {
    case 0:
    case 1:
      AddOrEdit(tree, key);
      break;
    case 2:
      RemoveFrom(tree, key);
      break;
    case 3:
      Move(tree, key);
      break;
    case 4:  // declared twice
      tree[dice_.OneOf(kPaths)].tokens.push_back(NewText(key));
      break;
    case 5:
      tree[dice_.OneOf(kPaths)].readable = false;
      break;
    case 6:
      for (auto& [path, file] : tree) file.readable = true;
      break;
  }
  std::erase_if(tree, [](const auto& file) { return file.second.readable && file.second.tokens.empty(); });
}

void RandomAuthor::AddOrEdit(ScriptedTree& tree, const TokenKey& key) {
  if (ScriptedToken* token = Find(tree, key)) {
    *token = NewText(key);
  } else {
    tree[dice_.OneOf(kPaths)].tokens.push_back(NewText(key));
  }
}

void RandomAuthor::Move(ScriptedTree& tree, const TokenKey& key) {
  const ScriptedToken* token = Find(tree, key);
  if (token == nullptr) return;
  const ScriptedToken moved = *token;
  RemoveFrom(tree, key);
  std::vector<ScriptedToken>& tokens = tree[dice_.OneOf(kPaths)].tokens;
  tokens.insert(tokens.begin(), moved);
}

}  // namespace tokensync
