// SPDX-License-Identifier: Apache-2.0
#include "store/sample.hpp"

#include <algorithm>

#include "store/bytes.hpp"

namespace ronda::store {
namespace {

/// What was stored may be damaged: no sum of it is undefined.
std::int64_t sum_of(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
std::int64_t difference_of(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}

}  // namespace

void add(Rollup& into, const Point& point, Shape shape) {
  if (into.count == 0) {
    into.first = point.value;
    into.first_ns = point.at_ns;
  } else if (shape == Shape::counter) {
    into.increase += increase_between(into.last, point.value);
  }
  into.last = point.value;
  into.last_ns = point.at_ns;
  ++into.count;
  into.min = std::min(into.min, point.value);
  into.max = std::max(into.max, point.value);
  into.sum += point.value;
  into.sketch.add(point.value);
}

void merge(Rollup& into, const Rollup& later, Shape shape) {
  if (later.count == 0) return;
  if (into.count == 0) {
    into.first = later.first;
    into.first_ns = later.first_ns;
  } else if (shape == Shape::counter) {
    into.increase += increase_between(into.last, later.first);
  }
  into.increase += later.increase;
  into.last = later.last;
  into.last_ns = later.last_ns;
  into.count += later.count;
  into.min = std::min(into.min, later.min);
  into.max = std::max(into.max, later.max);
  into.sum += later.sum;
  into.sketch.merge(later.sketch);
}

std::string encode_rollup(const Rollup& rollup) {
  std::string out;
  put_number(out, rollup.count);
  if (rollup.count == 0) return out;
  put_signed(out, difference_of(rollup.first_ns, rollup.from_ns));
  put_signed(out, difference_of(rollup.last_ns, rollup.first_ns));
  double before = 0;
  for (const double value : {rollup.min, rollup.max, rollup.first, rollup.last, rollup.sum, rollup.increase}) {
    put_double(out, value, before);
    before = value;
  }
  return out + rollup.sketch.encode();
}

std::optional<Rollup> decode_rollup(std::int64_t from_ns, std::string_view bytes) {
  ByteReader reader(bytes);
  Rollup out;
  out.from_ns = from_ns;
  out.count = reader.number();
  if (out.count == 0) return reader.good() && reader.at_end() ? std::optional(out) : std::nullopt;
  out.first_ns = sum_of(from_ns, reader.signed_number());
  out.last_ns = sum_of(out.first_ns, reader.signed_number());
  double before = 0;
  for (double* value : {&out.min, &out.max, &out.first, &out.last, &out.sum, &out.increase}) {
    *value = reader.floating(before);
    before = *value;
  }
  auto sketch = reader.good() ? Sketch::decode(reader.rest()) : std::nullopt;
  if (!sketch) return {};
  out.sketch = *std::move(sketch);
  return out;
}

std::string encode_points(std::span<const Point> points) {
  std::string out;
  std::int64_t at = 0, step = 0;
  double value = 0;
  for (const Point& point : points) {
    put_signed(out, difference_of(difference_of(point.at_ns, at), step));  // a steady pace leaves only the jitter
    step = at == 0 ? 0 : difference_of(point.at_ns, at);
    put_double(out, point.value, value);
    at = point.at_ns;
    value = point.value;
  }
  return out;
}

std::vector<Point> decode_points(std::string_view bytes) {
  std::vector<Point> out;
  ByteReader reader(bytes);
  std::int64_t at = 0, step = 0;
  double value = 0;
  while (!reader.at_end()) {
    const std::int64_t next = sum_of(sum_of(at, step), reader.signed_number());
    value = reader.floating(value);
    if (!reader.good()) break;
    step = at == 0 ? 0 : difference_of(next, at);
    at = next;
    out.push_back({at, value});
  }
  return out;
}

}  // namespace ronda::store
