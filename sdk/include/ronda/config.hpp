// SPDX-License-Identifier: Apache-2.0
// The instance's configuration: cfg<T>("key") in member initialisers, and value, a handle to walk lists
// and tables. The host has checked, defaulted and normalised it: durations are nanoseconds, sizes bytes,
// percentages ratios. Never parses, never guesses: a key of another type than asked for is an error.
#pragma once

#include <ronda/text.hpp>

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace ronda {

/// Borrowed; lives as long as the instance. A default one, and one of an absent key, is none.
class value {
 public:
  value() = default;
  value(const ronda_config_1* config, const ronda_value* node, std::string path)
      : config_(config), node_(node), path_(std::move(path)) {}

  std::uint32_t type() const noexcept { return node_ == nullptr ? RONDA_TYPE_NONE : config_->type(node_); }
  bool is_none() const noexcept { return type() == RONDA_TYPE_NONE; }
  bool is_table() const noexcept { return type() == RONDA_TYPE_TABLE; }
  bool is_list() const noexcept { return type() == RONDA_TYPE_LIST; }
  bool is_secret() const noexcept { return type() == RONDA_TYPE_SECRET; }
  explicit operator bool() const noexcept { return !is_none(); }

  /// Members of a table or items of a list; none of anything else.
  std::size_t size() const noexcept {
    return node_ == nullptr ? 0 : static_cast<std::size_t>(config_->length(node_));
  }
  std::string_view key(std::size_t index) const noexcept {
    return index < size() ? from_abi(config_->key(node_, index)) : std::string_view();
  }
  value at(std::size_t index) const {
    if (index >= size()) return {};
    std::string below = is_table() ? path_ + "." + std::string(key(index)) : text(path_, "[", index, "]");
    return {config_, config_->item(node_, index), std::move(below)};
  }
  value operator[](std::string_view member) const {
    std::string below = path_.empty() ? std::string(member) : path_ + "." + std::string(member);
    return {config_, is_table() ? config_->member(node_, to_abi(member)) : nullptr, std::move(below)};
  }

  /// Throws std::invalid_argument naming the key if it is absent or of another type.
  template <class T>
  T as() const;

  const ronda_value* handle() const noexcept { return node_; }
  const std::string& path() const noexcept { return path_; }
  [[noreturn]] void refuse(const char* wanted) const {
    throw std::invalid_argument(text("config key '", path_, "' ", is_none() ? "has no value" : "is", " ",
                                     is_none() ? "" : type_name(), is_none() ? "(wanted " : ", not ", wanted,
                                     is_none() ? ")" : ""));
  }

 private:
  const char* type_name() const noexcept {
    static constexpr const char* names[] = {"nothing",  "a bool", "an integer", "a number",
                                            "a string", "a list", "a table",    "a secret"};
    return type() < sizeof names / sizeof *names ? names[type()] : "of a type newer than this plugin";
  }
  friend struct value_access;
  const ronda_config_1* config_ = nullptr;
  const ronda_value* node_ = nullptr;
  std::string path_;
};

/// How value::as<T>() reads; specialise convert<T> for a type of your own.
struct value_access {
  static const ronda_config_1* config(const value& v) noexcept { return v.config_; }
};

template <class T, class = void>
struct convert;

template <>
struct convert<value> {
  static value from(const value& v) { return v; }
};

template <>
struct convert<bool> {
  static bool from(const value& v) {
    std::int32_t got = 0;
    if (v.is_none() || value_access::config(v)->get_bool(v.handle(), &got) != RONDA_OK) v.refuse("a bool");
    return got != 0;
  }
};

template <class T>
struct convert<T, std::enable_if_t<std::is_integral_v<T>>> {
  static T from(const value& v) {
    std::int64_t got = 0;
    if (v.is_none() || value_access::config(v)->get_i64(v.handle(), &got) != RONDA_OK) v.refuse("an integer");
    bool fits = static_cast<std::int64_t>(static_cast<T>(got)) == got && (std::is_signed_v<T> || got >= 0);
    if (!fits) v.refuse("an integer that fits");
    return static_cast<T>(got);
  }
};

template <>
struct convert<double> {
  static double from(const value& v) {
    double got = 0;
    if (v.is_none() || value_access::config(v)->get_f64(v.handle(), &got) != RONDA_OK) v.refuse("a number");
    return got;
  }
};

template <>
struct convert<std::string> {
  static std::string from(const value& v) {
    ronda_str got{nullptr, 0};
    std::int32_t code = v.is_none() ? RONDA_E_NOTFOUND : value_access::config(v)->get_str(v.handle(), &got);
    if (code == RONDA_E_DENIED) v.refuse("a string: a secret is read by secret()");
    if (code != RONDA_OK) v.refuse("a string");
    return std::string(from_abi(got));
  }
};

template <class Rep, class Period>
struct convert<std::chrono::duration<Rep, Period>> {
  static std::chrono::duration<Rep, Period> from(const value& v) {
    std::chrono::nanoseconds span(convert<std::int64_t>::from(v));
    return std::chrono::duration_cast<std::chrono::duration<Rep, Period>>(span);
  }
};

template <>
struct convert<wall_time> {
  static wall_time from(const value& v) { return wall_time(convert<std::chrono::nanoseconds>::from(v)); }
};

template <class T>
struct convert<std::optional<T>> {
  static std::optional<T> from(const value& v) {
    return v.is_none() ? std::nullopt : std::optional<T>(convert<T>::from(v));
  }
};

template <class T>
struct convert<std::vector<T>> {
  static std::vector<T> from(const value& v) {
    if (!v.is_list()) v.refuse("a list");
    std::vector<T> all;
    all.reserve(v.size());
    for (std::size_t i = 0; i < v.size(); ++i) all.push_back(convert<T>::from(v.at(i)));
    return all;
  }
};

template <class T>
struct convert<std::map<std::string, T>> {
  static std::map<std::string, T> from(const value& v) {
    if (!v.is_table()) v.refuse("a table");
    std::map<std::string, T> all;
    for (std::size_t i = 0; i < v.size(); ++i) all.emplace(v.key(i), convert<T>::from(v.at(i)));
    return all;
  }
};

template <class T>
T value::as() const {
  return convert<T>::from(*this);
}

namespace detail {

/// The instance that is being created on this thread, else null. Hidden by the version script, so two
/// versions of a plugin in one process never share it.
inline const ronda_inst*& creating() noexcept {
  static thread_local const ronda_inst* now = nullptr;
  return now;
}

inline const ronda_inst& creating_or_throw(const char* who) {
  if (creating() == nullptr)
    throw std::logic_error(text(who,
                                " works only while the host creates an instance: in member initialisers "
                                "and constructors (RONDA-P-020)"));
  return *creating();
}

inline value config_of(const ronda_inst& inst) {
  const auto* config = static_cast<const ronda_config_1*>(inst.query(&inst, RONDA_SERVICE_CONFIG));
  return config == nullptr ? value() : value(config, config->root(&inst), "");
}

}  // namespace detail

/// The value of a key of the manifest: cfg<double>("warn_at"). T: bool, integers, double, std::string,
/// chrono durations, wall_time, value, and std::optional, std::vector, std::map<std::string, .> of them.
/// An absent key without a default is an error, except for optional and value.
template <class T>
T cfg(std::string_view key) {
  return detail::config_of(detail::creating_or_throw("cfg()"))[key].template as<T>();
}

}  // namespace ronda
