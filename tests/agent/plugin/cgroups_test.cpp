// SPDX-License-Identifier: Apache-2.0
// Control groups as directories of a test's own: what a kernel with version 2, with version 1 and with none shows, and
// how each step can fail.
#include "plugin/cgroups.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <catch.hpp>
#include <thread>

#include "fake_cgroups.hpp"
#include "plugin/runner_spec.hpp"

using namespace ronda;
using namespace ronda::plugin;
using namespace ronda::test;

TEST_CASE("with version 2 the agent goes to a leaf, and a runner gets memory, swap and tasks before it is joined", "[plugin]") {
  CgroupBench bench(true);
  const std::string own = bench.kernel.own();
  {
    const auto groups = bench.make();
    CHECK(groups->version() == CgroupVersion::v2);
    CHECK(groups->text() == "cgroup v2 (memory, pids, cpu)");
    CHECK(FakeKernel::text(own + "/agent", "cgroup.procs") == "4711\n");
    CHECK(FakeKernel::text(own, "cgroup.procs").empty());
    CHECK(FakeKernel::text(own, "cgroup.subtree_control") == "+memory +pids");
    CHECK(FakeKernel::text(own + v2_base, "cgroup.subtree_control") == "+memory +pids");
    bench.kernel.writes.clear();
    const RunnerGroup group = groups->add(100, both);
    CHECK(bench.kernel.writes ==
          std::vector<std::string>{"1/memory.max=201326592", "1/memory.swap.max=0", "1/pids.max=96", "1/cgroup.procs=100"});
    CHECK(group.holds_memory());
    CHECK(group.holds_tasks());
    CHECK(group.text() == "cgroup v2: memory 192MiB, 96 tasks");
    const RunnerGroup second = groups->add(101, both);
    CHECK(bench.below(own + v2_base) == std::vector<std::string>{"1", "2"});
  }
  // all is as it was before
  CHECK(bench.below(own).empty());
  CHECK(FakeKernel::text(own, "cgroup.procs") == "4711\n");
  CHECK(bench.kernel.wrote("ronda.service/cgroup.subtree_control=-memory"));
  CHECK(bench.told.empty());
}

TEST_CASE("with version 1 a runner has a group in each of two hierarchies", "[plugin]") {
  CgroupBench bench(false);
  const std::string memory = bench.kernel.scratch / "memory/init", pids = bench.kernel.scratch / "pids/init";
  {
    const auto groups = bench.make();
    CHECK(groups->version() == CgroupVersion::v1);
    CHECK(groups->text() == "cgroup v1 (memory, pids, cpu)");
    bench.kernel.writes.clear();
    const RunnerGroup group = groups->add(100, both);
    CHECK(bench.kernel.writes == std::vector<std::string>{"1/memory.limit_in_bytes=201326592", "1/memory.memsw.limit_in_bytes=201326592",
                                                          "1/cgroup.procs=100", "2/pids.max=96", "2/cgroup.procs=100"});
    CHECK(group.text() == "cgroup v1: memory 192MiB, 96 tasks");
    CHECK(bench.below(memory + v2_base) == std::vector<std::string>{"1"});
    CHECK(bench.below(pids + v2_base) == std::vector<std::string>{"2"});
  }
  CHECK(bench.below(memory).empty());
  CHECK(bench.below(pids).empty());
  CHECK(bench.told.empty());
}

