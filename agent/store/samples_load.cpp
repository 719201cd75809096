// SPDX-License-Identifier: Apache-2.0
// Samples read back. What is closed comes from the roll-ups, what is not from the rows as they came, and nothing from both.
#include <algorithm>
#include <tuple>

#include "store/bytes.hpp"
#include "store/samples.hpp"

namespace ronda::store {
namespace {

Labels decode_labels(std::string_view bytes) {
  Labels out;
  while (!bytes.empty()) {
    std::string texts[2];
    for (std::string& text : texts) {
      ByteReader reader(bytes);
      const std::uint64_t size = reader.number();
      if (!reader.good() || size > reader.rest().size()) return out;
      text = reader.rest().substr(0, size);
      bytes = reader.rest().substr(size);
    }
    out.emplace_back(std::move(texts[0]), std::move(texts[1]));
  }
  return out;
}

}  // namespace

Result<std::vector<LoadedSeries>> SampleBook::load(Database& db, const SampleQuery& query) {
  RONDA_TRY(std::ignore, begin(db));
  std::vector<LoadedSeries> all;
  std::vector<std::int64_t> ids;
  RONDA_TRY(std::ignore, db.each(
                             "SELECT id,metric,labels,unit,shape FROM series WHERE name=?1 AND (?2='' OR metric=?2) ORDER BY metric,labels",
                             [&](const Row& row) {
                               ids.push_back(row.integer(0));
                               all.push_back({{query.check, std::string(row.text(1)), decode_labels(row.text(2)), std::string(row.text(3)),
                                               static_cast<Shape>(row.integer(4) & 1)},
                                              {},
                                              {}});
                             },
                             query.check, query.metric));
  std::map<std::int64_t, std::vector<Point>*> recent;
  std::size_t points = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    recent[ids[i]] = &all[i].points;
    if (query.level == SampleLevel::raw) {
      RONDA_TRY(std::ignore, load_points(db, ids[i], query, all[i].points));
      points += all[i].points.size();
      if (query.most_points != 0 && points > query.most_points)
        return Error(Errc::invalid, "more than " + std::to_string(query.most_points) + " samples: ask for a shorter time");
    } else {
      RONDA_TRY(std::ignore, load_rollups(db, ids[i], query, all[i].rollups));
    }
  }
  if (query.level == SampleLevel::raw && query.until_ns >= closed_ns_ && !all.empty()) {
    RONDA_TRY(std::ignore, load_recent(db, query, recent));
  }
  return all;
}

Status SampleBook::load_points(Database& db, std::int64_t series, const SampleQuery& query, std::vector<Point>& out) {
  const std::int64_t end = std::min(closed_ns_, query.until_ns + 1);
  RONDA_TRY(const auto oldest, db.number("SELECT min(bucket) FROM raw", 0));
  if (oldest == 0) return done();  // empty
  for (std::int64_t from = std::max(oldest, floor_to(query.after_ns, five_minutes_ns)); from < end; from += five_minutes_ns) {
    RONDA_TRY(std::ignore, db.each(
                               "SELECT data FROM raw WHERE bucket=? AND series=?",
                               [&](const Row& row) {
                                 for (const Point& point : decode_points(row.text(0))) {
                                   if (point.at_ns > query.after_ns && point.at_ns <= query.until_ns) out.push_back(point);
                                 }
                               },
                               from, series));
  }
  return done();
}

Status SampleBook::load_recent(Database& db, const SampleQuery& query, std::map<std::int64_t, std::vector<Point>*>& series) {
  return db.each(
      "SELECT at,data FROM sample WHERE at>=? ORDER BY seq",
      [&](const Row& row) {
        const std::int64_t at = row.integer(0);
        ByteReader reader(row.text(1));
        while (!reader.at_end()) {
          const auto found = series.find(static_cast<std::int64_t>(reader.number()));
          const double value = reader.floating(0);
          if (!reader.good()) return;
          if (found == series.end()) continue;
          std::vector<Point>& points = *found->second;
          while (!points.empty() && points.back().at_ns >= at) points.pop_back();
          if (at > query.after_ns && at <= query.until_ns) points.push_back({at, value});
        }
      },
      closed_ns_);
}

Status SampleBook::load_rollups(Database& db, std::int64_t series, const SampleQuery& query, std::vector<Rollup>& out) {
  const bool hours = query.level == SampleLevel::hours;
  const std::int64_t length = hours ? hour_ns : five_minutes_ns;
  const std::int64_t closed = hours ? hours_ns_ : closed_ns_;
  RONDA_TRY(const auto oldest, hours ? db.number("SELECT min(bucket) FROM hours", 0) : db.number("SELECT min(bucket) FROM five", 0));
  if (oldest == 0) return done();  // empty
  const std::int64_t begin = std::max(oldest, floor_to(query.after_ns, length) + length);
  for (std::int64_t from = begin; from <= query.until_ns && from + length <= closed; from += length) {
    const auto keep = [&](const Row& row) {
      auto rollup = decode_rollup(from, row.text(0));
      if (rollup && rollup->count > 0) out.push_back(*std::move(rollup));
    };
    RONDA_TRY(std::ignore, hours ? db.each("SELECT data FROM hours WHERE bucket=? AND series=?", keep, from, series)
                                 : db.each("SELECT data FROM five WHERE bucket=? AND series=?", keep, from, series));
  }
  return done();
}

}  // namespace ronda::store
