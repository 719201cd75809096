// SPDX-License-Identifier: Apache-2.0
#include "pressure.hpp"

#include "catch.hpp"
#include "cgroup_memory.hpp"
#include "temp_folder.hpp"

using namespace host;

TEST_CASE("meminfo counts what programs can still have", "[host]") {
  const auto memory = parse_meminfo(
      "MemTotal:        1000 kB\nMemFree:          100 kB\nMemAvailable:     250 kB\n"
      "SwapTotal:        400 kB\nSwapFree:         100 kB\n");
  REQUIRE(memory);
  CHECK(memory->used_ratio() == Approx(0.75));
  CHECK(memory->available == 250 * 1024);
  CHECK(memory->swap_ratio() == Approx(0.75));
}

TEST_CASE("a host without swap uses none; one without MemAvailable cannot be judged", "[host]") {
  const auto memory =
      parse_meminfo("MemTotal: 1000 kB\nMemAvailable: 250 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n");
  REQUIRE(memory);
  CHECK(memory->swap_ratio() == 0);
  CHECK_FALSE(parse_meminfo("MemTotal: 1000 kB\nMemFree: 250 kB\n"));
  CHECK_FALSE(parse_meminfo(""));
}

TEST_CASE("pressure is a share of time", "[host]") {
  const auto pressure = parse_pressure(
      "some avg10=1.50 avg60=20.00 avg300=0.00 total=12345\n"
      "full avg10=0.00 avg60=5.25 avg300=0.00 total=1\n");
  REQUIRE(pressure);
  CHECK(pressure->some.avg10 == Approx(0.015));
  CHECK(pressure->some.avg60 == Approx(0.2));
  REQUIRE(pressure->full);
  CHECK(pressure->full->avg60 == Approx(0.0525));
  CHECK_FALSE(parse_pressure("some avg10=1.50 avg60=20.00 avg300=0.00 total=1\n")->full);
  CHECK_FALSE(parse_pressure("some avg10=x avg60=1 avg300=1 total=1\n"));
}

TEST_CASE("a key is a whole word", "[host]") {
  CHECK(keyed_value("oom_kill_disable 0\nunder_oom 0\noom_kill 3\n", "oom_kill") == 3U);
  CHECK_FALSE(keyed_value("oom_kill_disable 0\n", "oom_kill"));
  CHECK_FALSE(keyed_value("oom_kill x\n", "oom_kill"));
}

TEST_CASE("processors on line are counted from ranges", "[host]") {
  auto [text, count] = GENERATE(table<std::string, std::uint32_t>(
      {{"0\n", 1}, {"0-3,6\n", 5}, {"", 0}, {"3-1\n", 0}, {"0-99999999\n", 0}}));
  CHECK(count_cpus(text) == count);
}

TEST_CASE("load averages need three numbers", "[host]") {
  const auto load = parse_loadavg("0.50 1.25 2.00 3/400 5678\n");
  REQUIRE(load);
  CHECK(load->load5 == Approx(1.25));
  CHECK_FALSE(parse_loadavg("0.50 1.25"));
}

TEST_CASE("a control group of version 2 is measured against its limit, less what can be dropped", "[host]") {
  const TempFolder folder;
  folder.write("system.slice/x.service/memory.current", "800\n");
  folder.write("system.slice/x.service/memory.max", "1000\n");
  folder.write("system.slice/x.service/memory.stat", "anon 500\ninactive_file 200\n");
  folder.write("system.slice/x.service/memory.events", "low 0\noom 2\noom_kill 1\n");
  const auto memory = read_cgroup_memory(folder.path(), "/system.slice/x.service");
  REQUIRE(memory);
  CHECK(memory->used == 600);
  CHECK(memory->limit == 1000.0);
  CHECK(memory->kills == 1U);
}

TEST_CASE("a control group of version 1 without a limit has none", "[host]") {
  const TempFolder folder;
  folder.write("memory/app/memory.usage_in_bytes", "800\n");
  folder.write("memory/app/memory.limit_in_bytes", "9223372036854771712\n");
  folder.write("memory/app/memory.stat", "inactive_file 1\ntotal_inactive_file 300\n");
  folder.write("memory/app/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n");
  const auto memory = read_cgroup_memory(folder.path(), "/app");
  REQUIRE(memory);
  CHECK(memory->used == 500);
  CHECK_FALSE(memory->limit);
  CHECK(memory->kills == 4U);
  CHECK_FALSE(read_cgroup_memory(folder.path(), "/absent"));
}
