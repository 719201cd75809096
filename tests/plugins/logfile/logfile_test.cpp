// SPDX-License-Identifier: Apache-2.0
// The plugin as a file, through the SDK's fake host.
#include <sys/wait.h>
#include <unistd.h>
#include <ronda/testing.hpp>

#include <catch.hpp>
#include <csignal>
#include <thread>

#include "append.hpp"
#include "files.hpp"

using namespace std::chrono_literals;
using ronda::delivery_status;
using ronda::test::Scratch;
using ronda::testing::host;
using ronda::testing::message_options;
using ronda::testing::node;

namespace {

const ronda::testing::library& plugin() {
  static const ronda::testing::library loaded(RONDA_BINARY_DIR "/plugins/logfile.so");
  return loaded;
}

/// With the defaults of the manifest, but for the zone: tests run where they run.
void configure(host& h, const std::string& path, const std::string& format = "alerts") {
  h.set("path", path).set("format", format).set("text", "title").set("zone", "Europe/Berlin");
}

ronda::testing::subject notifier(host& h) {
  return plugin().create(h, RONDA_KIND_NOTIFIER, "logfile");
}

message_options message(const std::string& id, const std::string& title) {
  message_options m;
  m.id = id, m.title = title;
  return m;
}

}  // namespace

TEST_CASE("a message is a line, in the zone that was asked for, and told where", "[logfile]") {
  const Scratch folder;
  host h;
  configure(h, folder / "alerts.log");
  auto logfile = notifier(h);
  REQUIRE(logfile);
  const auto report = logfile.deliver(message("m-1", "API is not responding"));
  CHECK(report.is(delivery_status::delivered));
  CHECK(report.summary == "written to " + folder / "alerts.log");
  CHECK(content_of(folder / "alerts.log") == "[2025-01-01 01:00:00] [CRITICAL] API is not responding\n");
  CHECK(h.broken().empty());
}

TEST_CASE("the notifications form has the time as date prints it", "[logfile]") {
  const Scratch folder;
  host h;
  configure(h, folder / "n.log", "notifications");
  CHECK(notifier(h).deliver(message("m-1", "disk full")).is(delivery_status::delivered));
  CHECK(content_of(folder / "n.log") == "Wed Jan  1 01:00:00 CET 2025: [P1] disk full\n");
}

TEST_CASE("words for the levels can be given, and the others stay", "[logfile]") {
  const Scratch folder;
  host h;
  configure(h, folder / "a.log");
  h.set("severities", node::table{{"p1", "NOTFALL"}});
  auto logfile = notifier(h);
  auto m = message("m-1", "x");
  logfile.deliver(m);
  m.id = "m-2", m.level = "p2";
  logfile.deliver(m);
  CHECK(content_of(folder / "a.log") == "[2025-01-01 01:00:00] [NOTFALL] x\n[2025-01-01 01:00:00] [HIGH] x\n");
}

TEST_CASE("a message that comes again is not written again, by this instance or a later one", "[logfile]") {
  const Scratch folder;
  host h;
  configure(h, folder / "a.log");
  {
    auto logfile = notifier(h);
    CHECK(logfile.deliver(message("m-1", "once")).is(delivery_status::delivered));
    CHECK(logfile.deliver(message("m-1", "once")).summary == "was written to " + folder / "a.log" + " before");
  }
  auto later = notifier(h);
  CHECK(later.deliver(message("m-1", "once")).is(delivery_status::delivered));
  CHECK(later.deliver(message("m-2", "once")).is(delivery_status::delivered));
  CHECK(content_of(folder / "a.log") == "[2025-01-01 01:00:00] [CRITICAL] once\n[2025-01-01 01:00:00] [CRITICAL] once\n");
  CHECK(h.broken().empty());
}

TEST_CASE("of many messages the last 64 are remembered, and no trace of a begun one is left", "[logfile]") {
  const Scratch folder;
  host h;
  configure(h, folder / "a.log");
  auto logfile = notifier(h);
  for (int i = 0; i < 100; ++i) REQUIRE(logfile.deliver(message("m-" + std::to_string(i), "x")).is(delivery_status::delivered));
  REQUIRE(h.kept().size() == 1);
  CHECK(h.kept().at("written").size() == 64 * 17);
  logfile.deliver(message("m-36", "x"));
  const auto lines = content_of(folder / "a.log");
  CHECK(std::count(lines.begin(), lines.end(), '\n') == 100);
}

