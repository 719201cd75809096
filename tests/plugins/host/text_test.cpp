// SPDX-License-Identifier: Apache-2.0
#include "text.hpp"

#include <sys/stat.h>

#include <cerrno>

#include "catch.hpp"
#include "temp_folder.hpp"

using namespace host;

TEST_CASE("hostile names are shown, never sent", "[host]") {
  CHECK(shown("evil\x1B[2J\nname") == "evil\\x1b[2J\\x0aname");
  CHECK(shown("a\xFF") == "a\\xff");
  CHECK(shown("\xE2\x80\xAE") == "\\xe2\\x80\\xae");
  CHECK(shown("se\xC3\xB1or") == "se\xC3\xB1or");
  CHECK(shown(std::string(500, 'x')).size() == 123);
}

TEST_CASE("a span names its two largest units", "[host]") {
  auto [seconds, text] = GENERATE(table<std::int64_t, std::string>({{0, "0s"},
                                                                    {59, "59s"},
                                                                    {310, "5m10s"},
                                                                    {3600, "1h"},
                                                                    {86400 * 3 + 3600 * 4 + 59, "3d4h"},
                                                                    {86400 + 5, "1d"},
                                                                    {-90, "-1m30s"}}));
  CHECK(span_text(seconds) == text);
}

TEST_CASE("a FIFO, a folder and a device are refused without blocking", "[host]") {
  const TempFolder folder;
  REQUIRE(mkfifo(folder.file("fifo").c_str(), 0600) == 0);
  CHECK(read_file(folder.file("fifo")).error == EINVAL);
  CHECK(read_file(folder.path()).error == EISDIR);
  CHECK(read_file("/dev/zero").error == EINVAL);
  CHECK(read_file(folder.file("absent")).error == ENOENT);
}

TEST_CASE("a file is read up to the limit and says that it went on", "[host]") {
  const TempFolder folder;
  const Contents contents = read_file(folder.write("big", std::string(50000, 'x')), 20000);
  CHECK(contents.error == 0);
  CHECK(contents.text.size() == 20000);
  CHECK(contents.truncated);
}

TEST_CASE("the last field keeps what follows", "[host]") {
  const auto all = fields("  a \t b  c d e ", 3);
  REQUIRE(all.size() == 3);
  CHECK(all[1] == "b");
  CHECK(all[2] == "c d e");
}
