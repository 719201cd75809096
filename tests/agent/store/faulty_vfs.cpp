// SPDX-License-Identifier: Apache-2.0
#include "agent/store/faulty_vfs.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <new>

namespace ronda::store::test {

struct FaultyVfs::File : sqlite3_file {
  FaultyVfs* owner;
  bool watched;
  char path[512];
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  static File* of(sqlite3_file* file) { return static_cast<File*>(file); }
};

struct FaultyVfs::Methods {
  static int close(sqlite3_file* f) {
    sqlite3_file* real = File::of(f)->real();
    return real->pMethods != nullptr ? real->pMethods->xClose(real) : SQLITE_OK;
  }
  static int read(sqlite3_file* f, void* to, int size, sqlite3_int64 at) {
    const int code = planned(f, &FaultyVfs::reads_);
    return code != SQLITE_OK ? code : File::of(f)->real()->pMethods->xRead(File::of(f)->real(), to, size, at);
  }
  static int write(sqlite3_file* f, const void* from, int size, sqlite3_int64 at) {
    const int code = planned(f, &FaultyVfs::writes_);
    return code != SQLITE_OK ? code : File::of(f)->real()->pMethods->xWrite(File::of(f)->real(), from, size, at);
  }
  static int planned(sqlite3_file* f, Calls FaultyVfs::*kind) {
    if (!File::of(f)->watched) return SQLITE_OK;
    FaultyVfs& owner = *File::of(f)->owner;
    const std::lock_guard lock(owner.mutex_);
    if (!(owner.*kind).fails()) return SQLITE_OK;
    owner.failed_ = true;
    return (owner.*kind).code;
  }
  static int truncate(sqlite3_file* f, sqlite3_int64 size) {
    sqlite3_file* real = File::of(f)->real();
    return real->pMethods->xTruncate(real, size);
  }
  static int sync(sqlite3_file* f, int flags) {
    File* file = File::of(f);
    FaultyVfs& owner = *file->owner;
    if (!file->watched) return file->real()->pMethods->xSync(file->real(), flags);
    const std::lock_guard lock(owner.mutex_);
    const int number = ++owner.syncs_;
    if (number == owner.sync_to_fail_) {
      owner.failed_ = true;
      return SQLITE_IOERR_FSYNC;
    }
    const int code = file->real()->pMethods->xSync(file->real(), flags);
    if (code != SQLITE_OK || owner.sync_to_lose_ == 0) return code;
    std::ifstream in(file->path, std::ios::binary);
    owner.synced_[std::filesystem::path(file->path).filename().string()] = {std::istreambuf_iterator<char>(in), {}};
    if (number == owner.sync_to_lose_) {
      owner.at_loss_();
      owner.durable_ = owner.synced_;
      owner.lost_ = true;
    }
    return code;
  }
  static int file_size(sqlite3_file* f, sqlite3_int64* size) {
    sqlite3_file* real = File::of(f)->real();
    return real->pMethods->xFileSize(real, size);
  }
  static int lock(sqlite3_file* f, int level) { return File::of(f)->real()->pMethods->xLock(File::of(f)->real(), level); }
  static int unlock(sqlite3_file* f, int level) { return File::of(f)->real()->pMethods->xUnlock(File::of(f)->real(), level); }
  static int check_lock(sqlite3_file* f, int* out) { return File::of(f)->real()->pMethods->xCheckReservedLock(File::of(f)->real(), out); }
  static int control(sqlite3_file* f, int what, void* with) {
    return File::of(f)->real()->pMethods->xFileControl(File::of(f)->real(), what, with);
  }
  static int sector(sqlite3_file* f) { return File::of(f)->real()->pMethods->xSectorSize(File::of(f)->real()); }
  static int device(sqlite3_file* f) { return File::of(f)->real()->pMethods->xDeviceCharacteristics(File::of(f)->real()); }

  static int open(sqlite3_vfs* vfs, const char* path, sqlite3_file* f, int flags, int* out_flags) {
    static const sqlite3_io_methods methods = {1,       close,  read,   write,   truncate, sync,    file_size, lock,    unlock, check_lock,
                                               control, sector, device, nullptr, nullptr,  nullptr, nullptr,   nullptr, nullptr};
    auto* owner = static_cast<FaultyVfs*>(vfs->pAppData);
    File* file = File::of(f);
    file->owner = owner;
    file->watched = (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)) != 0;
    std::snprintf(file->path, sizeof file->path, "%s", path != nullptr ? path : "");
    file->real()->pMethods = nullptr;
    const int code = owner->base_->xOpen(owner->base_, path, file->real(), flags, out_flags);
    file->pMethods = file->real()->pMethods != nullptr ? &methods : nullptr;
    return code;
  }
};

FaultyVfs::FaultyVfs() : name_("faulty-" + std::to_string(reinterpret_cast<std::uintptr_t>(this))) {
  base_ = sqlite3_vfs_find(nullptr);
  vfs_ = *base_;
  vfs_.zName = name_.c_str();
  vfs_.pNext = nullptr;
  vfs_.pAppData = this;
  vfs_.szOsFile = static_cast<int>(sizeof(File)) + base_->szOsFile;
  vfs_.xOpen = Methods::open;
  sqlite3_vfs_register(&vfs_, 0);
}
FaultyVfs::~FaultyVfs() {
  sqlite3_vfs_unregister(&vfs_);
}

void FaultyVfs::fail_sync(int nth) {
  const std::lock_guard lock(mutex_);
  sync_to_fail_ = nth > 0 ? syncs_ + nth : 0;
  failed_ = false;
}
void FaultyVfs::fail_writes(int nth, int count, int code) {
  const std::lock_guard lock(mutex_);
  writes_ = {writes_.made, writes_.made + nth, count, code};
  failed_ = false;
}
void FaultyVfs::fail_reads(int nth, int count, int code) {
  const std::lock_guard lock(mutex_);
  reads_ = {reads_.made, reads_.made + nth, count, code};
  failed_ = false;
}
int FaultyVfs::syncs() const {
  const std::lock_guard lock(mutex_);
  return syncs_;
}
int FaultyVfs::writes() const {
  const std::lock_guard lock(mutex_);
  return writes_.made;
}
bool FaultyVfs::failed() const {
  const std::lock_guard lock(mutex_);
  return failed_;
}
void FaultyVfs::lose_power(int nth, std::function<void()> at) {
  const std::lock_guard lock(mutex_);
  sync_to_lose_ = nth > 0 ? syncs_ + nth : 0;
  at_loss_ = std::move(at);
  synced_.clear();
}
bool FaultyVfs::power_lost() const {
  const std::lock_guard lock(mutex_);
  return lost_;
}
std::map<std::string, std::string> FaultyVfs::durable() const {
  const std::lock_guard lock(mutex_);
  return durable_;
}

}  // namespace ronda::store::test
