// SPDX-License-Identifier: Apache-2.0
// A string that is empty nearly always: a pointer's size then, which counts where there are a hundred thousand.
#pragma once

#include <memory>
#include <string>
#include <utility>

namespace ronda {

class RareText {
 public:
  RareText() = default;
  RareText(std::string text) { *this = std::move(text); }

  RareText& operator=(std::string text) {
    text_ = text.empty() ? nullptr : std::make_unique<std::string>(std::move(text));
    return *this;
  }

  bool empty() const { return text_ == nullptr; }
  void clear() { text_.reset(); }
  /// Lives until this is changed.
  const std::string& str() const {
    static const std::string none;
    return empty() ? none : *text_;
  }

 private:
  std::unique_ptr<std::string> text_;  // null: empty
};

}  // namespace ronda
