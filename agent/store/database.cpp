// SPDX-License-Identifier: Apache-2.0
#include "store/database.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

namespace ronda::store {
namespace {

constexpr int busy_wait_ms = 2000;

Trouble classify(int code, int errno_value) {
  switch (code & 0xFF) {
    case SQLITE_FULL: return Trouble::full;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return Trouble::corrupt;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return Trouble::busy;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
      // over a quota or a file size limit: as full as a full disk, and never when it was the sync
      if (code != SQLITE_IOERR_FSYNC && code != SQLITE_IOERR_DIR_FSYNC &&
          (errno_value == EDQUOT || errno_value == EFBIG || errno_value == ENOSPC))
        return Trouble::full;
      return Trouble::io;
    case SQLITE_READONLY:
    case SQLITE_PERM: return Trouble::io;
    case SQLITE_PROTOCOL: return Trouble::busy;
    default: return Trouble::none;
  }
}

Errc errc_of(int code) {
  switch (code & 0xFF) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return Errc::corrupt;
    case SQLITE_CONSTRAINT: return Errc::invalid;
    case SQLITE_TOOBIG: return Errc::range;
    case SQLITE_IOERR: return Errc::system;
    // What we asked for makes no sense to it: our mistake, or a schema that is not ours.
    case SQLITE_ERROR:
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
    case SQLITE_MISMATCH: return Errc::internal;
    default: return Errc::unavailable;  // full, busy, read-only, out of memory
  }
}

}  // namespace

Status read_through(const std::string& path, const std::string& vfs) {
  sqlite3_vfs* by = sqlite3_vfs_find(vfs.empty() ? nullptr : vfs.c_str());
  if (by == nullptr) return Error(Errc::internal, "no VFS is named '" + vfs + "'");
  std::vector<std::max_align_t> room(static_cast<std::size_t>(by->szOsFile) / sizeof(std::max_align_t) + 1);
  auto* file = reinterpret_cast<sqlite3_file*>(room.data());
  const std::unique_ptr<const char, void (*)(const char*)> name(sqlite3_create_filename(path.c_str(), "", "", 0, nullptr),
                                                                [](const char* made) { sqlite3_free_filename(made); });
  int flags = 0;
  int code = by->xOpen(by, name.get(), file, SQLITE_OPEN_READONLY | SQLITE_OPEN_MAIN_DB, &flags);
  sqlite3_int64 size = 0;
  if (code == SQLITE_OK) code = file->pMethods->xFileSize(file, &size);
  std::vector<char> block(65536);
  for (sqlite3_int64 at = 0; code == SQLITE_OK && at < size; at += static_cast<sqlite3_int64>(block.size()))
    code = file->pMethods->xRead(file, block.data(), static_cast<int>(std::min<sqlite3_int64>(size - at, 65536)), at);
  if (file->pMethods != nullptr) file->pMethods->xClose(file);
  if (code == SQLITE_OK || code == SQLITE_IOERR_SHORT_READ) return done();
  return Error(Errc::system, "read '" + path + "': disk I/O error");
}

int Database::Wal::on_commit(void* wal, sqlite3*, const char*, int frames) {
  static_cast<Wal*>(wal)->frames = frames;
  ++static_cast<Wal*>(wal)->commits;
  return SQLITE_OK;
}

std::int64_t Row::integer(int column) const { return sqlite3_column_int64(statement_, column); }
bool Row::is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
std::string_view Row::text(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  return bytes != nullptr ? std::string_view(bytes, size) : std::string_view();
}

Result<Database> Database::open(const std::string& path, const std::string& vfs) {
  sqlite3* handle = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags, vfs.empty() ? nullptr : vfs.c_str());
  Database db(handle);
  if (code != SQLITE_OK) return db.failure(code, "open " + path);
  sqlite3_busy_timeout(handle, busy_wait_ms);
  // What is left in the WAL belongs there until somebody has looked at it: closing does not fold it in.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  return db;
}

Result<Database> Database::open_unchanging(const std::string& path) {
  std::string uri = "file:";
  for (const char c : path) {
    if (c == '%' || c == '?' || c == '#')
      uri += std::string("%") + "0123456789ABCDEF"[c >> 4] + "0123456789ABCDEF"[c & 0xF];
    else
      uri += c;
  }
  sqlite3* handle = nullptr;
  const int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2((uri + "?immutable=1").c_str(), &handle, flags, nullptr);
  Database db(handle);
  if (code != SQLITE_OK) return db.failure(code, "open " + path);
  return db;
}

Database::Database(sqlite3* db) : db_(db), wal_(std::make_unique<Wal>()) {}

Database::Database(Database&& other) noexcept
    : db_(std::exchange(other.db_, nullptr)),
      statements_(std::move(other.statements_)),
      wal_(std::move(other.wal_)),
      trouble_(other.trouble_),
      trouble_text_(std::move(other.trouble_text_)) {}

Database& Database::operator=(Database&& other) noexcept {
  if (this == &other) return *this;
  close();
  db_ = std::exchange(other.db_, nullptr);
  statements_ = std::move(other.statements_);
  wal_ = std::move(other.wal_);
  trouble_ = other.trouble_;
  trouble_text_ = std::move(other.trouble_text_);
  return *this;
}

Database::~Database() { close(); }

void Database::close() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  statements_.clear();
  sqlite3_close_v2(db_);
  db_ = nullptr;
}

