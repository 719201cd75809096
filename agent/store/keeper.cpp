// SPDX-License-Identifier: Apache-2.0
#include "store/keeper.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <tuple>

#include "store/backup.hpp"
#include "store/schema.hpp"
#include "store/wal_check.hpp"

namespace ronda::store {
namespace {

constexpr int wal_frames_max = 1000, wal_frames_when_full = 200;
constexpr const char* rescued_suffix = ".rescued";
constexpr int doubted_max = 10;
constexpr int damaged_max = 3;  // in one process: then the disk is at fault, not the file
constexpr std::size_t notes_max = 100;
constexpr int shed_batches = 10, shed_rows = 20;  // at ENOSPC large deletes fail where small ones go through
constexpr std::int64_t second = 1'000'000'000;

bool is_refusal(const Error& error) {
  return error.code() == Errc::denied || error.code() == Errc::exists || error.code() == Errc::invalid || error.code() == Errc::not_found;
}

/// Name and text of all tables and indexes.
Result<std::string> schema_text(Database& db) {
  std::string text;
  RONDA_TRY(std::ignore, db.each("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name",
                                 [&](const Row& row) { text.append(row.text(0)).append("=").append(row.text(1)).append(";"); }));
  return text;
}

/// How long a check of the file may take at start; a later damage is found when its page is read.
struct Budget {
  const Options& options;
  std::int64_t end;
  static bool go_on(void* self) {
    const auto& budget = *static_cast<Budget*>(self);
    return budget.options.mono_ns() < budget.end;
  }
};

}  // namespace

Keeper::Keeper(const Options& options, std::function<void(const Health&)> on_change, std::function<void()> before_close)
    : options_(options),
      on_change_(std::move(on_change)),
      before_close_(std::move(before_close)),
      ballast_(options.directory + "/ballast", options.ballast_bytes) {}

Status Keeper::open() {
  const Status status = start(false);
  if (!status && is_refusal(status.error())) return status;
  if (!status) lose(status.error().message());
  write_notes();
  update_health();
  return done();
}

Status Keeper::start(bool full_check) {
  const bool held = dir_.has_value();
  RONDA_TRY(std::ignore, hold_directory());
  if (!held && !full_check && options_.on_owned) options_.on_owned();
  Status status = open_database(full_check);
  const bool full = connect_trouble_ == Trouble::full || (connect_trouble_ == Trouble::io && ballast_.is_disk_full());
  if (!status && full && ballast_.release()) {
    full_ = true;
    note("store.full", "no space left for the state at the start; the reserve is in use");
    status = open_database(full_check);
  }
  if (!status) return status;
  failed_.clear();
  keep_reserve();
  return done();
}

// Once, and again when it was removed or another one is in its place.
Status Keeper::hold_directory() {
  if (dir_ && dir_->is_in_place()) return done();
  RONDA_TRY(auto dir, StateDir::open(options_.directory, options_.wall_ns()));
  dir_.emplace(std::move(dir));
  return done();
}

// The reserve comes back as soon as there is room for it, and that ends the time of need.
void Keeper::keep_reserve() {
  const Status reserve = ballast_.create();
  ballast_error_ = reserve ? "" : reserve.error().message();
  if (!reserve || !full_) return;
  full_ = stuck_ = false;
  note("store.space", "there is space for the state again");
}

Status Keeper::open_database(bool full_check) {
  const Status status = connect(full_check);
  if (status || status.error().code() != Errc::corrupt) return status;
  return replace_damaged(status.error().message());
}

// SQLite calls a page that could not be read damage, too. So the file is looked at once more, all of it, and given up
// only when that finds the same; not for ever, in case that the check is blind for what a query stumbles over.
Status Keeper::replace_damaged(const std::string& why) {
  drop_database();
  if (++doubted_ <= doubted_max) {
    const Status again = connect(true);
    if (again || again.error().code() != Errc::corrupt) return again;
  }
  for (const char* part : {"", "-wal"}) {
    const std::string path = dir_->file(database_name) + part;
    if (!file_state(path)) continue;
    RONDA_TRY(std::ignore, read_through(path, options_.vfs));
  }
  return start_fresh(why);
}

Status Keeper::start_fresh(const std::string& why) {
  drop_database();
  if (++damaged_ > damaged_max)
    return Error(Errc::system, why + "; damaged " + std::to_string(damaged_) + " times since the start, check the disk");
  RONDA_TRY(const auto name, dir_->set_aside("corrupt", options_.wall_ns()));
  damage_ = "the store was damaged (" + why + ") and is set aside untouched as '" + dir_->file(name) + "'; a fresh one is in use";
  report_.notices.push_back(damage_);
  note("store.damaged", damage_);
  return connect(false);
}

Status Keeper::connect(bool full_check) {
  const std::string path = dir_->file(database_name);
  RONDA_TRY(std::ignore, refuse_newer_file(path));
  connect_trouble_ = Trouble::none;
  RONDA_TRY(std::ignore, refuse_emptied(path));
  if (auto made = dir_->ensure_file(database_name); !made) {
    if (made.error().code() == Errc::unavailable) connect_trouble_ = Trouble::full;
    return std::move(made).error();
  } else if (const auto file = file_state(path); file && file->size == 0) {
    made_ = file->identity;  // it stays empty when there is no room for more
  }
  keep_damaged_wal(path + "-wal");
  RONDA_TRY(auto db, Database::open(path, options_.vfs));
  db_.emplace(std::move(db));
  Status status = prepare(full_check);
  connect_trouble_ = db_->trouble();
  if (status) {
    made_.reset();
    return status;
  }
  const bool damaged = db_->trouble() == Trouble::corrupt;
  // Statements of ours that SQLite does not understand: the schema in the file is not what it says.
  const bool misread = db_->trouble() == Trouble::none && status.error().code() == Errc::internal;
  // A header that asks for a later SQLite makes the file read-only, though the disk and its mode do not.
  const bool misled =
      db_->trouble() == Trouble::io && db_->is_read_only() && !ballast_.is_disk_read_only() && ::access(path.c_str(), W_OK) == 0;
  drop_database();
  if (damaged || misread || misled) return Error(Errc::corrupt, status.error().message());
  return status;
}

// SQLite would make a new database in the file and remove the WAL, which may hold what is nowhere else. Who emptied
// the file may also be about to write into it.
Status Keeper::refuse_emptied(const std::string& path) {
  const std::string rescued = path + rescued_suffix;
  auto file = file_state(path);
  if (!file && ::rename(rescued.c_str(), path.c_str()) == 0) file = file_state(path);  // killed in rescue()
  if (file && file->size > 0) return done();
  const auto wal = file_state(path + "-wal");
  if (wal && wal->size > 0) return Error(Errc::corrupt, file ? "its file is empty" : "its file is gone and its WAL is not");
  if (file && file->identity != made_ && dir_->read_mark()) return Error(Errc::corrupt, "its file is empty");
  return done();
}

// The database goes on with what the WAL holds before the damage; a copy shows to people what stood after it.
void Keeper::keep_damaged_wal(const std::string& wal) {
  const auto damage = wal_told_ ? std::nullopt : find_wal_damage(wal);
  if (!damage) return;
  wal_told_ = true;  // connecting may be tried again and again
  const std::string copy = dir_->file(std::string(database_name) + ".damaged-wal-" + utc_stamp(options_.wall_ns()));
  std::error_code failed;
  std::filesystem::copy_file(wal, copy, failed);
  const std::string notice = *damage + (failed ? "; it could not be copied: " + failed.message() : "; its copy is '" + copy + "'");
  report_.notices.push_back(notice);
  note("store.damaged", notice);
}

Status Keeper::prepare(bool full_check) {
  RONDA_TRY(std::ignore, db_->lock());
  RONDA_TRY(std::ignore, refuse_foreign(*db_, dir_->file(database_name)));
  RONDA_TRY(std::ignore, db_->set_up());
  RONDA_TRY(std::ignore, migrate(*db_));
  const auto checked = file_state(dir_->file(database_name));
  RONDA_TRY(std::ignore, check_content(full_check));
  RONDA_TRY(std::ignore, begin_generation());
  // All of this was written to the WAL: what the check saw is there still, or somebody writes into it.
  if (file_state(dir_->file(database_name)) != checked) return Error(Errc::unavailable, "another program writes into the database");
  // After a failed sync the pages in the WAL may exist in memory only: this writes and syncs them anew.
  RONDA_TRY(std::ignore, db_->checkpoint(true));
  remember_files();
  return done();
}

Status Keeper::check_content(bool full_check) {
  RONDA_TRY(auto model, Database::open(":memory:", ""));
  RONDA_TRY(std::ignore, migrate(model));
  RONDA_TRY(const auto wanted, schema_text(model));
  RONDA_TRY(const auto found, schema_text(*db_));
  if (wanted != found) return Error(Errc::corrupt, "the schema is not the one of its version");
  RONDA_TRY(meta_, load_meta(*db_));
  Budget budget{options_, options_.mono_ns() + (meta_.clean ? second / 10 : second / 2)};
  RONDA_TRY(const auto verdict, db_->check(!full_check, full_check ? nullptr : Budget::go_on, &budget));
  if (!verdict.starts_with("ok")) return Error(Errc::corrupt, verdict);
  return done();
}

Status Keeper::begin_generation() {
  const std::optional<Mark> mark = dir_->read_mark();
  const std::int64_t now = options_.wall_ns();
  report_.clean_shutdown = meta_.clean;
  report_.fresh = meta_.store.empty();
  std::string notice;
  if (report_.fresh) {
    if (mark && damage_.empty()) damage_ = notice = "the database was missing; what it held is lost, and a fresh one is in use";
    meta_.host = mark ? mark->host : make_uuid(now);
    meta_.store = make_uuid(now);
  } else if (mark && mark->store != meta_.store) {
    notice = "the database is not the one that was here before";
  } else if (mark && meta_.generation < mark->generation) {
    notice = "the database is an older copy (generation " + std::to_string(meta_.generation) + ", it was " +
             std::to_string(mark->generation) + "): what was stored since is missing";
  }
  meta_.generation = std::max(meta_.generation, mark ? mark->generation : 0) + 1;
  meta_.clean = false;
  RONDA_TRY(std::ignore, db_->transaction([&] { return save_meta(*db_, meta_); }));
  // The file second: a crash in between leaves a database that is newer than it says, which alarms nobody.
  if (const Status written = dir_->write_mark({meta_.host, meta_.store, meta_.generation}); !written)
    note("store.mark", written.error().message());
  report_.host = meta_.host;
  report_.generation = meta_.generation;
  if (notice.empty()) return done();
  report_.notices.push_back(notice);
  note("store.other_copy", notice);
  return done();
}

void Keeper::remember_files() {
  file_ = file_state(dir_->file(database_name));
  const auto wal = file_state(dir_->file(database_name) + "-wal");
  wal_ = wal ? std::optional(wal->identity) : std::nullopt;
}

Status Keeper::confirm() {
  if (!db_) return Error(Errc::unavailable, failed_);
  const auto file = file_state(dir_->file(database_name));
  const auto wal = file_state(dir_->file(database_name) + "-wal");
  if (file && file_ && wal && file->identity == file_->identity && wal->identity == wal_) {
    if (file == file_) return done();
    // The WAL is ours and the file is not what our last checkpoint left: only a full check can tell what it is.
    const int damaged = damaged_;
    note("store.touched", "another program wrote into the database");
    drop_database();
    failed_ = explained("another program wrote into the database");
    tick();  // tells what it is now, not that for a moment nobody knew
    if (!usable()) return Error(Errc::unavailable, failed_);
    // In use again, but a fresh one: what was just committed is in the file that was set aside.
    return damaged == damaged_ ? done() : Status(Error(Errc::unavailable, damage_));
  }
  Status saved = rescue();
  if (!saved) lose("the database was removed or replaced under the agent, and saving what it held failed: " + saved.error().message());
  update_health();
  return saved;
}

// The open descriptors still hold everything: copy it to a new file before they are closed.
Status Keeper::rescue() {
  RONDA_TRY(std::ignore, hold_directory());
  const std::string rescued = dir_->file(database_name) + rescued_suffix;
  ::unlink(rescued.c_str());
  {
    RONDA_TRY(const auto copy, Backup::start(*db_, rescued));
    RONDA_TRY(std::ignore, copy->step(-1));
    RONDA_TRY(std::ignore, copy->finish());
  }
  drop_database();
  RONDA_TRY(const auto aside, dir_->set_aside("replaced", options_.wall_ns()));
  if (::rename(rescued.c_str(), dir_->file(database_name).c_str()) != 0) return system_error("rename '" + rescued + "'", errno);
  RONDA_TRY(std::ignore, dir_->sync());
  RONDA_TRY(std::ignore, connect(true));
  note("store.replaced",
       "the database was removed or replaced under the agent; what it held was saved, what was in "
       "its place is '" +
           aside + "'");
  write_notes();
  return done();
}

bool Keeper::settle() {
  if (!db_) return false;
  const Trouble trouble = db_->trouble();
  const std::string text = db_->trouble_text();
  db_->clear_trouble();
  switch (trouble) {
    case Trouble::none:
      return false;
    case Trouble::full: {
      const bool again = make_room().has_value();
      update_health();
      return again;
    }
    case Trouble::corrupt:
      if (const Status good = replace_damaged(text); !good) lose(good.error().message());
      write_notes();
      update_health();
      return usable();
    case Trouble::io:
    case Trouble::busy:
      lose(text);
      return false;
  }
  return false;
}

// Fold the WAL in; then once the ballast goes, later a few rows that were only observed.
Status Keeper::make_room() {
  const Status folded = db_->checkpoint(true);
  remember_files();
  if (db_->trouble() == Trouble::io || db_->trouble() == Trouble::corrupt) {
    lose(std::string(db_->trouble_text()));
    return folded;
  }
  db_->clear_trouble();
  if (!full_) {
    full_ = true;
    const bool released = ballast_.release();
    note("store.full",
         released ? "no space left for the state; the reserve is in use" : "no space left for the state, and there is no reserve");
    return done();
  }
  stuck_ = true;
  std::int64_t gone = 0;
  for (int batch = 0; batch < shed_batches; ++batch) {
    const Status status = db_->transaction([&]() -> Status {
      RONDA_TRY(const auto rows, shed_step(*db_, shed_rows));
      gone += rows;
      return done();
    });
    if (!status || gone < (batch + 1) * shed_rows) break;
  }
  db_->clear_trouble();
  stuck_since_ = db_->commits();
  return gone > 0 ? done() : Status(Error(Errc::unavailable, "nothing left to give up"));
}

void Keeper::lose(std::string reason) {
  // Closed as it is: no checkpoint, the WAL stays for the check that must come before anything is promised again.
  drop_database();
  failed_ = explained(std::move(reason));
  note("store.failed", failed_);
  update_health();
}

std::string Keeper::explained(std::string reason) const {
  if (!ballast_.is_disk_read_only()) return reason;
  return "the file system of '" + options_.directory + "' is read-only: " + reason;
}

void Keeper::drop_database() {
  if (!db_) return;
  before_close_();
  db_.reset();
  stuck_since_ = 0;
}

void Keeper::committed() {
  if (db_ && db_->commits() > stuck_since_) stuck_ = false;
  if (db_ && db_->wal_frames() > (full_ ? wal_frames_when_full : wal_frames_max)) fold_wal();
  update_health();
}

void Keeper::fold_wal() {
  if (!confirm() || !db_) return;  // before the file changes by our own hand, which would hide another's
  const Status folded = db_->checkpoint(false);
  remember_files();
  if (!folded && settle()) std::ignore = db_->checkpoint(false);
  if (db_) remember_files();
}

void Keeper::tick() {
  if (db_) {
    if (!confirm()) return;
    keep_reserve();
  } else {
    const std::string why = failed_;
    if (const Status status = start(true); !status) {
      drop_database();
      failed_ = explained(status.error().message());
    } else {
      stuck_ = false;
      note("store.recovered", "the store works again; it had failed: " + why);
    }
  }
  write_notes();
  update_health();
}

void Keeper::bump_generation() {
  if (!db_) return;
  ++meta_.generation;
  db_->clear_trouble();
  if (const Status status = db_->transaction([&] { return save_meta(*db_, meta_); }); !status) {
    --meta_.generation;
    settle();
    return;
  }
  std::ignore = dir_->write_mark({meta_.host, meta_.store, meta_.generation});
}

void Keeper::close() {
  mark_clean();
  drop_database();
  dir_.reset();  // the next agent may come
}

void Keeper::mark_clean() {
  if (!db_ || !confirm() || !db_) return;
  meta_.clean = true;
  ++meta_.generation;
  if (!db_->transaction([&] { return save_meta(*db_, meta_); })) return;
  std::ignore = dir_->write_mark({meta_.host, meta_.store, meta_.generation});
  before_close_();
  db_->close_clean();
  db_.reset();
}

void Keeper::note(std::string kind, std::string text) {
  if (notes_.size() >= notes_max) return;
  JournalEvent event;
  event.id = make_uuid(options_.wall_ns());
  event.wall = options_.wall_ns();
  event.kind = std::move(kind);
  event.subject = "store";
  event.data = std::move(text);  // becomes JSON when it is written
  notes_.push_back(std::move(event));
}

void Keeper::write_notes() {
  if (!db_ || notes_.empty()) return;
  db_->clear_trouble();
  const Status status = db_->transaction([&]() -> Status {
    for (JournalEvent event : notes_) {
      std::string json;
      RONDA_TRY(std::ignore, db_->each(
                                 "SELECT json_object('text', ?)", [&](const Row& row) { json = row.text(0); }, event.data));
      event.data = json;
      RONDA_TRY(std::ignore, append_journal(*db_, event, meta_.host, event.wall));
    }
    return done();
  });
  if (status) {
    notes_.clear();
  } else if (db_->trouble() == Trouble::io) {
    lose(std::string(db_->trouble_text()));  // a sync that failed is final, whatever it was for
  }
}

void Keeper::set_dropped(std::uint64_t count) {
  if (count == health_.dropped_observed) return;
  health_.dropped_observed = count;
  on_change_(health_);
}

void Keeper::update_health() {
  HealthState state = HealthState::ok;
  std::string reason;
  if (!db_) {
    state = HealthState::failed;
    reason = failed_;
  } else if (stuck_) {
    state = HealthState::failed;
    reason = "no space left for the state, and the reserve is used up";
  } else if (full_) {
    state = HealthState::degraded;
    reason = "no space left for the state; the reserve is in use, and only what is owed is stored";
  } else if (!damage_.empty()) {
    state = HealthState::degraded;
    reason = damage_;
  } else if (!ballast_error_.empty()) {
    state = HealthState::degraded;
    reason = "there is no reserve for a full disk: " + ballast_error_;
  }
  const bool ballast = dir_ && ballast_.present();
  if (state == health_.state && reason == health_.reason && ballast == health_.ballast) return;
  if (state != health_.state || health_.since == 0) health_.since = options_.wall_ns();
  health_.state = state;
  health_.reason = std::move(reason);
  health_.ballast = ballast;
  on_change_(health_);
}

}  // namespace ronda::store
