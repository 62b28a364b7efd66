#include "ledger_mark.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "durable_folder.h"
#include "errors.h"

namespace tokensync {

namespace {

constexpr std::string_view kWord = "tokensyncd-mark-1";

/// Every number has so many digits: the line never changes its length.
constexpr std::size_t kDigits = 20;
constexpr std::size_t kHashDigits = 64;
constexpr std::size_t kLineBytes = kWord.size() + (1 + kDigits) + (1 + kHashDigits) + 3 * (1 + kDigits) + 1;

/// The fields of a line, one after the other.
class Fields {
 public:
  explicit Fields(std::string_view rest) : rest_(rest) {}

  template <class Number>
  bool Take(Number& number) {
    const std::string_view text = TakeText(kDigits);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() && !text.empty() && text.front() != '-';
  }

  bool Take(Digest& digest) {
    const std::string_view text = TakeText(kHashDigits);
    for (std::size_t at = 0; at < digest.bytes.size(); ++at) {
      unsigned int byte = 0;
      const char* begin = text.data() + 2 * at;
      if (text.empty() || std::from_chars(begin, begin + 2, byte, 16).ptr != begin + 2) return false;
      digest.bytes[at] = static_cast<std::uint8_t>(byte);
    }
    return true;
  }

  bool AtEnd() const { return rest_ == "\n"; }

 private:
  std::string_view TakeText(std::size_t size) {
    if (rest_.size() < size + 1 || rest_.front() != ' ') return {};
    const std::string_view text = rest_.substr(1, size);
    rest_.remove_prefix(size + 1);
    return text;
  }

  std::string_view rest_;
};

}  // namespace

FileIdentity IdentityOf(const std::filesystem::path& file) {
  struct statx status {};
  if (::statx(AT_FDCWD, file.c_str(), 0, STATX_INO | STATX_BTIME, &status) != 0) {
    throw LedgerError(fmt::format("opening the ledger {}: {}", file.string(), std::strerror(errno)));
  }
  FileIdentity identity{.inode = status.stx_ino};
  if ((status.stx_mask & STATX_BTIME) != 0 && status.stx_btime.tv_sec > 0) {
    identity.born_ns = status.stx_btime.tv_sec * std::int64_t{1'000'000'000} + status.stx_btime.tv_nsec;
  }
  return identity;
}

std::string MarkLine(const MarkedEnd& end) {
  return fmt::format("{} {:020} {} {:020} {:020} {:020}\n", kWord, end.seq, end.hash.Hex(), end.incarnation,
                     end.file.inode, end.file.born_ns);
}

std::optional<MarkedEnd> ParseMarkLine(std::string_view line) {
  if (line.size() != kLineBytes || !line.starts_with(kWord)) return std::nullopt;
  Fields fields(line.substr(kWord.size()));
  MarkedEnd end;
  const bool whole = fields.Take(end.seq) && fields.Take(end.hash) && fields.Take(end.incarnation) &&
                     fields.Take(end.file.inode) && fields.Take(end.file.born_ns) && fields.AtEnd();
  return whole ? std::optional(end) : std::nullopt;
}

LedgerMark::LedgerMark(const std::filesystem::path& ledger)
    : path_(ledger.string() + ".mark"), fd_(::open(path_.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)) {
  if (fd_ < 0) {
    if (errno == ENOENT) return;
    Refuse("opening");
  }
  struct stat status {};
  if (::fstat(fd_, &status) == 0 && S_ISREG(status.st_mode)) return;
  ::close(fd_);
  throw LedgerError(fmt::format("opening the ledger's mark {}: it is no regular file; remove it", path_.string()));
}

LedgerMark::~LedgerMark() {
  if (fd_ < 0) return;
  ::fdatasync(fd_);
  ::close(fd_);
}

std::optional<MarkedEnd> LedgerMark::Read() const {
  if (fd_ < 0) return std::nullopt;
  std::array<char, kLineBytes + 1> bytes{};
  const ssize_t size = ::pread(fd_, bytes.data(), bytes.size(), 0);
  if (size < 0) Refuse("reading");
  return ParseMarkLine({bytes.data(), static_cast<std::size_t>(size)});
}

void LedgerMark::Write(const MarkedEnd& end) {
  if (fd_ < 0) fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd_ < 0) Refuse("making");
  const std::string line = MarkLine(end);
  ssize_t written = 0;
  do {
    written = ::pwrite(fd_, line.data(), line.size(), 0);
  } while (written < 0 && errno == EINTR);
  if (written < 0) Refuse("writing");
  if (static_cast<std::size_t>(written) != line.size()) {
    errno = ENOSPC;
    Refuse("writing");
  }
}

void LedgerMark::Flush() {
  if (fd_ < 0) return;
  struct stat status {};
  // Of a file that was no mark, what is longer than a line would stay.
  if (::fstat(fd_, &status) != 0 ||
      (status.st_size > static_cast<off_t>(kLineBytes) && ::ftruncate(fd_, static_cast<off_t>(kLineBytes)) != 0)) {
    Refuse("writing");
  }
  if (::fsync(fd_) != 0) Refuse("flushing");
  if (folder_flushed_) return;
  if (!FlushFolder(path_.parent_path())) Refuse("flushing the folder of");
  folder_flushed_ = true;
}

void LedgerMark::Refuse(std::string_view doing) const {
  throw LedgerError(
      fmt::format("{} the ledger's mark {}: {}; it tells the ledger from its older copies, and must be writable for "
                  "the user that runs tokensyncd, as its folder must be",
                  doing, path_.string(), std::strerror(errno)));
}

}  // namespace tokensync
