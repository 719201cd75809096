// SPDX-License-Identifier: Apache-2.0
// A SQLite VFS over the usual one that can fail the n-th read, write or sync of the database's files, and knows what of them
// would be left after a power loss: of each file what its last successful sync saw.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>

namespace ronda::store::test {

class FaultyVfs {
 public:
  FaultyVfs();
  ~FaultyVfs();
  FaultyVfs(const FaultyVfs&) = delete;
  FaultyVfs& operator=(const FaultyVfs&) = delete;

  const std::string& name() const { return name_; }

  /// The `nth` sync from now on (1 is the next) answers SQLITE_IOERR_FSYNC, and does nothing; 0: none.
  void fail_sync(int nth);
  /// From the `nth` write on, `count` writes answer `code`.
  void fail_writes(int nth, int count, int code);
  /// The same of reads.
  void fail_reads(int nth, int count, int code);
  int syncs() const;
  int writes() const;
  /// Whether a planned failure has happened.
  bool failed() const;

  /// After the `nth` sync from now on: keeps what is durable then, and calls `at` first. 0: none.
  void lose_power(int nth, std::function<void()> at);
  bool power_lost() const;
  /// File name (without its directory) and bytes, as the power loss left them.
  std::map<std::string, std::string> durable() const;

 private:
  struct File;
  struct Methods;

  mutable std::mutex mutex_;
  std::string name_;
  sqlite3_vfs vfs_{};
  sqlite3_vfs* base_ = nullptr;
  /// Calls of one kind, and which of them fail how.
  struct Calls {
    int made = 0, first_to_fail = 0, to_fail = 0, code = 0;
    bool fails() { return ++made >= first_to_fail && made < first_to_fail + to_fail; }
  };

  int syncs_ = 0;
  Calls reads_, writes_;
  int sync_to_fail_ = 0, sync_to_lose_ = 0;
  bool failed_ = false, lost_ = false;
  std::function<void()> at_loss_;
  std::map<std::string, std::string> synced_, durable_;
};

}  // namespace ronda::store::test
