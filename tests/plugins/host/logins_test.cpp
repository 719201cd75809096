// SPDX-License-Identifier: Apache-2.0
#include "logins.hpp"

#include "temp_folder.hpp"
#include "under_test.hpp"

using namespace host;
using ronda::status;

namespace {

std::string sshd(const std::string& message) {
  return "Nov 24 03:12:01 web sshd[812]: " + message;
}

struct Row {
  std::string line;
  const char* source;  // null: no failure
  const char* user;
};

}  // namespace

TEST_CASE("failures of sshd, with users that try to look like an address", "[host]") {
  const auto row = GENERATE(values<Row>({
      {sshd("Failed password for root from 203.0.113.9 port 4711 ssh2"), "203.0.113.9", "root"},
      {sshd("Failed password for invalid user admin from 2001:db8::1 port 4711 ssh2"), "2001:db8::1",
       "admin"},
      {sshd("Failed password for invalid user x from 10.0.0.1 port 1 ssh2 from 203.0.113.9 port 5 ssh2"),
       "203.0.113.9", "x from 10.0.0.1 port 1 ssh2"},
      {sshd("Failed publickey for git from 203.0.113.9 port 1 ssh2: RSA SHA256:abc"), "203.0.113.9", "git"},
      {sshd("Failed none for invalid user x from 203.0.113.9 port 1 ssh2"), nullptr, ""},
      {sshd("Connection closed by authenticating user root 203.0.113.9 port 77 [preauth]"), "203.0.113.9",
       "root"},
      {sshd("Connection closed by invalid user a b 203.0.113.9 port 77 [preauth]"), "203.0.113.9", "a b"},
      {sshd("Connection closed by 203.0.113.9 port 77 [preauth]"), nullptr, ""},
      {sshd("Accepted publickey for root from 203.0.113.9 port 1 ssh2"), nullptr, ""},
      {sshd("Failed password for root from nowhere port 1 ssh2"), "unknown", "root"},
      {"2026-11-24T03:12:01.123456+00:00 web sshd-session[8]: Failed password for a from 203.0.113.9 port 1 "
       "ssh2",
       "203.0.113.9", "a"},
      {"Nov 24 03:12:01 web app[1]: Failed password for root from 203.0.113.9 port 1 ssh2", nullptr, ""},
      {"", nullptr, ""},
  }));
  INFO(row.line);
  FailureReader reader;
  const auto failure = reader.read(row.line);
  REQUIRE(failure.has_value() == (row.source != nullptr));
  if (!failure) return;
  CHECK(failure->source == row.source);
  CHECK(failure->user == row.user);
  CHECK(failure->service == "sshd");
}

TEST_CASE("failures of PostgreSQL, with the source wherever it is told", "[host]") {
  const auto row = GENERATE(values<Row>({
      {"2026-11-24 03:00:00.1 UTC [99] app@db FATAL:  password authentication failed for user \"app\"",
       "203.0.113.7", "app"},
      {"2026-11-24 03:00:00 UTC [5] 10.1.1.1(5432) FATAL:  password authentication failed for user \"a\"",
       "10.1.1.1", "a"},
      {"2026-11-24 03:00:00 UTC [5] host=10.1.1.2, FATAL:  Peer authentication failed for user \"a\"",
       "10.1.1.2", "a"},
      {"2026-11-24 [5] FATAL:  no pg_hba.conf entry for host \"10.1.1.3\", user \"u\", database \"d\", no "
       "encryption",
       "10.1.1.3", "u"},
      {"2026-11-24 [5] [local] FATAL:  role \"nobody\" does not exist", "local", "nobody"},
      {"2026-11-24 [5] FATAL:  password authentication failed for user \"a\"", "unknown", "a"},
      {"2026-11-24 [5] FATAL:  terminating connection due to administrator command", nullptr, ""},
      {"\tFATAL:  no pg_hba.conf entry for host \"6.6.6.6\", user \"x\"", nullptr, ""},
  }));
  INFO(row.line);
  FailureReader reader;
  CHECK_FALSE(
      reader.read("2026-11-24 03:00:00 UTC [99] LOG:  connection received: host=203.0.113.7 port=4711"));
  const auto failure = reader.read(row.line);
  REQUIRE(failure.has_value() == (row.source != nullptr));
  if (!failure) return;
  CHECK(failure->source == row.source);
  CHECK(failure->user == row.user);
  CHECK(failure->service == "postgresql");
}

