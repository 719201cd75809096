// SPDX-License-Identifier: Apache-2.0
// The state directory: private to this agent (0700, its own uid) and held by one agent at a time.
// The lock is on the directory itself, so it outlives its lock file, which only says who holds it. It never opens
// the database's files while SQLite has them open: closing such a descriptor would drop SQLite's own locks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace ronda::store {

inline constexpr std::string_view database_name = "ronda.db";
inline constexpr std::string_view starts_name = "starts";  // of StartCount

/// Written beside the database at every start: an older copy of the database shows by it.
struct Mark {
  std::string host;   // uuid of this host, also when the database is new
  std::string store;  // uuid of the database
  std::int64_t generation = 0;
};

/// What stat says of a file; equal as long as nobody replaced it.
struct FileIdentity {
  std::uint64_t device = 0, inode = 0;
  bool operator==(const FileIdentity&) const = default;
};
struct FileState {
  FileIdentity identity;
  std::int64_t size = 0, changed_ns = 0;
  bool operator==(const FileState&) const = default;
};

class StateDir {
 public:
  /// Creates or checks, then locks. Errc::denied: modes or owner; Errc::exists: another agent; else the disk.
  static Result<StateDir> open(const std::string& path, std::int64_t wall_ns);
  StateDir(StateDir&& other) noexcept;
  StateDir& operator=(StateDir&& other) noexcept;
  ~StateDir();

  const std::string& path() const { return path_; }
  std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }
  /// Whether the path still leads to the directory that is held.
  bool is_in_place() const;
  Status sync() const;
  /// Creates `name` with 0600 if it is missing. Errc::unavailable: no space, or no inode.
  Status ensure_file(std::string_view name) const;

  std::optional<Mark> read_mark() const;
  Status write_mark(const Mark& mark) const;

  /// Renames the database and what belongs to it to ronda.db.LABEL-STAMP (-wal, -shm); returns that name.
  Result<std::string> set_aside(std::string_view label, std::int64_t wall_ns) const;

 private:
  StateDir(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  Status check_private() const;
  Status take_lock(std::int64_t wall_ns) const;

  std::string path_;
  int fd_ = -1;
};

/// By stat, without opening; nullopt when there is none.
std::optional<FileState> file_state(const std::string& path);

/// "20261124T040000Z"
std::string utc_stamp(std::int64_t wall_ns);
/// A random version 7 uuid: ordered by `wall_ns`.
std::string make_uuid(std::int64_t wall_ns);

/// Opens, fsyncs, closes: a file that is complete, or a directory.
Status sync_path(const std::string& path);

}  // namespace ronda::store
