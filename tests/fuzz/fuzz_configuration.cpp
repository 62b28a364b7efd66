/// A configuration file: values within their bounds, or an error that names places of the file and shows no secret. The
/// words <jwt> and <password> of the input stand for secrets that somebody wrote into it.
#include <sys/mman.h>
#include <unistd.h>

#include <charconv>
#include <optional>
#include <string>
#include <vector>

#include "config.h"
#include "config_values.h"
#include "endpoint.h"
#include "errors.h"
#include "fuzz_checks.h"

namespace tokensync {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

/// A file without a disk: LoadConfig takes a path.
const std::string& FileWith(std::string_view bytes) {
  static const int fd = memfd_create("configuration", MFD_CLOEXEC);
  static const std::string path = "/proc/self/fd/" + std::to_string(fd);
  const bool written =
      ftruncate(fd, 0) == 0 && pwrite(fd, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size());
  Require(written, "the file in memory can be written");
  return path;
}

bool IsWithin(Duration value, Duration least, Duration most) {
  return value >= least && value <= most;
}

void CheckFile(const std::filesystem::path& file) {
  Require(file.empty() || file.is_absolute(), "a file's name does not depend on the current folder", file.native());
}

void CheckConfig(const Config& config) {
  const SourceConfig& source = config.source;
  Require(!source.url.empty() && !CheckSourceUrl(source.url).fault, "the repository has a URL", source.url);
  Require(!FaultOf(source.ref), "what is followed can be", source.ref.text);
  Require(IsFolderInside(source.path), "the folder lies within the repository", source.path);
  Require(source.poll_interval.count() == 0 || IsWithin(source.poll_interval, seconds(1), hours(24 * 7)), "poll");
  Require(IsWithin(source.timeout, seconds(1), hours(1)), "the time for a fetch has its bounds");
  const bool has_ssh_files = !source.ssh_key_file.empty() && !source.known_hosts_file.empty();
  Require(CheckSourceUrl(source.url).kind != SourceTransport::kSsh || has_ssh_files, "ssh has key and known hosts");
  for (const auto& file : {source.token_file, source.ca_file, source.ssh_key_file, source.known_hosts_file}) {
    CheckFile(file);
  }
  Require(source.previous_url.empty() || !CheckSourceUrl(source.previous_url).fault, "a former URL was one as well");
  const ApiConfig& api = config.api;
  Require(!CheckEndpoint(api.endpoint) && !api.endpoint.ends_with('/'), "the service has a URL", api.endpoint);
  try {
    Require(!ParseEndpoint(api.endpoint).host.empty(), "the service's URL names a host", api.endpoint);
  } catch (const ConfigError&) {
    // Some of what a URL may hold, an endpoint may not; the program says so at its start.
  }
  CheckFile(api.token_file);
  CheckFile(api.ca_file);
  Require(api.concurrency >= 1 && api.concurrency <= 256, "concurrency has its bounds");
  Require(api.requests_per_minute <= 1'000'000, "the rate has its bounds");
  Require(api.rate_share > 0 && api.rate_share <= 1, "a share is one of a whole");
  Require(IsWithin(api.timeout, milliseconds(100), minutes(10)), "the time for a call has its bounds");
  CheckFile(config.ledger.path);
  CheckFile(config.control.socket);
  Require(config.ledger.path.has_filename() && config.StateDirectory().is_absolute(), "the ledger is a file");
  Require(config.control.socket.native().size() <= 107, "a socket can have that name");
}

struct TextSize {
  std::vector<std::size_t> characters;  ///< of each line
};

TextSize SizeOf(std::string_view bytes) {
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  TextSize size{{0}};
  for (const char byte : bytes) {
    if (byte == '\n') {
      size.characters.push_back(0);
    } else if ((static_cast<unsigned char>(byte) & 0xC0U) != 0x80U) {
      ++size.characters.back();
    }
  }
  return size;
}

std::optional<std::size_t> TakeNumber(std::string_view& text) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

/// After the file's name: `:LINE:COLUMN: what is wrong`.
void CheckPlace(std::string_view rest, const TextSize& size, std::string_view whole) {
  std::optional<std::size_t> line, column;
  if (rest.starts_with(':')) {
    rest.remove_prefix(1);
    line = TakeNumber(rest);
  }
  if (rest.starts_with(':')) {
    rest.remove_prefix(1);
    column = TakeNumber(rest);
  }
  Require(line && column && rest.starts_with(": ") && rest.size() > 2, "a problem has a place and a text", whole);
  Require(*line >= 1 && *line <= size.characters.size(), "the line is one of the file", whole);
  Require(*column >= 1 && *column <= size.characters[*line - 1] + 1, "the column is one of the line", whole);
}

void CheckError(std::string_view text, const std::string& file, std::string_view bytes) {
  const std::string_view whole = text;
  RequirePrintableLines(text);
  const std::string subject = "reading the configuration " + file + ":\n";
  Require(text.starts_with(subject), "an error names what was being done, and the file", whole);
  text.remove_prefix(subject.size());
  const TextSize size = SizeOf(bytes);
  std::size_t problems = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    if (line.starts_with(file)) {
      CheckPlace(line.substr(file.size()), size, whole);
      ++problems;
    } else {
      Require(line.starts_with(' '), "what belongs to a problem is indented", whole);
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  Require(problems > 0, "an error has a problem", whole);
}

bool IsJwtCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

/// No token, and no password of a URL, that stands in the file as it is.
void CheckSecrets(std::string_view error, std::string_view bytes) {
  constexpr std::size_t kJwtBytesMin = 40;
  constexpr std::size_t kPasswordBytesMin = 8;
  for (std::size_t at = bytes.find("eyJ"); at != std::string_view::npos; at = bytes.find("eyJ", at + 1)) {
    std::size_t end = at;
    while (end < bytes.size() && IsJwtCharacter(bytes[end])) ++end;
    if (end - at < kJwtBytesMin) continue;
    Require(error.find(bytes.substr(at, kJwtBytesMin)) == std::string_view::npos, "an error shows no token", error);
  }
  for (std::size_t at = bytes.find("://"); at != std::string_view::npos; at = bytes.find("://", at + 1)) {
    const std::size_t colon = bytes.find_first_of(":/@ \n", at + 3);
    if (colon == std::string_view::npos || bytes[colon] != ':') continue;
    std::size_t end = colon + 1;
    while (end < bytes.size() && IsJwtCharacter(bytes[end])) ++end;
    if (end == bytes.size() || bytes[end] != '@' || end - colon - 1 < kPasswordBytesMin) continue;
    const std::string_view password = bytes.substr(colon + 1, end - colon - 1);
    if (bytes.find(password) != colon + 1 || bytes.find(password, end) != std::string_view::npos) continue;
    Require(error.find(password) == std::string_view::npos, "an error shows no password", error);
  }
}

std::string WithSecrets(std::string_view input) {
  static const std::array<std::pair<std::string_view, std::string>, 2> kWords = {
      {{"<jwt>", "eyJ" + std::string(30, 'h') + "." + std::string(30, 'c') + "." + std::string(30, 's')},
       {"<password>", "p" + std::string(12, 'w')}}};
  return WithWords(input, kWords);
}

void Check(std::string_view input) {
  const std::string bytes = WithSecrets(input);
  const std::string& file = FileWith(bytes);
  std::optional<std::string> error;
  try {
    CheckConfig(LoadConfig(file));
  } catch (const ConfigError& problem) {
    error = problem.what();
  }
  if (!error) return;
  CheckError(*error, file, bytes);
  CheckSecrets(*error, bytes);
  try {
    LoadConfig(file);
    Require(false, "a bad file is bad the second time as well", *error);
  } catch (const ConfigError& problem) {
    Require(*error == problem.what(), "the same file gives the same error", *error);
  }
}

}  // namespace
}  // namespace tokensync

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tokensync::Check(tokensync::InputText(data, size));
  return 0;
}
