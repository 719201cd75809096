// SPDX-License-Identifier: Apache-2.0
// What a fuzz target reads its steps from; behind the end everything is zero.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace fuzz {

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}

  bool at_end() const { return rest_.empty(); }
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const auto out = static_cast<std::uint8_t>(rest_[0]);
    rest_.remove_prefix(1);
    return out;
  }
  /// At most so many.
  std::string_view bytes(std::size_t most) {
    const std::string_view out = rest_.substr(0, most);
    rest_.remove_prefix(out.size());
    return out;
  }
  /// One below 200, or one of those that are likely to go wrong.
  std::int64_t number(std::span<const std::int64_t> odd) {
    const std::uint8_t one = byte();
    return one < 200 ? one : odd[one % odd.size()];
  }

 private:
  std::string_view rest_;
};

}  // namespace fuzz
