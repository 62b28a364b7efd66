/// Whom ssh trusts: the configured known_hosts file as libgit2 can use it, and what there is to say about keys.
///
/// libgit2 reads $HOME/.ssh/known_hosts, asks the server for the kind of key that the first entry of a host has, and
/// rejects all entries where it cannot read one. libssh2 1.10 signs and verifies RSA with SHA-1 only, which OpenSSH
/// refuses since 8.8. So RSA entries go last, and unreadable lines are left out.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace tokensync {

enum class HostKeyVerdict { kKnown, kUnknown, kChanged };

class KnownHosts {
 public:
  /// Reads an OpenSSH known_hosts file. Throws FetchStop where it cannot be read or holds no usable entry.
  explicit KnownHosts(const std::filesystem::path& file);
  ~KnownHosts();

  /// Writes HOME/.ssh/known_hosts.
  void WriteBelow(const std::filesystem::path& home) const;

  /// `key`: the host's public key as it is sent on the wire. Host names are compared as text, hashed ones too.
  HostKeyVerdict Judge(const std::string& host, int port, std::string_view key) const;

  /// Whether the kind of key that will be asked of this host is RSA.
  bool AsksForRsa(const std::string& host, int port) const;

 private:
  struct Entries;
  std::unique_ptr<Entries> entries_;
  std::string text_;
};

struct SshKeyKind {
  bool rsa = false;
  bool encrypted = false;
};

/// Looks at a private key file without using it. Throws FetchStop where it cannot be read or is no private key.
SshKeyKind InspectPrivateKey(const std::filesystem::path& file);

/// SHA256:… as ssh-keygen -l prints it.
std::string Fingerprint(std::string_view key);

/// The bytes of a file of limited size. Throws FetchStop(kUnusable) that names `what`.
std::string ReadNamedFile(const std::filesystem::path& file, const std::string& what);

}  // namespace tokensync
