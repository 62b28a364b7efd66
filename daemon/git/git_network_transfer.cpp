/// Fetching over http, https and ssh by libgit2: by which way, whom to trust, one try of the one credential, and clear
/// words for what goes wrong.
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include <fstream>
#include <map>
#include <optional>

#include "git_fetch_protocol.h"
#include "git_proxy.h"
#include "git_ssh_trust.h"
#include "git_tcp_stream.h"
#include "git_text.h"
#include "git_transfer.h"

namespace tokensync {

namespace fs = std::filesystem;

namespace {

constexpr const char* kSystemRoots = "/etc/ssl/certs/ca-certificates.crt";

std::size_t CountCertificates(const std::string& pem) {
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  std::size_t count = 0;
  while (X509* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr)) {
    X509_free(certificate);
    ++count;
  }
  BIO_free(bio);
  return count;
}

// libgit2's option replaces the system's roots, so the two go into one file.
void TrustAlso(const fs::path& ca_file, const fs::path& scratch) {
  const std::string extra = ReadNamedFile(ca_file, "source.ca_file");
  if (CountCertificates(extra) == 0) {
    throw FetchStop(FetchFailure::kUnusable, "source.ca_file " + ca_file.string() + " holds no PEM certificate");
  }
  const fs::path bundle = scratch / "trust.pem";
  std::ofstream out(bundle, std::ios::binary);
  if (std::ifstream system(kSystemRoots, std::ios::binary); system) out << system.rdbuf() << "\n";
  out << extra << "\n";
  out.close();
  if (!out)
    throw FetchStop(FetchFailure::kInternal,
                    "writing the trusted certificates beside the mirror failed; is the disk full?");
  CheckGit(git_libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS, bundle.c_str(), nullptr),
           "loading the trusted certificates");
}

class RemoteTransfer : public GitTransfer {
 public:
  RemoteTransfer(const GitSource& source, const FetchRequest& request, const fs::path& scratch, PhaseReport report)
      : source_(source),
        request_(request),
        report_(std::move(report)),
        proxy_(ProxyFor(source_, request_.proxy, [](const char* name) { return ::getenv(name); })) {
    // Neither a file of the user nor an agent may lend us trust or keys that the configuration does not name.
    ::setenv("HOME", scratch.c_str(), 1);
    ::unsetenv("SSH_AUTH_SOCK");
    if (source_.kind == SourceKind::kHttps && !request_.ca_file.empty()) TrustAlso(request_.ca_file, scratch);
    if (source_.kind != SourceKind::kSsh) {
      std::optional<ProxyWay> way;
      if (proxy_) {
        way = ProxyWay{Forwards() ? ProxyWay::Kind::kForward : ProxyWay::Kind::kTunnel, proxy_->host, proxy_->port,
                       proxy_->authorization};
      }
      UseTcpStreams(std::move(way));
      return;
    }
    if (request_.ssh_key_file.empty() || request_.known_hosts_file.empty()) {
      throw FetchStop(FetchFailure::kUnusable, "ssh needs source.ssh_key_file and source.known_hosts_file; set both");
    }
    key_kind_ = InspectPrivateKey(request_.ssh_key_file);
    if (key_kind_.encrypted) {
      throw FetchStop(FetchFailure::kUnusable,
                      "source.ssh_key_file " + request_.ssh_key_file.string() +
                          " needs a passphrase, which nobody is there to give; use a key without one");
    }
    known_hosts_ = std::make_unique<KnownHosts>(request_.known_hosts_file);
    known_hosts_->WriteBelow(scratch);
  }

