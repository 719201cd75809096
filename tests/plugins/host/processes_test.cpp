// SPDX-License-Identifier: Apache-2.0
#include "processes.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "catch.hpp"
#include "temp_folder.hpp"

using namespace host;

namespace {

std::string stat_line(std::string_view pid, std::string_view comm, std::string_view parent,
                      std::string_view state = "S") {
  std::string line =
      std::string(pid) + " (" + std::string(comm) + ") " + std::string(state) + " " + std::string(parent);
  for (int field = 5; field <= 52; ++field) {
    line += field == 20 ? " 7" : field == 22 ? " 4711" : field == 24 ? " 10" : " 0";
  }
  return line + "\n";
}

}  // namespace

TEST_CASE("a name with brackets, blanks and newlines stays a name", "[host]") {
  auto comm = GENERATE("nginx", "a) R 1 (b", "x\ny", ") S 0 0", "", "((");
  const auto process = parse_stat(stat_line("12", comm, "3"), 4096);
  REQUIRE(process);
  CHECK(process->comm == comm);
  CHECK(process->pid == 12);
  CHECK(process->parent == 3);
  CHECK(process->threads == 7);
  CHECK(process->start_ticks == 4711);
  CHECK(process->rss_bytes == 40960);
}

TEST_CASE("what is no stat line is refused", "[host]") {
  auto text = GENERATE("", "12", "12 (x", "12 (x) S", ") ( 1", "x (y) S 1 2 3");
  CHECK_FALSE(parse_stat(text, 4096));
}

TEST_CASE("a name longer than the kernel keeps is compared as a whole", "[host]") {
  Process process;
  process.comm = "very-long-progr";
  process.argv0 = "very-long-program";
  CHECK(has_name(process, "very-long-program"));
  CHECK_FALSE(has_name(process, "very-long-programme"));
  CHECK(has_name(process, "very-long-progr"));
}

TEST_CASE("workers are not roots", "[host]") {
  Process master, worker, other;
  master.pid = 10, master.parent = 1;
  worker.pid = 11, worker.parent = 10;
  other.pid = 20, other.parent = 1;
  const auto found = roots({master, worker, other});
  REQUIRE(found.size() == 2);
  CHECK(found[1].pid == 20);
}

TEST_CASE("processes are found by name; zombies and files that vanish are left out", "[host]") {
  const TempFolder proc;
  proc.write("12/stat", stat_line("12", "web", "1"));
  proc.write("12/cmdline", std::string("/usr/sbin/web\0--x\0", 18));
  proc.write("13/stat", stat_line("13", "web", "1", "Z"));
  proc.write("14/stat", stat_line("14", "other", "1"));
  proc.write("15/comm", "web\n");
  proc.write("self/stat", stat_line("99", "web", "1"));
  const auto found = collect_named(proc.path(), "web");
  REQUIRE(found.size() == 1);
  CHECK(found[0].pid == 12);
  CHECK(found[0].argv0 == "web");
}

TEST_CASE("a unit is found by its control group in either hierarchy, with what is below it", "[host]") {
  const TempFolder cgroups;
  auto hierarchy = GENERATE("", "unified/", "systemd/");
  const std::string prefix = hierarchy;
  cgroups.write(prefix + "cgroup.procs", "1\n");
  cgroups.write(prefix + "system.slice/system-pg.slice/pg@15.service/cgroup.procs", "100\n");
  cgroups.write(prefix + "system.slice/system-pg.slice/pg@15.service/inner/cgroup.procs", "101\n102\n");
  const auto found = find_unit(cgroups.path(), "pg@15.service");
  REQUIRE(found);
  auto pids = pids_below(*found);
  std::sort(pids.begin(), pids.end());
  CHECK(pids == std::vector<std::int32_t>{100, 101, 102});
  CHECK_FALSE(find_unit(cgroups.path(), "pg@14.service"));
}

TEST_CASE("the real /proc holds this test", "[host]") {
  const auto found = collect_pids("/proc", {getpid()});
  REQUIRE(found.size() == 1);
  CHECK(found[0].rss_bytes > 0);
  CHECK(found[0].open_files.value_or(0) > 2);
  CHECK(found[0].parent == getppid());
}
