// SPDX-License-Identifier: Apache-2.0
#include "store/backup.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <tuple>

#include "store/schema.hpp"
#include "store/state_dir.hpp"
#include "store/store.hpp"

namespace ronda::store {
namespace {

std::string folder_of(const std::string& path) {
  return path.substr(0, path.rfind('/') + 1);
}

/// Fails when there is anything of that name.
Status create_private(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return system_error("create '" + path + "'", errno);
  ::close(fd);
  return done();
}

Status check_backup(const std::string& file) {
  std::error_code none;
  if (std::filesystem::is_directory(file, none)) return Error(Errc::invalid, "'" + file + "' is a directory");
  RONDA_TRY(std::ignore, refuse_newer_file(file));
  if (file_state(file + "-wal"))
    return Error(Errc::invalid, "'" + file +
                                    "' has a '-wal' beside it, so it is a database in use and no backup; "
                                    "make one with 'ronda state backup FILE'");
  RONDA_TRY(auto db, Database::open_unchanging(file));
  const auto id = db.number("PRAGMA application_id", 0);
  if (!id) return Error(id.error().code(), "'" + file + "' is no backup that 'ronda state backup' wrote: " + id.error().message());
  RONDA_TRY(std::ignore, refuse_foreign(db, file));
  RONDA_TRY(const auto verdict, db.check(false, nullptr, nullptr));
  if (verdict != "ok") return Error(Errc::corrupt, "'" + file + "' is damaged: " + verdict);
  if (*id != application_id) return Error(Errc::invalid, "'" + file + "' is empty, not a backup of ronda's state");
  return done();
}

Status copy_file(const std::string& from, const std::string& to) {
  ::unlink(to.c_str());  // of a restore that was cut off; the directory is ours alone
  RONDA_TRY(std::ignore, create_private(to));
  std::ifstream in(from, std::ios::binary);
  std::ofstream out(to, std::ios::binary | std::ios::in);
  out << in.rdbuf();
  out.close();
  if (!in || !out) return Error(Errc::system, "copy '" + from + "' to '" + to + "' failed; is the disk full?");
  return sync_path(to);
}

}  // namespace

struct Backup::Copy {
  Database target;
  sqlite3_backup* handle = nullptr;
  ~Copy() { sqlite3_backup_finish(handle); }
};

Result<std::unique_ptr<Backup>> Backup::start(Database& source, const std::string& path) {
  if (!path.starts_with('/')) return Error(Errc::invalid, "backup to '" + path + "': give an absolute path");
  if (file_state(path)) return Error(Errc::exists, "'" + path + "' exists, and a backup overwrites nothing; give another name");
  std::unique_ptr<Backup> backup(new Backup(path));
  std::string partial = folder_of(path) + ".ronda-backup-XXXXXX";
  const int fd = ::mkostemp(partial.data(), O_CLOEXEC);  // a new file of mode 0600, or none
  if (fd < 0) return system_error("create a file beside '" + path + "'", errno);
  ::close(fd);
  backup->partial_ = std::move(partial);
  RONDA_TRY(auto target, Database::open(backup->partial_, ""));
  RONDA_TRY(std::ignore, target.script("PRAGMA synchronous=OFF"));
  backup->copy_.reset(new Copy{std::move(target)});
  backup->copy_->handle = sqlite3_backup_init(backup->copy_->target.raw(), "main", source.raw(), "main");
  if (backup->copy_->handle == nullptr)
    return Error(Errc::internal, "backup to '" + path + "': " + sqlite3_errmsg(backup->copy_->target.raw()));
  return backup;
}

Backup::Backup(std::string path) : path_(std::move(path)) {}

Backup::~Backup() {
  copy_.reset();
  if (partial_.empty()) return;
  ::unlink(partial_.c_str());
  for (const char* beside : {"-journal", "-wal", "-shm"}) ::unlink((partial_ + beside).c_str());
}

Result<bool> Backup::step(int pages) {
  const int code = sqlite3_backup_step(copy_->handle, pages);
  if (code == SQLITE_OK) return false;
  if (code == SQLITE_DONE) return true;
  return Error(code == SQLITE_FULL ? Errc::unavailable : Errc::system, "backup to '" + path_ + "': " + sqlite3_errstr(code));
}

Status Backup::finish() {
  sqlite3_backup_finish(std::exchange(copy_->handle, nullptr));
  // A file of its own, without WAL, so that it can be read where nothing can be written beside it.
  RONDA_TRY(std::ignore, copy_->target.script("PRAGMA journal_mode=DELETE"));
  RONDA_TRY(const auto verdict, copy_->target.check(true, nullptr, nullptr));
  if (verdict != "ok") return Error(Errc::corrupt, "backup to '" + path_ + "': the copy is damaged: " + verdict);
  copy_.reset();
  RONDA_TRY(std::ignore, sync_path(partial_));
  if (::renameat2(AT_FDCWD, partial_.c_str(), AT_FDCWD, path_.c_str(), RENAME_NOREPLACE) != 0)
    return system_error("name the backup '" + path_ + "'", errno);
  partial_.clear();
  return sync_path(folder_of(path_));
}

Result<std::string> restore(const std::string& file, const std::string& directory, std::int64_t wall_ns) {
  if (auto good = check_backup(file); !good) return std::move(good).error().with_context("nothing was restored");
  RONDA_TRY(const auto dir, StateDir::open(directory, wall_ns));
  const std::string target = dir.file(database_name), next = target + ".restored";
  if (auto copied = copy_file(file, next); !copied) {
    ::unlink(next.c_str());
    return std::move(copied).error();
  }
  std::string old;
  if (file_state(target)) {
    RONDA_TRY(old, dir.set_aside("before-restore", wall_ns));
  }
  if (::rename(next.c_str(), target.c_str()) != 0) return system_error("rename '" + next + "'", errno);
  RONDA_TRY(std::ignore, dir.sync());
  return old;
}

}  // namespace ronda::store
