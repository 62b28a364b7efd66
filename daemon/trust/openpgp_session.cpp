#include "openpgp_session.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "errors.h"
#include "openpgp_check.h"
#include "text.h"
#include "wait_status.h"

namespace tokensync {

namespace {

// No network, no helpers that would stay, no user's configuration, no waiting for locks. Who is in the keyring is
// trusted.
constexpr std::string_view kOptions =
    "no-autostart\n"
    "disable-dirmngr\n"
    "no-auto-key-locate\n"
    "no-auto-key-retrieve\n"
    "no-random-seed-file\n"
    "no-auto-check-trustdb\n"
    "trust-model always\n"
    "lock-never\n";

/// The process ends itself only where nobody is left to end it.
constexpr std::chrono::seconds kGrace(5);

[[noreturn]] void Fail(std::string_view why) {
  throw EnvironmentError(fmt::format("checking an OpenPGP signature: {}; will try again", why));
}

}  // namespace

OpenPgpSession::OpenPgpSession(const OpenPgpPrograms& programs, const PrivateFolder& folder, std::string_view keyring,
                               VerificationTime& time)
    : folder_(folder), gpg_(programs.gpg) {
  folder_.MakeEmpty(OpenPgpCheckFiles::kHome);
  folder_.Write(std::string(OpenPgpCheckFiles::kHome) + "/gpg.conf", kOptions);
  folder_.Write(OpenPgpCheckFiles::kKeyring, keyring);
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) Fail(std::strerror(errno));
  channel_ = OpenFile(ends[0]);
  OpenFile theirs(ends[1]);
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(time.limit()) + kGrace;
  child_.emplace(ProgramCall{.program = programs.checker,
                             .arguments = {std::string(kOpenPgpCheckCommand), folder_.path().string(), gpg_.string(),
                                           std::to_string(seconds.count())},
                             .home = folder_.path()},
                 ChildProgram::Descriptors{.input = theirs.fd(), .output = theirs.fd()});
  // With this one open, the child's end would never be seen.
  theirs.Close();
  const Reply reply = Receive(time);
  if (reply.kind == "keyring") throw UnusableKeyring(reply.text);
  if (reply.kind != "ready") Fail(reply.text);
}

SignatureVerdict OpenPgpSession::Check(std::string_view signature, std::string_view signed_data,
                                       VerificationTime& time) {
  folder_.Write(OpenPgpCheckFiles::kSignature, signature);
  folder_.Write(OpenPgpCheckFiles::kData, signed_data);
  // One byte into an empty channel: it never waits. A process that has ended is told of by the reading.
  static_cast<void>(::send(channel_.fd(), "\n", 1, MSG_NOSIGNAL));
  Reply reply = Receive(time);
  if (reply.kind == "good") return GoodSignature{std::move(reply.text)};
  if (reply.kind == "bad") return BadSignature{std::move(reply.text)};
  Fail(reply.text);
}

void OpenPgpSession::FailEnded(VerificationTime& time) {
  // The channel closes in the last moments of the process.
  std::optional<int> status = child_->Ended();
  for (; !status && time.Left().count() > 0; status = child_->Ended()) ::poll(nullptr, 0, 1);
  Fail("the checking process " + (status ? WaitStatusText(*status) : "closed its channel"));
}

OpenPgpSession::Reply OpenPgpSession::Receive(VerificationTime& time) {
  std::string line;
  while (line.find('\n') == std::string::npos) {
    const auto left = time.Left();
    if (left.count() == 0) ThrowOutOfTime(gpg_, time);
    pollfd end{channel_.fd(), POLLIN, 0};
    const int ready = ::poll(&end, 1, static_cast<int>(left.count()));
    if (ready < 0 && errno != EINTR) Fail(std::strerror(errno));
    if (ready <= 0) continue;
    char buffer[kAnswerBytesMax];
    const ssize_t got = ::recv(channel_.fd(), buffer, sizeof buffer, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) FailEnded(time);
    line.append(buffer, static_cast<std::size_t>(got));
    if (line.size() > kAnswerBytesMax) Fail("the checking process says too much");
  }
  const std::size_t space = std::min(line.find(' '), line.find('\n'));
  Reply reply{.kind = line.substr(0, space)};
  if (line[space] == ' ')
    reply.text = PrintableText(std::string_view(line).substr(space + 1, line.find('\n') - space - 1));
  return reply;
}

}  // namespace tokensync
