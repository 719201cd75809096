// SPDX-License-Identifier: Apache-2.0
// The disk under the state is full, without inodes, read-only or fails: that is when people need the agent most.
#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include "catch.hpp"
#include "shop_on_disk.hpp"
#include "skip.hpp"

using namespace ronda;
using namespace ronda::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

constexpr std::string_view on_reserve = "no space left for the state; the reserve is in use";
constexpr std::string_view reserve_gone = "no space left for the state, and the reserve is used up";

}  // namespace

TEST_CASE("the disk is full while the agent runs: a P1 is told, taken and kept by the reserve, and the disk is a P2", "[whole]") {
  ShopOnDisk shop;
  RONDA_NEED_DISK(shop.disk());
  shop.start();
  shop.disk().fill();
  shop.break_it("door");
  const std::string id = shop.await_p1("door");
  CHECK(shop.await_p2(on_reserve));
  CHECK(shop.status_says("store: degraded: " + std::string(on_reserve)));
  check_taken(shop.ack(id), id, true, "");
  CHECK(shop.is_same());

  shop.crash_and_start();  // on a disk that is still full
  CHECK(shop.stage(id) == "acknowledged");
  CHECK(shop.status_says(on_reserve));
  shop.break_it("gate");
  const std::string other = shop.await_p1("gate");
  shop.disk().empty();
  CHECK(shop.await_store("ok"));
  CHECK(shop.await_end_of_p2());
  INFO(shop.story());
  CHECK(shop.await_agreement());
  CHECK(shop.heard("open", "p1", "").size() == 2);
  CHECK(shop.is_same());
  shop.crash_and_start();
  CHECK(shop.stage(id) == "acknowledged");
  CHECK(shop.stage(other) == "open");
  CHECK(shop.heard("open", "p1", "").size() == 2);
}

TEST_CASE("the disk is full and the reserve gone: a P1 is told by memory alone, and with room it is kept and told no more", "[whole]") {
  ShopOnDisk shop;
  RONDA_NEED_DISK(shop.disk());
  shop.start();
  shop.agent().signal(SIGSTOP);  // it would take to the reserve in between, and live on what that gave
  shop.disk().fill();
  fs::remove(shop.agent().state_directory() + "/ballast");
  shop.disk().fill();
  shop.agent().signal(SIGCONT);
  shop.break_it("door");
  const std::string id = shop.await_p1("door");
  CHECK(shop.await_p2("no space left for the state"));
  CHECK(shop.status_says("store: failed: " + std::string(reserve_gone)));
  check_taken(shop.ack(id), id, false, std::string(reserve_gone));
  const auto shown = shop.agent().ronda({"incident", "list"});
  CHECK(has(shown.out, id));
  CHECK(shop.is_same());

  shop.disk().empty();
  CHECK(shop.await_store("ok"));
  CHECK(shop.await_end_of_p2());
  CHECK(shop.await_agreement());
  CHECK(shop.is_same());
  shop.crash_and_start();
  INFO(shop.story());
  CHECK(shop.stage(id) == "acknowledged");
  CHECK(shop.await_agreement());
  CHECK(shop.heard("open", "p1", "").size() == 1);
}

TEST_CASE("a first start on a full disk tells a P1 and its own trouble, and keeps both as soon as there is room", "[whole]") {
  ShopOnDisk shop;
  RONDA_NEED_DISK(shop.disk());
  shop.disk().fill();
  shop.break_it("door");
  shop.start();
  const std::string id = shop.await_p1("door");
  CHECK(shop.await_p2("the store has failed: "));
  CHECK(shop.status_says("store: failed: "));
  check_taken(shop.ack(id), id, false, "disk is full");
  shop.disk().empty();
  CHECK(shop.await_store("ok"));
  CHECK(shop.await_end_of_p2());
  CHECK(shop.await_agreement());
  CHECK(shop.is_same());
  shop.crash_and_start();
  INFO(shop.story());
  CHECK(shop.stage(id) == "acknowledged");
  CHECK(shop.await_agreement());
  CHECK(shop.heard("open", "p1", "").size() == 1);
}

