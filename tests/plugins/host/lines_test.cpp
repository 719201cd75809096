// SPDX-License-Identifier: Apache-2.0
#include "lines.hpp"

#include <vector>

#include "catch.hpp"

using namespace host;

TEST_CASE("however a stream is cut, the same lines come out", "[host]") {
  const std::string stream = "one\n\ntwo two\nx" + std::string(30, 'y') + "\nlast\nunfinished";
  const std::size_t step = GENERATE(1U, 2U, 3U, 5U, 7U, 100U);
  LineCutter cutter(10, false);
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < stream.size(); at += step) {
    cutter.feed(std::string_view(stream).substr(at, step),
                [&](std::string_view line) { lines.emplace_back(line); });
  }
  CHECK(lines == std::vector<std::string>{"one", "", "two two", "xyyyyyyyyy", "last"});
  CHECK(cutter.taken() == stream.size() - std::string("unfinished").size());
  CHECK_FALSE(cutter.skipping());
  cutter.finish([&](std::string_view line) { lines.emplace_back(line); });
  CHECK(lines.back() == "unfinished");
}

TEST_CASE("a line without an end is handed over once and then skipped", "[host]") {
  LineCutter cutter(10, false);
  int lines = 0;
  for (int i = 0; i < 1000; ++i) cutter.feed("zzzzz", [&](std::string_view) { ++lines; });
  CHECK(lines == 1);
  CHECK(cutter.skipping());
  CHECK(cutter.taken() == 5000);
  LineCutter next(10, true);
  std::string got;
  next.feed("zzz\nafter\n", [&](std::string_view line) { got = line; });
  CHECK(got == "after");
}
