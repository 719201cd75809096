// SPDX-License-Identifier: Apache-2.0
// The plugin as a file, through the SDK's fake host, which really runs the programs.
#include <ronda/testing.hpp>

#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

#include "catch.hpp"

using namespace std::chrono_literals;
using ronda::testing::host;
using ronda::testing::node;

namespace {

const ronda::testing::library& plugin() {
  static const ronda::testing::library loaded(RONDA_BINARY_DIR "/plugins/exec.so");
  return loaded;
}

node words(const std::vector<std::string>& argv) {
  node::list list;
  for (const auto& word : argv) list.emplace_back(word);
  return list;
}

/// With the defaults of the manifest.
void configure(host& h, const std::vector<std::string>& argv) {
  h.run_programs();
  h.set("command", words(argv)).set("dir", "/").set("output_limit", 65536);
  h.set("success_exit", node::list{0}).set("unchanged_exit", node::list{});
}

ronda::testing::report check(const std::vector<std::string>& argv, std::chrono::nanoseconds deadline = 10s) {
  host h;
  configure(h, argv);
  auto subject = plugin().create(h, RONDA_KIND_CHECK, "exec.nagios");
  ronda::testing::run_options how;
  how.deadline = deadline;
  auto report = subject.run(how);
  CHECK(h.broken().empty());
  return report;
}

ronda::testing::report task(const std::vector<std::string>& argv) {
  host h;
  configure(h, argv);
  auto subject = plugin().create(h, RONDA_KIND_TASK, "exec.command");
  auto report = subject.run();
  CHECK(h.broken().empty());
  return report;
}

const std::string plugins = "/usr/lib/nagios/plugins/";

}  // namespace

TEST_CASE("Debian's monitoring plugins run unchanged", "[exec]") {
  auto report = check({plugins + "check_load", "-w", "1000,1000,1000", "-c", "2000,2000,2000"});
  CHECK(report.status == RONDA_STATUS_OK);
  CHECK(report.summary.find("load average:") != std::string::npos);
  REQUIRE(report.find("load15") != nullptr);
  CHECK(report.find("load15")->warn == "0:1000");

  report = check({plugins + "check_disk", "-w", "1%", "-c", "0%", "-p", "/"});
  REQUIRE(report.find("/") != nullptr);
  CHECK(report.find("/")->unit == "B");
  CHECK(report.find("/")->value > 1e6);

  report = check({plugins + "check_procs", "-c", "1:"});
  CHECK(report.status == RONDA_STATUS_OK);
  REQUIRE(report.find("procs") != nullptr);

  report = check({plugins + "check_file_age", "-f", "/etc/hostname", "-w", "1", "-c", "999999999"});
  CHECK(report.status == RONDA_STATUS_WARNING);
  REQUIRE(report.find("age") != nullptr);
  CHECK(report.find("age")->unit == "s");
}

TEST_CASE("a monitoring plugin's exit code is the status", "[exec]") {
  const auto code = GENERATE(0, 1, 2, 3);
  CHECK(check({plugins + "check_dummy", std::to_string(code), "said so"}).status == code);
}

TEST_CASE("a hostile argument reaches the program as it is", "[exec]") {
  const auto argument = GENERATE("$(touch /tmp/x)", "`id`", "a;b", "-rf", "two\nlines", "'\"\\");
  const auto report = check({"/bin/sh", "-c", "printf %s \"$1\" | od -An -tx1 | tr -d ' \\n'", "sh", argument});
  std::string hex;
  for (const char c : std::string(argument)) hex += ronda::text("0123456789abcdef"[c >> 4], "0123456789abcdef"[c & 15]);
  CHECK(report.summary == hex);
}

TEST_CASE("a program that is not there is unknown and says so", "[exec]") {
  const auto report = check({"/nonexistent/check_it"});
  CHECK(report.status == RONDA_STATUS_UNKNOWN);
  CHECK(report.summary == "cannot run /nonexistent/check_it: /nonexistent/check_it: No such file or directory");
}

TEST_CASE("a plugin that does not end is ended and unknown, with what it had said", "[exec]") {
  const auto report = check({"/bin/sh", "-c", "echo connecting; exec sleep 60"}, 300ms);
  CHECK(report.status == RONDA_STATUS_UNKNOWN);
  CHECK(report.summary == "no answer within 0.3 s: it was ended: connecting");
}

