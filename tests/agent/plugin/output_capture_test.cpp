// SPDX-License-Identifier: Apache-2.0
#include "plugin/output_capture.hpp"

#include <catch.hpp>
#include <vector>

#include "plugin/runner_spec.hpp"
#include "plugin/scrub.hpp"
#include "plugin/wire.hpp"

using namespace ronda::plugin;
using namespace std::chrono_literals;

namespace {

struct Kept {
  OutputCapture capture;
  std::vector<std::string> lines;

  void feed(std::string_view bytes, Mono now = 100s) {
    capture.feed(bytes, now, [&](std::string_view line) { lines.emplace_back(line); });
  }
  void end() {
    capture.end([&](std::string_view line) { lines.emplace_back(line); });
  }
  std::size_t bytes() const {
    std::size_t total = 0;
    for (const auto& line : lines) total += line.size();
    return total;
  }
};

}  // namespace

TEST_CASE("output is cut into lines, however it arrives", "[plugin]") {
  Kept kept;
  for (const char* piece : {"one\ntw", "o\n", "\n\nthree", "\nfour"}) kept.feed(piece);
  CHECK(kept.lines == std::vector<std::string>{"one", "two", "three"});
  kept.end();
  CHECK(kept.lines.back() == "four");
  kept.end();
  CHECK(kept.lines.size() == 4);
}

TEST_CASE("control characters cannot reach a terminal", "[plugin]") {
  Kept kept;
  kept.feed(std::string("\x1b[31mred\r\0x\n", 12));
  REQUIRE(kept.lines.size() == 1);
  CHECK(kept.lines[0].find('\x1b') == std::string::npos);
  CHECK(kept.lines[0].find('\0') == std::string::npos);
  CHECK(kept.lines[0].find("red") != std::string::npos);
}

TEST_CASE("a line without an end is cut", "[plugin]") {
  Kept kept;
  kept.feed(std::string(20'000, 'x'));
  REQUIRE(kept.lines.size() == 2);
  CHECK(kept.lines[0].size() == OutputCapture::longest_line);
}

TEST_CASE("what is beyond a minute's share is counted and told later", "[plugin]") {
  Kept kept;
  for (int i = 0; i < 1000; ++i) kept.feed(std::string(999, 'x') + "\n", 100s);
  CHECK(kept.bytes() <= OutputCapture::bytes_per_minute);
  const std::size_t before = kept.lines.size();
  kept.feed("later\n", 161s);
  REQUIRE(kept.lines.size() == before + 2);
  CHECK(kept.lines[before] == "(934464 bytes of output dropped)");
  CHECK(kept.lines.back().find("later") != std::string::npos);
}

TEST_CASE("what was dropped is told when a runner ends too", "[plugin]") {
  Kept kept;
  kept.feed(std::string(OutputCapture::bytes_per_minute - 1, 'x').append("\nabc"));
  kept.end();
  CHECK(kept.lines.back() == "(3 bytes of output dropped)");
}

TEST_CASE("a secret is taken out of a stream however it is cut, and nothing else is lost", "[plugin]") {
  std::string options;
  ronda::wire::Writer w(options);
  w.map(2);
  w.text("password"), w.secret("hunter2hunter2");
  w.text("keys"), w.array(2), w.secret("hunter2"), w.secret("abc");  // one holds another; one is too short
  w.array(1), w.secret("a part");  // of a longer text, behind the options
  const std::string text = "a hunter2hunter2 b hunter2 c a part hunter abc\nhunt";
  const auto piece = static_cast<std::size_t>(GENERATE(range(1, 20)));
  ronda::plugin::Scrubber scrubber;
  scrubber.add_secrets_of(options);
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += piece) out += scrubber.feed(std::string_view(text).substr(at, piece));
  out += scrubber.end();
  CHECK(out.find("hunter2") == std::string::npos);
  CHECK(out.starts_with("a ***"));
  CHECK(out.ends_with(" b *** c *** hunter abc\nhunt"));
}

TEST_CASE("a user that a host does not know is not taken for another", "[plugin]") {
  ronda::plugin::PluginEntry entry;
  entry.staged = std::make_shared<ronda::plugin::StagedFile>();
  ronda::plugin::RunnerSettings settings;
  settings.as_root = true;
  settings.user = "no-such-user";
  CHECK(ronda::plugin::make_runner_spec(entry, settings).refused == "there is no user \"no-such-user\" on this host");
  settings.user = "root";
  const auto root = ronda::plugin::make_runner_spec(entry, settings);
  CHECK(root.refused.empty());
  CHECK(root.setup.uid == 0);
  settings.user.clear();
  CHECK(ronda::plugin::make_runner_spec(entry, settings).refused.empty());
}
