// SPDX-License-Identifier: Apache-2.0
// How a part says that something failed: Result<T> carries a value or an Error, and must be looked at.
// The member names are those of std::expected, so that it can become an alias under C++23.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace ronda {

enum class Errc : std::uint8_t {
  invalid,      // what was given is wrong
  not_found,
  denied,
  exists,
  range,        // a limit or a quota
  unavailable,  // not now: network, peer, disk
  timeout,
  corrupt,      // what was stored is damaged
  system,       // errno
  internal,     // our own mistake
};

/// Where in a file something stands; line and column count from 1, 0 means unknown.
struct Position {
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

/// What went wrong, for people: place, cause and, where there is one, remedy.
class Error {
 public:
  Error(Errc code, std::string message) : code_(code), message_(std::move(message)) {}
  Error(Errc code, std::string message, Position where)
      : code_(code), message_(std::move(message)), where_(std::move(where)) {}

  Errc code() const { return code_; }
  const std::string& message() const { return message_; }
  const std::optional<Position>& where() const { return where_; }

  /// "loading plugin 'df': <message>"
  Error with_context(std::string_view doing) && {
    message_.insert(0, std::string(doing) + ": ");
    return std::move(*this);
  }
  Error with_context(std::string_view doing) const& { return Error(*this).with_context(doing); }

 private:
  Errc code_;
  std::string message_;
  std::optional<Position> where_;
};

struct Unit {};  // what a Result carries that has nothing to say but "done"

/// A value, or why there is none.
template <class T, class E = Error>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(E error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }
  T& operator*() & { return std::get<0>(state_); }
  const T& operator*() const& { return std::get<0>(state_); }
  T&& operator*() && { return std::get<0>(std::move(state_)); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }
  E& error() & { return std::get<1>(state_); }
  const E& error() const& { return std::get<1>(state_); }
  E&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, E> state_;
};

using Status = Result<Unit>;
inline Status done() { return Unit{}; }

/// The one place where errno becomes an Error: "open /x: No such file or directory".
Error system_error(std::string_view doing, int errno_value);

}  // namespace ronda

#define RONDA_CONCAT_2(a, b) a##b
#define RONDA_CONCAT(a, b) RONDA_CONCAT_2(a, b)

/// RONDA_TRY(auto table, read_table(path)); returns the error from the enclosing function.
/// A declaration, not a statement expression: g++ 12 crashes on those around co_await.
#define RONDA_TRY(declaration, expression)                                       \
  auto RONDA_CONCAT(ronda_result_, __LINE__) = (expression);                     \
  if (!RONDA_CONCAT(ronda_result_, __LINE__))                                    \
    return std::move(RONDA_CONCAT(ronda_result_, __LINE__)).error();             \
  declaration = *std::move(RONDA_CONCAT(ronda_result_, __LINE__))

#define RONDA_CO_TRY(declaration, expression)                                    \
  auto RONDA_CONCAT(ronda_result_, __LINE__) = (expression);                     \
  if (!RONDA_CONCAT(ronda_result_, __LINE__))                                    \
    co_return std::move(RONDA_CONCAT(ronda_result_, __LINE__)).error();          \
  declaration = *std::move(RONDA_CONCAT(ronda_result_, __LINE__))