TEST_CASE("why there are no control groups is said, and runners start without", "[plugin]") {
  struct Case {
    bool v2;
    std::function<void(CgroupBench&)> spoil;
    std::string text;
  };
  const auto fail = [](const char* what, int error) { return [=](CgroupBench& bench) { bench.kernel.fails[what] = error; }; };
  const Case one = GENERATE_COPY(values<Case>({
      {true, fail("make", EACCES), "cannot make one below the agent's own: Permission denied"},
      {true, fail("make", EROFS), "cannot make one below the agent's own: Read-only file system"},
      {true, fail("cgroup.procs", EACCES), "cannot move the agent: Permission denied"},
      {true, fail("cgroup.subtree_control", EBUSY), "cannot hand controllers down: Device or resource busy"},
      {true, [](CgroupBench& b) { b.kernel.set(b.kernel.own(), "cgroup.controllers", "cpu\n"); },
       "the agent was given neither memory nor pids (Delegate=yes in its unit)"},
      {true, [](CgroupBench& b) { b.kernel.set(b.kernel.own(), "cgroup.procs", "4711\n99\n"); },
       "other processes are in the agent's own (Delegate=yes in its unit)"},
      {true, [](CgroupBench& b) { b.kernel.set(b.kernel.own(), "cgroup.procs", "0\n4711\n"); },
       "other processes are in the agent's own (Delegate=yes in its unit)"},
      {true, [](CgroupBench& b) { b.self = "0::/elsewhere\n"; }, "the agent's own cannot be read"},
      {true, [](CgroupBench& b) { b.self = "0::/../other\n"; }, "the agent's own is not below "},
      {true, [](CgroupBench& b) { b.self.clear(); }, "the agent's own is not below "},
      {false, fail("make", EACCES), "cannot make one below the agent's own: Permission denied"},
      {false, [](CgroupBench& b) { b.self = "3:memory:/gone\n4:pids:/gone\n"; },
       "cannot make one below the agent's own: No such file or directory"},
      {false, [](CgroupBench& b) { b.self = "1:cpuset:/\n0::/\n"; }, "this kernel shows no controller memory"},
  }));
  INFO(one.text);
  CgroupBench bench(one.v2);
  one.spoil(bench);
  const auto groups = bench.make();
  CHECK(groups->version() == CgroupVersion::none);
  CHECK_THAT(groups->text(), Catch::StartsWith("rlimits, cpu not limited: no control groups: " + one.text));
  const RunnerGroup group = groups->add(100, both);
  CHECK_FALSE(group.holds_memory());
  CHECK_FALSE(group.holds_tasks());
  CHECK(group.text().empty());
  if (!one.v2) return;
  // whoever was moved is back, and nothing is left
  bench.kernel.fails.clear();
  CHECK(bench.below(bench.kernel.own()).empty());
  CHECK(FakeKernel::text(bench.kernel.own(), "cgroup.procs").find("4711\n") != std::string::npos);
}

TEST_CASE("one controller without the other limits what it can", "[plugin]") {
  CgroupBench v1(false), v2(true);
  v1.self = "3:memory:/init\n";
  v2.kernel.set(v2.kernel.own(), "cgroup.controllers", "pids\n");
  const auto memory = v1.make(), tasks = v2.make();
  CHECK(memory->text() == "cgroup v1 (memory), rlimits: no pids, cpu not limited: this kernel shows no controller pids");
  CHECK(tasks->text() == "cgroup v2 (pids), rlimits: no memory, cpu not limited");
  CHECK(v2.kernel.wrote("ronda.service/cgroup.subtree_control=+pids"));
  const RunnerGroup first = memory->add(100, both), second = tasks->add(100, both);
  CHECK((first.holds_memory() && !first.holds_tasks()));
  CHECK((!second.holds_memory() && second.holds_tasks()));
  CHECK(second.text() == "cgroup v2: 96 tasks");
}

TEST_CASE("a step that fails at run time is told once and costs its limit, not the runner", "[plugin]") {
  struct Case {
    bool v2;
    const char* file;
    int error;
    bool memory, tasks;
    std::string told;
  };
  const Case one = GENERATE(values<Case>({
      {true, "make", ENOSPC, false, false, "cannot make a group for a runner: No space left on device; rlimits hold instead"},
      {true, "make", ENOENT, false, false, "cannot make a group for a runner: No such file or directory; rlimits hold instead"},
      {true, "memory.max", EACCES, false, true, "cannot write memory.max: Permission denied; rlimits hold instead"},
      {true, "pids.max", ENOENT, true, false, "cannot write pids.max: No such file or directory; rlimits hold instead"},
      {true, "cgroup.procs", EACCES, false, false, "cannot put a runner into its group: Permission denied; rlimits hold instead"},
      {true, "cgroup.procs", ESRCH, false, false, "cannot put a runner into its group: No such process; rlimits hold instead"},
      {true, "memory.swap.max", EACCES, true, true,
       "cannot write memory.swap.max: Permission denied; runners may use swap beyond their limit"},
      {false, "memory.limit_in_bytes", EINVAL, false, true, "cannot write memory.limit_in_bytes: Invalid argument; rlimits hold instead"},
      {false, "memory.memsw.limit_in_bytes", EBUSY, true, true,
       "cannot write memory.memsw.limit_in_bytes: Device or resource busy; runners may use swap beyond their limit"},
      {false, "pids.max", EACCES, true, false, "cannot write pids.max: Permission denied; rlimits hold instead"},
  }));
  INFO(one.file << " " << one.error);
  CgroupBench bench(one.v2);
  const auto groups = bench.make();
  bench.kernel.fails[one.file] = one.error;
  for (int pid = 100; pid < 103; ++pid) {
    const RunnerGroup group = groups->add(pid, both);
    CHECK(group.holds_memory() == one.memory);
    CHECK(group.holds_tasks() == one.tasks);
    CHECK(group.limits().memory_bytes == (one.memory ? both.memory_bytes : 0));
    CHECK(group.limits().tasks == (one.tasks ? both.tasks : 0));
  }
  CHECK(bench.told == std::vector<std::string>{"control groups: " + one.told});
}