TEST_CASE("a connection that failed by password is not counted again when it closes", "[host]") {
  FailureReader reader;
  CHECK(reader.read(sshd("Failed password for root from 203.0.113.9 port 5 ssh2")));
  CHECK_FALSE(
      reader.read(sshd("Connection closed by authenticating user root 203.0.113.9 port 5 [preauth]")));
  CHECK(reader.read(sshd("Connection closed by authenticating user root 203.0.113.9 port 6 [preauth]")));
}

TEST_CASE("a line that syslog folded counts as often as it says", "[host]") {
  const std::string failed = "Failed password for root from 10.1.2.3 port 22 ssh2";
  FailureReader reader;
  FailureCount count;
  for (const std::string& line : {sshd(failed), sshd("message repeated 40 times: [ " + failed + "]"),
                                  sshd("message repeated 2 times: [ Accepted publickey for root from 10.1.2.3 port 22 ssh2]"),
                                  sshd("message repeated 99999999999 times: [ " + failed + "]"),
                                  sshd("message repeated 3 times: [ " + failed), sshd("message repeated x times: [ " + failed + "]")}) {
    if (const auto failure = reader.read(line)) count.add(*failure);
  }
  CHECK(count.total() == 41);
  CHECK(count.of_service("sshd") == 41);
  REQUIRE(count.top(5).size() == 1);
  CHECK(count.top(5)[0].count == 41);
  CHECK(count.top(5)[0].address == "10.1.2.3");
}

