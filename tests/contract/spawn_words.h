/// The words and the environment of a program that a test starts, as posix_spawn(3) takes them.
#pragma once

#include <unistd.h>

#include <map>
#include <string>
#include <vector>

namespace tokensync::test {

/// The pointers are into it, so it outlives the start, and is not copied.
class SpawnWords {
 public:
  /// The environment is the test's own without git's variables, and over it `environment`.
  SpawnWords(std::vector<std::string> command, const std::map<std::string, std::string>& environment)
      : words_(std::move(command)) {
    std::map<std::string, std::string> merged;
    for (char** entry = environ; *entry != nullptr; ++entry) {
      const std::string text = *entry;
      if (text.starts_with("GIT_")) continue;
      merged.emplace(text.substr(0, text.find('=')), text.substr(text.find('=') + 1));
    }
    for (const auto& [name, value] : environment) merged[name] = value;
    for (const auto& [name, value] : merged) texts_.push_back(name + "=" + value);
    Point(words_, arguments_);
    Point(texts_, variables_);
  }
  SpawnWords(const SpawnWords&) = delete;
  SpawnWords& operator=(const SpawnWords&) = delete;

  char** arguments() { return arguments_.data(); }
  char** variables() { return variables_.data(); }

 private:
  static void Point(std::vector<std::string>& texts, std::vector<char*>& pointers) {
    for (std::string& text : texts) pointers.push_back(text.data());
    pointers.push_back(nullptr);
  }

  std::vector<std::string> words_;
  std::vector<std::string> texts_;
  std::vector<char*> arguments_;
  std::vector<char*> variables_;
};

}  // namespace tokensync::test
