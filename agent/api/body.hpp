// SPDX-License-Identifier: Apache-2.0
// The JSON object of a request, read strictly: what is not known in it is refused, so that a mistyped key is no silence.
#pragma once

#include <boost/json/object.hpp>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "config/generation.hpp"

namespace ronda::api {

class Body {
 public:
  /// An empty text is an object with nothing in it.
  static Result<Body> parse(const std::string& text, std::initializer_list<std::string_view> known);

  /// Each is empty, false or 0 where the key is not there or null. Errors name the key and what it must be.
  Result<std::string> text(std::string_view key, std::size_t most_bytes) const;
  Result<bool> flag(std::string_view key) const;
  Result<std::uint64_t> number(std::string_view key) const;
  Result<std::int64_t> duration_ns(std::string_view key) const;  // "1h30m"; 0: not said
  Result<config::Level> level(std::string_view key) const;       // "p1"; none: not said
  Result<std::vector<std::string>> texts(std::string_view key, std::size_t most, std::size_t most_bytes) const;
  /// An object of texts, in its order.
  Result<std::vector<std::pair<std::string, std::string>>> fields(std::string_view key, std::size_t most, std::size_t most_bytes) const;

 private:
  explicit Body(boost::json::object object) : object_(std::move(object)) {}
  const boost::json::value* find(std::string_view key) const;

  boost::json::object object_;
};

}  // namespace ronda::api
