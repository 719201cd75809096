// SPDX-License-Identifier: Apache-2.0
#include "process.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>

#include "temp_folder.hpp"
#include "under_test.hpp"

using namespace host;
using ronda::status;

namespace {

/// A child of this test that does nothing under a name of its own, until its owner goes.
class Child {
 public:
  explicit Child(const char* name) {
    std::array<int, 2> named{};
    REQUIRE(pipe(named.data()) == 0);
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_NAME, name);
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (write(named[1], "x", 1) == 1) pause();
      _exit(0);
    }
    char ready = 0;
    REQUIRE(read(named[0], &ready, 1) == 1);
    close(named[0]);
    close(named[1]);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

 private:
  pid_t pid_;
};

}  // namespace

TEST_CASE("a process is found, counted, and missed when it is gone", "[host]") {
  UnderTest<ProcessCheck> check;
  check.set("name", "ronda-test-one");
  CHECK_THAT(check.run(), Ended(status::critical, "ronda-test-one is not running"));
  {
    const Child child("ronda-test-one");
    const auto report = check.run();
    CHECK_THAT(report, Ended(status::ok, "ronda-test-one: 1 process, "));
    CHECK_THAT(report, HasMetric("count", 1));
    CHECK_THAT(report, HasMetric("threads", 1));
    CHECK(report.find("rss")->value > 0);
  }
  CHECK_THAT(check.run(), Ended(status::critical, "is not running"));
}

TEST_CASE("too few are critical, too many a warning", "[host]") {
  const Child one("ronda-test-two");
  const Child two("ronda-test-two");
  UnderTest<ProcessCheck> check;
  check.set("name", "ronda-test-two").set("min_count", 3);
  CHECK_THAT(check.run(), Ended(status::critical, "at least 3 expected"));
  check.restart();
  check.set("min_count", 1).set("max_count", 1);
  const auto report = check.run();
  CHECK_THAT(report, Ended(status::warning, "2 processes"));
  CHECK(report.summary.find("at most 1 expected") != std::string::npos);
}

TEST_CASE("a path in place of a name is refused, with the name that would match", "[host]") {
  UnderTest<ProcessCheck> check;
  check.set("name", "/usr/sbin/nginx");
  CHECK(ronda::testing::make<ProcessCheck>(check.host).error() ==
        "name = \"/usr/sbin/nginx\" can never match: give the name of the file alone, \"nginx\"");
}

TEST_CASE("restarts are counted over runs and instances, and too many warn", "[host]") {
  UnderTest<ProcessCheck> check;
  check.set("name", "ronda-test-thr").set("max_restarts", 2);
  for (int starts = 0; starts < 3; ++starts) {
    const Child child("ronda-test-thr");
    const auto report = check.run();
    CHECK_THAT(report, Ended(status::ok));
    CHECK_THAT(report, HasMetric("restarts", starts));
    check.restart();
    check.host.advance(std::chrono::seconds(30));
  }
  const Child child("ronda-test-thr");
  CHECK_THAT(check.run(), Ended(status::warning, "restarted 3 times within 10m"));
  check.host.advance(std::chrono::hours(1));
  CHECK_THAT(check.run(), Ended(status::ok));
}

TEST_CASE("a process with a hostile name is neither found by accident nor an escape sequence", "[host]") {
  const Child child("a) R 1\n\x1B[2J");
  UnderTest<ProcessCheck> check;
  const auto report = check.set("name", "a) R 1\n\x1B[2J").run();
  CHECK_THAT(report, Ended(status::ok, "a) R 1\\x0a\\x1b[2J: 1 process"));
}

TEST_CASE("a unit on a host without systemd says so", "[host]") {
  if (access("/run/systemd/system", F_OK) == 0) return skipped("no-systemd", "this host runs systemd");
  UnderTest<ProcessCheck> check;
  CHECK_THAT(check.set("unit", "nginx").run(), Ended(status::unknown, "unit nginx: this host was not booted with systemd"));
}
