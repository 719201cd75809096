// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <iostream>

#include "base/text.hpp"
#include "cli/cli.hpp"
#include "cli/show.hpp"

namespace ronda::cli {

namespace {

/// An exit code of the job, 0 to 255.
std::optional<int> code_of(std::string_view word) {
  int code = -1;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), code);
  const bool whole = error == std::errc() && end == word.data() + word.size();
  return whole && code >= 0 && code <= 255 ? std::optional(code) : std::nullopt;
}

}  // namespace

std::string ping_body(std::string_view event, int code, std::string_view text) {
  // of a job's output nobody knows the encoding, and JSON is UTF-8
  return json::serialize(json::object{{"event", event}, {"code", code}, {"text", repair_utf8(text, 3 * text.size())}});
}

int ping(const Options& options) {
  if (options.arguments.empty() || options.arguments.size() > 2) {
    complain("usage: ronda ping NAME [start|success|fail|heartbeat|CODE]");
    return exit_usage;
  }
  std::string event = options.arguments.size() == 2 ? options.arguments[1] : "success";
  int code = 0;
  if (const auto given = code_of(event)) {
    code = *given;
    event = code == 0 ? "success" : "fail";
  } else if (event == "fail") {
    code = 1;
  }
  const bool known = event == "start" || event == "success" || event == "fail" || event == "heartbeat";
  if (!known) {
    complain("\"" + event + "\" is none of start, success, fail, heartbeat and no exit code from 0 to 255");
    return exit_usage;
  }
  const auto answer = ask_json(options, "POST", "/v1/inbox/" + percent_encode(options.arguments.front()), ping_body(event, code, options.value("text")));
  if (!answer) return answer.error();
  if (options.json) std::cout << answer->text << "\n";
  return exit_done;
}

}  // namespace ronda::cli
