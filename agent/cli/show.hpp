// SPDX-License-Identifier: Apache-2.0
// What the verbs share: an answer of the agent as JSON, and the small words of the text output.
#pragma once

#include <boost/json.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "cli/cli.hpp"

namespace ronda::cli {
namespace json = boost::json;

struct Answer {
  json::value value;
  std::string text;  // as it came
};

/// An answer, or the exit code of a verb that could not get one.
class Asked {
 public:
  Asked(Answer answer) : answer_(std::move(answer)), given_(true) {}
  Asked(int exit_code) : exit_code_(exit_code) {}
  explicit operator bool() const { return given_; }
  const Answer* operator->() const { return &answer_; }
  int error() const { return exit_code_; }

 private:
  Answer answer_;
  int exit_code_ = exit_undetermined;
  bool given_ = false;
};

/// One request; the trouble is printed: exit 3 when there is no agent or no answer, else exit_of_refusal.
Asked ask_json(const Options& options, std::string_view method, std::string_view target, std::string_view body = {},
               std::chrono::milliseconds timeout = std::chrono::seconds(30));

/// The same for a POST that may take long: a person at a terminal sees `what` is waited for (see Waiting).
Asked ask_long(const Options& options, std::string_view target, std::chrono::milliseconds timeout, std::string what,
               std::function<std::string()> more = {});

/// A string of an answer, made fit for a terminal; empty when it is none.
std::string text_of(const json::value& value);
/// What the agent says of a request that it refused.
std::string refusal_text(const api::Response& response);
std::string text_of(const json::object& object, std::string_view key);
std::int64_t integer_of(const json::object& object, std::string_view key);
double number_of(const json::object& object, std::string_view key);

/// "OK", "CRITICAL", ... of an answer's word, in its colour where colours are on, padded to `width`.
std::string status_label(std::string_view word, std::size_t width);
/// "12s", "5m", "3h", "2d": the time since an instant like "2026-11-24T03:04:05.678Z"; "never" for null.
std::string age_of(const json::value& instant);
/// "[#####.....] 50%"
std::string progress_bar(double share);

/// What is posted to an inbox: {"event", "code", "text"}.
std::string ping_body(std::string_view event, int code, std::string_view text);

}  // namespace ronda::cli