TEST_CASE("failures are counted by source, and a flood of sources has a bound", "[host]") {
  FailureCount count;
  for (int i = 0; i < 12'000; ++i) {
    count.add({"sshd", std::to_string(i / 256) + ".1.1." + std::to_string(i % 256), "u" + std::to_string(i)});
  }
  for (int i = 0; i < 3000; ++i) count.add({"postgresql", "0.1.1.7", "root"});
  const auto top = count.top(2);
  REQUIRE(top.size() == 2);
  CHECK(top[0].address == "0.1.1.7");
  CHECK(top[0].count == 3001);
  CHECK(top[1].address == "others");
  CHECK(top[1].count == 2000);
  CHECK(top[1].users.size() == 5);
  CHECK(count.total() == 15'000);
  CHECK(count.of_service("postgresql") == 3000);
}

TEST_CASE("new failures in the logs are counted once, by source, and warn from a number on", "[host]") {
  const TempFolder folder;
  UnderTest<Logins> check;
  const std::string auth =
      folder.write("auth.log", sshd("Failed password for root from 203.0.113.1 port 1 ssh2\n"));
  const std::string pg = folder.write("pg.log", "");
  check.set("logs", ronda::testing::node::list{auth, pg}).set("from_one_source", 3);
  CHECK_THAT(check.run(), Ended(status::ok, "0 failed logins"));
  for (int i = 0; i < 3; ++i) {
    folder.append("auth.log",
                  sshd("Failed password for \x1B[2J from 203.0.113.9 port " + std::to_string(i) + " ssh2\n"));
  }
  folder.append("pg.log", "2026-11-24 [5] [local] FATAL:  role \"x\" does not exist\n");
  const auto report = check.run();
  CHECK_THAT(report, Ended(status::warning, "4 failed logins, 3 from 203.0.113.9"));
  CHECK_THAT(report, HasMetric("failures_of", 1, {{"service", "postgresql"}}));
  CHECK_THAT(report, HasMetric("failures_from", 3, {{"source", "203.0.113.9"}}));
  CHECK(report.detail == "203.0.113.9: 3 as \\x1b[2J\nlocal: 1 as x\n");
  CHECK_THAT(check.run(), Ended(status::ok, "0 failed logins"));
}

TEST_CASE("a log that cannot be read is unknown, with its name", "[host]") {
  UnderTest<Logins> check;
  check.set("logs", ronda::testing::node::list{"/no/such/auth.log"});
  CHECK_THAT(check.run(), Ended(status::unknown, "/no/such/auth.log: No such file or directory"));
}

TEST_CASE("the journal is read on from its cursor", "[host]") {
  UnderTest<Logins> check;
  check.set("logs", ronda::testing::node::list{}).set("journal", true);
  check.host.on_exec([](const ronda::testing::exec_request& request) {
    ronda::testing::exec_answer answer;
    const bool first = request.argv.back() == "--lines=0";
    answer.out =
        first ? "-- cursor: s=1;i=2\n"
              : "2026-11-24T03:12:01+0000 web sshd[8]: Failed password for a from 203.0.113.9 port 1 ssh2\n"
                "-- cursor: s=1;i=3\n";
    return answer;
  });
  CHECK_THAT(check.run(), Ended(status::ok, "0 failed logins"));
  CHECK_THAT(check.run(), Ended(status::ok, "1 failed login, 1 from 203.0.113.9"));
  CHECK(check.host.programs().back().argv.back() == "--after-cursor=s=1;i=2");
  CHECK(check.host.kept().at("cursor") == "s=1;i=3");
}

TEST_CASE("a journal that says more than is read is gone on with from its end, and that is told", "[host]") {
  UnderTest<Logins> check;
  check.set("logs", ronda::testing::node::list{}).set("journal", true).set("from_one_source", 2);
  bool flooded = false;
  check.host.on_exec([&](const ronda::testing::exec_request& request) {
    ronda::testing::exec_answer answer;
    if (request.argv.back() == "--lines=0") {
      answer.out = flooded ? "-- cursor: s=1;i=9\n" : "-- cursor: s=1;i=2\n";
    } else if (request.argv.back() == "--after-cursor=s=1;i=2") {
      flooded = true;
      for (int i = 0; i < 3; ++i) answer.out += "2026-11-24T03:12:01+0000 web sshd[8]: Failed password for a from 203.0.113.9 port 1 ssh2\n";
      answer.out_total = 3 << 20;  // the rest and the cursor were cut off
    } else {
      answer.out = "-- cursor: s=1;i=9\n";
    }
    return answer;
  });
  CHECK_THAT(check.run(), Ended(status::ok, "0 failed logins"));
  CHECK_THAT(check.run(), Ended(status::warning,
                                "3 failed logins, 3 from 203.0.113.9, the journal had more than can be read in one run: the newest entries are "
                                "not counted; run it more often"));
  CHECK(check.host.kept().at("cursor") == "s=1;i=9");
  CHECK_THAT(check.run(), Ended(status::ok, "0 failed logins"));
  CHECK(check.host.programs().back().argv.back() == "--after-cursor=s=1;i=9");
}

TEST_CASE("a check that would watch nothing is refused", "[host]") {
  UnderTest<Logins> check;
  check.set("logs", ronda::testing::node::list{});
  const auto made = ronda::testing::make<Logins>(check.host);
  REQUIRE_FALSE(made);
  CHECK(made.error().find("with logs = [] and without journal = true nothing would be watched") != std::string::npos);
}

TEST_CASE("a journal that cannot be read says why, also when journalctl says nothing", "[host]") {
  ronda::testing::exec_answer answer;
  std::string expected;
  SECTION("nothing") {
    answer.exit_code = 1;
    expected = "journalctl: it ended with exit code 1 and said nothing: is there a journal here";
  }
  SECTION("too slow") {
    answer.timed_out = true;
    expected = "journalctl: it did not end within the timeout; give this check a longer one";
  }
  SECTION("its own words") {
    answer.exit_code = 1;
    answer.err = "Failed to open\x1B[2J\n";
    expected = "journalctl: Failed to open\\x1b[2J";
  }
  UnderTest<Logins> check;
  check.set("logs", ronda::testing::node::list{}).set("journal", true);
  check.host.on_exec([&](const ronda::testing::exec_request&) { return answer; });
  CHECK_THAT(check.run(), Ended(status::unknown, expected));
}