  Tip Bring(git_repository* into, bool) override {
    stop_.reset();
    credentials_given_ = 0;
    GitPtr<git_remote> remote;
    if (git_remote_create_anonymous(Out(remote), into, source_.address.c_str()) < 0) {
      throw StoreFailed("preparing the mirror: " + LastGitMessage());
    }
    report_("connecting to " + source_.host + (proxy_ ? " through the proxy " + proxy_->url : ""));
    git_remote_connect_options connect{};
    git_remote_connect_options_init(&connect, GIT_REMOTE_CONNECT_OPTIONS_VERSION);
    connect.callbacks = Callbacks();
    // A tunnel is our connection's affair; of a proxy that forwards, the requests must know.
    std::string authorization = "Proxy-Authorization: ";
    char* headers[] = {nullptr};
    if (Forwards()) {
      connect.proxy_opts.type = GIT_PROXY_SPECIFIED;
      connect.proxy_opts.url = proxy_->url.c_str();
      headers[0] = authorization.append(proxy_->authorization.Reveal()).data();
      if (!proxy_->authorization.empty()) connect.custom_headers = {headers, 1};
    }
    connect.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
    if (int code = git_remote_connect_ext(remote.get(), GIT_DIRECTION_FETCH, &connect); code < 0) Stop(code);

    report_("reading the branches of " + source_.host);
    List(remote.get());
    Tip tip = FindTip(*this, request_.ref);
    if (HasTip(into, tip)) return tip;

    report_("receiving from " + source_.host);
    std::string refspec = "+" + tip.reference + ":" + tip.reference;
    char* refspecs[] = {refspec.data()};
    const git_strarray wanted{refspecs, 1};
    git_fetch_options fetch{};
    git_fetch_options_init(&fetch, GIT_FETCH_OPTIONS_VERSION);
    fetch.callbacks = connect.callbacks;
    fetch.proxy_opts = connect.proxy_opts;
    fetch.custom_headers = connect.custom_headers;
    fetch.follow_redirects = connect.follow_redirects;
    fetch.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
    fetch.update_fetchhead = 0;
    if (int code = git_remote_download(remote.get(), &wanted, &fetch); code < 0) {
      const git_error* last = git_error_last();
      const int error_class = last == nullptr ? GIT_ERROR_NONE : last->klass;
      if (!stop_ && error_class != GIT_ERROR_NET && error_class != GIT_ERROR_HTTP && error_class != GIT_ERROR_SSH &&
          error_class != GIT_ERROR_SSL && error_class != GIT_ERROR_CALLBACK) {
        throw StoreFailed("storing what " + source_.host + " sends: " + LastGitMessage());
      }
      Stop(code);
    }
    return tip;
  }

  std::optional<git_oid> At(const std::string& reference) override {
    const auto found = references_.find(reference);
    return found == references_.end() ? std::nullopt : std::optional(found->second);
  }

  std::vector<std::string> Names(std::string_view below) override {
    std::vector<std::string> names;
    for (auto at = references_.lower_bound(below); at != references_.end() && at->first.starts_with(below); ++at) {
      names.push_back(at->first.substr(below.size()));
    }
    return names;
  }

 private:
  void List(git_remote* remote) {
    const git_remote_head** heads = nullptr;
    std::size_t count = 0;
    if (int code = git_remote_ls(&heads, &count, remote); code < 0) Stop(code);
    references_.clear();
    for (std::size_t i = 0; i < count; ++i) {
      // Not v1^{}, and nothing that would lead out of the folder of references.
      const std::string_view name = heads[i]->name;
      int valid = 0;
      if (!name.starts_with(kHeads) && !name.starts_with(kTags)) continue;
      if (git_reference_name_is_valid(&valid, heads[i]->name) == 0 && valid != 0) {
        references_.emplace(name, heads[i]->oid);
      }
    }
  }

  git_remote_callbacks Callbacks() {
    git_remote_callbacks callbacks{};
    git_remote_init_callbacks(&callbacks, GIT_REMOTE_CALLBACKS_VERSION);
    callbacks.payload = this;
    callbacks.credentials = [](git_credential** out, const char* url, const char* user, unsigned int allowed,
                               void* self) {
      return Guarded(self, [&](RemoteTransfer& t) { return t.GiveCredential(out, url, user, allowed); });
    };
    callbacks.certificate_check = [](git_cert* certificate, int valid, const char* host, void* self) {
      return Guarded(self, [&](RemoteTransfer& t) { return t.CheckPeer(certificate, valid != 0, host); });
    };
    callbacks.transfer_progress = [](const git_indexer_progress* progress, void* self) {
      return Guarded(self, [&](RemoteTransfer&) {
        if (progress->received_bytes <= kReceivedBytesMax) return 0;
        throw FetchStop(FetchFailure::kUnusable, "it brings more than 4 GiB, which is beyond the limit");
      });
    };
    return callbacks;
  }

  // No exception may cross libgit2's frames: it is kept here, and thrown by Stop() once libgit2 has returned.
  template <typename Function>
  static int Guarded(void* self, Function&& function) noexcept {
    auto& transfer = *static_cast<RemoteTransfer*>(self);
    try {
      return function(transfer);
    } catch (const FetchStop& stop) {
      transfer.stop_ = stop;
    } catch (const std::exception& e) {
      transfer.stop_ = FetchStop(FetchFailure::kInternal, e.what());
    }
    git_error_set_str(GIT_ERROR_CALLBACK, "stopped by the caller");
    return GIT_EUSER;
  }

