// SPDX-License-Identifier: Apache-2.0
#include "store/samples.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <map>
#include <random>
#include <tuple>

#include "agent/store/faulty_vfs.hpp"
#include "agent/store/samples_support.hpp"
#include "catch.hpp"
#include "store/schema.hpp"

using namespace ronda;
using namespace ronda::store;
using namespace ronda::store::test;

namespace {

constexpr std::int64_t begin = samples_begin;

void must_be(const Status& status) {
  INFO((status ? "" : status.error().message()));
  REQUIRE(status);
}

SeriesRef series_of(std::string check, std::string metric, Shape shape = Shape::gauge) {
  return std::make_shared<SeriesKey>(SeriesKey{std::move(check), std::move(metric), {}, "s", shape});
}

/// The tables alone, without a thread, under a clock that the test turns.
struct Book {
  explicit Book(const std::string& path) : db(*Database::open(path, "")) {
    must_be(db.set_up());
    must_be(db.script("PRAGMA synchronous=OFF"));  // as many commits as in a year
    must_be(migrate(db));
    book.set_retention({});
  }
  std::uint64_t write(std::vector<Sampled> samples, std::int64_t now) {
    std::uint64_t late = 0;
    must_be(db.transaction([&] { return book.write(db, samples, now, &late); }));
    return late;
  }
  /// All that is due; how many pieces it was, and the most rows that one of them changed.
  std::pair<int, int> work(std::int64_t now) {
    int pieces = 0, most = 0;
    while (book.is_due(now)) {
      const int before = sqlite3_total_changes(db.raw());
      must_be(book.step(db, now));
      most = std::max(most, sqlite3_total_changes(db.raw()) - before);
      ++pieces;
      REQUIRE(pieces < 100'000);
    }
    return {pieces, most};
  }
  std::vector<LoadedSeries> load(SampleLevel level, std::int64_t after, std::int64_t until, const std::string& metric = "") {
    auto loaded = book.load(db, {"api", metric, level, after, until});
    REQUIRE(loaded);
    return *std::move(loaded);
  }
  std::int64_t rows(const char* sql) { return *db.number(sql, -1); }

  Database db;
  SampleBook book;
};

Rollup rolled(std::span<const Point> points, std::int64_t from, Shape shape) {
  Rollup out;
  out.from_ns = from;
  for (const Point& point : points) add(out, point, shape);
  return out;
}

/// Word for word: everything of each stretch of this length that is over.
std::vector<Rollup> expected_rollups(const std::vector<Point>& points, std::int64_t length, std::int64_t closed, Shape shape) {
  std::map<std::int64_t, std::vector<Point>> by_time;
  for (const Point& point : points) by_time[point.at_ns - point.at_ns % length].push_back(point);
  std::vector<Rollup> out;
  for (const auto& [from, inside] : by_time) {
    if (from + length <= closed) out.push_back(rolled(inside, from, shape));
  }
  return out;
}

}  // namespace

TEST_CASE("samples and their roll-ups are what came, of 40 random series of random pace, at any time", "[store]") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    std::mt19937_64 random(seed);
    const Scratch scratch;
    Book book(scratch / "samples.db");
    const std::vector<SeriesRef> all = {series_of("api", "a"), series_of("api", "b", Shape::counter), series_of("api", "c"),
                                        series_of("db", "a")};
    std::map<const SeriesKey*, std::vector<Point>> sent;
    std::int64_t now = begin + static_cast<std::int64_t>(random() % (100 * minute));
    const std::int64_t step = 1 + static_cast<std::int64_t>(random() % (3 * minute));
    for (int batch = 0; batch < 150; ++batch) {
      std::vector<Sampled> samples;
      for (std::uint64_t i = random() % 5; i > 0; --i) {
        now += 1 + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(step));
        Sampled& one = samples.emplace_back();
        one.at_ns = now;
        for (const SeriesRef& series : all) {
          if (random() % 4 == 0) continue;
          one.values.emplace_back(series, static_cast<double>(random() % 1000));  // whole: sums are exact in any order
          sent[series.get()].push_back({now, one.values.back().second});
        }
      }
      REQUIRE(book.write(std::move(samples), now) == 0);
      if (random() % 3 == 0) book.work(now);
      if (random() % 20 == 0) book.book.forget();  // as after a roll-back, or a start
    }
    INFO("seed " << seed);
    // before the last work and after it
    for (int round = 0; round < 2; ++round) {
      const auto raw = book.load(SampleLevel::raw, begin - 1, now);
      REQUIRE(raw.size() == 3);
      for (std::size_t i = 0; i < 3; ++i) REQUIRE(raw[i].points == sent[all[i].get()]);
      book.work(now);
    }
    const std::int64_t closed = floor_to(now - SampleBook::grace_ns, five_minutes_ns);
    for (std::size_t i = 0; i < 3; ++i) {
      const auto fives = book.load(SampleLevel::five_minutes, begin - hour_ns, now)[i].rollups;
      REQUIRE(fives == expected_rollups(sent[all[i].get()], five_minutes_ns, closed, all[i]->shape));
      const auto hours = book.load(SampleLevel::hours, begin - hour_ns, now)[i].rollups;
      REQUIRE(hours == expected_rollups(sent[all[i].get()], hour_ns, floor_to(closed, hour_ns), all[i]->shape));
    }
    REQUIRE(book.rows("SELECT count(*) FROM sample WHERE at<(SELECT value FROM meta WHERE name='samples_closed')") == 0);
  }
}