TEST_CASE("a start on a read-only disk tells a P1 and what is wrong, and what was known before is known again after it", "[whole]") {
  ShopOnDisk shop;
  RONDA_NEED_DISK(shop.disk());
  shop.start();
  for (const char* what : {"door", "gate"}) shop.break_it(what);
  const std::string door = shop.await_p1("door"), gate = shop.await_p1("gate");
  check_taken(shop.ack(door), door, true, "");
  check_taken(shop.ack(gate), gate, true, "");
  REQUIRE(shop.await_agreement());
  CHECK(shop.agent().stop() == 0);
  REQUIRE(shop.disk().remount(MS_RDONLY));
  shop.mend_it("gate");

  shop.start();
  CHECK(shop.await_p2("is read-only: "));
  CHECK(shop.status_says("store: failed: the file system of '" + shop.agent().state_directory() + "' is read-only: "));
  // what this life cannot know it tells once more
  REQUIRE(eventually([&] { return shop.heard("open", "p1", "door: ").size() == 2; }));
  const std::string again = shop.heard("open", "p1", "door: ").back().incident;
  CHECK(again != door);
  check_taken(shop.ack(again), again, false, "is read-only");
  CHECK(shop.is_same());

  REQUIRE(shop.disk().remount(0));
  CHECK(shop.await_store("ok"));
  CHECK(shop.await_end_of_p2());
  INFO(shop.story());
  // one incident of each again: of the door the newer, of the gate none, for it is well; and whoever heard of them hears that
  CHECK(eventually([&] { return shop.stage(door) == "resolved" && shop.stage(gate) == "resolved"; }));
  CHECK(eventually([&] { return shop.heard("resolve", "p1", again).size() == 1; }));
  CHECK(eventually([&] { return shop.heard("resolve", "p1", "gate: ").size() == 1; }));
  CHECK(shop.stage(again) == "acknowledged");
  CHECK(shop.await_agreement());
  CHECK(shop.is_same());
  shop.crash_and_start();
  CHECK(shop.stage(again) == "acknowledged");
  CHECK(shop.stage(door) == "resolved");
  shop.mend_it("door");
  CHECK(eventually([&] { return shop.stage(again) == "resolved"; }));
  CHECK(shop.await_agreement());
  CHECK(shop.heard("open", "p1", "").size() == 3);
}

TEST_CASE("a start without an inode left tells a P1, which is kept, and that there is no room", "[whole]") {
  ShopOnDisk shop("size=64m,nr_inodes=100");
  RONDA_NEED_DISK(shop.disk());
  shop.start();
  CHECK(shop.agent().stop() == 0);
  shop.disk().fill_inodes();
  shop.start();
  shop.break_it("door");
  const std::string id = shop.await_p1("door");
  CHECK(shop.await_p2(on_reserve));
  check_taken(shop.ack(id), id, true, "");
  shop.disk().empty();
  CHECK(shop.await_store("ok"));
  CHECK(shop.await_end_of_p2());
  CHECK(shop.await_agreement());
  CHECK(shop.is_same());
}