  int GiveCredential(git_credential** out, const char* url, const char* user, unsigned int allowed) {
    if (source_.kind == SourceKind::kSsh) return GiveKey(out, user, allowed);
    const GitSource asking = ParseSource(url, "");
    if (asking.kind != source_.kind || asking.host != source_.host || asking.port != source_.port) {
      throw FetchStop(FetchFailure::kRefused,
                      "it redirects to " + ShownUrl(url) +
                          ", which asks for a credential and shall not get it; correct source.url");
    }
    if (request_.password.empty()) {
      throw FetchStop(
          FetchFailure::kRefused,
          "the server asks for a credential, or hides that there is no such repository; set source.token_file, "
          "or correct source.url");
    }
    if ((allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT) == 0) {
      throw FetchStop(FetchFailure::kRefused, "the server does not take a user name and a password or token");
    }
    if (Forwards()) {
      throw FetchStop(FetchFailure::kRefused, "the server asks for a credential, which the proxy " + proxy_->url +
                                                  " would see as it passes; write an https URL into source.url");
    }
    if (credentials_given_++ > 0) {
      throw FetchStop(FetchFailure::kRefused, "the server refuses the credential of user '" + source_.username +
                                                  "'; check the token in source.token_file, its expiry and its rights");
    }
    return git_credential_userpass_plaintext_new(out, source_.username.c_str(), request_.password.Reveal().c_str());
  }

  int GiveKey(git_credential** out, const char* user, unsigned int allowed) {
    if ((allowed & GIT_CREDENTIAL_USERNAME) != 0) return git_credential_username_new(out, source_.username.c_str());
    if ((allowed & GIT_CREDENTIAL_SSH_KEY) == 0) {
      throw FetchStop(FetchFailure::kRefused,
                      "the server does not take public keys from user '" + source_.username + "'");
    }
    if (credentials_given_++ > 0) {
      std::string text = "the server refuses the key " + request_.ssh_key_file.string() + " for user '" +
                         source_.username + "'; add its public half to the server";
      if (key_kind_.rsa) {
        text +=
            ". It is an RSA key, which libssh2 1.10 signs with SHA-1 and OpenSSH refuses since 8.8: use an ed25519 key";
      }
      throw FetchStop(FetchFailure::kRefused, text);
    }
    return git_credential_ssh_key_new(out, user == nullptr ? source_.username.c_str() : user, nullptr,
                                      request_.ssh_key_file.c_str(), nullptr);
  }

  int CheckPeer(const git_cert* certificate, bool valid, const char* host) const {
    if (valid) return 0;
    // Anything but a refusal would accept the peer; this one keeps libgit2's own text.
    if (certificate->cert_type != GIT_CERT_HOSTKEY_LIBSSH2 || known_hosts_ == nullptr) return GIT_PASSTHROUGH;
    const auto& key_certificate = *reinterpret_cast<const git_cert_hostkey*>(certificate);
    const std::string_view key(key_certificate.hostkey, key_certificate.hostkey_len);
    const std::string file = request_.known_hosts_file.string();
    if (known_hosts_->Judge(host, source_.port, key) == HostKeyVerdict::kChanged) {
      throw FetchStop(FetchFailure::kHostKey,
                      "the host key of " + source_.host + " is not the one in " + file + ": it shows " +
                          Fingerprint(key) +
                          ". Somebody may be posing as the server; ask its operator before changing the file");
    }
    throw FetchStop(FetchFailure::kHostKey, "the host key of " + source_.host + " is unknown: " + Fingerprint(key) +
                                                "; compare it with the operator's, then add it to " + file +
                                                " (names are compared as text, without wildcards)");
  }