TEST_CASE("pieces of any two loads fit together: nothing is missing between them, nothing in both", "[store]") {
  const Scratch scratch;
  Book book(scratch / "samples.db");
  const auto series = series_of("api", "a");
  for (std::int64_t at = begin; at < begin + 3 * hour_ns; at += 7 * second) book.write({{at, {{series, 1}}}}, at);
  book.work(begin + 3 * hour_ns);
  for (std::int64_t cut = begin + 1; cut < begin + 3 * hour_ns; cut += 17 * minute + 13 * second) {
    for (const SampleLevel level : {SampleLevel::raw, SampleLevel::five_minutes, SampleLevel::hours}) {
      const auto whole = book.load(level, begin - 1, begin + day), left = book.load(level, begin - 1, cut),
                 right = book.load(level, cut, begin + day);
      REQUIRE(left[0].points.size() + right[0].points.size() == whole[0].points.size());
      REQUIRE(left[0].rollups.size() + right[0].rollups.size() == whole[0].rollups.size());
      REQUIRE(whole[0].points.size() + whole[0].rollups.size() > 0);
    }
  }
}

TEST_CASE("each piece of the work is bounded, however many series there are", "[store]") {
  const Scratch scratch;
  Book book(scratch / "samples.db");
  std::vector<SeriesRef> all;
  for (int i = 0; i < 2000; ++i) all.push_back(series_of("api", "m" + std::to_string(i)));
  std::int64_t now = begin;
  for (; now < begin + hour_ns + minute; now += 2 * minute) {
    std::vector<Sampled> samples;
    for (std::size_t i = 0; i < all.size(); i += 4)
      samples.push_back({now, {{all[i], 1}, {all[i + 1], 2}, {all[i + 2], 3}, {all[i + 3], 4}}});
    book.write(std::move(samples), now);
    const auto [pieces, most] = book.work(now);
    INFO("pieces " << pieces);
    CHECK(most <= 2000);  // rows of samples erased; of roll-ups 2 for each of 100 series
    CHECK(pieces <= 5 + 2000 / 100 + 2 + 2);
  }
  // the hour: 2,000 series by 100
  const auto [pieces, most] = book.work(begin + hour_ns + 6 * minute);
  CHECK(pieces >= 20 + 20);
  CHECK(pieces <= 2 * 20 + 20 + 10);  // two times of five minutes, and the hour
  CHECK(most <= 2000);
  CHECK(book.rows("SELECT count(*) FROM hours") == 2000);
}

TEST_CASE("a piece of an hour's work reads no more rows than its series have, counted by the steps of the database", "[store]") {
  const auto steps_for = [](int series_count) {
    const Scratch scratch;
    Book book(scratch / "samples.db");
    std::vector<SeriesRef> all;
    for (int i = 0; i < series_count; ++i) all.push_back(series_of("api", "m" + std::to_string(i)));
    for (std::int64_t now = begin; now < begin + hour_ns; now += 5 * minute) {
      Sampled one{now, {}};
      for (const SeriesRef& series : all) one.values.emplace_back(series, 1);
      book.write({one}, now);
    }
    int most = 0, steps = 0;
    sqlite3_progress_handler(
        book.db.raw(), 100,
        [](void* count) {
          ++*static_cast<int*>(count);
          return 0;
        },
        &steps);
    while (book.book.is_due(begin + hour_ns + minute)) {
      steps = 0;
      must_be(book.book.step(book.db, begin + hour_ns + minute));
      most = std::max(most, steps);
    }
    sqlite3_progress_handler(book.db.raw(), 0, nullptr, nullptr);
    return most;
  };
  const int few = steps_for(100), many = steps_for(1000);
  INFO(few << " and " << many << " hundred instructions of the database");
  CHECK(many <= few * 2);  // ten times the series, the same piece
}

