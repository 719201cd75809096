// SPDX-License-Identifier: Apache-2.0
// The tables of samples: what came, one row a result, until its five minutes are over; then per series its points and a
// roll-up of them; every hour the roll-ups of it as one. The owner's thread only; each call is inside a transaction, except
// where it says otherwise.
//
// Nothing is counted twice, whenever the process ends: a roll-up is made from all rows of its time at once and replaces what
// may be there, and that its time is closed is committed with the last of them. Only then do the rows go that it was made of.
//
// Order of time: a sample of a time that is closed already comes too late, is left out and counted. A sample that is dated
// before the one that came before it in its series takes back what lies after it: the clock was set back. Where the clock is
// more than five minutes behind what is closed, and stays so for ten, what is closed ends at the clock, and is replaced as time
// goes over it again.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "store/database.hpp"
#include "store/sample.hpp"
#include "store/types.hpp"

namespace ronda::store {

class SampleBook {
 public:
  static constexpr std::int64_t grace_ns = 15'000'000'000;  // after the end of five minutes, for what is still on its way
  static constexpr std::int64_t patience_ns = 600'000'000'000;  // with a clock that is behind
  static constexpr std::int64_t rows_a_step = 1000, series_a_step = 100;

  /// Until it is known nothing is forgotten.
  void set_retention(const SampleRetention& retention) { retention_ = retention; }

  /// How many came too late is added to `late`.
  Status write(Database& db, std::span<const Sampled> samples, std::int64_t now, std::uint64_t* late);

  /// Whether step() has something to do; costs nothing.
  bool is_due(std::int64_t now) const;
  /// Whether no work is under way: the next step() closes all that lies before its `now`, so write() first what is held.
  bool is_idle() const { return phase_ == Phase::idle; }
  /// A bounded piece of the work. Not inside a transaction: it makes its own.
  Status step(Database& db, std::int64_t now);

  Result<std::vector<LoadedSeries>> load(Database& db, const SampleQuery& query);

  /// The connection is another one, or a transaction was rolled back: what is in memory may be wrong.
  void forget();

 private:
  enum class Phase : std::uint8_t { idle, reading, writing, erasing, hours, forgetting };
  using FoldKey = std::pair<std::int64_t, std::int64_t>;  // beginning, series

  Status begin(Database& db);
  Result<std::int64_t> id_of(Database& db, const SeriesRef& series, std::int64_t now);
  void purge_ids();
  Status set_clock_back(Database& db, std::int64_t now);
  Status start(Database& db, std::int64_t now);
  Status read_some(Database& db);
  void take(std::int64_t at_ns, std::string_view values);
  void take_back_after(std::int64_t series, std::int64_t at_ns);
  Status write_some(Database& db);
  Status erase_some(Database& db);
  Status start_hour(Database& db);
  Status fold_hours(Database& db);
  Status forget_some(Database& db, std::int64_t now);
  Status mark(Database& db, const char* name, std::int64_t value);
  Status load_points(Database& db, std::int64_t series, const SampleQuery& query, std::vector<Point>& out);
  Status load_recent(Database& db, const SampleQuery& query, std::map<std::int64_t, std::vector<Point>*>& series);
  Status load_rollups(Database& db, std::int64_t series, const SampleQuery& query, std::vector<Rollup>& out);

  std::optional<SampleRetention> retention_;
  bool begun_ = false, has_rows_ = false;
  std::int64_t closed_ns_ = 0, hours_ns_ = 0;  // before them everything is rolled up
  std::unordered_map<SeriesRef, std::int64_t> ids_;
  std::size_t ids_purged_at_ = 4096;

  // the work under way
  Phase phase_ = Phase::idle;
  std::int64_t behind_since_ns_ = 0;  // by the clock that is behind
  std::int64_t closing_ns_ = 0;       // what is dated before is closed or being closed
  std::int64_t read_seq_ = 0, hour_ = 0, hour_series_ = 0, last_series_ = 0, next_forget_ns_ = 0;
  std::map<FoldKey, std::vector<Point>> fold_;
  std::unordered_map<std::int64_t, std::int64_t> newest_;  // of a series, while reading
  std::unordered_map<std::int64_t, Shape> shapes_;
};

}  // namespace ronda::store
