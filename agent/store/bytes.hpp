// SPDX-License-Identifier: Apache-2.0
// Numbers as few bytes, for what is kept in blobs. A reader never reads past the end: it turns bad and answers zeros.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

namespace ronda::store {

/// Seven bits a byte, the lowest first.
inline void put_number(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}
/// Small for what is near to zero on either side. Wraps instead of overflowing.
inline void put_signed(std::string& out, std::int64_t value) {
  put_number(out, (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
}
/// What differs from `before`, without the zero bytes on both ends: one byte where nothing does.
inline void put_double(std::string& out, double value, double before) {
  const std::uint64_t bits = std::bit_cast<std::uint64_t>(value) ^ std::bit_cast<std::uint64_t>(before);
  const int ahead = std::countl_zero(bits) / 8, behind = bits == 0 ? 0 : std::countr_zero(bits) / 8;
  out += static_cast<char>(ahead << 4 | behind);
  for (int byte = behind; byte < 8 - ahead; ++byte) out += static_cast<char>(bits >> (8 * byte));
}

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  bool good() const { return good_; }
  bool at_end() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }

  std::uint64_t number() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const std::uint64_t byte = next();
      value |= (byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    good_ = false;
    return 0;
  }
  std::int64_t signed_number() {
    const std::uint64_t value = number();
    return static_cast<std::int64_t>((value >> 1) ^ (0 - (value & 1)));
  }
  double floating(double before) {
    const unsigned head = next();
    const int ahead = static_cast<int>(head >> 4), behind = static_cast<int>(head & 15);
    if (ahead > 8 || ahead + behind > 8) good_ = false;
    std::uint64_t bits = 0;
    for (int byte = behind; good_ && byte < 8 - ahead; ++byte) bits |= std::uint64_t{next()} << (8 * byte);
    return good_ ? std::bit_cast<double>(bits ^ std::bit_cast<std::uint64_t>(before)) : 0;
  }

 private:
  std::uint8_t next() {
    if (rest_.empty()) {
      good_ = false;
      return 0;
    }
    const auto byte = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return byte;
  }

  std::string_view rest_;
  bool good_ = true;
};

}  // namespace ronda::store