TEST_CASE("a share of processors that can be met is a quota of 100 ms, with as much again after a quiet time", "[plugin]") {
  CgroupBench two(true), one(false);
  const auto groups2 = two.make(), groups1 = one.make();
  CHECK_FALSE(two.kernel.wrote("ronda.service/cgroup.subtree_control=+cpu"));
  two.kernel.writes.clear(), one.kernel.writes.clear();
  const GroupLimits limits{0, 0, 0.6};
  {
    const RunnerGroup v2 = groups2->add(100, limits), v1 = groups1->add(100, limits);
    CHECK(two.kernel.writes == std::vector<std::string>{"ronda.service/cgroup.subtree_control=+cpu",
                                                        "ronda-4711/cgroup.subtree_control=+cpu", "1/cpu.max=60000 100000",
                                                        "1/cpu.max.burst=60000", "1/cgroup.procs=100"});
    CHECK(one.kernel.writes == std::vector<std::string>{"1/cpu.cfs_period_us=100000", "1/cpu.cfs_quota_us=60000",
                                                        "1/cpu.cfs_burst_us=60000", "1/cgroup.procs=100"});
    CHECK((v2.holds_cores() && v1.holds_cores()));
    CHECK_FALSE((v2.holds_memory() || v2.holds_tasks() || v1.holds_memory() || v1.holds_tasks()));
    CHECK(v2.text() == "cgroup v2: cpu 60%");
    two.kernel.set(two.kernel.own() + v2_base + "/1", "cpu.stat", "usage_usec 9\nnr_periods 40\nnr_throttled 12\nthrottled_usec 7\n");
    one.kernel.set(one.kernel.scratch / "cpu/init/ronda-4711/1", "cpu.stat", "nr_periods 40\nnr_throttled 1\nthrottled_time 7\n");
    CHECK(v2.text() == "cgroup v2: cpu 60% (held back 12 times)");
    CHECK(v1.text() == "cgroup v1: cpu 60% (held back 1 time)");
    two.kernel.writes.clear();
    const RunnerGroup all = groups2->add(101, {both.memory_bytes, both.tasks, 0.001});
    CHECK(two.kernel.writes == std::vector<std::string>{"2/memory.max=201326592", "2/memory.swap.max=0", "2/pids.max=96",
                                                        "2/cpu.max=1000 100000", "2/cpu.max.burst=1000", "2/cgroup.procs=101"});
  }
  CHECK(one.below(one.kernel.scratch / "cpu/init/ronda-4711").empty());
  CHECK((two.told.empty() && one.told.empty()));
}

TEST_CASE("a share that this host cannot give is no limit and costs nothing", "[plugin]") {
  const bool v2 = GENERATE(false, true);
  CgroupBench bench(v2);
  const auto groups = bench.make();
  bench.kernel.writes.clear();
  for (const double cores : {0.0, 4.0, 128.1, 1e300}) {
    const RunnerGroup group = groups->add(100, {0, 96, cores});
    CHECK_FALSE(group.holds_cores());
    CHECK_THAT(group.text(), Catch::EndsWith(": 96 tasks"));
  }
  CHECK(std::ranges::none_of(bench.kernel.writes, [](const auto& write) { return write.find("cpu") != std::string::npos; }));
  CHECK(groups->add(100, {0, 96, 3.99}).holds_cores());
}

