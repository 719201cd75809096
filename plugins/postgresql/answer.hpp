// SPDX-License-Identifier: Apache-2.0
// What talking to a server yields: a value, or a Failure that says who is to blame and what to do.
// Never thrown: every step hands it on, and the check decides what status it means.
#pragma once

#include <string>
#include <utility>
#include <variant>

namespace postgresql {

enum class Cause {
  setup,      // the connection string itself is wrong
  connect,    // no session: refused, authentication, too many connections, starting up
  lost,       // the session broke in the middle, and again after one reconnect
  timeout,    // no answer within the time of this run
  cancelled,  // the agent ended the run
  statement,  // the server refused or ended the statement; sqlstate says why
};

struct Failure {
  Cause cause;
  std::string text;      // one line, no secrets
  std::string sqlstate;  // five characters, or empty
};

template <class T>
class [[nodiscard]] Answer {
 public:
  Answer(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Answer(Failure failure) : state_(std::in_place_index<1>, std::move(failure)) {}

  explicit operator bool() const { return state_.index() == 0; }
  T& operator*() { return std::get<0>(state_); }
  const T& operator*() const { return std::get<0>(state_); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }
  const Failure& failure() const { return std::get<1>(state_); }

 private:
  std::variant<T, Failure> state_;
};

}  // namespace postgresql
