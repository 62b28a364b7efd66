#include "standin_server.h"

#include <openssl/evp.h>

#include <array>
#include <stdexcept>

#include "control.h"
#include "listener.h"
#include "metadata_service.h"
#include "webrpc_error.h"

namespace tokensync::standin {
namespace {

/// Lists of tokens and faults are sent by whoever runs the tests.
constexpr std::size_t kControlBytesMax = std::size_t{256} << 20;

HeldToken Held(const NamedToken& named) {
  HeldToken held{.name = named.first, .is_private = named.second->is_private, .token_json = {}};
  JsonMembers members = *named.second->fields;
  members.insert_or_assign("tokenId", Json(named.first.token_id));
  AppendJson(held.token_json, members);
  return held;
}

std::string Hex(const unsigned char* bytes, std::size_t count) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    text.push_back(kDigits[bytes[i] >> 4]);
    text.push_back(kDigits[bytes[i] & 15]);
  }
  return text;
}

}  // namespace

StandinServer::StandinServer(StandinOptions options) : service_(std::make_unique<MetadataService>(options)) {
  tls_ = !options.tls_certificate_file.empty();
  const auto bytes_max = options.body_bytes_max;
  listener_ =
      std::make_unique<Listener>(options, ListenerCalls{.answer =
                                                            [this](Request request) {
                                                              if (IsControlPath(request.path))
                                                                return Delivery{.reply = AnswerControl(*this, request)};
                                                              return service_->Answer(std::move(request));
                                                            },
                                                        .idle =
                                                            [this] {
                                                              const auto now = service_->faults().behaviour();
                                                              return IdlePolicy{now->idle_after, now->idle_end};
                                                            },
                                                        .body_bytes_max =
                                                            [bytes_max](const std::string& path) {
                                                              return IsControlPath(path) ? kControlBytesMax : bytes_max;
                                                            }});
  listener_->Begin();
}

StandinServer::~StandinServer() {
  service_->Stop();
  listener_->End();
}

std::uint16_t StandinServer::port() const {
  return listener_->port();
}

std::string StandinServer::url() const {
  return std::string(tls_ ? "https" : "http") + "://127.0.0.1:" + std::to_string(port());
}

void StandinServer::SetBehaviour(const Behaviour& behaviour) {
  service_->faults().SetBehaviour(behaviour);
}
Behaviour StandinServer::behaviour() const {
  return *service_->faults().behaviour();
}
void StandinServer::AddRule(FaultRule rule) {
  service_->faults().AddRule(std::move(rule));
}
void StandinServer::ClearRules() {
  service_->faults().ClearRules();
}
void StandinServer::SetFaults(std::string_view json) {
  service_->faults().Set(json);
}
void StandinServer::Release() {
  service_->pauses().Release();
}
void StandinServer::CutAllConnections() {
  listener_->CutAllConnections();
}

void StandinServer::Put(std::uint64_t project, std::uint64_t collection, std::string_view token_json, bool is_private) {
  try {
    const CheckedCall call =
        service_->collections().ReadToken({project, collection, {}}, token_json, *service_->faults().behaviour());
    auto token = std::make_shared<StoredToken>();
    token->fields = call.fields;
    token->is_private = is_private;
    token->updated = std::chrono::system_clock::now();
    token->applied = SteadyTime::min();
    service_->store().Put(call.token, std::move(token), true);
    service_->log().Notify();
  } catch (const CallRefused& refused) {
    throw std::runtime_error("storing a token: " + std::string(refused.kind().name) + ", " + refused.cause());
  }
}

std::optional<HeldToken> StandinServer::Find(const TokenName& name) const {
  const StoredTokenPtr token = service_->store().Find(name);
  if (token == nullptr) return std::nullopt;
  return Held({name, token});
}

std::vector<HeldToken> StandinServer::Tokens() const {
  std::vector<HeldToken> held;
  for (const NamedToken& named : service_->store().All()) held.push_back(Held(named));
  return held;
}

std::string StandinServer::Digest() const {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned length = 0;
  EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
  for (const NamedToken& named : service_->store().All()) {
    const HeldToken held = Held(named);
    const std::string line = std::to_string(held.name.project) + "/" + std::to_string(held.name.collection) +
                             (held.is_private ? " private " : " public ") + held.token_json + "\n";
    EVP_DigestUpdate(context.get(), line.data(), line.size());
  }
  EVP_DigestFinal_ex(context.get(), bytes.data(), &length);
  return Hex(bytes.data(), length);
}

Counts StandinServer::counts() const {
  Counts counts = service_->log().counts();
  counts.late_pending = service_->late_pending();
  counts.connections = listener_->connections();
  counts.connections_open = listener_->connections_open();
  counts.tokens = service_->store().size();
  return counts;
}

std::uint64_t StandinServer::CreatesApplied(const TokenName& name) const {
  return service_->log().CreatesApplied(name);
}
std::vector<TokenName> StandinServer::Duplicates() const {
  return service_->log().Duplicates();
}
std::vector<RecordedRequest> StandinServer::LastRequests() const {
  return service_->log().LastRequests();
}
std::vector<CallTime> StandinServer::CallTimes() const {
  return service_->log().CallTimes();
}

bool StandinServer::AwaitCalls(std::string_view method, std::uint64_t calls, Milliseconds within) const {
  const std::string name(method);
  const auto reached = [&](const Counts& counts) {
    if (!name.empty()) return counts.Calls(name) >= calls;
    std::uint64_t all = 0;
    for (const auto& [each, count] : counts.calls) all += count;
    return all >= calls;
  };
  return service_->log().Await(reached, within);
}

bool StandinServer::AwaitTokens(std::uint64_t tokens, Milliseconds within) const {
  return service_->log().Await([&](const Counts&) { return service_->store().size() >= tokens; }, within);
}

void StandinServer::Reset() {
  service_->Reset();
}

}  // namespace tokensync::standin
