// SPDX-License-Identifier: Apache-2.0
#include "store/sketch.hpp"

#include <algorithm>
#include <cmath>
#include <random>

#include "catch.hpp"
#include "store/sample.hpp"

using namespace ronda::store;

namespace {

/// Values over many powers of ten, both signs, zeros among them.
double any_value(std::mt19937_64& random) {
  const auto draw = [&](std::uint64_t bound) { return random() % bound; };
  if (draw(20) == 0) return 0;
  if (draw(3) == 0) return static_cast<double>(draw(60)) - 10;
  const double size = std::pow(10, static_cast<double>(draw(26)) - 10) * (1 + static_cast<double>(draw(1'000'000)) / 1e6);
  return draw(2) == 0 ? size : -size;
}

Rollup rolled(std::span<const Point> points, Shape shape) {
  Rollup out;
  for (const Point& point : points) add(out, point, shape);
  return out;
}

}  // namespace

TEST_CASE("a percentile of a sketch is within 1/64 of the one by nearest rank, of 500 random samples", "[store]") {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    std::mt19937_64 random(seed);
    std::vector<double> values;
    Sketch sketch;
    for (std::size_t size = 1 + random() % 300; values.size() < size;) {
      values.push_back(any_value(random));
      sketch.add(values.back());
    }
    std::ranges::sort(values);
    for (const double share : {0.0, 0.05, 0.5, 0.95, 0.99, 1.0}) {
      const auto rank = static_cast<std::size_t>(std::max(std::ceil(share * static_cast<double>(values.size())), 1.0));
      const double exact = values[rank - 1], got = *sketch.percentile(share);
      INFO("seed " << seed << ", share " << share << ", exact " << exact << ", got " << got);
      REQUIRE(std::abs(got - exact) <= sketch_error * std::abs(exact));
    }
    REQUIRE(sketch.count() == values.size());
  }
}

TEST_CASE("sketches merged in any order are the sketch of all", "[store]") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    std::mt19937_64 random(seed);
    Sketch all, left, right;
    for (int i = 0; i < 200; ++i) {
      const double value = any_value(random);
      all.add(value);
      (random() % 2 == 0 ? left : right).add(value);
    }
    Sketch a = left, b = right;
    a.merge(right);
    b.merge(left);
    INFO("seed " << seed);
    REQUIRE(a == all);
    REQUIRE(b == all);
    REQUIRE(*Sketch::decode(all.encode()) == all);
  }
}

TEST_CASE("small whole numbers are counted apart", "[store]") {
  Sketch sketch;
  for (int value = -64; value <= 64; ++value) sketch.add(value, static_cast<std::uint32_t>(value + 65));
  for (int value = -63; value <= 63; ++value) CHECK(sketch.count_of(value) == static_cast<std::uint64_t>(value + 65));
  CHECK(sketch.count_of(65) == 129);  // with 64 in one
  CHECK(Sketch().count_of(0) == 0);
}

TEST_CASE("a sketch takes what there is of numbers: nothing that is none, and the largest as large", "[store]") {
  Sketch sketch;
  sketch.add(std::nan(""));
  sketch.add(INFINITY);
  CHECK(sketch.count() == 0);
  CHECK_FALSE(sketch.percentile(0.5));
  sketch.add(1e300);
  CHECK(*sketch.percentile(0.5) > 4e21);
  sketch.add(-1e-300);
  CHECK(*sketch.percentile(0) == 0);
  CHECK(*Sketch::decode(Sketch().encode()) == Sketch());
}

TEST_CASE("a sketch of thirty values in a range of ten has at most 61 bytes", "[store]") {
  std::mt19937_64 random(4);
  Sketch sketch;
  for (int i = 0; i < 30; ++i) sketch.add(0.1 + static_cast<double>(random() % 900) / 1000);
  CHECK(sketch.encode().size() <= 1 + 30 * 2);
}

