#include "ssh_signatures.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "child_program.h"
#include "errors.h"
#include "text.h"
#include "time_text.h"

namespace tokensync {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kSetting = "source.allowed_signers_file";
constexpr std::size_t kNamesMax = 1000;
constexpr std::size_t kPrincipalsMax = 32;
constexpr std::size_t kShownMax = 200;
constexpr std::size_t kShownReasonsMax = 400;
/// As many characters of the armour show the whole of an ed25519 key, and more than enough of any other.
constexpr std::size_t kKeyCharacters = 96;
constexpr std::string_view kHeader = "-----BEGIN SSH SIGNATURE-----";

/// What ssh-keygen says when the fault is this machine's, or of its being too old: the signature was not judged.
constexpr std::array<std::string_view, 7> kFaultsOfMachine = {
    "No user exists for uid", "Unable to open", "Couldn't read signature file", "memory", "usage:", " option -- ",
    "Invalid option \""};

std::string_view KeyPart(std::string_view signature) {
  return signature.substr(std::min(kHeader.size(), signature.size()), kKeyCharacters);
}

std::vector<std::string> Lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    if (!line.empty()) lines.emplace_back(line);
  }
  return lines;
}

/// YYYYMMDDHHMMSSZ, or nothing where ssh-keygen has no such time.
std::optional<std::string> VerifyTime(TimePoint committed) {
  constexpr TimePoint kEnd = std::chrono::sys_days(std::chrono::year(10'000) / 1 / 1);
  if (committed < TimePoint(std::chrono::seconds(1)) || committed >= kEnd) return std::nullopt;
  std::string digits;
  for (const char c : FormatTime(committed).substr(0, std::string_view("0000-00-00T00:00:00").size())) {
    if (c >= '0' && c <= '9') digits += c;
  }
  return digits + "Z";
}

/// The fingerprint in "… with ED25519 key SHA256:…", or nothing.
std::optional<std::string> Fingerprint(std::string_view line) {
  constexpr std::string_view kBefore = " key SHA256:";
  const std::size_t at = line.rfind(kBefore);
  if (at == std::string_view::npos) return std::nullopt;
  return PrintableText(line.substr(at + std::string_view(" key ").size()), kShownMax);
}

/// With '#' in each line that is empty, for which OpenSSH 9.2 finds fault with it. Lines keep their numbers.
std::string WithoutEmptyLines(std::string_view allowed_signers) {
  std::string filled;
  filled.reserve(allowed_signers.size());
  bool line_is_empty = true;
  for (const char c : allowed_signers) {
    if (c == '\n' && line_is_empty) filled += '#';
    line_is_empty = c == '\n' || (line_is_empty && (c == ' ' || c == '\t' || c == '\r'));
    filled += c;
  }
  return filled;
}

/// What it wrote to standard error, in one line and without our folder's name.
std::string Reasons(std::string_view errors, const fs::path& folder) {
  std::string reasons;
  for (std::string line : Lines(errors)) {
    if (line == "No principal matched.") continue;
    const std::string prefix = folder.string() + "/";
    for (auto at = line.find(prefix); at != std::string::npos; at = line.find(prefix)) line.erase(at, prefix.size());
    reasons += (reasons.empty() ? "" : "; ") + line;
  }
  return PrintableText(reasons, kShownReasonsMax);
}

/// One signature, and how ssh-keygen is called about it.
class Inquiry {
 public:
  Inquiry(const fs::path& ssh_keygen, const PrivateFolder& folder, std::string verify_time, VerificationTime& time)
      : ssh_keygen_(ssh_keygen), folder_(folder), verify_time_(std::move(verify_time)), time_(time) {}

  /// The verdict's signer, if it is a good signature of this principal.
  std::optional<std::string> VerifiedFor(const std::string& principal) {
    // An argument of its own: whatever the name begins with, getopt takes it for the value.
    const ProgramResult result = Ask({"-Y", "verify", "-n", "git", "-I", principal}, true);
    last_errors_ = result.errors;
    if (result.exit_status != 0) return std::nullopt;
    const std::string expected = fmt::format("Good \"git\" signature for {} with ", principal);
    const std::optional<std::string> key = Fingerprint(std::string_view(result.output).substr(0, FirstLine(result)));
    if (!result.output.starts_with(expected) || !key) {
      throw EnvironmentError(fmt::format("checking a signature: {} answers what is not understood: {}; will try again",
                                         ssh_keygen_.string(), PrintableText(result.output, kShownMax)));
    }
    return fmt::format("{} (ssh {})", PrintableText(principal, kShownMax), *key);
  }

  /// The principals of the line that lists the key and lets it sign at that time.
  std::vector<std::string> Principals() {
    const ProgramResult result = Ask({"-Y", "find-principals"}, true);
    last_errors_ = result.errors;
    if (result.exit_status != 0) return {};
    std::vector<std::string> principals = Lines(result.output);
    if (principals.size() > kPrincipalsMax) principals.resize(kPrincipalsMax);
    return principals;
  }

  /// The key's fingerprint, if the signature fits the data, whoever made it.
  std::optional<std::string> FittingKey() {
    const ProgramResult result = Ask({"-Y", "check-novalidate", "-n", "git"}, false);
    if (result.exit_status == 0) {
      return Fingerprint(std::string_view(result.output).substr(0, FirstLine(result))).value_or("of an unknown kind");
    }
    last_errors_ = result.errors;
    return std::nullopt;
  }

  std::string LastReasons() const { return Reasons(last_errors_, folder_.path()); }

 private:
  static std::size_t FirstLine(const ProgramResult& result) { return result.output.find('\n'); }

  ProgramResult Ask(std::vector<std::string> arguments, bool by_allowed_signers) {
    const auto add = [&](std::string_view option, std::string_view file) {
      arguments.emplace_back(option);
      arguments.push_back((folder_ / file).string());
    };
    if (by_allowed_signers) {
      add("-f", SshSignatures::kAllowedSigners);
      arguments.push_back("-Overify-time=" + verify_time_);
    }
    add("-s", SshSignatures::kSignature);
    ProgramResult result =
        RunProgram({.program = ssh_keygen_, .arguments = std::move(arguments), .home = folder_.path()},
                   folder_ / SshSignatures::kData, time_);
    if (result.exit_status != 0) {
      for (const std::string_view fault : kFaultsOfMachine) {
        if (result.errors.find(fault) == std::string::npos) continue;
        throw EnvironmentError(fmt::format("checking a signature: {} fails: {}; will try again", ssh_keygen_.string(),
                                           Reasons(result.errors, folder_.path())));
      }
    }
    return result;
  }

  const fs::path& ssh_keygen_;
  const PrivateFolder& folder_;
  const std::string verify_time_;
  VerificationTime& time_;
  std::string last_errors_;
};

BadSignature NotAllowed(const std::string& key, const std::string& reasons) {
  if (reasons.empty()) {
    return {fmt::format("the key {} is in no line of {}; if the team trusts its owner, add it there", key, kSetting)};
  }
  return {fmt::format("no line of {} lets the key {} sign this: {}", kSetting, key, reasons)};
}

BadSignature NotFitting(const std::string& reasons) {
  return {fmt::format("its ssh signature does not hold for it: {}; sign it again",
                      reasons.empty() ? "ssh-keygen gives no reason" : reasons)};
}

}  // namespace

SshSignatures::SshSignatures(fs::path ssh_keygen, const PrivateFolder& folder, std::string_view allowed_signers)
    : ssh_keygen_(std::move(ssh_keygen)), folder_(folder) {
  folder_.Write(kAllowedSigners, WithoutEmptyLines(allowed_signers));
}

SignatureVerdict SshSignatures::Check(std::string_view signature, std::string_view signed_data, TimePoint committed,
                                      VerificationTime& time) {
  const std::optional<std::string> verify_time = VerifyTime(committed);
  if (!verify_time) return BadSignature{"no validity of a key can be judged at its committer's time"};
  folder_.Write(kSignature, signature);
  folder_.Write(kData, signed_data);
  Inquiry inquiry(ssh_keygen_, folder_, *verify_time, time);

  if (const auto known = names_.find(KeyPart(signature)); known != names_.end()) {
    if (auto signer = inquiry.VerifiedFor(known->second)) return GoodSignature{*std::move(signer)};
  }
  const std::vector<std::string> principals = inquiry.Principals();
  for (const std::string& principal : principals) {
    auto signer = inquiry.VerifiedFor(principal);
    if (!signer) continue;
    if (names_.size() >= kNamesMax) names_.clear();
    names_.insert_or_assign(std::string(KeyPart(signature)), principal);
    return GoodSignature{*std::move(signer)};
  }
  // Refused. What is the matter: the signature itself, or who made it?
  const std::string reasons = inquiry.LastReasons();
  if (const std::optional<std::string> key = inquiry.FittingKey()) return NotAllowed(*key, reasons);
  return NotFitting(inquiry.LastReasons());
}

}  // namespace tokensync