TEST_CASE("a share that cannot be limited is told once and costs nothing else", "[plugin]") {
  struct Case {
    bool v2;
    const char* file;
    int error;
    bool holds;
    std::string told;
  };
  const std::string so = "; cpu of a runner is not limited, deadlines hold";
  const Case one = GENERATE_COPY(values<Case>({
      {true, "cgroup.subtree_control", EINVAL, false, "cannot hand cpu down: Invalid argument" + so},
      {true, "cpu.max", EACCES, false, "cannot write cpu.max: Permission denied" + so},
      {true, "cpu.max.burst", EINVAL, true, "cannot write cpu.max.burst: Invalid argument; runners are held back sooner"},
      {false, "cpu.cfs_period_us", EACCES, false, "cannot write cpu.cfs_period_us: Permission denied" + so},
      {false, "cpu.cfs_quota_us", EINVAL, false, "cannot write cpu.cfs_quota_us: Invalid argument" + so},
      {false, "cpu.cfs_burst_us", EINVAL, true, "cannot write cpu.cfs_burst_us: Invalid argument; runners are held back sooner"},
  }));
  INFO(one.file);
  CgroupBench bench(one.v2);
  const auto groups = bench.make();
  bench.kernel.fails[one.file] = one.error;
  for (int pid = 100; pid < 103; ++pid) {
    const RunnerGroup group = groups->add(pid, {both.memory_bytes, both.tasks, 0.6});
    CHECK(group.holds_cores() == one.holds);
    CHECK((group.holds_memory() && group.holds_tasks()));
    CHECK(group.limits().cores == (one.holds ? 0.6 : 0));
  }
  CHECK(bench.told == std::vector<std::string>{"control groups: " + one.told});
}

TEST_CASE("kernels without a burst have the share alone, and without cpu the rest", "[plugin]") {
  const bool v2 = GENERATE(false, true);
  CgroupBench bench(v2), other(v2);
  bench.kernel.with_burst = false;
  CHECK(bench.make()->add(100, {0, 0, 0.5}).holds_cores());
  CHECK(bench.told.empty());
  if (v2)
    other.kernel.set(other.kernel.own(), "cgroup.controllers", "memory pids\n");
  else
    other.self = "3:memory:/init\n4:pids:/init\n";
  const auto groups = other.make();
  CHECK_THAT(groups->text(), Catch::Contains("(memory, pids), cpu not limited"));
  const RunnerGroup group = groups->add(100, {both.memory_bytes, both.tasks, 0.5});
  CHECK((group.holds_memory() && group.holds_tasks() && !group.holds_cores()));
  CHECK(other.told.empty());
}

TEST_CASE("kernels without swap accounting and without cgroup.kill are no trouble", "[plugin]") {
  const bool v2 = GENERATE(false, true);
  CgroupBench bench(v2);
  bench.kernel.with_swap = bench.kernel.with_kill = false;
  const auto groups = bench.make();
  {
    const RunnerGroup group = groups->add(100, both);
    CHECK(group.holds_memory());
  }
  // nothing is forked any more, then whoever is listed is killed
  CHECK(bench.kernel.killed_by_list > 0);
  CHECK(std::ranges::any_of(bench.kernel.writes, [](const auto& write) { return write.ends_with("/pids.max=0"); }));
  CHECK(groups->is_tidy());
  CHECK(bench.told.empty());
}

TEST_CASE("with cgroup.kill the kernel ends a group", "[plugin]") {
  CgroupBench bench(true);
  const auto groups = bench.make();
  { const RunnerGroup group = groups->add(100, both); }
  CHECK(bench.kernel.wrote("1/cgroup.kill=1"));
  CHECK(bench.kernel.killed_by_list == 0);
  CHECK(bench.below(bench.kernel.own() + v2_base).empty());
}

TEST_CASE("a group that is not empty yet holds up nobody and goes later", "[plugin]") {
  CgroupBench bench(true);
  const auto groups = bench.make();
  bench.kernel.survives = true;
  { const RunnerGroup group = groups->add(100, both); }
  CHECK_FALSE(groups->is_tidy());
  bench.loop.run_for(std::chrono::milliseconds(30));
  CHECK_FALSE(groups->is_tidy());
  bench.kernel.set(bench.kernel.own() + v2_base + "/1", "cgroup.procs", "");
  bench.loop.restart();
  bench.loop.run_for(std::chrono::milliseconds(200));
  CHECK(groups->is_tidy());
  CHECK(bench.below(bench.kernel.own() + v2_base).empty());
  CHECK(bench.told.empty());
}

