#include "git_ssh_trust.h"

#include <libssh2.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <vector>

#include "bounded_file.h"
#include "git_fetch_protocol.h"
#include "sha256.h"

namespace tokensync {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kNamedFileBytesMax = 4 * 1024 * 1024;
constexpr int kAnyKey = LIBSSH2_KNOWNHOST_TYPE_PLAIN | LIBSSH2_KNOWNHOST_KEYENC_RAW;

struct SessionDeleter {
  void operator()(LIBSSH2_SESSION* p) const { libssh2_session_free(p); }
};
struct HostsDeleter {
  void operator()(LIBSSH2_KNOWNHOSTS* p) const { libssh2_knownhost_free(p); }
};
using Session = std::unique_ptr<LIBSSH2_SESSION, SessionDeleter>;
using Hosts = std::unique_ptr<LIBSSH2_KNOWNHOSTS, HostsDeleter>;

bool AddLine(LIBSSH2_KNOWNHOSTS* hosts, const std::string& line) {
  return libssh2_knownhost_readline(hosts, line.data(), line.size(), LIBSSH2_KNOWNHOST_FILE_OPENSSH) == 0;
}

bool IsRsa(const libssh2_knownhost* entry) {
  return (entry->typemask & LIBSSH2_KNOWNHOST_KEY_MASK) == LIBSSH2_KNOWNHOST_KEY_SSHRSA;
}

std::string Base64Decoded(std::string_view text) {
  std::string clean;
  for (char c : text) {
    if (c != '\n' && c != '\r' && c != ' ') clean += c;
  }
  clean.resize(clean.size() / 4 * 4);
  std::string out(clean.size() / 4 * 3, '\0');
  const int length =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(clean.data()), static_cast<int>(clean.size()));
  out.resize(length < 0 ? 0 : static_cast<std::size_t>(length));
  return out;
}

}  // namespace

struct KnownHosts::Entries {
  Session session;
  Hosts hosts;
};

KnownHosts::KnownHosts(const fs::path& file) : entries_(std::make_unique<Entries>()) {
  const std::string text = ReadNamedFile(file, "source.known_hosts_file");
  entries_->session.reset(libssh2_session_init());
  entries_->hosts.reset(libssh2_knownhost_init(entries_->session.get()));
  std::vector<std::string> others;
  std::vector<std::string> rsa;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    // libssh2 takes the marks @revoked and @cert-authority for host names.
    if (line.empty() || line[0] == '#' || line[0] == '@') continue;
    Hosts alone(libssh2_knownhost_init(entries_->session.get()));
    libssh2_knownhost* entry = nullptr;
    if (!AddLine(alone.get(), line) || libssh2_knownhost_get(alone.get(), &entry, nullptr) != 0) continue;
    (IsRsa(entry) ? rsa : others).push_back(line);
  }
  others.insert(others.end(), rsa.begin(), rsa.end());
  if (others.empty()) {
    throw FetchStop(FetchFailure::kHostKey,
                    "source.known_hosts_file " + file.string() +
                        " holds no host key; add the server's, as `ssh-keyscan HOST` prints it, "
                        "after comparing its fingerprint");
  }
  for (const std::string& line : others) {
    AddLine(entries_->hosts.get(), line);
    text_ += line + "\n";
  }
}

KnownHosts::~KnownHosts() = default;

void KnownHosts::WriteBelow(const fs::path& home) const {
  fs::create_directories(home / ".ssh");
  std::ofstream out(home / ".ssh" / "known_hosts", std::ios::binary);
  out << text_;
  out.close();
  if (!out)
    throw FetchStop(FetchFailure::kInternal,
                    "writing a copy of known_hosts beside the mirror failed; is the disk full?");
}

HostKeyVerdict KnownHosts::Judge(const std::string& host, int port, std::string_view key) const {
  libssh2_knownhost* found = nullptr;
  const int check = libssh2_knownhost_checkp(entries_->hosts.get(), host.c_str(), port == 0 ? 22 : port, key.data(),
                                             key.size(), kAnyKey, &found);
  if (check == LIBSSH2_KNOWNHOST_CHECK_MATCH) return HostKeyVerdict::kKnown;
  return check == LIBSSH2_KNOWNHOST_CHECK_MISMATCH ? HostKeyVerdict::kChanged : HostKeyVerdict::kUnknown;
}

bool KnownHosts::AsksForRsa(const std::string& host, int port) const {
  // The look-up with a key that nobody has yields the first entry of the host, by which libgit2 chooses.
  libssh2_knownhost* found = nullptr;
  const char nonsense = '\0';
  const int check = libssh2_knownhost_checkp(entries_->hosts.get(), host.c_str(), port == 0 ? 22 : port, &nonsense, 1,
                                             kAnyKey, &found);
  return check == LIBSSH2_KNOWNHOST_CHECK_MISMATCH && found != nullptr && IsRsa(found);
}

SshKeyKind InspectPrivateKey(const fs::path& file) {
  const std::string text = ReadNamedFile(file, "source.ssh_key_file");
  auto has = [&](std::string_view part) { return text.find(part) != std::string::npos; };
  if (!has("-----BEGIN ") || !has("PRIVATE KEY-----")) {
    throw FetchStop(FetchFailure::kUnusable, "source.ssh_key_file " + file.string() +
                                                 " is not a private key; make one with `ssh-keygen -t ed25519`");
  }
  SshKeyKind kind;
  kind.rsa = has("BEGIN RSA PRIVATE KEY");
  kind.encrypted = has("ENCRYPTED");
  constexpr std::string_view kBegin = "-----BEGIN OPENSSH PRIVATE KEY-----";
  if (const auto begin = text.find(kBegin); begin != std::string::npos) {
    const auto body = begin + kBegin.size();
    const std::string bytes = Base64Decoded(std::string_view(text).substr(body, text.find("-----END", body) - body));
    // PROTOCOL.key of OpenSSH: a magic word, then the name of the cipher with its length ahead.
    constexpr std::string_view kMagic{"openssh-key-v1\0\0\0\0\4none", 23};
    kind.encrypted = bytes.compare(0, kMagic.size(), kMagic) != 0;
    kind.rsa = bytes.find("ssh-rsa") != std::string::npos;
  }
  return kind;
}

std::string Fingerprint(std::string_view key) {
  const Digest digest = Sha256(key);
  std::array<unsigned char, 45> text{};
  const int length = EVP_EncodeBlock(text.data(), digest.bytes.data(), static_cast<int>(digest.bytes.size()));
  std::string out(reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(length));
  while (!out.empty() && out.back() == '=') out.pop_back();
  return "SHA256:" + out;
}

std::string ReadNamedFile(const fs::path& file, const std::string& what) {
  try {
    return ReadBoundedFile(file, kNamedFileBytesMax, what);
  } catch (const EnvironmentError& e) {
    throw FetchStop(FetchFailure::kUnusable, e.what());
  }
}

}  // namespace tokensync