  [[noreturn]] void Stop(int code) {
    if (stop_) throw *stop_;
    // libgit2 adds the system's reason only where errno still holds it.
    const std::string message = LastGitMessage();
    auto has = [&](std::string_view part) { return message.find(part) != std::string::npos; };
    if (proxy_) StopForProxy(message);
    if (code == GIT_ECERTIFICATE) {
      throw FetchStop(FetchFailure::kCertificate,
                      message +
                          "; if a private authority signed it, name that in source.ca_file; the URL's host must be "
                          "the certificate's, and a name, not an address");
    }
    if (code == GIT_EAUTH || has("status code: 403")) {
      throw FetchStop(FetchFailure::kRefused, "the server refuses us: " + message + "; check the token and its rights");
    }
    if (has("status code: 404") || has("status code: 410")) {
      throw FetchStop(FetchFailure::kNotRepository,
                      "the server knows no such repository (" + message +
                          "); correct source.url, or set source.token_file where it is private");
    }
    if (has("invalid content-type") || has("no content-type") || has("unexpected http status code: 2") ||
        has("unexpected http status code: 4")) {
      throw FetchStop(FetchFailure::kNotRepository,
                      "what answers is no git repository (" + message + "); correct source.url");
    }
    if (has("cannot redirect")) {
      throw FetchStop(FetchFailure::kUnusable,
                      message + ", which is not followed; write the new address into source.url");
    }
    if (source_.kind == SourceKind::kSsh && known_hosts_ && has("failed to start SSH session") &&
        known_hosts_->AsksForRsa(source_.host, source_.port)) {
      throw FetchStop(FetchFailure::kHostKey,
                      message + ". For " + source_.host + " " + request_.known_hosts_file.string() +
                          " has only an RSA key, which libssh2 1.10 verifies with SHA-1 and OpenSSH refuses since 8.8: "
                          "add the host's ed25519 or ecdsa key");
    }
    if (source_.kind == SourceKind::kSsh && (has("not appear to be a git") || has("ot found") || has("o such"))) {
      throw FetchStop(FetchFailure::kNotRepository, "the server says: " + message + "; correct source.url");
    }
    if (has("resolve address")) {
      throw FetchStop(FetchFailure::kUnreachable, message + "; check source.url and the name service");
    }
    if (source_.kind == SourceKind::kHttps && has("SSL error")) {
      throw FetchStop(FetchFailure::kUnreachable,
                      "no secure connection: " + message + "; the server must speak TLS 1.2 (libgit2 lacks 1.3)");
    }
    throw FetchStop(FetchFailure::kUnreachable, message + "; check that the server is up and can be reached from here" +
                                                    (proxy_ ? " through the proxy " + proxy_->url : ""));
  }

  /// Whether a proxy reads the requests, instead of passing on what is said within TLS.
  bool Forwards() const { return proxy_ && source_.kind == SourceKind::kHttp; }

  // Returns where the fault is not known to be the proxy's.
  void StopForProxy(const std::string& message) const {
    auto has = [&](std::string_view part) { return message.find(part) != std::string::npos; };
    const std::string proxy = "the proxy " + proxy_->url;
    const std::string answers(kProxyAnswers);
    // 407 is for who brings no credential; to a wrong one some (tinyproxy) say 401.
    if (has(answers + "407") || has(answers + "401") || has("proxy authentication required") ||
        has("proxy requires authentication")) {
      throw FetchStop(FetchFailure::kRefused, proxy +
                                                  " asks for a credential, or refuses the environment's; let it "
                                                  "admit this machine by its address");
    }
    if (has(answers)) {
      throw FetchStop(FetchFailure::kUnreachable,
                      proxy + " does not connect us to " + source_.host + ": " + message + "; have it allow that");
    }
    if (has("failed to resolve address for ") || has("failed to connect to ")) {
      throw FetchStop(FetchFailure::kUnreachable,
                      proxy + " cannot be reached: " + message + "; check source.proxy, or the environment's proxy");
    }
    if (Forwards() && (has("status code: 4") || has("status code: 5"))) {
      throw FetchStop(FetchFailure::kUnreachable, proxy + ", or the server behind it, answers: " + message +
                                                      "; check source.url, and whether the proxy allows it");
    }
  }

  const GitSource source_;
  const FetchRequest& request_;
  PhaseReport report_;
  const std::optional<GitProxy> proxy_;
  std::map<std::string, git_oid, std::less<>> references_;
  std::unique_ptr<KnownHosts> known_hosts_;
  SshKeyKind key_kind_;
  int credentials_given_ = 0;
  std::optional<FetchStop> stop_;
};

}  // namespace

std::unique_ptr<GitTransfer> NetworkTransfer(const GitSource& source, const FetchRequest& request,
                                             const fs::path& scratch, const PhaseReport& report) {
  return std::make_unique<RemoteTransfer>(source, request, scratch, report);
}

}  // namespace tokensync
