/// Which ledger ran last: a small file beside the ledger that tells it from its older copies. For this folder only.
///
/// `<ledger>.mark` holds one line of fixed length: a word with the format's version, the last number and hash of the
/// log, the ledger's incarnation (see schema.cpp), and the inode and birth of the ledger's file. It is written after
/// the commit that it tells of, so it may lag behind the ledger, and is never ahead of it: a process that is killed in
/// between has made no call yet that only the commit knows of. A commit costs one pwrite(2), which the kernel keeps
/// when the process dies; after a power cut the mark may be some seconds old.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "model.h"

namespace tokensync {

/// What tells one file from another one of the same name. A restored file has another inode or time of birth, unless
/// its bytes were written over those of the old one, or the whole disk was put back.
struct FileIdentity {
  std::uint64_t inode = 0;
  std::int64_t born_ns = 0;  ///< 0 where the file system does not know
  bool operator==(const FileIdentity&) const = default;
};

/// Throws LedgerError.
FileIdentity IdentityOf(const std::filesystem::path& file);

/// How far a ledger came, and which one it is.
struct MarkedEnd {
  std::int64_t seq = 0;  ///< 0: nothing was logged
  Digest hash;           ///< of that record; for 0 the beginning of the chain
  std::int64_t incarnation = 0;
  FileIdentity file;
  bool operator==(const MarkedEnd&) const = default;
};

/// The line, and the inverse: nothing for whatever is not exactly such a line.
std::string MarkLine(const MarkedEnd& end);
std::optional<MarkedEnd> ParseMarkLine(std::string_view line);

class LedgerMark {
 public:
  /// Opens the mark of that ledger where there is one; makes none. Throws LedgerError where there is one that cannot be
  /// read and written.
  explicit LedgerMark(const std::filesystem::path& ledger);
  ~LedgerMark();
  LedgerMark(const LedgerMark&) = delete;
  LedgerMark& operator=(const LedgerMark&) = delete;

  /// What it says; nothing where there is none, or no such line in it.
  std::optional<MarkedEnd> Read() const;

  /// Makes it say that; a mark that is not there is made, for its owner only. Durable against the end of this process,
  /// not of the machine. Throws LedgerError.
  void Write(const MarkedEnd& end);

  /// What was written is on the disk, its name in the folder included. Throws LedgerError.
  void Flush();

 private:
  [[noreturn]] void Refuse(std::string_view doing) const;

  std::filesystem::path path_;
  int fd_ = -1;
  bool folder_flushed_ = false;
};

}  // namespace tokensync
