// SPDX-License-Identifier: Apache-2.0
#include "store/sketch.hpp"

#include <algorithm>
#include <cmath>

#include "store/bytes.hpp"

namespace ronda::store {
namespace {

constexpr int parts = 32, lowest_octave = -40, highest_octave = 71;
constexpr int highest_index = (highest_octave - lowest_octave + 1) * parts;

int index_of(double value) {
  int exponent = 0;
  const double fraction = std::frexp(std::abs(value), &exponent);  // in [0.5, 1)
  const int octave = exponent - 1;
  if (value == 0 || octave < lowest_octave) return 0;
  const int part =
      octave > highest_octave ? highest_index : (octave - lowest_octave) * parts + static_cast<int>((fraction * 2 - 1) * parts) + 1;
  return value < 0 ? -part : part;
}

double middle_of(int index) {
  if (index == 0) return 0;
  const int place = std::abs(index) - 1;
  const double value = std::ldexp(1 + (place % parts + 0.5) / parts, place / parts + lowest_octave);
  return index < 0 ? -value : value;
}

}  // namespace

void Sketch::add(double value, std::uint32_t times) {
  if (!std::isfinite(value) || times == 0) return;
  const int index = index_of(value);
  const auto place = std::ranges::lower_bound(buckets_, index, {}, &Bucket::index);
  if (place != buckets_.end() && place->index == index)
    place->count += times;
  else
    buckets_.insert(place, {index, times});
  count_ += times;
}

void Sketch::merge(const Sketch& other) {
  std::vector<Bucket> both;
  both.reserve(buckets_.size() + other.buckets_.size());
  std::ranges::merge(buckets_, other.buckets_, std::back_inserter(both), {}, &Bucket::index, &Bucket::index);
  buckets_.clear();
  for (const Bucket& one : both) {
    if (!buckets_.empty() && buckets_.back().index == one.index)
      buckets_.back().count += one.count;
    else
      buckets_.push_back(one);
  }
  count_ += other.count_;
}

std::optional<double> Sketch::percentile(double share) const {
  if (count_ == 0) return {};
  const auto total = static_cast<double>(count_);
  const double rank = std::clamp(std::ceil(share * total), 1.0, total);
  std::uint64_t passed = 0;
  for (const Bucket& bucket : buckets_) {
    passed += bucket.count;
    if (static_cast<double>(passed) >= rank) return middle_of(bucket.index);
  }
  return middle_of(buckets_.back().index);
}

std::uint64_t Sketch::count_of(double value) const {
  const int index = index_of(value);
  const auto place = std::ranges::lower_bound(buckets_, index, {}, &Bucket::index);
  return place != buckets_.end() && place->index == index ? place->count : 0;
}

std::string Sketch::encode() const {
  std::string out;
  put_number(out, buckets_.size());
  std::int32_t before = 0;
  for (const Bucket& bucket : buckets_) {
    put_signed(out, bucket.index - before);
    put_number(out, bucket.count);
    before = bucket.index;
  }
  return out;
}

std::optional<Sketch> Sketch::decode(std::string_view text) {
  ByteReader reader(text);
  Sketch out;
  const std::uint64_t size = reader.number();
  std::int64_t index = 0;
  for (std::uint64_t i = 0; i < size && reader.good(); ++i) {
    const std::int64_t step = reader.signed_number();
    const std::uint64_t count = reader.number();
    if (step < -2 * highest_index || step > 2 * highest_index || (i > 0 && step <= 0)) return {};
    index += step;
    if (index < -highest_index || index > highest_index || count == 0 || count > UINT32_MAX) return {};
    out.buckets_.push_back({static_cast<std::int32_t>(index), static_cast<std::uint32_t>(count)});
    out.count_ += count;
  }
  if (!reader.good() || !reader.at_end()) return {};
  return out;
}

}  // namespace ronda::store