TEST_CASE("460 days of samples stay within what their retention leaves", "[store]") {
  const Scratch scratch;
  Book book(scratch / "samples.db");
  const std::vector<SeriesRef> all = {series_of("api", "total"), series_of("api", "requests", Shape::counter)};
  std::mt19937_64 random(5);
  double requests = 0;
  std::int64_t size_at_420 = 0;
  const auto bytes = [&] { return book.rows("PRAGMA page_count") * book.rows("PRAGMA page_size"); };
  std::int64_t now = begin;
  for (int day_number = 0; day_number < 460; ++day_number) {
    std::vector<Sampled> samples;
    for (int i = 0; i < 288 * 2; ++i, now += 150 * second) {
      requests += static_cast<double>(random() % 100);
      samples.push_back({now, {{all[0], static_cast<double>(random() % 1000) / 1e3}, {all[1], requests}}});
    }
    REQUIRE(book.write(std::move(samples), now) == 0);
    book.work(now);
    if (day_number == 419) size_at_420 = bytes();
  }
  const std::int64_t buckets_a_day = 288 * 2;
  CHECK(book.rows("SELECT count(*) FROM raw") <= 2 * buckets_a_day + 4);
  CHECK(book.rows("SELECT count(*) FROM raw") >= 2 * buckets_a_day - 4);
  CHECK(book.rows("SELECT count(*) FROM five") <= 30 * buckets_a_day + 24 + 4);  // whole hours go
  CHECK(book.rows("SELECT count(*) FROM five") >= 30 * buckets_a_day - 4);
  CHECK(book.rows("SELECT count(*) FROM hours") <= 400 * 24 * 2 + 4);
  CHECK(book.rows("SELECT count(*) FROM hours") >= 400 * 24 * 2 - 4);
  CHECK(book.rows("SELECT count(*) FROM sample") <= 3);
  CHECK(bytes() <= size_at_420 + size_at_420 / 20);
  INFO(bytes() << " bytes");
  CHECK(bytes() < 8'000'000);
  // what the counter grew over the last year is there to the last one
  const auto hours = book.load(SampleLevel::hours, now - 365 * day, now, "requests")[0].rollups;
  Rollup year;
  for (const Rollup& hour : hours) merge(year, hour, Shape::counter);
  CHECK(year.increase == year.last - year.first);
  CHECK(year.count == hours.size() * 24);
}

TEST_CASE("more samples than were asked for at most are an error, not half of them", "[store]") {
  const Scratch scratch;
  Book book(scratch / "samples.db");
  const auto a = series_of("api", "a"), b = series_of("api", "b");
  for (int i = 1; i <= 4; ++i) book.write({{begin + i * minute, {{a, 1}, {b, 2}}}}, begin + i * minute);
  book.work(begin + 6 * minute);
  SampleQuery query{"api", "", SampleLevel::raw, begin, begin + 5 * minute, 8};
  CHECK(book.book.load(book.db, query));
  query.most_points = 7;
  const auto refused = book.book.load(book.db, query);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message().find("ask for a shorter time") != std::string::npos);
}

TEST_CASE("a sample of a time that is closed comes too late, is left out and counted", "[store]") {
  const Scratch scratch;
  Book book(scratch / "samples.db");
  const auto series = series_of("api", "a");
  book.write({{begin + minute, {{series, 1}}}}, begin + minute);
  // 15 s after the end of its five minutes it is closed, not before
  book.work(begin + five_minutes_ns + SampleBook::grace_ns - 1);
  CHECK(book.write({{begin + 2 * minute, {{series, 2}}}}, begin + five_minutes_ns + SampleBook::grace_ns - 1) == 0);
  book.work(begin + five_minutes_ns + SampleBook::grace_ns);
  CHECK(book.write({{begin + 3 * minute, {{series, 3}}}, {begin + five_minutes_ns, {{series, 4}}}}, begin + 6 * minute) == 1);
  book.work(begin + 11 * minute);
  const auto raw = book.load(SampleLevel::raw, begin, begin + day)[0].points;
  REQUIRE(raw.size() == 3);
  CHECK(raw[1].value == 2);
  CHECK(raw[2].value == 4);
  CHECK(book.load(SampleLevel::five_minutes, begin - 1, begin + day)[0].rollups[0].count == 2);
}