TEST_CASE("the end of a group that spares its members lifts their limits, kills nobody, and goes once it is empty", "[plugin]") {
  const bool v2 = GENERATE(true, false);
  CgroupBench bench(v2);
  const auto groups = bench.make();
  const std::string below = v2 ? bench.kernel.own() + v2_base : bench.kernel.scratch / "memory/init" + v2_base;
  {
    RunnerGroup group = groups->add(100, both);
    group.spare_members();
    RunnerGroup moved = std::move(group);
    bench.kernel.writes.clear();
  }
  const std::vector<std::string> in_v1 = {"1/memory.memsw.limit_in_bytes=-1", "1/memory.limit_in_bytes=-1", "2/pids.max=max"};
  const std::vector<std::string> in_v2 = {"1/pids.max=max", "1/memory.max=max", "1/memory.swap.max=max"};
  CHECK(bench.kernel.writes == (v2 ? in_v2 : in_v1));
  CHECK(bench.kernel.killed_by_list == 0);
  CHECK(FakeKernel::text(below + "/1", "cgroup.procs") == "100\n");
  CHECK(groups->is_tidy());  // nothing is waited for
  bench.kernel.set(below + "/1", "cgroup.procs", "");
  { const RunnerGroup group = groups->add(101, both); }
  const auto still_there = bench.below(below);
  CHECK(std::ranges::find(still_there, "1") == still_there.end());
  CHECK(bench.told.empty());
}

TEST_CASE("a group that cannot be removed at all is told once and left", "[plugin]") {
  CgroupBench bench(true);
  const auto groups = bench.make();
  bench.kernel.fails["remove"] = EACCES;
  for (int pid = 100; pid < 103; ++pid) const RunnerGroup group = groups->add(pid, both);
  CHECK(groups->is_tidy());
  CHECK(bench.told == std::vector<std::string>{"control groups: cannot remove a group: Permission denied; it stays"});
}

TEST_CASE("what a group knows of memory tells its limit from the host's", "[plugin]") {
  CgroupBench two(true), one(false);
  const auto groups2 = two.make(), groups1 = one.make();
  const RunnerGroup v2 = groups2->add(100, both), v1 = groups1->add(100, both);
  const auto now = std::chrono::hours(1);
  CHECK(v2.memory_kill(now) == MemoryKill::none);
  CHECK(v1.memory_kill(now) == MemoryKill::none);
  const std::string at2 = two.kernel.own() + v2_base + "/1", at1 = one.kernel.scratch / "memory/init/ronda-4711/1";
  // the limit was met, but something could be given back
  two.kernel.set(at2, "memory.events", "low 0\nhigh 0\nmax 9\noom 0\noom_kill 0\n");
  one.kernel.set(at1, "memory.max_usage_in_bytes", "201326592\n");
  CHECK(v2.memory_kill(now) == MemoryKill::none);
  CHECK(v1.memory_kill(now) == MemoryKill::none);
  two.kernel.set(at2, "memory.events", "low 0\nhigh 0\nmax 9\noom 1\noom_kill 1\noom_group_kill 0\n");
  one.kernel.set(at1, "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n");
  CHECK(v2.memory_kill(now) == MemoryKill::by_limit);
  CHECK(v1.memory_kill(now) == MemoryKill::by_limit);
  two.kernel.set(at2, "memory.events", "low 0\nhigh 0\nmax 0\noom 0\noom_kill 1\n");
  one.kernel.set(at1, "memory.max_usage_in_bytes", "104857600\n");
  CHECK(v2.memory_kill(now) == MemoryKill::by_host);
  CHECK(v1.memory_kill(now) == MemoryKill::by_host);
  one.kernel.set(at1, "memory.memsw.max_usage_in_bytes", "201326592\n");
  CHECK(v1.memory_kill(now) == MemoryKill::by_limit);
  one.kernel.set(at1, "memory.memsw.max_usage_in_bytes", "104857600\n");
  one.kernel.set(at1, "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\n");  // Linux before 4.13
  CHECK(v1.memory_kill(now) == MemoryKill::none);
  one.kernel.set(at1, "memory.max_usage_in_bytes", "201322496\n");
  CHECK(v1.memory_kill(now) == MemoryKill::by_limit);
}

