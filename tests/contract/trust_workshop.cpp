#include "trust_workshop.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>

#include "spawn_words.h"

namespace tokensync::test {

namespace fs = std::filesystem;

namespace {

std::string ReadAll(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void WriteAll(const fs::path& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (!out) throw std::runtime_error("writing " + file.string() + " failed");
}

int RunTo(const std::vector<std::string>& command, const std::map<std::string, std::string>& environment,
          const fs::path& input, const fs::path& output, const fs::path& errors) {
  SpawnWords words(command, environment);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, input.c_str(), O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, 1, output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  ::posix_spawn_file_actions_addopen(&actions, 2, errors.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  ::posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, words.arguments()[0], &actions, nullptr, words.arguments(), words.variables());
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::system_error(error, std::generic_category(), "starting " + command.at(0));
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace

TrustWorkshop::TrustWorkshop() {
  std::string name = (fs::temp_directory_path() / "tokensync-trust-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  folder_ = fs::canonical(name);
  fs::create_directories(folder_ / "state");
  fs::create_directories(folder_ / "gnupg");
  fs::permissions(folder_ / "gnupg", fs::perms::owner_all);
  fs::create_directories(folder_ / "repository");
  Git({"init", "--quiet", "--initial-branch=main"});
}

TrustWorkshop::~TrustWorkshop() {
  try {
    Run({"gpgconf", "--kill", "all"}, "", {{"GNUPGHOME", (folder_ / "gnupg").string()}});
  } catch (const std::exception&) {
  }
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

TrustFiles TrustWorkshop::Files() const {
  return {.allowed_signers_file = folder_ / "allowed",
          .openpgp_keyring_file = folder_ / "keyring",
          .scratch_folder = Scratch()};
}

std::string TrustWorkshop::Run(const std::vector<std::string>& command, const std::string& input,
                               const std::map<std::string, std::string>& environment) const {
  WriteAll(folder_ / "run-in", input);
  if (RunTo(command, environment, folder_ / "run-in", folder_ / "run-out", folder_ / "run-err") != 0) {
    std::string text;
    for (const std::string& word : command) text += word + " ";
    throw std::runtime_error(text + "failed: " + ReadAll(folder_ / "run-err") + ReadAll(folder_ / "run-out"));
  }
  return ReadAll(folder_ / "run-out");
}

std::string TrustWorkshop::Git(const std::vector<std::string>& arguments) const {
  const std::string date = std::to_string(kFirstCommit + 60L * commits_) + " +0200";
  std::vector<std::string> command{"git", "-C", (folder_ / "repository").string()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return Run(command, "",
             {{"HOME", folder_.string()},
              {"GNUPGHOME", (folder_ / "gnupg").string()},
              {"GIT_CONFIG_NOSYSTEM", "1"},
              {"GIT_AUTHOR_NAME", "Ada"},
              {"GIT_AUTHOR_EMAIL", "ada@example.com"},
              {"GIT_COMMITTER_NAME", "Ada"},
              {"GIT_COMMITTER_EMAIL", "ada@example.com"},
              {"GIT_AUTHOR_DATE", date},
              {"GIT_COMMITTER_DATE", date}});
}

std::string TrustWorkshop::Gpg(const std::vector<std::string>& arguments, const std::string& input) const {
  std::vector<std::string> command{"gpg",
                                   "--homedir",
                                   (folder_ / "gnupg").string(),
                                   "--batch",
                                   "--yes",
                                   "--no-tty",
                                   "--pinentry-mode",
                                   "loopback",
                                   "--passphrase",
                                   ""};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return Run(command, input);
}

void TrustWorkshop::Write(const std::string& name, const std::string& text) const {
  WriteAll(folder_ / name, text);
}

std::string TrustWorkshop::Read(const std::string& name) const {
  return ReadAll(folder_ / name);
}

std::string TrustWorkshop::MakeSshKey(const std::string& name, const std::vector<std::string>& options) const {
  std::vector<std::string> command{"ssh-keygen", "-q", "-N", "", "-C", "", "-f", (folder_ / name).string()};
  command.insert(command.end(), options.begin(), options.end());
  Run(command);
  const std::string line = Read(name + ".pub");
  return line.substr(0, line.find(' ', line.find(' ') + 1));
}

std::string TrustWorkshop::MakePgpKey(const std::string& owner, const std::vector<std::string>& options,
                                      const std::string& expires, const std::string& algorithm) const {
  std::vector<std::string> arguments = options;
  for (const std::string& word :
       {std::string("--quick-generate-key"), owner, algorithm, std::string("sign"), expires}) {
    arguments.push_back(word);
  }
  Gpg(arguments);
  const std::string list = Gpg({"--with-colons", "--list-secret-keys", "=" + owner});
  const std::size_t at = list.find("\nfpr:") + std::string("\nfpr:::::::::").size();
  return list.substr(at, 40);
}

void TrustWorkshop::ExportKeyring(const std::vector<std::string>& keys, bool armoured) const {
  std::vector<std::string> arguments{"--export", "--output", (folder_ / "keyring").string()};
  if (armoured) arguments.emplace(arguments.begin(), "--armor");
  arguments.insert(arguments.end(), keys.begin(), keys.end());
  Gpg(arguments);
}

SignedCommit TrustWorkshop::CommitBySsh(const std::string& key_file) {
  ++commits_;
  Git({"-c", "gpg.format=ssh", "-c", "user.signingkey=" + (folder_ / key_file).string(), "commit", "--quiet",
       "--allow-empty", "-S", "-m", "Commit " + std::to_string(commits_)});
  return Head();
}

SignedCommit TrustWorkshop::CommitByPgp(const std::string& key) {
  ++commits_;
  Git({"-c", "user.signingkey=" + key, "commit", "--quiet", "--allow-empty", "-S", "-m",
       "Commit " + std::to_string(commits_)});
  return Head();
}

SignedCommit TrustWorkshop::CommitUnsigned() {
  ++commits_;
  Git({"commit", "--quiet", "--allow-empty", "-m", "Commit " + std::to_string(commits_)});
  return Head();
}

SignedCommit TrustWorkshop::SignByGpg(const std::vector<std::string>& options, const std::string& data) const {
  std::vector<std::string> arguments{"--armor", "--detach-sign"};
  arguments.insert(arguments.begin(), options.begin(), options.end());
  return {.signature = Gpg(arguments, data), .data = data, .committed = TimePoint(std::chrono::seconds(kFirstCommit))};
}

SignedCommit TrustWorkshop::Head() const {
  const std::string object = Git({"cat-file", "commit", "HEAD"});
  SignedCommit commit{.committed = TimePoint(std::chrono::seconds(kFirstCommit + 60L * commits_))};
  bool in_header = true;
  bool in_signature = false;
  for (std::size_t at = 0; at < object.size();) {
    const std::size_t end = object.find('\n', at) + 1;
    const std::string line = object.substr(at, end - at);
    at = end;
    in_signature = in_header && (line.rfind("gpgsig ", 0) == 0 || (in_signature && line[0] == ' '));
    if (in_signature) {
      commit.signature += line[0] == ' ' ? line.substr(1) : line.substr(7);
    } else {
      commit.data += line;
      if (line == "\n") in_header = false;
    }
  }
  return commit;
}

std::vector<std::string> TrustWorkshop::Processes(const std::string& part) const {
  std::vector<std::string> found;
  std::error_code error;
  for (fs::directory_iterator at("/proc", error), end; !error && at != end; at.increment(error)) {
    std::string command = ReadAll(at->path() / "cmdline");
    for (char& c : command) {
      if (c == '\0') c = ' ';
    }
    if (Contains(command, (folder_ / part).string())) found.push_back(command);
  }
  return found;
}

std::string Signer(const SignatureVerdict& verdict) {
  if (const auto* good = std::get_if<GoodSignature>(&verdict)) return good->signer;
  return "bad: " + std::get<BadSignature>(verdict).why;
}

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TrustPrograms Programs(Duration timeout) {
  return {.openpgp_check = TOKENSYNC_OPENPGP_CHECK_CHILD, .timeout = timeout};
}

}  // namespace tokensync::test