TEST_CASE("a sample that comes while its time is being closed is too late too, so that nothing is counted half", "[store]") {
  const Scratch scratch;
  Book book(scratch / "samples.db");
  const auto series = series_of("api", "a");
  book.write({{begin + minute, {{series, 1}}}}, begin + minute);
  const std::int64_t now = begin + 6 * minute;
  must_be(book.book.step(book.db, now));  // begins
  CHECK(book.write({{begin + 2 * minute, {{series, 2}}}}, now) == 1);
  book.work(now);
  CHECK(book.load(SampleLevel::five_minutes, begin - 1, begin + day)[0].rollups[0].count == 1);
}

TEST_CASE("a clock that is set back within five minutes takes back what lies after it", "[store]") {
  const Scratch scratch;
  Book book(scratch / "samples.db");
  const auto series = series_of("api", "a", Shape::counter), other = series_of("api", "b");
  for (int i = 0; i < 8; ++i) book.write({{begin + i * 30 * second, {{series, double(i)}, {other, 1}}}}, begin + i * 30 * second);
  // from 15:03:30 to 15:01:10
  for (int i = 0; i < 4; ++i)
    book.write({{begin + 70 * second + i * 30 * second, {{series, double(8 + i)}}}}, begin + 70 * second + i * 30 * second);
  const auto expected = std::vector<Point>{{begin, 0},
                                           {begin + 30 * second, 1},
                                           {begin + 60 * second, 2},
                                           {begin + 70 * second, 8},
                                           {begin + 100 * second, 9},
                                           {begin + 130 * second, 10},
                                           {begin + 160 * second, 11}};
  CHECK(book.load(SampleLevel::raw, begin - 1, begin + day, "a")[0].points == expected);
  book.work(begin + 6 * minute);
  CHECK(book.load(SampleLevel::raw, begin - 1, begin + day, "a")[0].points == expected);
  CHECK(book.load(SampleLevel::five_minutes, begin - 1, begin + day, "a")[0].rollups[0].increase == 11);  // no reset
  CHECK(book.load(SampleLevel::raw, begin - 1, begin + day, "b")[0].points.size() == 8);                  // another series is not touched
}

TEST_CASE("a clock that was an hour ahead is followed back after ten minutes, and the hour is replaced as it passes again", "[store]") {
  const Scratch scratch;
  Book book(scratch / "samples.db");
  const auto series = series_of("api", "a");
  const auto feed = [&](std::int64_t from, std::int64_t until, double value) {
    std::uint64_t late = 0;
    for (std::int64_t at = from; at < until; at += minute) {
      late += book.write({{at, {{series, value}}}}, at);
      book.work(at);
    }
    return late;
  };
  feed(begin, begin + 2 * hour_ns, 1);                         // an hour ahead
  CHECK(feed(begin + hour_ns, begin + 3 * hour_ns, 2) == 10);  // set back
  const std::int64_t end = begin + 3 * hour_ns + minute, followed = begin + hour_ns + 10 * minute;
  book.work(end);
  const auto fives = book.load(SampleLevel::five_minutes, begin - 1, end)[0].rollups;
  REQUIRE(fives.size() == 36);
  for (const Rollup& one : fives) {
    CHECK(one.count == 5);
    CHECK(one.mean() == (one.from_ns < followed ? 1 : 2));
  }
  const auto hours = book.load(SampleLevel::hours, begin - 1, end)[0].rollups;
  REQUIRE(hours.size() == 3);
  CHECK(hours[0].mean() == 1);
  CHECK(hours[1].count == 60);
  CHECK(hours[1].sum == 10 * 1 + 50 * 2);
  CHECK(hours[2].mean() == 2);
}

