/// `validate`: every problem of every manifest, without configuration or network.
#include <unistd.h>

#include "commands.h"
#include "directory_tree.h"
#include "exit_status.h"
#include "manifest_reader.h"
#include "problem_text.h"
#include "terminal.h"

namespace tokensync {

int Execute(const ValidateCommand& command) {
  const Terminal terminal = Terminal::Of(STDOUT_FILENO);
  DirectoryTree tree(command.paths);
  const DesiredState desired = ManifestReader().Read(tree);
  for (Problem problem : desired.problems) {
    problem.place.path = tree.ShownPath(problem.place.path);
    std::string text;
    switch (command.format) {
      case ValidateFormat::kText:
        text = ProblemText(problem, terminal.colour);
        break;
      case ValidateFormat::kJson:
        text = ProblemJson(problem);
        break;
      case ValidateFormat::kGithub:
        text = ProblemGithub(problem);
        break;
    }
    if (!WriteAll(STDOUT_FILENO, text + "\n")) break;
  }
  const std::size_t problems = desired.problems.size();
  if (command.format == ValidateFormat::kText) {
    WriteAll(STDOUT_FILENO, std::to_string(desired.manifests) +
                                (desired.manifests == 1 ? " manifest, " : " manifests, ") +
                                std::to_string(desired.entries.size()) + " tokens, " + std::to_string(problems) +
                                (problems == 1 ? " problem\n" : " problems\n"));
  }
  return problems == 0 ? kDone : kBadData;
}

}  // namespace tokensync
