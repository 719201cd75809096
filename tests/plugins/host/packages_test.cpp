// SPDX-License-Identifier: Apache-2.0
#include "packages.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>

#include "temp_folder.hpp"
#include "under_test.hpp"

using namespace host;
using ronda::status;

namespace {

const char* const simulation =
    "Reading package lists...\n"
    "The following packages will be upgraded:\n  libssl3 tzdata\n"
    "Inst libssl3 [3.0.15-1~deb12u1] (3.0.17-1~deb12u2 Debian-Security:12/oldstable-security [amd64])\n"
    "Inst tzdata [2024a-0+deb12u1] (2025b-0+deb12u1 Debian:12.11/oldstable, "
    "Debian:12-updates/oldstable-updates [all])\n"
    "Inst linux-image-6.1.0-38-amd64 (6.1.147-1 Debian:12.12/oldstable, "
    "Debian-Security:12/oldstable-security [amd64])\n"
    "Inst openssl [3.0.2-0ubuntu1.18] (3.0.2-0ubuntu1.19 Ubuntu:22.04/jammy-updates, "
    "Ubuntu:22.04/jammy-security [amd64])\n"
    "Conf libssl3 (3.0.17-1~deb12u2 Debian-Security:12/oldstable-security [amd64])\n"
    "Inst\nInst broken\n";

/// With lists of its own, made now.
struct PackagesTest : UnderTest<Packages> {
  TempFolder folder;

  PackagesTest() {
    folder.write("deb_dists_x-security_InRelease", "Origin: x\n");
    host.set_wall(std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now()));
    host.on_exec([](const auto&) { return ronda::testing::exec_answer{0, simulation}; });
  }
  void make() {
    subject.emplace(ronda::testing::make<Packages>(host));
    REQUIRE(*subject);
    subject->as<Packages>().lists_folder = folder.path();
  }
};

}  // namespace

TEST_CASE("the lists are as old as the newest of them, whatever happens to their folder", "[host]") {
  PackagesTest check;
  const auto set_time = [&](const std::string& name, std::int64_t at_s) {
    const std::array<timespec, 2> times = {timespec{at_s, 0}, timespec{at_s, 0}};
    REQUIRE(utimensat(AT_FDCWD, check.folder.file(name).c_str(), times.data(), 0) == 0);
  };
  check.folder.write("deb_dists_x_main_binary-amd64_Packages.lz4", "");
  check.folder.write("deb_dists_x_main_i18n_Translation-en", "");
  check.folder.write("lock", "");
  check.folder.write("partial/deb_dists_x_InRelease", "");
  set_time("deb_dists_x-security_InRelease", 1000);
  set_time("deb_dists_x_main_binary-amd64_Packages.lz4", 2000);
  CHECK(lists_as_of_s(check.folder.path()) == 2000);  // the folder itself was changed just now, as by a failing update
  check.make();
  CHECK_THAT(check.run(), Ended(status::warning, " old: apt-get update has not run or not succeeded"));
}

TEST_CASE("without lists nothing is known, however well apt runs", "[host]") {
  PackagesTest check;
  std::filesystem::remove(check.folder.file("deb_dists_x-security_InRelease"));
  check.folder.write("partial/deb_dists_x_InRelease", "");
  CHECK_FALSE(lists_as_of_s(check.folder.path()));
  CHECK_FALSE(lists_as_of_s(check.folder.file("none")));
  check.make();
  CHECK_THAT(check.run(), Ended(status::unknown, ": run apt-get update"));
}

TEST_CASE("updates of security are told from others by their archive", "[host]") {
  const PendingUpdates updates = parse_simulation(simulation);
  CHECK(updates.all == 4);
  CHECK(updates.security == std::vector<std::string>{"libssl3", "linux-image-6.1.0-38-amd64", "openssl"});
  CHECK(parse_simulation("").all == 0);
}

TEST_CASE("pending security updates mean what the option says", "[host]") {
  auto [found, expected] = GENERATE(table<std::string, status>({{"warning", status::warning}, {"critical", status::critical}}));
  PackagesTest check;
  check.set("found", found);
  check.make();
  const auto report = check.run();
  CHECK_THAT(report, Ended(expected, "3 security updates pending of 4: libssl3 linux-image-6.1.0-38-amd64 openssl"));
  CHECK_THAT(report, HasMetric("security", 3));
  const auto& request = check.host.programs().back();
  CHECK(request.clear_env);
  CHECK(request.env.at("LC_ALL") == "C");
}

TEST_CASE("apt that fails or does not end is unknown, with what it said", "[host]") {
  PackagesTest check;
  check.make();
  check.host.on_exec([](const auto&) { return ronda::testing::exec_answer{100, "", "E: could not read\x1B[2J\n"}; });
  CHECK_THAT(check.run(), Ended(status::unknown, "apt-get: E: could not read\\x1b[2J"));
  check.host.on_exec([](const auto&) {
    ronda::testing::exec_answer answer;
    answer.timed_out = true;
    return answer;
  });
  CHECK_THAT(check.run(), Ended(status::unknown, "apt-get did not end within the timeout"));
}

TEST_CASE("the real apt of this host is asked and changes nothing", "[host]") {
  if (access("/usr/bin/apt-get", X_OK) != 0) return skipped("apt", "there is no apt here");
  if (!lists_as_of_s("/var/lib/apt/lists")) return skipped("package-lists", "there are no package lists here");
  UnderTest<Packages> check;
  ronda::testing::run_options how;
  how.deadline = std::chrono::seconds(60);  // it reads all lists: seconds of CPU time, longer beside other work
  const auto report = check.run(how);
  INFO(report.summary);
  CHECK(report.find("pending") != nullptr);
  CHECK(report.summary.find("security updates pending of ") != std::string::npos);
}
