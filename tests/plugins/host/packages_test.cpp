// SPDX-License-Identifier: Apache-2.0
#include "packages.hpp"

#include <unistd.h>

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

}  // namespace

TEST_CASE("updates of security are told from others by their archive", "[host]") {
  const PendingUpdates updates = parse_simulation(simulation);
  CHECK(updates.all == 4);
  CHECK(updates.security == std::vector<std::string>{"libssl3", "linux-image-6.1.0-38-amd64", "openssl"});
  CHECK(parse_simulation("").all == 0);
}

TEST_CASE("pending security updates mean what the option says", "[host]") {
  auto [found, expected] =
      GENERATE(table<std::string, status>({{"warning", status::warning}, {"critical", status::critical}}));
  UnderTest<Packages> check;
  check.set("found", found).set("max_list_age", std::chrono::hours(24 * 3650));
  check.host.on_exec([](const auto&) { return ronda::testing::exec_answer{0, simulation}; });
  const auto report = check.run();
  CHECK_THAT(report,
             Ended(expected, "3 security updates pending of 4: libssl3 linux-image-6.1.0-38-amd64 openssl"));
  CHECK_THAT(report, HasMetric("security", 3));
  const auto& request = check.host.programs().back();
  CHECK(request.clear_env);
  CHECK(request.env.at("LC_ALL") == "C");
}

TEST_CASE("apt that fails or does not end is unknown, with what it said", "[host]") {
  UnderTest<Packages> check;
  check.host.on_exec([](const auto&) {
    return ronda::testing::exec_answer{100, "", "E: could not read\x1B[2J\n"};
  });
  CHECK_THAT(check.run(), Ended(status::unknown, "apt-get: E: could not read\\x1b[2J"));
  check.host.on_exec([](const auto&) {
    ronda::testing::exec_answer answer;
    answer.timed_out = true;
    return answer;
  });
  CHECK_THAT(check.run(), Ended(status::unknown, "apt-get did not end within the timeout"));
}

TEST_CASE("the real apt of this host is asked and changes nothing", "[host]") {
  if (access("/usr/bin/apt-get", X_OK) != 0) return skipped("there is no apt here");
  UnderTest<Packages> check;
  const auto report = check.run();
  INFO(report.summary);
  CHECK(report.find("pending") != nullptr);
  CHECK(report.summary.find("security updates pending of ") != std::string::npos);
}
