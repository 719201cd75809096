// SPDX-License-Identifier: Apache-2.0
// A value of conf.d or of a plugin's manifest, with the place where it stands: what TOML says, without
// toml++. Immutable after parsing; plain data, no I/O.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace ronda::config {

/// Line and column count from 1; file is an index into the set of files that was read.
struct Place {
  std::uint32_t file = 0;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

/// Where a string's text came from: file and cred references are secret and are never shown.
enum class Origin : std::uint8_t { literal, env, secret };

class Value;

struct Member;
/// Members in the order of the file; keys are unique.
using Table = std::vector<Member>;
using List = std::vector<Value>;

class Value {
 public:
  using Data = std::variant<std::monostate, bool, std::int64_t, double, std::string, List, Table>;

  // defined below, where Member is complete: clang makes the vector's destructor as soon as it sees one used
  Value();
  Value(Data data, Place place, Origin origin = Origin::literal);
  Value(const Value&);
  Value(Value&&) noexcept;
  Value& operator=(const Value&);
  Value& operator=(Value&&) noexcept;
  ~Value();

  const Data& data() const { return data_; }
  Place place() const { return place_; }
  Origin origin() const { return origin_; }

  const bool* as_bool() const { return std::get_if<bool>(&data_); }
  const std::int64_t* as_int() const { return std::get_if<std::int64_t>(&data_); }
  const double* as_float() const { return std::get_if<double>(&data_); }
  const std::string* as_string() const { return std::get_if<std::string>(&data_); }
  const List* as_list() const { return std::get_if<List>(&data_); }
  const Table* as_table() const { return std::get_if<Table>(&data_); }
  List* as_list() { return std::get_if<List>(&data_); }
  Table* as_table() { return std::get_if<Table>(&data_); }
  /// Nothing: what stood here was wrong and has been reported already.
  bool is_nothing() const { return std::holds_alternative<std::monostate>(data_); }

  /// The member of a table, or null.
  const Value* find(std::string_view key) const;
  /// "a string", "an integer", ...: for messages.
  std::string_view type_name() const;

  void replace(Data data, Origin origin);

 private:
  Data data_;
  Place place_;
  Origin origin_ = Origin::literal;
};

struct Member {
  std::string key;
  Place key_place;
  Value value;
};

inline Value::Value() = default;
inline Value::Value(Data data, Place place, Origin origin) : data_(std::move(data)), place_(place), origin_(origin) {}
inline Value::Value(const Value&) = default;
inline Value::Value(Value&&) noexcept = default;
inline Value& Value::operator=(const Value&) = default;
inline Value& Value::operator=(Value&&) noexcept = default;
inline Value::~Value() = default;
inline void Value::replace(Data data, Origin origin) {
  data_ = std::move(data);
  origin_ = origin;
}

}  // namespace ronda::config
