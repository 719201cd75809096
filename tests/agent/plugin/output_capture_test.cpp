// SPDX-License-Identifier: Apache-2.0
#include "plugin/output_capture.hpp"

#include <catch.hpp>
#include <vector>

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
  kept.feed(std::string(OutputCapture::bytes_per_minute - 1, 'x') + "\nabc");
  kept.end();
  CHECK(kept.lines.back() == "(3 bytes of output dropped)");
}
