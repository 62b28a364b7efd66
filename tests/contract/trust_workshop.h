/// Keys, and commits that git signed with them, made at run time in a temporary folder.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "model.h"
#include "signature_verifier.h"

namespace tokensync::test {

/// A commit as the verifier is given it.
struct SignedCommit {
  std::string signature{};
  std::string data{};
  TimePoint committed{};
};

/// Each has a folder of its own, with a repository, a gpg home and whatever else; all of it, and a gpg-agent that gpg
/// started for signing, is gone with its owner.
class TrustWorkshop {
 public:
  TrustWorkshop();
  ~TrustWorkshop();
  TrustWorkshop(const TrustWorkshop&) = delete;
  TrustWorkshop& operator=(const TrustWorkshop&) = delete;

  std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }
  std::filesystem::path Scratch() const { return folder_ / "state"; }
  TrustFiles Files() const;

  /// Runs a command to its end; gives its standard output. Throws std::runtime_error where it fails.
  std::string Run(const std::vector<std::string>& command, const std::string& input = "",
                  const std::map<std::string, std::string>& environment = {}) const;
  std::string Git(const std::vector<std::string>& arguments) const;
  std::string Gpg(const std::vector<std::string>& arguments, const std::string& input = "") const;

  void Write(const std::string& name, const std::string& text) const;
  std::string Read(const std::string& name) const;

  /// Makes an ssh key without passphrase in the file `name`; gives "KEYTYPE BASE64" of the public one.
  std::string MakeSshKey(const std::string& name, const std::vector<std::string>& options = {"-t", "ed25519"}) const;
  /// Makes an OpenPGP key without passphrase; gives its fingerprint.
  std::string MakePgpKey(const std::string& owner, const std::vector<std::string>& options = {},
                         const std::string& expires = "never", const std::string& algorithm = "ed25519") const;
  /// Writes these keys into the file Files() names.
  void ExportKeyring(const std::vector<std::string>& keys, bool armoured = true) const;

  /// A commit signed by git with this ssh key; or, without one, not signed.
  SignedCommit CommitBySsh(const std::string& key_file);
  SignedCommit CommitByPgp(const std::string& key);
  SignedCommit CommitUnsigned();
  /// The data signed by gpg itself, with these options, in place of a commit.
  SignedCommit SignByGpg(const std::vector<std::string>& options, const std::string& data = "tree 0\n") const;

  /// Command lines of processes that were started with this workshop's scratch folder, or with a file of it.
  std::vector<std::string> Processes(const std::string& part) const;

  SignedCommit Head() const;

 private:
  std::filesystem::path folder_;
  int commits_ = 0;
};

/// The committer's time of the first commit; each one is a minute after the other.
inline constexpr long kFirstCommit = 1'700'000'000;

std::string Signer(const SignatureVerdict& verdict);  ///< or "bad: WHY"
bool Contains(const std::string& text, const std::string& part);

/// The programs as they are in tests.
TrustPrograms Programs(Duration timeout = std::chrono::seconds(20));

}  // namespace tokensync::test
