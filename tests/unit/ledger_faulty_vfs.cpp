#include "ledger_faulty_vfs.h"

#include <sqlite3.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

namespace tokensync {

struct FaultyVfs::Disk {
  sqlite3_vfs vfs{};
  sqlite3_vfs* real = nullptr;
  bool armed = false;
  bool struck = false;
  int left = 0;
  Fault fault = Fault::kDiskFull;

  /// The error of this operation, or SQLITE_OK where it may go on.
  int Strike(bool sync) {
    if (!armed || (fault == Fault::kSyncError) != sync) return SQLITE_OK;
    if (left-- > 0) return SQLITE_OK;
    left = 0;
    struck = true;
    if (fault == Fault::kKilled) ::kill(::getpid(), SIGKILL);
    if (sync) return SQLITE_IOERR_FSYNC;
    return fault == Fault::kDiskFull ? SQLITE_FULL : SQLITE_IOERR_WRITE;
  }
};

namespace {

/// Ours first; the real file lies behind it.
struct File {
  sqlite3_file base;
  void* disk;
  int (*strike)(void* disk, bool sync);
};

sqlite3_file* Real(sqlite3_file* file) {
  return reinterpret_cast<sqlite3_file*>(reinterpret_cast<File*>(file) + 1);
}

int Strike(sqlite3_file* file, bool sync) {
  const File* ours = reinterpret_cast<File*>(file);
  return ours->strike(ours->disk, sync);
}

const sqlite3_io_methods kMethods = {
    2,
    [](sqlite3_file* f) { return Real(f)->pMethods->xClose(Real(f)); },
    [](sqlite3_file* f, void* to, int size, sqlite3_int64 at) {
      return Real(f)->pMethods->xRead(Real(f), to, size, at);
    },
    [](sqlite3_file* f, const void* from, int size, sqlite3_int64 at) {
      const int error = Strike(f, false);
      return error != SQLITE_OK ? error : Real(f)->pMethods->xWrite(Real(f), from, size, at);
    },
    [](sqlite3_file* f, sqlite3_int64 size) { return Real(f)->pMethods->xTruncate(Real(f), size); },
    [](sqlite3_file* f, int flags) {
      const int error = Strike(f, true);
      return error != SQLITE_OK ? error : Real(f)->pMethods->xSync(Real(f), flags);
    },
    [](sqlite3_file* f, sqlite3_int64* size) { return Real(f)->pMethods->xFileSize(Real(f), size); },
    [](sqlite3_file* f, int level) { return Real(f)->pMethods->xLock(Real(f), level); },
    [](sqlite3_file* f, int level) { return Real(f)->pMethods->xUnlock(Real(f), level); },
    [](sqlite3_file* f, int* held) { return Real(f)->pMethods->xCheckReservedLock(Real(f), held); },
    [](sqlite3_file* f, int op, void* arg) { return Real(f)->pMethods->xFileControl(Real(f), op, arg); },
    [](sqlite3_file* f) { return Real(f)->pMethods->xSectorSize(Real(f)); },
    [](sqlite3_file* f) { return Real(f)->pMethods->xDeviceCharacteristics(Real(f)); },
    [](sqlite3_file* f, int page, int size, int extend, void volatile** map) {
      return Real(f)->pMethods->xShmMap(Real(f), page, size, extend, map);
    },
    [](sqlite3_file* f, int at, int count, int flags) {
      return Real(f)->pMethods->xShmLock(Real(f), at, count, flags);
    },
    [](sqlite3_file* f) { Real(f)->pMethods->xShmBarrier(Real(f)); },
    [](sqlite3_file* f, int remove) { return Real(f)->pMethods->xShmUnmap(Real(f), remove); },
    nullptr,
    nullptr,
};

}  // namespace

FaultyVfs::FaultyVfs() : disk_(std::make_unique<Disk>()) {
  disk_->real = sqlite3_vfs_find(nullptr);
  if (disk_->real == nullptr) std::abort();
  disk_->vfs = *disk_->real;
  disk_->vfs.pNext = nullptr;
  disk_->vfs.zName = "faulty";
  disk_->vfs.szOsFile = static_cast<int>(sizeof(File)) + disk_->real->szOsFile;
  disk_->vfs.pAppData = disk_.get();
  disk_->vfs.xOpen = [](sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
    auto* disk = static_cast<Disk*>(vfs->pAppData);
    auto* ours = reinterpret_cast<File*>(file);
    ours->disk = disk;
    ours->strike = [](void* d, bool sync) { return static_cast<Disk*>(d)->Strike(sync); };
    const int result = disk->real->xOpen(disk->real, name, Real(file), flags, out_flags);
    ours->base.pMethods = Real(file)->pMethods != nullptr ? &kMethods : nullptr;
    return result;
  };
  disk_->vfs.xDelete = [](sqlite3_vfs* vfs, const char* name, int sync) {
    sqlite3_vfs* real = static_cast<Disk*>(vfs->pAppData)->real;
    return real->xDelete(real, name, sync);
  };
  disk_->vfs.xAccess = [](sqlite3_vfs* vfs, const char* name, int flags, int* result) {
    sqlite3_vfs* real = static_cast<Disk*>(vfs->pAppData)->real;
    return real->xAccess(real, name, flags, result);
  };
  disk_->vfs.xFullPathname = [](sqlite3_vfs* vfs, const char* name, int size, char* out) {
    sqlite3_vfs* real = static_cast<Disk*>(vfs->pAppData)->real;
    return real->xFullPathname(real, name, size, out);
  };
  if (sqlite3_vfs_register(&disk_->vfs, 1) != SQLITE_OK) std::abort();
}

FaultyVfs::~FaultyVfs() {
  sqlite3_vfs_unregister(&disk_->vfs);
  sqlite3_vfs_register(disk_->real, 1);
}

void FaultyVfs::FailAfter(int writes, Fault fault) {
  disk_->armed = true;
  disk_->struck = false;
  disk_->left = writes;
  disk_->fault = fault;
}

void FaultyVfs::Mend() {
  disk_->armed = false;
}

bool FaultyVfs::Struck() const {
  return disk_->struck;
}

}  // namespace tokensync