TEST_CASE("a disk that the kernel makes read-only while the agent runs stops no P1, and on another what was decided is kept", "[whole]") {
  ShopOnDisk shop(TinyDisk::Real{"64M"});
  if (!shop.disk().missing().empty()) return skipped("own-loop", shop.disk().missing());
  shop.start();
  shop.break_it("door");
  const std::string door = shop.await_p1("door");
  REQUIRE(shop.await_agreement());
  REQUIRE(shop.disk().break_it());
  check_taken(shop.ack(door), door, false, "is read-only");
  shop.break_it("gate");
  const std::string gate = shop.await_p1("gate");
  CHECK(shop.await_p2("is read-only: "));
  CHECK(shop.status_says("store: failed: the file system of '" + shop.agent().state_directory() + "' is read-only: "));
  check_taken(shop.ack(gate), gate, false, "is read-only");
  CHECK(shop.is_same());

  // what the operator does: the state as it can still be read, on a disk that is well, in the same place
  const std::string state = shop.agent().state_directory(), other = shop.agent().scratch() / "other";
  fs::copy(state, other, fs::copy_options::recursive);
  for (const auto& entry : fs::recursive_directory_iterator(other)) REQUIRE(::chown(entry.path().c_str(), 65534, 65534) == 0);
  fs::permissions(other, fs::perms(0700));
  REQUIRE(::chown(other.c_str(), 65534, 65534) == 0);
  REQUIRE(::mount(other.c_str(), state.c_str(), nullptr, MS_BIND, nullptr) == 0);
  CHECK(shop.await_store("ok"));
  CHECK(shop.await_end_of_p2());
  INFO(shop.story());
  CHECK(shop.await_agreement());
  CHECK(shop.is_same());
  shop.crash_and_start();
  CHECK(shop.stage(door) == "acknowledged");
  CHECK(shop.stage(gate) == "acknowledged");
  CHECK(shop.heard("open", "p1", "").size() == 2);
  CHECK(shop.agent().stop() == 0);
  ::umount2(state.c_str(), MNT_DETACH);
}

namespace {

/// All syncs of the process fail from now on, or the next one alone.
class FailingSyncs {
 public:
  FailingSyncs(const WholeAgent& agent, bool once) {
    std::vector<std::string> argv = {"/usr/bin/strace",
                                     "-q",
                                     "-o",
                                     "/dev/null",
                                     "-e",
                                     "trace=fsync,fdatasync",
                                     "-e",
                                     std::string("inject=fsync,fdatasync:error=EIO") + (once ? ":when=1" : "")};
    std::vector<std::string> tasks;
    for (const auto& entry : fs::directory_iterator("/proc/" + std::to_string(agent.pid()) + "/task")) {
      argv.insert(argv.end(), {"-p", entry.path().filename()});
      tasks.push_back(entry.path());
    }
    if (!fs::exists(argv[0])) return;
    strace_ = start_program(argv, "/dev/null", agent.scratch() / "strace");
    const auto is_traced = [](const std::string& task) { return !has(read_file(task + "/status"), "TracerPid:\t0\n"); };
    is_there_ = eventually([&] { return std::ranges::all_of(tasks, is_traced) || !is_alive(strace_); }) && is_alive(strace_);
  }
  ~FailingSyncs() { end(); }
  FailingSyncs(const FailingSyncs&) = delete;
  FailingSyncs& operator=(const FailingSyncs&) = delete;

  bool is_there() const { return is_there_; }
  void end() {
    if (strace_ <= 0) return;
    ::kill(strace_, SIGTERM);
    wait_program(strace_, 20s);
    strace_ = -1;
  }

 private:
  pid_t strace_ = -1;
  bool is_there_ = false;
};

}  // namespace

TEST_CASE("a sync that fails ends no promise and no P1: it is told by memory alone, and kept once the file was checked", "[whole]") {
  const bool once = GENERATE(true, false);
  CAPTURE(once);
  Shop shop;
  shop.configure();
  shop.start();
  FailingSyncs failing(shop.agent(), once);
  if (!failing.is_there()) return skipped("tracing", "there is no strace, or this user may not trace processes here");
  shop.break_it("door");
  const std::string id = shop.await_p1("door");
  if (!once) {
    CHECK(shop.await_p2("the store has failed: "));
    CHECK(shop.status_says("store: failed: "));
    check_taken(shop.ack(id), id, false, "");
  }
  CHECK(shop.is_same());
  failing.end();
  CHECK(shop.await_store("ok"));
  CHECK(shop.await_end_of_p2());
  if (once) check_taken(shop.ack(id), id, true, "");
  CHECK(shop.await_agreement());
  CHECK(shop.is_same());
  shop.crash_and_start();
  INFO(shop.story());
  CHECK(shop.stage(id) == "acknowledged");
  CHECK(shop.await_agreement());
  CHECK(shop.heard("open", "p1", "").size() == 1);
}