void Database::close_clean() {
  if (db_ == nullptr) return;
  sqlite3_db_config(db_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
  close();
}

Status Database::lock() {
  // Exclusive also means that the WAL index lives in memory: no -shm that somebody could cut under us.
  const Status status = script(
      "PRAGMA locking_mode=EXCLUSIVE; PRAGMA mmap_size=0; PRAGMA cache_size=-256; PRAGMA temp_store=MEMORY;"
      "PRAGMA cell_size_check=ON; BEGIN IMMEDIATE; COMMIT;");
  if (status || trouble_text_.empty()) return status;
  return Error(status.error().code(), "lock the database for this agent alone: " + trouble_text_);
}

Status Database::set_up() {
  std::string mode;
  RONDA_TRY(std::ignore, each("PRAGMA journal_mode=WAL", [&](const Row& row) { mode = row.text(0); }));
  if (mode != "wal") return Error(Errc::unavailable, "journal_mode is '" + mode + "', not WAL");
  RONDA_TRY(std::ignore, script("PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;"
                                "PRAGMA journal_size_limit=16777216;"));
  sqlite3_wal_hook(db_, Wal::on_commit, wal_.get());
  return done();
}

Result<sqlite3_stmt*> Database::prepare(const char* sql) {
  const auto known = statements_.find(sql);
  if (known != statements_.end()) return known->second;
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return failure(code, sql);
  statements_.emplace(sql, statement);
  return statement;
}

Result<bool> Database::step(sqlite3_stmt* statement) {
  const int code = sqlite3_step(statement);
  if (code == SQLITE_ROW) return true;
  std::optional<Error> error;
  if (code != SQLITE_DONE) error = failure(code, sqlite3_sql(statement));
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  if (error) return *std::move(error);
  return false;
}

void Database::bind(sqlite3_stmt* statement, int index, std::int64_t value) {
  sqlite3_bind_int64(statement, index, value);
}
// STATIC: what is bound outlives the statement's run, which ends inside each()
void Database::bind(sqlite3_stmt* statement, int index, std::string_view value) {
  sqlite3_bind_text64(statement, index, value.data() != nullptr ? value.data() : "", value.size(), SQLITE_STATIC,
                      SQLITE_UTF8);
}
void Database::bind(sqlite3_stmt* statement, int index, Blob value) {
  sqlite3_bind_blob64(statement, index, value.bytes.data() != nullptr ? value.bytes.data() : "", value.bytes.size(),
                      SQLITE_STATIC);
}

Status Database::script(const char* sql) {
  const int code = sqlite3_exec(db_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return failure(code, std::string_view(sql).substr(0, 60));
  return done();
}

std::int64_t Database::changes() const { return sqlite3_changes64(db_); }
bool Database::is_read_only() const { return sqlite3_db_readonly(db_, "main") == 1; }
bool Database::in_transaction() const { return sqlite3_get_autocommit(db_) == 0; }

void Database::roll_back() {
  // an error here says nothing new: the trouble that led here is already noted
  if (in_transaction()) sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
}

Status Database::checkpoint(bool truncate) {
  int frames = 0, copied = 0;
  const int mode = truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
  const int code = sqlite3_wal_checkpoint_v2(db_, nullptr, mode, &frames, &copied);
  if (code != SQLITE_OK) return failure(code, "checkpoint");
  if (frames == copied) wal_->frames = 0;  // the next commit starts the WAL from its beginning
  return done();
}

Result<std::string> Database::check(bool quick, bool (*go_on)(void*), void* context) {
  struct Watch {
    bool (*go_on)(void*);
    void* context;
  } watch{go_on, context};
  if (go_on != nullptr)
    sqlite3_progress_handler(
        db_, 10000, [](void* w) { return static_cast<Watch*>(w)->go_on(static_cast<Watch*>(w)->context) ? 0 : 1; },
        &watch);
  std::string first;
  sqlite3_stmt* statement = nullptr;
  const char* sql = quick ? "PRAGMA quick_check(1)" : "PRAGMA integrity_check(1)";
  int code = sqlite3_prepare_v2(db_, sql, -1, &statement, nullptr);
  if (code == SQLITE_OK) code = sqlite3_step(statement);
  if (code == SQLITE_ROW) first = Row(statement).text(0);
  std::optional<Error> error;
  if (code == SQLITE_INTERRUPT)
    first = "ok so far";
  else if (code != SQLITE_ROW)
    error = failure(code, "check of the file");
  sqlite3_finalize(statement);
  sqlite3_progress_handler(db_, 0, nullptr, nullptr);
  if (error) return *std::move(error);
  return first;
}

void Database::clear_trouble() {
  trouble_ = Trouble::none;
  trouble_text_.clear();
}

// The one place where SQLite's codes become an Error.
Error Database::failure(int code, std::string_view doing) {
  const int errno_value = db_ != nullptr ? sqlite3_system_errno(db_) : 0;
  const bool by_system = (code & 0xFF) == SQLITE_IOERR || (code & 0xFF) == SQLITE_CANTOPEN;
  std::string text = db_ != nullptr ? sqlite3_errmsg(db_) : sqlite3_errstr(code);
  if (by_system && errno_value != 0) text += " (" + std::generic_category().message(errno_value) + ")";
  if ((code & 0xFF) == SQLITE_IOERR) text += code == SQLITE_IOERR_FSYNC ? " in fsync" : "";
  const Trouble trouble = classify(code, by_system ? errno_value : 0);
  if (trouble != Trouble::none && trouble_ == Trouble::none) {
    trouble_ = trouble;
    trouble_text_ = text;
  }
  return {errc_of(code), std::string(doing) + ": " + text};
}

}  // namespace ronda::store