TEST_CASE("who lives on after another was killed for memory is not said to have ended by that", "[plugin]") {
  using namespace std::chrono_literals;
  CgroupBench two(true), one(false);
  const auto groups2 = two.make(), groups1 = one.make();
  RunnerGroup v2 = groups2->add(100, both), v1 = groups1->add(100, both);
  const auto kill_one = [&](int times, bool by_limit) {
    const std::string text = std::to_string(times) + "\n";
    two.kernel.set(two.kernel.own() + v2_base + "/1", "memory.events",
                   "max 9\noom " + std::string(by_limit ? text : "2\n") + "oom_kill " + text);
    const std::string at1 = one.kernel.scratch / "memory/init/ronda-4711/1";
    one.kernel.set(at1, "memory.max_usage_in_bytes", "201326592\n");
    one.kernel.set(at1, "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill " + text);
  };
  const auto both_say = [&](std::chrono::nanoseconds now, MemoryKill kill) {
    return v2.memory_kill(now) == kill && v1.memory_kill(now) == kill;
  };
  v2.look(100s), v1.look(100s);
  kill_one(1, true);
  CHECK(both_say(101s, MemoryKill::by_limit));
  v2.look(102s), v1.look(102s);
  // that may have been the runner's own end, of which nobody has been told yet
  CHECK(both_say(103s, MemoryKill::by_limit));
  v2.look(103s), v1.look(103s);
  CHECK(both_say(103900ms, MemoryKill::by_limit));
  CHECK(both_say(104s, MemoryKill::none));
  v2.look(110s), v1.look(110s);
  CHECK(both_say(111s, MemoryKill::none));
  // the next one
  kill_one(2, true);
  CHECK(both_say(112s, MemoryKill::by_limit));
  v2.look(112s), v1.look(112s);
  CHECK(both_say(113s, MemoryKill::by_limit));
  RunnerGroup moved = std::move(v2);
  CHECK(moved.memory_kill(113s) == MemoryKill::by_limit);
  CHECK(moved.memory_kill(114s) == MemoryKill::none);
  // then the host's: what the limit did before does not count
  kill_one(3, false);
  CHECK(moved.memory_kill(120s) == MemoryKill::by_host);
}

