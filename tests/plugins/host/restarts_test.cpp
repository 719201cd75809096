// SPDX-License-Identifier: Apache-2.0
#include "restarts.hpp"

#include "catch.hpp"

using namespace host;

namespace {

std::vector<Process> processes(std::initializer_list<std::int32_t> pids) {
  std::vector<Process> out;
  for (const std::int32_t pid : pids) {
    out.emplace_back();
    out.back().pid = pid;
    out.back().start_ticks = static_cast<std::uint64_t>(pid) * 10;
  }
  return out;
}

}  // namespace

TEST_CASE("a restart is a new root in place of one that is gone", "[host]") {
  Restarts restarts;
  look(restarts, "boot", processes({10}), 100);
  CHECK(restarts.total == 0);
  look(restarts, "boot", processes({10}), 110);
  CHECK(restarts.total == 0);
  look(restarts, "boot", processes({11}), 120);
  CHECK(restarts.total == 1);

  SECTION("one more is no restart") {
    look(restarts, "boot", processes({11, 12}), 130);
    CHECK(restarts.total == 1);
  }
  SECTION("one fewer is no restart") {
    look(restarts, "boot", processes({11, 12}), 130);
    look(restarts, "boot", processes({12}), 140);
    CHECK(restarts.total == 1);
  }
  SECTION("down at a look, then back, is one restart") {
    look(restarts, "boot", processes({}), 130);
    look(restarts, "boot", processes({13}), 140);
    CHECK(restarts.total == 2);
  }
  SECTION("after a boot everything is new and nothing was restarted") {
    look(restarts, "other boot", processes({13}), 140);
    CHECK(restarts.total == 1);
  }
  SECTION("the same pid with another start is another process") {
    auto same_pid = processes({11});
    same_pid[0].start_ticks = 999;
    look(restarts, "boot", same_pid, 140);
    CHECK(restarts.total == 2);
  }
}

TEST_CASE("restarts are counted within a span and survive being written down", "[host]") {
  Restarts restarts;
  for (std::int32_t pid = 1; pid <= 100; ++pid) look(restarts, "b", processes({pid}), pid * 10);
  const Restarts again = parse_restarts(format(restarts));
  CHECK(again.total == 99);
  CHECK(again.times_s.size() == 64);
  CHECK(within(again, 1000, 100) == 10);
  CHECK(within(again, 5000, 100) == 0);
  CHECK(again.last == std::vector<std::string>{"100:1000"});
}

TEST_CASE("a damaged state begins afresh", "[host]") {
  const Restarts restarts = parse_restarts("total x\n\n\x01\x02 garbage\n");
  CHECK(restarts.total == 0);
  CHECK(restarts.last.empty());
}
