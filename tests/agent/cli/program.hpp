// SPDX-License-Identifier: Apache-2.0
// Runs the program ronda and keeps what it said and how it ended.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "built_plugin.hpp"
#include "catch.hpp"
#include "cli/plugin_child.hpp"

namespace ronda::test {

struct Said {
  int exit_code = -1;
  std::string text;  // stdout and stderr
};

/// `ronda plugin WORDS --trust TRUST`; a plugin directory and a trust file of the test's own keep this host out of it.
inline Said ronda_plugin_trusting(const std::string& trust, std::vector<std::string> words,
                                  std::chrono::seconds limit = std::chrono::seconds(120)) {
  words.insert(words.begin(), {RONDA_PROGRAM, "plugin"});
  words.insert(words.end(), {"--trust", trust, "--socket", "/nonexistent/ronda.sock"});
  const auto end = cli::run_child(words, {}, limit);
  REQUIRE(end);
  INFO(end->output);
  CHECK_FALSE(end->too_late);
  CHECK(end->signal == 0);
  return {end->exit_code, end->output};
}

inline Said ronda_plugin(std::vector<std::string> words, std::chrono::seconds limit = std::chrono::seconds(120)) {
  return ronda_plugin_trusting("/nonexistent/trust.toml", std::move(words), limit);
}

inline bool contains(const Said& said, std::string_view part) {
  return said.text.find(part) != std::string::npos;
}

/// The last line as JSON.
inline boost::json::object json_of(const Said& said) {
  INFO(said.text);
  const std::string_view text = trim(said.text);
  const std::size_t line = text.rfind('\n');
  return boost::json::parse(std::string(line == std::string_view::npos ? text : text.substr(line + 1))).as_object();
}

}  // namespace ronda::test