TEST_CASE("a clock that is wrong in the first minutes of a boot changes nothing", "[store]") {
  const Scratch scratch;
  Book book(scratch / "samples.db");
  const auto series = series_of("api", "a");
  for (std::int64_t at = begin; at < begin + 2 * hour_ns; at += minute) {
    book.write({{at, {{series, 1}}}}, at);
    book.work(at);
  }
  const auto before = book.load(SampleLevel::five_minutes, begin - 1, begin + day)[0].rollups;
  book.book.forget();                                               // another start
  for (std::int64_t at = minute; at < 10 * minute; at += minute) {  // in 1970
    CHECK(book.write({{at, {{series, 1}}}}, at) == 1);
    book.work(at);
  }
  CHECK(book.load(SampleLevel::five_minutes, begin - 1, begin + day)[0].rollups == before);
  CHECK(book.write({{begin + 2 * hour_ns, {{series, 1}}}}, begin + 2 * hour_ns) == 0);
  // and that it is wrong once more does not add up
  CHECK(book.write({{5 * minute, {{series, 1}}}}, 5 * minute) == 1);
  CHECK(book.write({{11 * minute, {{series, 1}}}}, 11 * minute) == 1);
  CHECK(book.load(SampleLevel::five_minutes, begin - 1, begin + day)[0].rollups == before);
}

TEST_CASE("a clock that was a year ahead does not keep samples out for a year", "[store]") {
  const Scratch scratch;
  Book book(scratch / "samples.db");
  const auto series = series_of("api", "a");
  book.write({{begin + 365 * day, {{series, 1}}}}, begin + 365 * day);
  book.work(begin + 365 * day + hour_ns);
  std::uint64_t late = 0;
  for (int i = 0; i < 30; ++i) {
    late += book.write({{begin + i * minute, {{series, 2}}}}, begin + i * minute);
    book.work(begin + i * minute);
  }
  CHECK(late == 10);
  CHECK(book.load(SampleLevel::five_minutes, begin - 1, begin + hour_ns)[0].rollups.size() == 3);
  CHECK(book.load(SampleLevel::raw, begin - 1, begin + hour_ns)[0].points.size() == 20);
}

TEST_CASE("a series that comes in another unit keeps its place and says the new one", "[store]") {
  const Scratch scratch;
  Book book(scratch / "samples.db");
  book.write({{begin, {{series_of("api", "a"), 1}}}}, begin);
  auto other = std::make_shared<SeriesKey>(SeriesKey{"api", "a", {}, "B", Shape::counter});
  book.write({{begin + second, {{other, 2}}}}, begin + second);
  const auto all = book.load(SampleLevel::raw, begin - 1, begin + day);
  REQUIRE(all.size() == 1);
  CHECK(all[0].key == *other);
  CHECK(all[0].points.size() == 2);
}

TEST_CASE("series of which nothing is left are forgotten, and one that comes again is there again", "[store]") {
  const Scratch scratch;
  Book book(scratch / "samples.db");
  const auto series = series_of("api", "a");
  book.write({{begin, {{series, 1}}}}, begin);
  book.work(begin + 2 * hour_ns);
  book.work(begin + 410 * day);
  CHECK(book.rows("SELECT count(*) FROM series") == 0);
  CHECK(book.rows("SELECT count(*) FROM hours") == 0);
  CHECK(book.write({{begin + 411 * day, {{series, 2}}}}, begin + 411 * day) == 0);
  CHECK(book.load(SampleLevel::raw, begin, begin + 500 * day)[0].points.size() == 1);
}

// ---- through the store ----------------------------------------------------------------------

TEST_CASE("a read sees the samples that were observed before it, and labels come back as they were", "[store]") {
  const Scratch scratch;
  Options options = options_at(scratch / "state");
  options.flush_after = std::chrono::hours(1);
  const auto store = *Store::open(std::move(options));
  const auto key =
      std::make_shared<SeriesKey>(SeriesKey{"api", "used", {{"disk", std::string("a\0b", 3)}, {"path", ""}}, "ratio", Shape::gauge});
  store->observe({}, {{noon, {{key, 0.5}}}});
  const auto all = samples(*store, SampleLevel::raw, noon - 1, noon);
  REQUIRE(all.size() == 1);
  CHECK(all[0].key == *key);
  CHECK(all[0].points == std::vector<Point>{{noon, 0.5}});
  CHECK(samples(*store, SampleLevel::raw, noon, noon + day)[0].points.empty());
}