TEST_CASE("a plugin ended by a signal is unknown", "[exec]") {
  const auto report = check({"/bin/sh", "-c", "kill -SEGV $$"});
  CHECK(report.status == RONDA_STATUS_UNKNOWN);
  CHECK(report.summary == "it was killed by signal 11 (SIGSEGV)");
}

TEST_CASE("output past the limit is cut and counted", "[exec]") {
  const auto report = check({"/bin/sh", "-c", "echo OK; head -c 100000 /dev/zero | tr '\\0' x"});
  CHECK(report.status == RONDA_STATUS_OK);
  CHECK(report.summary == "OK");
  CHECK(report.detail.size() <= 65536);  // an agent keeps no more
  const auto shown = report.detail.find('\n');
  CHECK(report.detail.substr(0, shown) == std::string(shown, 'x'));
  CHECK(report.detail.substr(shown + 1) == std::to_string(100000 - shown) + " more bytes of output were not kept");
}

TEST_CASE("the environment is clean but for what is configured", "[exec]") {
  host h;
  configure(h, {"/usr/bin/env"});
  h.set("env", node::table{{"GREETING", "hello"}, {"TOKEN", node::secret("s3cret")}});
  auto subject = plugin().create(h, RONDA_KIND_CHECK, "exec.nagios");
  setenv("RONDA_TEST_LEAK", "1", 1);
  const auto report = subject.run();
  const auto all = report.summary + "\n" + report.detail;
  CHECK(all.find("GREETING=hello") != std::string::npos);
  CHECK(all.find("TOKEN=s3cret") != std::string::npos);
  CHECK(all.find("RONDA_TEST_LEAK") == std::string::npos);
  CHECK(h.broken().empty());
}

TEST_CASE("commands that cannot be meant are refused when the instance is created", "[exec]") {
  struct Row {
    std::vector<std::string> argv;
    std::string error;
  };
  const std::string absolute = "command[0] must be the absolute path of a program: there is no PATH search";
  const auto [argv, error] = GENERATE_COPY(values<Row>({{{"check_load"}, absolute + ", got check_load"},
                                                        {{""}, absolute + ", got ''"},
                                                        {{}, absolute},
                                                        {{"/bin/echo", std::string("a\0b", 3)},
                                                         "command[1] holds a NUL character"}}));
  host h;
  configure(h, argv);
  const auto subject = plugin().create(h, RONDA_KIND_CHECK, "exec.nagios");
  CHECK_FALSE(subject);
  CHECK(subject.error() == error);
}

TEST_CASE("a secret on a command line is refused", "[exec]") {
  host h;
  configure(h, {});
  h.set("command", node::list{"/bin/echo", node::secret("s3cret")});
  const auto subject = plugin().create(h, RONDA_KIND_TASK, "exec.command");
  CHECK_FALSE(subject);
  CHECK(subject.error() ==
        "command[1] holds a secret, and a command line can be read by every user of the host: give it in `env` or a file");
}

TEST_CASE("a command is a task: changed, unchanged or failed", "[exec]") {
  CHECK(task({"/bin/sh", "-c", "echo working; echo done"}).status == RONDA_TASK_CHANGED);
  CHECK(task({"/bin/sh", "-c", "echo working; echo done"}).summary == "done");
  CHECK(task({"/bin/false"}).status == RONDA_TASK_FAILED);
  CHECK(task({"/bin/false"}).summary == "exit code 1");
  host h;
  configure(h, {"/bin/sh", "-c", "exit 100"});
  h.set("unchanged_exit", node::list{100});
  CHECK(plugin().create(h, RONDA_KIND_TASK, "exec.command").run().status == RONDA_TASK_UNCHANGED);
}

TEST_CASE("a command has an exit code only where it ended by itself", "[exec]") {
  const auto codes = [](const ronda::testing::report& report) { return report.metrics.size(); };
  CHECK(codes(task({"/bin/sh", "-c", "exit 5"})) == 1);
  const auto killed = task({"/bin/sh", "-c", "kill -9 $$"});
  CHECK(killed.status == RONDA_TASK_FAILED);
  CHECK(codes(killed) == 0);
}

TEST_CASE("a dry run prints the command and runs nothing", "[exec]") {
  host h;
  configure(h, {"/bin/touch", "a b"});
  auto subject = plugin().create(h, RONDA_KIND_TASK, "exec.command");
  ronda::testing::run_options how;
  how.dry_run = true;
  const auto report = subject.run(how);
  CHECK(report.status == RONDA_TASK_CHANGED);
  CHECK(report.summary == "would run /bin/touch 'a b' in /");
  CHECK(h.programs().empty());
}
