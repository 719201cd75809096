// SPDX-License-Identifier: Apache-2.0
// A configuration for tests: a tree of values in base units, and ronda.config/1 over it.
// Never applies a manifest: a test sets what the host would have set, defaults included.
#pragma once

#include <ronda/text.hpp>

#include <cstdint>
#include <utility>
#include <vector>

namespace ronda::testing {

class node {
 public:
  using list = std::vector<node>;
  using table = std::vector<std::pair<std::string, node>>;

  node() = default;
  node(bool b) : type_(RONDA_TYPE_BOOL), i64_(b) {}
  template <class T, class = std::enable_if_t<std::is_integral_v<T> && !std::is_same_v<T, bool>>>
  node(T number) : type_(RONDA_TYPE_I64), i64_(static_cast<std::int64_t>(number)) {}
  node(double number) : type_(RONDA_TYPE_F64), f64_(number) {}
  node(const char* text) : type_(RONDA_TYPE_STR), text_(text) {}
  node(std::string text) : type_(RONDA_TYPE_STR), text_(std::move(text)) {}
  template <class Rep, class Period>
  node(std::chrono::duration<Rep, Period> span)
      : type_(RONDA_TYPE_I64), i64_(std::chrono::duration_cast<std::chrono::nanoseconds>(span).count()) {}
  node(wall_time at) : node(at.time_since_epoch()) {}
  node(list items) : type_(RONDA_TYPE_LIST), items_(std::move(items)) {}
  node(table members) : type_(RONDA_TYPE_TABLE) {
    for (auto& [key, item] : members) set(key, std::move(item));
  }
  static node secret(std::string bytes) {
    node made(std::move(bytes));
    made.type_ = RONDA_TYPE_SECRET;
    return made;
  }

  std::uint32_t type() const noexcept { return type_; }
  const std::string& bytes() const noexcept { return text_; }
  /// Of a table: replaces or appends.
  void set(const std::string& key, node item);

  const ronda_value* handle() const noexcept { return reinterpret_cast<const ronda_value*>(this); }
  static const node* of(const ronda_value* v) noexcept { return reinterpret_cast<const node*>(v); }

 private:
  friend struct config_side;
  std::uint32_t type_ = RONDA_TYPE_NONE;
  std::int64_t i64_ = 0;
  double f64_ = 0;
  std::string text_;
  std::vector<std::string> keys_;
  list items_;
};

inline void node::set(const std::string& key, node item) {
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    if (keys_[i] != key) continue;
    items_[i] = std::move(item);
    return;
  }
  keys_.push_back(key);
  items_.push_back(std::move(item));
}

/// The functions of ronda.config/1 but root, which belongs to an instance.
struct config_side {
  static std::uint32_t type(const ronda_value* v) noexcept {
    return v == nullptr ? RONDA_TYPE_NONE : node::of(v)->type_;
  }
  static const ronda_value* member(const ronda_value* table, ronda_str key) noexcept {
    if (type(table) != RONDA_TYPE_TABLE) return nullptr;
    const node* t = node::of(table);
    for (std::size_t i = 0; i < t->keys_.size(); ++i)
      if (t->keys_[i] == from_abi(key)) return t->items_[i].handle();
    return nullptr;
  }
  static std::uint64_t length(const ronda_value* v) noexcept {
    return v == nullptr ? 0 : node::of(v)->items_.size();
  }
  static const ronda_value* item(const ronda_value* v, std::uint64_t i) noexcept {
    return i < length(v) ? node::of(v)->items_[static_cast<std::size_t>(i)].handle() : nullptr;
  }
  static ronda_str key(const ronda_value* table, std::uint64_t i) noexcept {
    if (type(table) != RONDA_TYPE_TABLE || i >= length(table)) return {nullptr, 0};
    return to_abi(node::of(table)->keys_[static_cast<std::size_t>(i)]);
  }
  static std::int32_t get_bool(const ronda_value* v, std::int32_t* out) noexcept {
    if (type(v) != RONDA_TYPE_BOOL) return RONDA_E_INVALID;
    return *out = node::of(v)->i64_ != 0, RONDA_OK;
  }
  static std::int32_t get_i64(const ronda_value* v, std::int64_t* out) noexcept {
    if (type(v) != RONDA_TYPE_I64) return RONDA_E_INVALID;
    return *out = node::of(v)->i64_, RONDA_OK;
  }
  static std::int32_t get_f64(const ronda_value* v, double* out) noexcept {
    if (type(v) == RONDA_TYPE_I64) return *out = static_cast<double>(node::of(v)->i64_), RONDA_OK;
    if (type(v) != RONDA_TYPE_F64) return RONDA_E_INVALID;
    return *out = node::of(v)->f64_, RONDA_OK;
  }
  static std::int32_t get_str(const ronda_value* v, ronda_str* out) noexcept {
    if (type(v) == RONDA_TYPE_SECRET) return RONDA_E_DENIED;
    if (type(v) != RONDA_TYPE_STR) return RONDA_E_INVALID;
    return *out = to_abi(node::of(v)->text_), RONDA_OK;
  }
};

}  // namespace ronda::testing