TEST_CASE("a flush without samples costs no statement and no sync more, one with samples no sync more", "[store]") {
  const Scratch scratch;
  FaultyVfs vfs;
  Options options = options_at(scratch / "state");
  options.flush_after = std::chrono::hours(1);
  options.vfs = vfs.name();
  const auto store = *Store::open(std::move(options));
  REQUIRE(append(*store, "x"));
  const auto key = std::make_shared<SeriesKey>(SeriesKey{"api", "m", {}, "", Shape::gauge});
  const auto syncs_for = [&](bool with_samples) {
    const int before = vfs.syncs();
    for (int i = 0; i < 100; ++i) {
      std::vector<Observed> batch = {{{{"check", "api"}, 0, "", "", 1, 1, 1, 0}, {noon + i, 1, 0, ""}}};
      std::vector<Sampled> kept;
      if (with_samples) kept.push_back({noon + i, {{key, 1.0}}});
      store->observe(std::move(batch), std::move(kept));
    }
    REQUIRE(ask<Unit>(*store, &Store::flush));
    return vfs.syncs() - before;
  };
  const int without = syncs_for(false);
  CHECK(syncs_for(false) == without);
  CHECK(syncs_for(true) == without);
  CHECK(store->health().dropped_observed == 0);
}

TEST_CASE("samples that come too late are counted among what was dropped", "[store]") {
  const Scratch scratch;
  const auto now = std::make_shared<std::atomic<std::int64_t>>(begin + minute);
  Options options = options_at(scratch / "state");
  options.wall_ns = [now] { return now->load(); };
  const auto store = *Store::open(std::move(options));
  const auto key = std::make_shared<SeriesKey>(counted_series());
  store->observe({}, {{begin, {{key, 1.0}}}});
  REQUIRE(ask<Unit>(*store, &Store::flush));
  *now = begin + 10 * minute;
  REQUIRE(wait_for([&] { return samples(*store, SampleLevel::five_minutes, begin - 1, begin + day)[0].rollups.size() == 1; }));
  store->observe({}, {{begin + minute, {{key, 1.0}}}});
  REQUIRE(ask<Unit>(*store, &Store::flush));
  CHECK(wait_for([&] {
    REQUIRE(ask<Unit>(*store, &Store::flush));
    return store->health().dropped_observed == 1;
  }));
}

TEST_CASE("what is held is written before its time is closed", "[store]") {
  const Scratch scratch;
  const auto now = std::make_shared<std::atomic<std::int64_t>>(begin + minute);
  Options options = options_at(scratch / "state");
  options.wall_ns = [now] { return now->load(); };
  options.flush_after = std::chrono::hours(1);
  const auto store = *Store::open(std::move(options));
  const auto key = std::make_shared<SeriesKey>(counted_series());
  store->observe({}, {{begin, {{key, 1.0}}}});
  REQUIRE(ask<Unit>(*store, &Store::flush));
  store->observe({}, {{begin + minute, {{key, 2.0}}}});
  *now = begin + 10 * minute;
  REQUIRE(append(*store, "the owner's thread goes round, and flushes nothing for it"));
  REQUIRE(append(*store, "and once more"));
  REQUIRE(wait_for([&] { return samples(*store, SampleLevel::five_minutes, begin - 1, begin + day)[0].rollups.size() == 1; }));
  CHECK(samples(*store, SampleLevel::five_minutes, begin - 1, begin + day)[0].rollups[0].count == 2);
  CHECK(samples(*store, SampleLevel::raw, begin - 1, begin + day)[0].points.size() == 2);
  CHECK(store->health().dropped_observed == 0);
}

