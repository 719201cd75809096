// SPDX-License-Identifier: Apache-2.0
// Keeps the database usable: opens it, watches that nobody replaced it, and decides what follows from trouble.
// Full: the order is checkpoint, release the ballast, go on. I/O error: no more acknowledgements until the file was
// reopened and checked. Damage: set aside untouched, go on with a fresh one. It knows no threads and no jobs.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/ballast.hpp"
#include "store/database.hpp"
#include "store/state_dir.hpp"
#include "store/store.hpp"
#include "store/tables.hpp"

namespace ronda::store {

class Keeper {
 public:
  /// `before_close` is called before the connection goes, whatever the reason.
  Keeper(const Options& options, std::function<void(const Health&)> on_change, std::function<void()> before_close);

  /// An error is a refusal (see Store::open); trouble with the disk is left to tick().
  Status open();
  /// Marks the shutdown as clean if it can, and gives up the directory.
  void close();

  /// Null while failed.
  Database* database() { return db_ ? &*db_ : nullptr; }
  const Meta& meta() const { return meta_; }
  const OpenReport& report() const { return report_; }
  const Health& health() const { return health_; }
  bool usable() const { return db_.has_value(); }
  /// Observed writes wait: what room there is belongs to what is owed.
  bool tight() const { return full_; }

  /// After a transaction failed and was rolled back. True: do it once more at once.
  bool settle();
  /// After a commit and before it is acknowledged: it is durable in the files that carry the names.
  Status confirm();
  /// After the acknowledgements.
  void committed();
  /// Every second while not well, else every few.
  void tick();
  /// Now and then: a copy of the file that is older than this shows by the generation.
  void bump_generation();
  void set_dropped(std::uint64_t count);

 private:
  Status start(bool full_check);
  Status hold_directory();
  Status open_database(bool full_check);
  Status connect(bool full_check);
  Status refuse_emptied(const std::string& path);
  void keep_damaged_wal(const std::string& wal);
  Status prepare(bool full_check);
  Status check_content(bool full_check);
  Status begin_generation();
  void remember_files();
  void lose(std::string reason);
  void mark_clean();
  std::string explained(std::string reason) const;
  void drop_database();
  Status replace_damaged(const std::string& why);
  Status start_fresh(const std::string& why);
  Status rescue();
  Status make_room();
  void keep_reserve();
  void fold_wal();
  void note(std::string kind, std::string text);
  void write_notes();
  void update_health();

  const Options& options_;
  std::function<void(const Health&)> on_change_;
  std::function<void()> before_close_;
  Ballast ballast_;
  std::optional<StateDir> dir_;
  std::optional<Database> db_;
  Meta meta_;
  OpenReport report_;
  Health health_;
  std::optional<FileState> file_;
  std::optional<FileIdentity> wal_, made_;
  std::string failed_, damage_, ballast_error_;
  bool full_ = false;   // the reserve is in use
  bool stuck_ = false;  // and it did not suffice, until a commit after this one
  std::int64_t stuck_since_ = 0;
  int damaged_ = 0, doubted_ = 0;
  bool wal_told_ = false;
  Trouble connect_trouble_ = Trouble::none;
  std::vector<JournalEvent> notes_;
};

}  // namespace ronda::store
