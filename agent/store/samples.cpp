// SPDX-License-Identifier: Apache-2.0
#include "store/samples.hpp"

#include <algorithm>
#include <tuple>

#include "store/bytes.hpp"

namespace ronda::store {
namespace {

constexpr std::int64_t erased_a_step = 2000, forgotten_a_step = 1000;
constexpr std::int64_t series_kept_unseen = 24 * hour_ns;  // how exact `seen` is
constexpr std::int64_t latest_ns = INT64_MAX / 2;          // in the year 2116

/// Names and values, each with its length.
std::string encode_labels(const Labels& labels) {
  std::string out;
  for (const auto& [name, value] : labels) {
    for (const std::string* text : {&name, &value}) {
      put_number(out, text->size());
      out += *text;
    }
  }
  return out;
}

}  // namespace

void SampleBook::forget() {
  begun_ = false;
  phase_ = Phase::idle;
  closing_ns_ = closed_ns_ = hours_ns_ = 0;
  ids_.clear();
  fold_.clear();
  newest_.clear();
}

Status SampleBook::begin(Database& db) {
  if (begun_) return done();
  RONDA_TRY(const auto closed, db.number("SELECT value FROM meta WHERE name='samples_closed'", 0));
  RONDA_TRY(const auto hours, db.number("SELECT value FROM meta WHERE name='hours_closed'", 0));
  // what is stored may be damaged: no sum with it goes over
  closed_ns_ = std::clamp(closed, std::int64_t{0}, latest_ns);
  hours_ns_ = std::clamp(hours, std::int64_t{0}, latest_ns);
  RONDA_TRY(const auto rows, db.number("SELECT EXISTS(SELECT 1 FROM sample)", 0));
  has_rows_ = rows != 0;
  closing_ns_ = closed_ns_;
  begun_ = true;
  return done();
}

Status SampleBook::mark(Database& db, const char* name, std::int64_t value) {
  return db.run("REPLACE INTO meta(name,value) VALUES(?,?)", std::string_view(name), value);
}

// ---- what comes -----------------------------------------------------------------------------

Result<std::int64_t> SampleBook::id_of(Database& db, const SeriesRef& series, std::int64_t now) {
  const auto known = ids_.find(series);
  if (known != ids_.end()) return known->second;
  const std::string labels = encode_labels(series->labels);
  const auto shape = static_cast<std::int64_t>(series->shape);
  std::int64_t id = 0;
  bool same = false;
  RONDA_TRY(std::ignore, db.each(
                             "SELECT id,unit,shape FROM series WHERE name=? AND metric=? AND labels=?",
                             [&](const Row& row) {
                               id = row.integer(0);
                               same = row.text(1) == series->unit && row.integer(2) == shape;
                             },
                             series->check, series->metric, Blob{labels}));
  if (id == 0) {
    RONDA_TRY(std::ignore, db.run("INSERT INTO series(name,metric,labels,unit,shape,seen) VALUES(?,?,?,?,?,?)", series->check,
                                  series->metric, Blob{labels}, series->unit, shape, floor_to(now, hour_ns)));
    RONDA_TRY(id, db.number("SELECT last_insert_rowid()", 0));
  } else if (!same) {
    RONDA_TRY(std::ignore, db.run("UPDATE series SET unit=?,shape=? WHERE id=?", series->unit, shape, id));
  }
  purge_ids();
  ids_.emplace(series, id);
  return id;
}

/// Series that nobody else holds any more are not remembered for ever.
void SampleBook::purge_ids() {
  if (ids_.size() < ids_purged_at_) return;
  std::erase_if(ids_, [](const auto& entry) { return entry.first.use_count() == 1; });
  ids_purged_at_ = std::max<std::size_t>(4096, 2 * ids_.size());
}

Status SampleBook::set_clock_back(Database& db, std::int64_t now) {
  phase_ = Phase::idle;
  fold_.clear();
  newest_.clear();
  next_forget_ns_ = behind_since_ns_ = 0;
  closed_ns_ = closing_ns_ = floor_to(now, five_minutes_ns);
  hours_ns_ = std::min(hours_ns_, floor_to(now, hour_ns));
  RONDA_TRY(std::ignore, mark(db, "samples_closed", closed_ns_));
  return mark(db, "hours_closed", hours_ns_);
}

Status SampleBook::write(Database& db, std::span<const Sampled> samples, std::int64_t now, std::uint64_t* late) {
  RONDA_TRY(std::ignore, begin(db));
  // a clock that is wrong for the first minutes of a boot closes nothing and opens nothing
  const bool behind = now < closing_ns_ - five_minutes_ns;
  if (!behind) behind_since_ns_ = 0;
  if (behind && (behind_since_ns_ == 0 || now < behind_since_ns_)) behind_since_ns_ = now;
  if (behind && now - behind_since_ns_ >= patience_ns) {
    RONDA_TRY(std::ignore, set_clock_back(db, now));
  }
  std::string data;
  for (const Sampled& one : samples) {
    if (one.at_ns < closing_ns_) {
      ++*late;
      continue;
    }
    data.clear();
    for (const auto& [series, value] : one.values) {
      RONDA_TRY(const auto id, id_of(db, series, now));
      put_number(data, static_cast<std::uint64_t>(id));
      put_double(data, value, 0);
    }
    RONDA_TRY(std::ignore, db.run("INSERT INTO sample(at,data) VALUES(?,?)", one.at_ns, Blob{data}));
    has_rows_ = true;
  }
  return done();
}

// ---- roll-ups -------------------------------------------------------------------------------

bool SampleBook::is_due(std::int64_t now) const {
  if (!begun_ || phase_ != Phase::idle || now >= next_forget_ns_) return true;
  return has_rows_ && now >= closed_ns_ + five_minutes_ns + grace_ns;
}

Status SampleBook::step(Database& db, std::int64_t now) {
  if (!begun_) return begin(db);
  switch (phase_) {
    case Phase::idle:
      return start(db, now);
    case Phase::reading:
      return read_some(db);
    case Phase::writing:
      return db.transaction([&] { return write_some(db); });
    case Phase::erasing:
      return db.transaction([&] { return erase_some(db); });
    case Phase::hours:
      return db.transaction([&] { return fold_hours(db); });
    case Phase::forgetting:
      return db.transaction([&] { return forget_some(db, now); });
  }
  return done();
}

Status SampleBook::start(Database& db, std::int64_t now) {
  shapes_.clear();
  RONDA_TRY(std::ignore, db.each("SELECT id,shape FROM series",
                                 [&](const Row& row) { shapes_[row.integer(0)] = static_cast<Shape>(row.integer(1) & 1); }));
  // without rows nothing is closed, so that an agent that keeps no samples writes nothing
  if (!has_rows_) return db.transaction([&] { return start_hour(db); });
  closing_ns_ = std::max(closed_ns_, floor_to(now - grace_ns, five_minutes_ns));
  read_seq_ = 0;
  phase_ = Phase::reading;
  return done();
}

Status SampleBook::read_some(Database& db) {
  std::int64_t rows = 0;
  RONDA_TRY(std::ignore, db.each(
                             "SELECT seq,at,data FROM sample WHERE seq>? AND at>=? AND at<? ORDER BY seq LIMIT ?",
                             [&](const Row& row) {
                               ++rows;
                               read_seq_ = row.integer(0);
                               take(row.integer(1), row.text(2));
                             },
                             read_seq_, closed_ns_, closing_ns_, rows_a_step));
  if (rows < rows_a_step) phase_ = Phase::writing;
  return done();
}

void SampleBook::take(std::int64_t at_ns, std::string_view values) {
  ByteReader reader(values);
  while (!reader.at_end()) {
    const auto series = static_cast<std::int64_t>(reader.number());
    const double value = reader.floating(0);
    if (!reader.good()) return;
    const auto newest = newest_.try_emplace(series, at_ns).first;
    if (at_ns < newest->second) take_back_after(series, at_ns);
    newest->second = at_ns;
    auto& points = fold_[{floor_to(at_ns, five_minutes_ns), series}];
    if (!points.empty() && points.back().at_ns == at_ns)
      points.back().value = value;
    else
      points.push_back({at_ns, value});
  }
}

/// Seldom: only after the clock was set back.
void SampleBook::take_back_after(std::int64_t series, std::int64_t at_ns) {
  for (auto next = fold_.begin(); next != fold_.end();) {
    auto& points = next->second;
    if (next->first.second == series) std::erase_if(points, [&](const Point& point) { return point.at_ns >= at_ns; });
    next = points.empty() ? fold_.erase(next) : std::next(next);
  }
}

Status SampleBook::write_some(Database& db) {
  auto next = fold_.begin();
  for (std::int64_t count = 0; count < series_a_step && next != fold_.end(); ++count, ++next) {
    const auto& [key, points] = *next;
    const auto& [from, series] = key;
    Rollup rollup;
    rollup.from_ns = from;
    for (const Point& point : points) add(rollup, point, shapes_[series]);
    RONDA_TRY(std::ignore, db.run("REPLACE INTO raw(bucket,series,data) VALUES(?,?,?)", from, series, Blob{encode_points(points)}));
    RONDA_TRY(std::ignore, db.run("REPLACE INTO five(bucket,series,data) VALUES(?,?,?)", from, series, Blob{encode_rollup(rollup)}));
  }
  if (next == fold_.end()) {
    RONDA_TRY(std::ignore, mark(db, "samples_closed", closing_ns_));
    closed_ns_ = closing_ns_;
    newest_.clear();
    phase_ = Phase::erasing;
  }
  fold_.erase(fold_.begin(), next);  // a transaction that fails after this makes whoever calls forget()
  return done();
}

Status SampleBook::erase_some(Database& db) {
  RONDA_TRY(std::ignore, db.run("DELETE FROM sample WHERE seq IN (SELECT seq FROM sample WHERE at<? LIMIT ?)", closed_ns_, erased_a_step));
  if (db.changes() == erased_a_step) return done();
  RONDA_TRY(const auto rows, db.number("SELECT EXISTS(SELECT 1 FROM sample)", 0));
  has_rows_ = rows != 0;
  return start_hour(db);
}

/// The first hour that has something and is not rolled up.
Status SampleBook::start_hour(Database& db) {
  const std::int64_t end = floor_to(closed_ns_, hour_ns);
  phase_ = Phase::forgetting;
  if (end <= hours_ns_) return done();
  RONDA_TRY(const auto first, db.number("SELECT min(bucket) FROM five WHERE bucket>=? AND bucket<?", 0, hours_ns_, end));
  if (first < hours_ns_ || first == 0) {
    hours_ns_ = end;
    return mark(db, "hours_closed", end);
  }
  hour_ = floor_to(first, hour_ns);
  hour_series_ = 0;
  RONDA_TRY(last_series_, db.number("SELECT max(id) FROM series", 0));
  phase_ = Phase::hours;
  return done();
}

Status SampleBook::fold_hours(Database& db) {
  std::map<std::int64_t, Rollup> rolled;
  const std::int64_t upto = std::min(hour_series_, INT64_MAX - series_a_step) + series_a_step;
  for (std::int64_t from = hour_; from < hour_ + hour_ns; from += five_minutes_ns) {
    RONDA_TRY(std::ignore, db.each(
                               "SELECT series,data FROM five WHERE bucket=? AND series>? AND series<=?",
                               [&](const Row& row) {
                                 const auto five = decode_rollup(from, row.text(1));
                                 if (five) merge(rolled[row.integer(0)], *five, shapes_[row.integer(0)]);
                               },
                               from, hour_series_, upto));
  }
  for (auto& [series, rollup] : rolled) {
    rollup.from_ns = hour_;
    RONDA_TRY(std::ignore, db.run("REPLACE INTO hours(bucket,series,data) VALUES(?,?,?)", hour_, series, Blob{encode_rollup(rollup)}));
    RONDA_TRY(std::ignore, db.run("UPDATE series SET seen=? WHERE id=? AND seen<?", hour_, series, hour_ - series_kept_unseen));
  }
  // from one that is there to the next: a damaged number may be anywhere
  RONDA_TRY(const auto next, db.number("SELECT min(id) FROM series WHERE id>?", 0, upto));
  hour_series_ = std::max(upto, next - 1);
  if (hour_series_ < last_series_) return done();
  hours_ns_ = hour_ + hour_ns;
  RONDA_TRY(std::ignore, mark(db, "hours_closed", hours_ns_));
  return start_hour(db);
}

Status SampleBook::forget_some(Database& db, std::int64_t now) {
  if (!retention_) {
    next_forget_ns_ = now + five_minutes_ns;
    phase_ = Phase::idle;
    return done();
  }
  std::int64_t most = 0;
  const auto drop = [&](const char* sql, std::int64_t before) -> Status {
    RONDA_TRY(std::ignore, db.run(sql, before, forgotten_a_step));
    most = std::max(most, db.changes());
    return done();
  };
  // a bucket goes when its last point is too old, not its first
  RONDA_TRY(std::ignore, drop("DELETE FROM raw WHERE (bucket,series) IN (SELECT bucket,series FROM raw WHERE bucket<? LIMIT ?)",
                              now - retention_->raw_ns - five_minutes_ns));
  RONDA_TRY(std::ignore, drop("DELETE FROM five WHERE (bucket,series) IN (SELECT bucket,series FROM five WHERE bucket<? LIMIT ?)",
                              floor_to(now - retention_->five_minutes_ns, hour_ns)));  // whole hours: one may be made again
  RONDA_TRY(std::ignore, drop("DELETE FROM hours WHERE (bucket,series) IN (SELECT bucket,series FROM hours WHERE bucket<? LIMIT ?)",
                              now - retention_->hours_ns - hour_ns));
  // and series that have nothing left; those that are remembered by their number may be among them
  RONDA_TRY(std::ignore, drop("DELETE FROM series WHERE id IN (SELECT id FROM series WHERE seen<? LIMIT ?)",
                              now - retention_->hours_ns - 2 * series_kept_unseen));
  if (db.changes() > 0) ids_.clear();
  if (most == forgotten_a_step) return done();
  next_forget_ns_ = now + hour_ns;
  phase_ = Phase::idle;
  return done();
}

}  // namespace ronda::store