TEST_CASE("while the disk does not write, the newest samples are held, and are written when it does", "[store]") {
  const Scratch scratch;
  FaultyVfs vfs;
  Options options = options_at(scratch / "state");
  options.vfs = vfs.name();
  const auto store = *Store::open(std::move(options));
  REQUIRE(append(*store, "x"));
  const auto key = std::make_shared<SeriesKey>(counted_series());
  vfs.fail_writes(1, 1'000'000, SQLITE_IOERR_WRITE);
  store->observe({}, {{noon - 2, {{key, 1.0}}}});
  REQUIRE(wait_for_health(*store, HealthState::failed));
  for (std::int64_t i = 0; i < 30'000; ++i) store->observe({}, {{noon - 1 + i, {{key, double(i)}}}});
  vfs.fail_writes(0, 0, 0);
  REQUIRE(wait_for_health(*store, HealthState::ok));
  REQUIRE(wait_for([&] { return !samples(*store, SampleLevel::raw, 0, noon + day).empty(); }));
  const auto points = samples(*store, SampleLevel::raw, 0, noon + day)[0].points;
  CHECK(points.size() >= 18'000);
  CHECK(points.size() <= 20'000);
  CHECK(points.back().value == 29'999);
  CHECK(wait_for([&] {
    REQUIRE(ask<Unit>(*store, &Store::flush));
    return store->health().dropped_observed == 30'001 - points.size();
  }));
}

TEST_CASE("retention can be shorter, from the next work on", "[store]") {
  const Scratch scratch;
  const auto now = std::make_shared<std::atomic<std::int64_t>>(begin);
  Options options = options_at(scratch / "state");
  options.wall_ns = [now] { return now->load(); };
  const auto store = *Store::open(std::move(options));
  const auto key = std::make_shared<SeriesKey>(counted_series());
  store->keep_samples({hour_ns, day, day});
  for (int i = 0; i < 36; ++i) {
    *now = begin + i * five_minutes_ns + minute;
    store->observe({}, {{now->load(), {{key, double(i)}}}});
    REQUIRE(ask<Unit>(*store, &Store::flush));
  }
  *now = begin + 3 * hour_ns + 20 * second;
  // all of the last hour: what shares its five minutes with one that is older too
  CHECK(wait_for([&] { return samples(*store, SampleLevel::raw, begin - 1, begin + day)[0].points.size() == 12; }));
  CHECK(wait_for([&] { return samples(*store, SampleLevel::five_minutes, begin - 1, begin + day)[0].rollups.size() == 36; }));
}

TEST_CASE("nothing is forgotten before it is said for how long it is kept", "[store]") {
  const Scratch scratch;
  const auto now = std::make_shared<std::atomic<std::int64_t>>(begin);
  const auto open = [&] {
    Options options = options_at(scratch / "state");
    options.wall_ns = [now] { return now->load(); };
    return *Store::open(std::move(options));
  };
  const auto key = std::make_shared<SeriesKey>(counted_series());
  const auto points = [](Store& store) { return samples(store, SampleLevel::raw, begin - 1, begin + day)[0].points.size(); };
  {
    const auto store = open();
    store->observe({}, {{begin, {{key, 1.0}}}});
    REQUIRE(ask<Unit>(*store, &Store::flush));
  }
  *now = begin + 5 * day;
  const auto store = open();
  REQUIRE(wait_for(
      [&] { return samples(*store, SampleLevel::hours, begin - 1, begin + day)[0].rollups.size() == 1; }));  // the work is at its end
  CHECK(points(*store) == 1);
  store->keep_samples({7 * day, 30 * day, 400 * day});
  *now = begin + 5 * day + hour_ns;
  store->observe({}, {{now->load(), {{key, 2.0}}}});
  REQUIRE(ask<Unit>(*store, &Store::flush));
  CHECK(points(*store) == 1);
  store->keep_samples({2 * day, 30 * day, 400 * day});
  *now = begin + 5 * day + 3 * hour_ns;
  CHECK(wait_for([&] {
    REQUIRE(ask<Unit>(*store, &Store::flush));
    const auto left = samples(*store, SampleLevel::raw, begin - 1, begin + day);
    return left.empty() || left[0].points.empty();
  }));
}

TEST_CASE("a database of before there were samples becomes one with them, and keeps what it had", "[store]") {
  const Scratch scratch;
  const std::string state = scratch / "state";
  {
    const auto store = open_at(state);
    REQUIRE(append(*store, "old"));
  }
  {
    auto db = Database::open(state + "/ronda.db", "");
    REQUIRE(db);
    must_be(db->script(back_to_schema(3).c_str()));
  }
  const auto store = open_at(state);
  CHECK(count_of(journal(*store), "test") == 1);
  store->observe({}, {{noon, {{std::make_shared<SeriesKey>(counted_series()), 1.0}}}});
  CHECK(samples(*store, SampleLevel::raw, noon - 1, noon)[0].points.size() == 1);
}
