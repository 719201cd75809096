// SPDX-License-Identifier: Apache-2.0
#include "verdict.hpp"

#include "catch.hpp"

using namespace nagios;

namespace {

Ended ended(std::int32_t code, std::string_view out, std::string_view err = {}) {
  Ended e;
  e.exit_code = code;
  e.out = out;
  e.err = err;
  e.out_total = out.size();
  e.err_total = err.size();
  return e;
}

}  // namespace

TEST_CASE("exit codes 0 to 3 are the four states and no other is", "[exec]") {
  auto [code, state] = GENERATE(table<std::int32_t, State>({{0, State::ok},
                                                            {1, State::warning},
                                                            {2, State::critical},
                                                            {3, State::unknown},
                                                            {4, State::unknown},
                                                            {127, State::unknown},
                                                            {255, State::unknown}}));
  CHECK(judge_plugin(ended(code, "text")).state == state);
}

TEST_CASE("an exit code out of range says so with the plugin's words", "[exec]") {
  CHECK(judge_plugin(ended(127, "", "sh: 1: nosuch: not found\n")).summary ==
        "exit code 127 is none of 0 to 3: sh: 1: nosuch: not found");
}

TEST_CASE("a plugin ended by a signal or the deadline is unknown with that reason", "[exec]") {
  auto e = ended(-1, "half a line");
  e.signal = 11;
  CHECK(judge_plugin(e).state == State::unknown);
  CHECK(judge_plugin(e).summary == "it was killed by signal 11 (SIGSEGV): half a line");
  e = ended(-1, "");
  e.signal = 9;
  e.timed_out = true;
  e.duration_ns = 10'000'000'000;
  CHECK(judge_plugin(e).state == State::unknown);
  CHECK(judge_plugin(e).summary == "no answer within 10.0 s: it was ended");
}

TEST_CASE("perfdata of a plugin that ended otherwise is not taken", "[exec]") {
  auto e = ended(-1, "OK | a=1");
  e.signal = 15;
  CHECK(judge_plugin(e).perfdata.items.empty());
}

TEST_CASE("a plugin without output keeps its state and shows stderr", "[exec]") {
  CHECK(judge_plugin(ended(0, "")).summary == "(no output)");
  CHECK(judge_plugin(ended(2, "", "boom\n")).summary == "(no output): boom");
  CHECK(judge_plugin(ended(2, "", "boom\n")).state == State::critical);
}

TEST_CASE("what was cut or unreadable is told in the detail", "[exec]") {
  auto e = ended(0, "OK | a=1 b=x", "a warning\n");
  e.out_total += 100;
  CHECK(judge_plugin(e).detail ==
        "stderr: a warning\n100 more bytes of output were not kept\n1 pieces of perfdata could not be read");
}

TEST_CASE("however much is read, and whatever it is, how much is not shown stands in the detail", "[exec]") {
  const auto kind = GENERATE(values<std::string>({"x", "\xE9", "\xC3\xA9", "\xF0\x9F\x94\xA5", "\xED\xA0\x80", "line\n", "\xC3"}));
  std::string text;
  while (text.size() < 200000) text += kind;
  const std::string err = GENERATE(std::string(), std::string(10000, '\xE9'));
  INFO(kind << err.size());
  const auto shown_size = [](const std::string& detail) {  // each byte of no character becomes one of three
    std::size_t size = 0;
    for (const char c : detail) size += static_cast<unsigned char>(c) < 0x80 ? 1 : 3;
    return size;
  };
  auto plugin = ended(1, "WARNING\n" + text + "| a=1 b=x", err);
  auto command = ended(0, text, err);
  const std::string of_plugin = "WARNING\n" + text + "| a=1 b=x";
  plugin.out = of_plugin, plugin.out_total = of_plugin.size() + 1000, command.out_total += 1000;
  for (const std::string& detail : {judge_plugin(plugin).detail, judge_command(command, {}).detail}) {
    const bool whole_characters = kind == "\xC3\xA9" || kind == "\xF0\x9F\x94\xA5";
    CHECK((whole_characters ? detail.size() : shown_size(detail)) <= max_detail_bytes);
    const auto end = detail.find(" more bytes of output were not kept");
    REQUIRE(end != std::string::npos);
    const auto begin = detail.rfind('\n', end) + 1;
    CHECK(std::stoul(detail.substr(begin, end - begin)) > 135000);
    CHECK(detail.find(err.empty() ? "more bytes" : "stderr: ") != std::string::npos);
    if (whole_characters) CHECK(detail.substr(0, detail.find('\n')).size() % kind.size() == 0);
  }
}

TEST_CASE("a long first line is cut", "[exec]") {
  const std::string line(5000, 'x');
  CHECK(judge_plugin(ended(0, line)).summary.size() == max_summary_bytes + 3);
}

TEST_CASE("a command changed, left unchanged or failed by its exit code", "[exec]") {
  const ExitCodes codes{{0, 2}, {100}};
  CHECK(judge_command(ended(0, "one\ntwo\n"), codes).outcome == Outcome::changed);
  CHECK(judge_command(ended(0, "one\ntwo\n"), codes).summary == "two");
  CHECK(judge_command(ended(2, ""), codes).outcome == Outcome::changed);
  CHECK(judge_command(ended(2, ""), codes).summary == "exit code 2");
  CHECK(judge_command(ended(100, "nothing to do"), codes).outcome == Outcome::unchanged);
  CHECK(judge_command(ended(1, "working", "no space left"), codes).outcome == Outcome::failed);
  CHECK(judge_command(ended(1, "working", "no space left"), codes).summary == "exit code 1: no space left");
  CHECK(judge_command(ended(1, "working", "no space left"), codes).detail == "working\nstderr: no space left");
  CHECK(judge_command(ended(1, ""), codes).summary == "exit code 1");
}

TEST_CASE("a command that did not end by itself failed", "[exec]") {
  auto e = ended(-1, "step 1");
  e.signal = 9;
  CHECK(judge_command(e, {}).outcome == Outcome::failed);
  CHECK(judge_command(e, {}).summary == "it was killed by signal 9 (SIGKILL): step 1");
}

TEST_CASE("an argument list is shown so that its words can be told apart", "[exec]") {
  CHECK(quoted_argv({"/bin/echo", "a b", "it's", "", "$(x)", "a\nb"}) ==
        "/bin/echo 'a b' 'it'\\''s' '' '$(x)' 'a\\x0ab'");
}
