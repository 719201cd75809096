// SPDX-License-Identifier: Apache-2.0
#include "log.hpp"

#include <filesystem>

#include "temp_folder.hpp"
#include "under_test.hpp"

using namespace host;
using ronda::status;

namespace {

struct LogTest : UnderTest<Log> {
  TempFolder folder;
  LogTest() {
    set("path", folder.file("app.log")).set("pattern", "ERROR");
    folder.write("app.log", "ERROR of long ago\n");
    CHECK_THAT(run(), Ended(status::ok, "from its end on"));
  }
};

}  // namespace

TEST_CASE("new matching lines are counted and the last one is quoted, made harmless", "[host]") {
  LogTest log;
  log.folder.append("app.log", "fine\nERROR one\nERROR \x1B]0;two\a\n");
  const auto report = log.run();
  CHECK_THAT(report, Ended(status::warning, "2 of 3 new lines match; last: ERROR \\x1b]0;two\\x07"));
  CHECK_THAT(report, HasMetric("matches", 2));
  const auto quiet = log.run();
  CHECK_THAT(quiet, Ended(status::ok, "0 of 0 new lines match"));
  CHECK(quiet.detail == "last match: ERROR \\x1b]0;two\\x07");
}

TEST_CASE("the position outlives the instance, and rotation in between loses nothing", "[host]") {
  LogTest log;
  log.folder.append("app.log", "ERROR 1\n");
  log.restart();
  CHECK_THAT(log.run(), HasMetric("matches", 1));
  log.folder.append("app.log", "ERROR 2\n");
  std::filesystem::rename(log.folder.file("app.log"), log.folder.file("app.log.1"));
  log.folder.write("app.log", "ERROR 3\n");
  log.restart();
  CHECK_THAT(log.run(),
             Ended(status::warning, "2 of 2 new lines match, the file was rotated; last: ERROR 3"));
}

TEST_CASE("a rotated file that is gone before it was read means what the option says", "[host]") {
  auto [lost, expected] = GENERATE(table<std::string, status>({{"", status::warning}, {"ok", status::ok}, {"unknown", status::unknown}}));
  const TempFolder folder;
  UnderTest<Log> check;
  check.set("path", folder.write("app.log", "")).set("pattern", "ERROR");
  if (!lost.empty()) check.set("lost", lost);
  check.run();
  folder.append("app.log", "ERROR 1\n");
  std::filesystem::rename(folder.file("app.log"), folder.file("kept-elsewhere"));  // so that its inode is not used again
  folder.write("app.log", "fine\n");
  CHECK_THAT(check.run(), Ended(expected, "the end of the rotated file was not found: lines may be missing"));
}

TEST_CASE("the rate is per minute since the run before", "[host]") {
  LogTest log;
  CHECK_THAT(log.run(), HasMetric("matches", 0));
  log.folder.append("app.log", "ERROR 1\nERROR 2\nERROR 3\n");
  log.host.advance(std::chrono::seconds(30));
  CHECK_THAT(log.run(), HasMetric("rate", 6));
}

TEST_CASE("excluded lines do not count, and few matches may mean nothing", "[host]") {
  LogTest log;
  log.set("exclude", ronda::testing::node::list{"known", "benign$"})
      .set("at_least", 2)
      .set("found", "critical");
  log.restart();
  log.folder.append("app.log", "ERROR known\nERROR is benign\nERROR real\n");
  CHECK_THAT(log.run(), Ended(status::ok, "1 of 3 new lines match"));
  log.folder.append("app.log", "ERROR a\nERROR b\n");
  CHECK_THAT(log.run(), Ended(status::critical));
}

TEST_CASE("a missing file means what the option says", "[host]") {
  auto [missing, expected] = GENERATE(table<std::string, status>(
      {{"unknown", status::unknown}, {"ok", status::ok}, {"critical", status::critical}}));
  UnderTest<Log> log;
  const TempFolder folder;
  log.set("path", folder.file("absent.log")).set("pattern", "x").set("missing", missing);
  CHECK_THAT(log.run(), Ended(expected, "absent.log does not exist"));
}

TEST_CASE("a wrong pattern is refused when the instance is made", "[host]") {
  UnderTest<Log> log;
  log.set("path", "/var/log/x").set("pattern", "(a");
  CHECK(ronda::testing::make<Log>(log.host).error().find("pattern '(a': ") == 0);
}
