// SPDX-License-Identifier: Apache-2.0
// A distribution in little room: a histogram whose buckets grow with the value, so that every percentile is within
// `sketch_error` of the value that was measured there, and any number of them can be merged without loss. Pure.
//
// Buckets: each power of two is cut into 32 parts of equal width (log-linear, as in HdrHistogram); a part is at most
// 1/32 of its lower end, and its middle at most 1/64 of a value in it away. Zero, and what is nearer to it than 2^-40, has a
// bucket of its own; whole numbers up to 64 have too, so what is counted in small whole numbers (a status) is exact.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ronda::store {

/// The largest relative error of a percentile (values between 2^-40 and 2^72; what is larger counts as 2^72).
inline constexpr double sketch_error = 1.0 / 64;

class Sketch {
 public:
  void add(double value, std::uint32_t times = 1);
  void merge(const Sketch& other);

  std::uint64_t count() const { return count_; }
  /// The value of nearest rank, `share` in [0, 1]; nothing when empty.
  std::optional<double> percentile(double share) const;
  /// How many had this value; exact for whole numbers from -64 to 64.
  std::uint64_t count_of(double value) const;

  /// Text for the store: about two bytes for each bucket that is in use.
  std::string encode() const;
  /// What is no sketch is nothing.
  static std::optional<Sketch> decode(std::string_view text);

  bool operator==(const Sketch&) const = default;

 private:
  struct Bucket {
    std::int32_t index = 0;  // in order of the values: negative below zero
    std::uint32_t count = 0;
    bool operator==(const Bucket&) const = default;
  };
  std::vector<Bucket> buckets_;  // by index
  std::uint64_t count_ = 0;
};

}  // namespace ronda::store
