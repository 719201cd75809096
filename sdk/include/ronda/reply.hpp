// SPDX-License-Identifier: Apache-2.0
// What a service answers: a value, or one of RONDA_E_* with a text. Never throws, except value() on
// an error, for authors who like their check to end there (it then reports UNKNOWN with the text).
#pragma once

#include <ronda/text.hpp>

#include <optional>
#include <stdexcept>
#include <utility>

namespace ronda {

/// A border code in words, for messages.
inline const char* code_text(std::int32_t code) noexcept {
  switch (code) {
    case RONDA_OK:
      return "ok";
    case RONDA_E_AGAIN:
      return "not now";
    case RONDA_E_TIMEOUT:
      return "the deadline passed or the call was cancelled";
    case RONDA_E_DENIED:
      return "not granted: the manifest's `needs` must name it";
    case RONDA_E_NOTFOUND:
      return "not found";
    case RONDA_E_RANGE:
      return "over a limit or quota";
    case RONDA_E_INVALID:
      return "not allowed like this";
    default:
      return "internal error of the host";
  }
}

template <class T>
class [[nodiscard]] reply {
 public:
  reply(T value) : value_(std::move(value)) {}
  static reply failed(std::int32_t code, std::string text = {}) {
    reply r;
    r.code_ = code;
    r.text_ = text.empty() ? code_text(code) : std::move(text);
    return r;
  }

  explicit operator bool() const noexcept { return value_.has_value(); }
  bool has_value() const noexcept { return value_.has_value(); }
  std::int32_t code() const noexcept { return code_; }
  bool denied() const noexcept { return code_ == RONDA_E_DENIED; }
  bool not_found() const noexcept { return code_ == RONDA_E_NOTFOUND; }
  const std::string& error() const noexcept { return text_; }

  T& operator*() & noexcept { return *value_; }
  const T& operator*() const& noexcept { return *value_; }
  T operator*() && { return std::move(*value_); }
  T* operator->() noexcept { return &*value_; }
  const T* operator->() const noexcept { return &*value_; }
  T value_or(T other) const { return value_ ? *value_ : std::move(other); }
  T& value() & {
    if (!value_) throw std::runtime_error(text_);
    return *value_;
  }
  /// By value, so that a loop over take(c).value() does not dangle.
  T value() && { return std::move(value()); }

 private:
  reply() = default;
  std::optional<T> value_;
  std::int32_t code_ = RONDA_OK;
  std::string text_;
};

/// [[nodiscard]] is lifted: many writes are best effort, and the host counts what it refused.
class outcome {
 public:
  outcome(std::int32_t code) : code_(code) {}
  outcome(std::int32_t code, std::string text) : code_(code), text_(std::move(text)) {}
  explicit operator bool() const noexcept { return code_ >= RONDA_OK; }
  std::int32_t code() const noexcept { return code_; }
  bool denied() const noexcept { return code_ == RONDA_E_DENIED; }
  std::string error() const { return text_.empty() ? code_text(code_) : text_; }

 private:
  std::int32_t code_;
  std::string text_;
};

}  // namespace ronda
