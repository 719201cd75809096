// SPDX-License-Identifier: Apache-2.0
// A database of an earlier version with any values in its columns, and with any version that it may claim to have. It is refused in
// words, or becomes one of today without a row lost; what then reads it, ages it and writes into it never fails otherwise than in
// words, comes to an end, and leaves a sound file.
#include <sqlite3.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <tuple>

#include "input.hpp"
#include "store/samples.hpp"
#include "store/schema.hpp"
#include "store/tables.hpp"

namespace {

using namespace ronda;
using namespace ronda::store;

constexpr std::int64_t now_ns = 1'800'000'000'000'000'000;

void expect(bool holds) {
  if (!holds) std::abort();
}

struct Table {
  const char* name;
  int columns, since;
};
constexpr std::array<Table, 23> tables = {
    {{"meta", 2, 1},          {"instance", 11, 1}, {"run", 6, 1},      {"slot", 6, 1},           {"missed", 8, 1},
     {"kv_space", 6, 1},      {"kv", 4, 1},        {"inbox", 7, 1},    {"journal", 7, 1},        {"quarantine", 5, 1},
     {"left_instance", 3, 2}, {"calendar", 4, 3},  {"series", 7, 4},   {"sample", 3, 4},         {"raw", 3, 4},
     {"five", 3, 4},          {"hours", 3, 4},     {"incident", 4, 5}, {"incident_event", 7, 5}, {"alert_state", 3, 5},
     {"silence", 3, 5},       {"outbox", 19, 5},   {"delivery", 6, 5}}};

using fuzz::Input;

constexpr std::array<std::int64_t, 10> odd_numbers = {
    INT64_MIN, INT64_MAX,    -1, now_ns, now_ns - hour_ns, now_ns - 2 * five_minutes_ns, std::int64_t{1} << 62, now_ns - 40 * 24 * hour_ns,
    hour_ns,   INT64_MIN + 1};

void exec(sqlite3* db, const std::string& sql) {
  expect(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
}

std::string schema_of(Database& db) {
  std::string out;
  expect(db.each("SELECT name,sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name", [&](const Row& row) {
             out.append(row.text(0)).append("=").append(row.text(1)).append(";");
           }).has_value());
  return out;
}

Database empty_database() {
  auto db = Database::open(":memory:", "");
  expect(db.has_value());
  return *std::move(db);
}

/// The file of a version, as an agent of that time made it. Nothing was ever taken away by a step.
std::string made_by(int version) {
  Database db = empty_database();
  expect(migrate(db).has_value());
  for (const Table& table : tables) {
    if (table.since > version) exec(db.raw(), std::string("DROP TABLE ") + table.name);
  }
  const std::string number = std::to_string(version);
  exec(db.raw(), "PRAGMA user_version=" + number + "; UPDATE meta SET value=" + number + " WHERE name='schema'; VACUUM");
  sqlite3_int64 size = 0;
  unsigned char* const bytes = sqlite3_serialize(db.raw(), "main", &size, 0);
  expect(bytes != nullptr);
  std::string out(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  sqlite3_free(bytes);
  return out;
}

void load_file(Database& db, const std::string& file) {
  auto* const copy = static_cast<unsigned char*>(sqlite3_malloc64(file.size()));
  std::memcpy(copy, file.data(), file.size());
  const auto size = static_cast<sqlite3_int64>(file.size());
  expect(sqlite3_deserialize(db.raw(), "main", copy, size, size, SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE) ==
         SQLITE_OK);
}

void bind_any(sqlite3_stmt* statement, int column, Input& in) {
  constexpr std::array<const char*, 10> words = {"check",  "a",  "samples_closed", "hours_closed", "slots_forgotten", "total",
                                                 "schema", "{}", "INC-1",          "plugin"};
  const std::uint8_t how = in.byte();
  switch (how % 8) {
    case 0:
    case 1:
    case 2:
      sqlite3_bind_int64(statement, column, in.number(odd_numbers));
      return;
    case 3: {
      const std::string_view text = in.bytes(in.byte() % 32);
      sqlite3_bind_text64(statement, column, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
      return;
    }
    case 4: {
      const std::string_view blob = in.bytes(in.byte() % 32);
      sqlite3_bind_blob64(statement, column, blob.data() == nullptr ? "" : blob.data(), blob.size(), SQLITE_TRANSIENT);
      return;
    }
    case 5:
      sqlite3_bind_double(statement, column, static_cast<double>(in.number(odd_numbers)) / 3);
      return;
    case 6:
      if (how >= 248) return;  // NULL
      [[fallthrough]];
    default:
      sqlite3_bind_text(statement, column, words[how / 8 % words.size()], -1, SQLITE_STATIC);
  }
}

void add_any_row(sqlite3* db, const Table& table, Input& in) {
  std::string sql = std::string("INSERT OR REPLACE INTO ") + table.name + " VALUES(?";
  for (int i = 1; i < table.columns; ++i) sql += ",?";
  sqlite3_stmt* statement = nullptr;
  expect(sqlite3_prepare_v2(db, (sql + ")").c_str(), -1, &statement, nullptr) == SQLITE_OK);
  for (int column = 1; column <= table.columns; ++column) bind_any(statement, column, in);
  sqlite3_step(statement);  // what the table does not take is not in it
  sqlite3_finalize(statement);
}

std::int64_t rows_in(Database& db, int version) {
  std::int64_t out = 0;
  for (const Table& table : tables) {
    if (table.since > version || table.name == std::string_view("meta")) continue;
    sqlite3_stmt* statement = nullptr;
    expect(sqlite3_prepare_v2(db.raw(), (std::string("SELECT count(*) FROM ") + table.name).c_str(), -1, &statement, nullptr) == SQLITE_OK);
    expect(sqlite3_step(statement) == SQLITE_ROW);
    out += sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
  }
  return out;
}

template <class T>
bool in_words(const Result<T>& result) {
  expect(result.has_value() || !result.error().message().empty());
  return result.has_value();
}

void expect_sound(Database& db) {
  const auto verdict = db.check(false, nullptr, nullptr);
  expect(verdict.has_value() && *verdict == "ok");
}

void read_everything(Database& db) {
  const InstanceId id{"check", "a"};
  in_words(load_meta(db));
  in_words(load_instances(db));
  in_words(load_runs(db, id));
  if (const auto slots = load_slots(db, id, 100); in_words(slots)) {
    for (const Slot& slot : *slots) expect(slot.state <= SlotState::skipped);
  }
  in_words(load_started_slots(db));
  in_words(load_last_slots(db));
  in_words(load_calendars(db));
  in_words(load_missed(db, id, 100));
  in_words(load_kv(db, {id, "plugin"}, now_ns));
  in_words(load_kv_versions(db));
  in_words(peek_inbox(db, id, 100));
  in_words(load_inbox_owners(db));
  in_words(load_journal(db, 100));
  in_words(load_quarantines(db));
  in_words(load_open_incidents(db));
  in_words(load_incident(db, "INC-1"));
  in_words(load_incident_ids(db, 100));
  in_words(load_alert_states(db));
  in_words(load_silences(db));
  for (const auto& rows : {load_outbox(db), list_outbox(db, "INC-1", 100), list_outbox(db, "", 100), list_dead(db, 100),
                           load_outbox_rows(db, {"a", "INC-1"}), list_outbox_prefix(db, "a")}) {
    if (!in_words(rows)) continue;
    for (const OutboxRow& row : *rows) expect(row.state <= OutboxState::dead);
  }
  in_words(load_trail(db, "INC-1"));
  in_words(load_last_attempts(db, {"a"}));
  in_words(load_trail_prefix(db, "a"));
}

void write_and_age(Database& db) {
  const InstanceId id{"check", "a"};
  Observation seen;
  seen.state.id = id;
  seen.runs.push_back({now_ns, 1, 0, "ok"});
  in_words(db.transaction([&] { return save_observation(db, seen); }));
  in_words(claim_slot(db, id, now_ns, now_ns));
  in_words(finish_slot(db, id, now_ns, "done", now_ns));
  in_words(db.transaction([&] { return write_kv(db, {id, "plugin"}, 1, std::array{KvWrite{"key", "value", 0}}, now_ns); }));
  in_words(post_inbox(db, id, {0, "start", 0, "text", now_ns}));
  in_words(append_journal(db, {"", "", 0, "kind", "subject", "{}"}, "host", now_ns));
  in_words(note_calendars(db, std::array{KnownCalendar{id, "daily", now_ns}}));
  in_words(mark_configured(db, {}, now_ns));
  Decision decision;
  decision.events.push_back({"INC-1", 1, now_ns, "opened", "agent", "engine", "{}"});
  decision.marks.push_back({"INC-1", now_ns});
  decision.changes.push_back({"a", OutboxState::queued, "", 1, now_ns, now_ns, "", {}});
  in_words(db.transaction([&] { return apply_decision(db, decision); }));
  std::int64_t gone = 1;
  for (int steps = 0; gone > 0; ++steps) {
    expect(steps < 100);
    const auto step = retention_step(db, now_ns, 100);
    gone = in_words(step) ? *step : 0;
  }
}

void roll_up(Database& db) {
  SampleBook book;
  std::uint64_t late = 0;
  Sampled sample{now_ns - 3 * five_minutes_ns,
                 {{std::make_shared<const SeriesKey>(SeriesKey{"a", "total", {}, "s", Shape::counter}), 1.5}}};
  in_words(db.transaction([&] { return book.write(db, std::array{sample}, now_ns, &late); }));
  for (int steps = 0; book.is_due(now_ns); ++steps) {
    expect(steps < 10'000);
    if (!in_words(book.step(db, now_ns))) return;
  }
  for (const SampleLevel level : {SampleLevel::raw, SampleLevel::five_minutes, SampleLevel::hours})
    in_words(book.load(db, {"a", "", level, now_ns - 2 * hour_ns, now_ns, 0}));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::array<std::string, 5> files = {made_by(1), made_by(2), made_by(3), made_by(4), made_by(5)};
  static const std::string wanted = [] {
    Database db = empty_database();
    expect(migrate(db).has_value());
    return schema_of(db);
  }();
  expect(schema_version() == static_cast<int>(files.size()));
  Input in(data, size);
  const int version = 1 + in.byte() % static_cast<int>(files.size());
  Database db = empty_database();
  load_file(db, files[static_cast<std::size_t>(version - 1)]);
  bool is_honest = true;
  for (int rows = 0; !in.at_end() && rows < 200; ++rows) {
    const std::uint8_t what = in.byte();
    if (what == 255) {
      exec(db.raw(), "PRAGMA user_version=" + std::to_string(static_cast<std::int32_t>(in.number(odd_numbers))));
      is_honest = false;
    } else if (what == 254) {
      exec(db.raw(), "PRAGMA application_id=" + std::to_string(static_cast<std::int32_t>(in.number(odd_numbers))));
      is_honest = false;
    } else if (const Table& table = tables[what % tables.size()]; table.since <= version) {
      add_any_row(db.raw(), table, in);
    }
  }
  const auto claimed = db.number("SELECT value FROM meta WHERE name='schema'", -1);
  is_honest = is_honest && claimed.has_value() && *claimed == version;
  const std::int64_t rows = rows_in(db, version);
  const Status ours = refuse_foreign(db, "state.db");
  expect(in_words(ours) || !is_honest);
  if (!ours) return 0;
  const Status moved = migrate(db);
  expect(in_words(moved) || !is_honest);
  expect_sound(db);
  if (!moved || schema_of(db) != wanted) {  // the keeper sets it aside as damaged
    expect(!is_honest && !db.in_transaction());
    return 0;
  }
  // the step to 3 makes a table from rows of another, and takes none away
  expect(!is_honest || rows_in(db, version) == rows);
  read_everything(db);
  write_and_age(db);
  roll_up(db);
  read_everything(db);
  expect_sound(db);
  return 0;
}