TEST_CASE("what dead agents have left goes at the next start, a live one's and a full one stay", "[plugin]") {
  CgroupBench bench(false);
  const std::string own = bench.kernel.scratch / "memory/init";
  for (const char* name : {"/ronda-1", "/ronda-1/7", "/ronda-2", "/ronda-2/1", "/ronda-3", "/ronda-3/1", "/ronda-4-1", "/other", "/other/1",
                           "/rondas", "/ronda-web", "/ronda-5.scope", "/ronda-6-", "/ronda-"})
    REQUIRE(bench.kernel.make(own + name) == 0);
  bench.kernel.set(own + "/ronda-3/1", "cgroup.procs", "99\n");
  const Descriptor live(::open((own + "/ronda-2").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  REQUIRE(::flock(live.get(), LOCK_EX | LOCK_NB) == 0);
  const auto groups = bench.make();
  CHECK(bench.below(own) == std::vector<std::string>{"other", "ronda-", "ronda-2", "ronda-3", "ronda-4711", "ronda-5.scope", "ronda-6-",
                                                     "ronda-web", "rondas"});
  CHECK(bench.below(own + "/ronda-2") == std::vector<std::string>{"1"});
  CHECK(bench.below(own + "/other") == std::vector<std::string>{"1"});
}

TEST_CASE("what dead agents have left goes with what programs made in it, and where no groups can be made", "[plugin]") {
  CgroupBench v1(false), v2(true);
  const std::string one = v1.kernel.scratch / "cpu/init", two = v2.kernel.own();
  for (const char* name :
       {"/ronda-1", "/ronda-1/7", "/ronda-1/7/inner", "/ronda-1/7/inner/most", "/ronda-2", "/ronda-2/1", "/ronda-2/1/inner"}) {
    REQUIRE(v1.kernel.make(one + name) == 0);
    REQUIRE(v2.kernel.make(two + name) == 0);
  }
  v1.kernel.set(one + "/ronda-2/1/inner", "cgroup.procs", "99\n");
  v2.kernel.set(two + "/ronda-2/1/inner", "cgroup.procs", "99\n");
  v2.kernel.set(two, "cgroup.procs", "4711\n98\n");
  const auto groups1 = v1.make(), groups2 = v2.make();
  CHECK(groups2->version() == CgroupVersion::none);
  CHECK(v1.below(one) == std::vector<std::string>{"ronda-2", "ronda-4711"});
  CHECK(v2.below(two) == std::vector<std::string>{"ronda-2"});
  CHECK(v1.below(one + "/ronda-2/1") == std::vector<std::string>{"inner"});
  CHECK(FakeKernel::text(one + "/ronda-2/1/inner", "cgroup.procs") == "99\n");
  CHECK((v1.kernel.killed_by_list == 0 && v2.kernel.killed_by_list == 0));
  // a program's own below one that ends now
  {
    const RunnerGroup group = groups1->add(100, both);
    REQUIRE(v1.kernel.make(v1.kernel.scratch / "memory/init/ronda-4711/1/inner") == 0);
  }
  CHECK(groups1->is_tidy());
  CHECK(v1.below(v1.kernel.scratch / "memory/init/ronda-4711").empty());
}

TEST_CASE("an agent of the same number in another PID namespace has the next name", "[plugin]") {
  CgroupBench bench(false);
  const auto first = bench.make(), second = bench.make();
  CHECK(second->version() == CgroupVersion::v1);
  CHECK(bench.below(bench.kernel.scratch / "memory/init") == std::vector<std::string>{"ronda-4711", "ronda-4711-1"});
  const RunnerGroup group = second->add(100, both);
  CHECK(bench.below(bench.kernel.scratch / "memory/init/ronda-4711-1") == std::vector<std::string>{"1"});
}

TEST_CASE("a write to a group that a signal interrupts is made again", "[plugin]") {
  const Scratch scratch;
  const std::string path = scratch / "full";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  const Descriptor pipe(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  std::string bytes(std::size_t{1} << 16, 'x');
  while (::write(pipe.get(), bytes.data(), bytes.size()) > 0) {
  }
  struct sigaction interrupt {
  }, before{};
  interrupt.sa_handler = [](int) {};
  REQUIRE(::sigaction(SIGUSR2, &interrupt, &before) == 0);  // without SA_RESTART
  std::thread interrupter([&, writer = ::pthread_self()] {
    for (int times = 0; times < 50; ++times) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      ::pthread_kill(writer, SIGUSR2);
    }
    while (::read(pipe.get(), bytes.data(), bytes.size()) > 0) {
    }
  });
  const int error = CgroupFiles().write(path, "201326592");
  interrupter.join();
  ::sigaction(SIGUSR2, &before, nullptr);
  CHECK(error == 0);
}

TEST_CASE("a group has room for what calls start", "[plugin]") {
  wire::Setup setup;
  setup.concurrency = 16, setup.memory_bytes = std::int64_t{128} << 20, setup.pids = 288;
  const GroupLimits alone = group_limits(setup, false), programs = group_limits(setup, true);
  CHECK(alone.tasks == 288 + 16);
  CHECK(programs.tasks == 288 + 16 + 16 * 64);
#ifndef RONDA_SANITIZED
  CHECK(alone.memory_bytes == setup.memory_bytes);
  CHECK(programs.memory_bytes == setup.memory_bytes * 17);
#endif
}

TEST_CASE("a declared share holds for all calls and the runner's base, and nothing declared is no limit", "[plugin]") {
  PluginEntry entry;
  entry.staged = std::make_shared<StagedFile>();
  entry.manifest.max_concurrency = 4;
  CHECK(make_runner_spec(entry, {}).group.cores == 0);
  entry.manifest.limits.cpu = 0.5;
  CHECK(make_runner_spec(entry, {}).group.cores == Approx(2.1));
  entry.manifest.limits.cpu = 0.01, entry.manifest.max_concurrency = 1;
  CHECK(make_runner_spec(entry, {}).group.cores == Approx(0.11));
}

TEST_CASE("a detached runner has no PID namespace, does one call at a time, and has the limits of the others", "[plugin]") {
  PluginEntry entry;
  entry.staged = std::make_shared<StagedFile>();
  entry.manifest.max_concurrency = 4;
  entry.manifest.limits.memory = std::int64_t{4} << 20;
  RunnerSettings settings;
  settings.pid_namespace = true;
  const RunnerSpec other = make_runner_spec(entry, settings);
  CHECK(other.pid_namespace);
  CHECK_FALSE(other.detached);
  settings.detached = true;
  const RunnerSpec detached = make_runner_spec(entry, settings);
  CHECK_FALSE(detached.pid_namespace);
  CHECK(detached.detached);
  CHECK(detached.setup.concurrency == 1);
  CHECK(detached.setup.memory_bytes == other.setup.memory_bytes);
  CHECK(detached.group.tasks == other.group.tasks);
}
