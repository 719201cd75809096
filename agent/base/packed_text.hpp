// SPDX-License-Identifier: Apache-2.0
// A text that is kept and seldom looked at: a pointer, null when empty, to its length and its bytes. A std::string has 32
// bytes beside them, which counts where there are a hundred thousand.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace ronda {

class PackedText {
 public:
  PackedText() = default;
  PackedText(std::string_view text) { *this = text; }

  /// What is past 4 GiB is cut off.
  PackedText& operator=(std::string_view text) {
    if (text.empty()) return data_ = nullptr, *this;
    const auto size = static_cast<Size>(std::min<std::size_t>(text.size(), std::numeric_limits<Size>::max()));
    auto data = std::make_unique_for_overwrite<char[]>(sizeof size + size);
    std::memcpy(data.get(), &size, sizeof size);
    std::memcpy(data.get() + sizeof size, text.data(), size);
    data_ = std::move(data);
    return *this;
  }

  bool empty() const { return data_ == nullptr; }
  void clear() { data_.reset(); }
  /// Lives until this is changed.
  std::string_view view() const {
    if (empty()) return {};
    Size size = 0;
    std::memcpy(&size, data_.get(), sizeof size);
    return {data_.get() + sizeof size, size};
  }
  std::string str() const { return std::string(view()); }

 private:
  using Size = std::uint32_t;
  std::unique_ptr<char[]> data_;  // null: empty
};

}  // namespace ronda
