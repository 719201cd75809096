// SPDX-License-Identifier: Apache-2.0
// One SQLite connection: statements by literal, errors as Result, and what kind of trouble the file is in.
// It never decides what to do about trouble (keeper.hpp does) and never retries; one thread owns it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace ronda::store {

/// What a failed call says about the file, beyond the call itself.
enum class Trouble : std::uint8_t { none, full, io, corrupt, busy };

/// Bytes, to be bound as BLOB rather than TEXT.
struct Blob {
  std::string_view bytes;
};

/// The current row of a running statement; views end with the next row.
class Row {
 public:
  explicit Row(sqlite3_stmt* statement) : statement_(statement) {}
  std::int64_t integer(int column) const;
  std::string_view text(int column) const;
  bool is_null(int column) const;

 private:
  sqlite3_stmt* statement_;
};

/// Reads a file to its end by a VFS, as nobody has it open: whether the disk gives it.
Status read_through(const std::string& path, const std::string& vfs);

class Database {
 public:
  /// Opens or creates; WAL, synchronous=FULL and the exclusive lock come with set_up(). `vfs` empty: SQLite's own.
  static Result<Database> open(const std::string& path, const std::string& vfs);
  /// Only reads a file that nobody has open, and leaves no trace beside it; the WAL is not looked at.
  static Result<Database> open_unchanging(const std::string& path);
  Database(Database&& other) noexcept;
  Database& operator=(Database&& other) noexcept;
  ~Database();

  /// Locks the file for this connection alone, as long as it is open. Before anything is read.
  Status lock();
  /// WAL with bounded size, every commit synced.
  Status set_up();

  /// `sql` must be a string literal: its address is the key of the prepared statement.
  template <class... Args>
  Status run(const char* sql, const Args&... args) {
    return each(sql, [](const Row&) {}, args...);
  }
  template <class OnRow, class... Args>
  Status each(const char* sql, OnRow&& on_row, const Args&... args) {
    RONDA_TRY(sqlite3_stmt * statement, prepare(sql));
    int index = 0;
    (bind(statement, ++index, args), ...);
    while (true) {
      RONDA_TRY(const bool row, step(statement));
      if (!row) return done();
      on_row(Row(statement));
    }
  }
  /// The first column of the first row, or `otherwise` when there is none.
  template <class... Args>
  Result<std::int64_t> number(const char* sql, std::int64_t otherwise, const Args&... args) {
    std::int64_t value = otherwise;
    const Status status = each(sql, [&](const Row& row) { value = row.integer(0); }, args...);
    if (!status) return status.error();
    return value;
  }
  /// What `work` does is committed, or rolled back when it or the commit fails.
  template <class Work>
  Status transaction(Work&& work) {
    Status status = script("BEGIN IMMEDIATE");
    if (status) status = work();
    if (status) status = script("COMMIT");
    roll_back();
    return status;
  }
  /// Several statements at once, not kept.
  Status script(const char* sql);

  std::int64_t changes() const;
  bool in_transaction() const;
  /// Whether SQLite refuses to write into it, because of the file's mode or of its header.
  bool is_read_only() const;
  void roll_back();

  /// Copies the WAL into the file and, with `truncate`, empties the WAL. Only between transactions.
  Status checkpoint(bool truncate);
  /// Frames in the WAL after the last commit.
  int wal_frames() const { return wal_->frames; }
  /// Commits since open that wrote something.
  std::int64_t commits() const { return wal_->commits; }

  /// "ok", or what `integrity_check` says first. Ends early with "ok so far" when `go_on` says no.
  Result<std::string> check(bool quick, bool (*go_on)(void*), void* context);

  /// Empties the WAL into the file and removes it. Without this call closing leaves both as they are.
  void close_clean();

  /// The worst trouble since the last call of clear_trouble, and its text.
  Trouble trouble() const { return trouble_; }
  const std::string& trouble_text() const { return trouble_text_; }
  void clear_trouble();

  sqlite3* raw() { return db_; }  // for the backup only

 private:
  explicit Database(sqlite3* db);

  Result<sqlite3_stmt*> prepare(const char* sql);
  Result<bool> step(sqlite3_stmt* statement);
  void bind(sqlite3_stmt* statement, int index, std::int64_t value);
  void bind(sqlite3_stmt* statement, int index, std::string_view value);
  void bind(sqlite3_stmt* statement, int index, Blob value);
  template <class T>
  void bind(sqlite3_stmt* statement, int index, const std::optional<T>& value) {
    if (value) bind(statement, index, *value);  // else it stays NULL
  }
  Error failure(int code, std::string_view doing);
  void close();

  sqlite3* db_ = nullptr;
  std::unordered_map<const char*, sqlite3_stmt*> statements_;
  struct Wal {
    int frames = 0;
    std::int64_t commits = 0;
    static int on_commit(void* wal, sqlite3*, const char*, int frames);
  };
  std::unique_ptr<Wal> wal_;  // its own allocation: SQLite keeps the address
  Trouble trouble_ = Trouble::none;
  std::string trouble_text_;
};

}  // namespace ronda::store
