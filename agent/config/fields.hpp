// SPDX-License-Identifier: Apache-2.0
// Reads single keys of an object: right type, right unit, in range, else an error at the value with a hint.
// Text that came from a reference is never quoted.
#pragma once

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.hpp"
#include "config/diagnostic.hpp"
#include "config/generation.hpp"

namespace ronda::config {

/// The errors of one object: whether there were any, and the first of them.
class Scope {
 public:
  explicit Scope(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  void error(Place where, std::string message, std::optional<Place> first = {}) {
    if (reason_.empty()) reason_ = message;
    sound_ = false;
    diagnostics_.error(where, std::move(message), first);
  }
  void warning(Place where, std::string message) { diagnostics_.warning(where, std::move(message)); }
  /// Something in the object is wrong and has been reported already.
  void spoil() { sound_ = false; }
  bool sound() const { return sound_; }
  std::string reason() const { return reason_.empty() ? "a value is wrong" : reason_; }
  Diagnostics& diagnostics() { return diagnostics_; }

 private:
  Diagnostics& diagnostics_;
  std::string reason_;
  bool sound_ = true;
};

/// "`every` must be a duration like "30s", got an integer"
void wrong_type(Scope& scope, std::string_view key, const Value& value, std::string_view expected);

/// A wrong text, quoted by `problem` only when it is literal; `expected` is said otherwise.
void wrong_text(Scope& scope, std::string_view key, const Value& value, const std::string& problem,
                std::string_view expected);

/// "unknown key `evry`; did you mean `every`?"
std::string unknown_key(std::string_view key, std::span<const std::string_view> known);

std::optional<std::string> read_text(Scope& scope, std::string_view key, const Value& value);
std::optional<bool> read_flag(Scope& scope, std::string_view key, const Value& value);
std::optional<std::int64_t> read_integer(Scope& scope, std::string_view key, const Value& value,
                                         std::int64_t low, std::int64_t high);
std::optional<Nanos> read_duration(Scope& scope, std::string_view key, const Value& value, Nanos least);
std::optional<double> read_percent(Scope& scope, std::string_view key, const Value& value);
/// The index of the text among the choices.
std::optional<std::size_t> read_choice(Scope& scope, std::string_view key, const Value& value,
                                       std::span<const std::string_view> choices);
std::optional<Level> read_level(Scope& scope, std::string_view key, const Value& value);
std::vector<std::string> read_texts(Scope& scope, std::string_view key, const Value& value);
/// An IANA zone's name by its grammar alone ("Area/City", no dots, no absolute path); whether it exists is
/// known to schedule.
std::optional<std::string> read_zone(Scope& scope, std::string_view key, const Value& value);

bool is_zone_name(std::string_view name);

}  // namespace ronda::config