TEST_CASE("no bytes make a sketch, a roll-up or points of what they are not", "[store]") {
  Rollup rollup;
  for (int i = 0; i < 20; ++i) add(rollup, {i * 1000, i * 1.5}, Shape::gauge);
  const std::string sketch = rollup.sketch.encode(), whole = encode_rollup(rollup);
  for (std::size_t cut = 0; cut < sketch.size(); ++cut) CHECK_FALSE(Sketch::decode(std::string_view(sketch).substr(0, cut)));
  for (std::size_t cut = 0; cut < whole.size(); ++cut) CHECK_FALSE(decode_rollup(0, std::string_view(whole).substr(0, cut)));
  CHECK_FALSE(Sketch::decode(sketch + "x"));
  std::mt19937_64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes(random() % 40, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    const auto decoded = Sketch::decode(bytes);
    if (decoded) CHECK(Sketch::decode(decoded->encode()) == decoded);
    (void)decode_rollup(0, bytes);
    (void)decode_points(bytes);
  }
}

TEST_CASE("roll-ups of parts make the roll-up of the whole, over resets of a counter", "[store]") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    std::mt19937_64 random(seed);
    std::vector<Point> points;
    std::int64_t at = static_cast<std::int64_t>(random() % 1'000'000'000);
    for (int i = 0; i < 60; ++i) {
      at += static_cast<std::int64_t>(random() % 20'000'000'000);
      points.push_back({at, random() % 9 == 0 ? 0 : std::abs(any_value(random))});
    }
    const Shape shape = random() % 2 == 0 ? Shape::counter : Shape::gauge;
    const std::size_t first = random() % 60, second = first + random() % (60 - first);
    Rollup merged;
    for (const auto& [from, until] : {std::pair{std::size_t{0}, first}, {first, second}, {second, std::size_t{60}}})
      merge(merged, rolled(std::span(points).subspan(from, until - from), shape), shape);
    const Rollup whole = rolled(points, shape);
    INFO("seed " << seed);
    REQUIRE(merged.sum == Approx(whole.sum));
    REQUIRE(merged.increase == Approx(whole.increase));
    merged.sum = whole.sum;
    merged.increase = whole.increase;
    REQUIRE(merged == whole);
    REQUIRE(*decode_rollup(whole.from_ns, encode_rollup(whole)) == whole);
  }
}

TEST_CASE("points come back from their bytes as they were", "[store]") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    std::mt19937_64 random(seed);
    std::vector<Point> points;
    std::int64_t at = static_cast<std::int64_t>(random() % 4'000'000'000'000'000'000) - 1'000'000'000'000'000'000;
    for (std::size_t i = random() % 100; i > 0; --i) {
      at += 1 + static_cast<std::int64_t>(random() % 100'000'000'000);
      points.push_back({at, random() % 4 == 0 ? -0.0 : any_value(random)});
    }
    INFO("seed " << seed);
    REQUIRE(decode_points(encode_points(points)) == points);
  }
  CHECK(decode_points("").empty());
}

TEST_CASE("points at a steady pace cost few bytes", "[store]") {
  std::mt19937_64 random(9);
  std::vector<Point> whole, fractions;
  for (std::int64_t i = 0; i < 30; ++i) {
    const std::int64_t at = 1'790'000'000'000'000'000 + i * 10'000'000'000 + static_cast<std::int64_t>(random() % 2'000'000);
    whole.push_back({at, static_cast<double>(random() % 50)});
    fractions.push_back({at, 0.2 + static_cast<double>(random() % 100'000) / 1e6});
  }
  CHECK(encode_points(whole).size() < 30 * 8);
  CHECK(encode_points(fractions).size() < 30 * 13);
  std::vector<Point> steady;
  for (std::int64_t i = 0; i < 30; ++i) steady.push_back({1'790'000'000'000'000'000 + i * 10'000'000'000, 1});
  CHECK(encode_points(steady).size() < 90);
}