TEST_CASE("a line that was written just before the end of the process is found, not written twice", "[logfile]") {
  const Scratch folder;
  // what an attempt leaves that ended between its write and its result: the line, and the trace that it made durable
  logfile::LogFile before;
  REQUIRE_FALSE(before.open(folder / "a.log"));
  REQUIRE_FALSE(before.append("[2025-01-01 00:59:58] [HIGH] another"));
  const std::string line = "[2025-01-01 00:59:59] [CRITICAL] once";
  const auto trace = before.trace(line);
  host h;
  configure(h, folder / "a.log");
  char name[32];
  std::snprintf(name, sizeof name, "begun/%016llx", static_cast<unsigned long long>(logfile::stable_hash("m-1")));
  h.keep(name, trace.text());
  SECTION("it was written") {
    REQUIRE_FALSE(before.append(line));
    const auto report = notifier(h).deliver(message("m-1", "once"));
    CHECK(report.is(delivery_status::delivered));
    CHECK(report.summary == "was found in " + folder / "a.log");
    CHECK(content_of(folder / "a.log") == "[2025-01-01 00:59:58] [HIGH] another\n" + line + "\n");
  }
  SECTION("it was not") {
    CHECK(notifier(h).deliver(message("m-1", "once")).summary == "written to " + folder / "a.log");
    CHECK(content_of(folder / "a.log") == "[2025-01-01 00:59:58] [HIGH] another\n[2025-01-01 01:00:00] [CRITICAL] once\n");
  }
  CHECK(h.kept().count(name) == 0);
}

TEST_CASE("without the agent's store the line is written all the same", "[logfile]") {
  const Scratch folder;
  host h;
  configure(h, folder / "a.log");
  h.deny(RONDA_SERVICE_KV);
  auto logfile = notifier(h);
  CHECK(logfile.deliver(message("m-1", "x")).is(delivery_status::delivered));
  CHECK(logfile.deliver(message("m-1", "x")).is(delivery_status::delivered));
  CHECK(content_of(folder / "a.log").size() == 2 * 35);
}

TEST_CASE("a file that is rotated away between two messages is made anew", "[logfile]") {
  const Scratch folder;
  host h;
  configure(h, folder / "a.log");
  auto logfile = notifier(h);
  logfile.deliver(message("m-1", "old"));
  std::filesystem::rename(folder / "a.log", folder / "a.log.1");
  logfile.deliver(message("m-2", "new"));
  CHECK(content_of(folder / "a.log.1") == "[2025-01-01 01:00:00] [CRITICAL] old\n");
  CHECK(content_of(folder / "a.log") == "[2025-01-01 01:00:00] [CRITICAL] new\n");
}

TEST_CASE("what will never work is dropped with its remedy, and leaves no trace in the store", "[logfile]") {
  const Scratch folder;
  host h;
  configure(h, folder / "gone/a.log");
  const auto report = notifier(h).deliver(message("m-1", "x"));
  CHECK(report.is(delivery_status::drop));
  CHECK(report.summary == "open " + folder / "gone" + ": No such file or directory; create the directory");
  CHECK(h.kept().empty());
}

TEST_CASE("a call that is cancelled before it began writes nothing and is owed", "[logfile]") {
  const Scratch folder;
  host h;
  configure(h, folder / "a.log");
  auto logfile = notifier(h);
  h.cancel();
  const auto report = logfile.deliver(message("m-1", "x"));
  CHECK(report.is(delivery_status::retry));
  CHECK(report.summary == "cancelled before " + folder / "a.log" + " was opened");
  CHECK_FALSE(std::filesystem::exists(folder / "a.log"));
}

TEST_CASE("options that could not work are refused when the notifier is made", "[logfile]") {
  const auto refusal = [](const std::string& path, const std::string& zone) {
    host h;
    configure(h, path);
    h.set("zone", zone);
    return notifier(h).error();
  };
  CHECK(refusal("a.log", "UTC") == "path must be the absolute path of a file without `..`");
  CHECK(refusal("/var/log/", "UTC") == "path must be the absolute path of a file without `..`");
  CHECK(refusal("/var/../log/a", "UTC") == "path must be the absolute path of a file without `..`");
  CHECK(refusal("/var/log/a", "../../etc/passwd") == "zone must be a name like Europe/Berlin");
  CHECK(refusal("/var/log/a", "Mars/Olympus") ==
        "zone: there is no time zone \"Mars/Olympus\" in /usr/share/zoneinfo; names are like Europe/Berlin");
}

TEST_CASE("notifiers that share a file never mix their lines", "[logfile]") {
  const Scratch folder;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&folder, t] {
      host h;
      configure(h, folder / "a.log");
      auto logfile = notifier(h);
      for (int i = 0; i < 50; ++i) logfile.deliver(message("m-" + std::to_string(i), std::string(3000, static_cast<char>('a' + t))));
    });
  for (auto& thread : threads) thread.join();
  std::istringstream lines(content_of(folder / "a.log"));
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    REQUIRE(line.size() == 33 + 3000);
    CHECK(line.find_first_not_of(line[33], 33) == line.npos);
  }
  CHECK(count == 200);
}
