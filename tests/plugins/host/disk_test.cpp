// SPDX-License-Identifier: Apache-2.0
#include "disk.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <fstream>

#include "temp_folder.hpp"
#include "under_test.hpp"

using namespace host;
using ronda::status;

namespace {

/// A tmpfs of its own; only root can have one.
struct SmallDisk {
  TempFolder folder;
  bool mounted = false;

  explicit SmallDisk(const char* options) { mounted = mount("small", folder.path().c_str(), "tmpfs", 0, options) == 0; }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    if (mounted) umount(folder.path().c_str());
  }
  void fill(std::size_t bytes) const { folder.write("fill", std::string(bytes, 'x')); }
};

}  // namespace

TEST_CASE("a small disk is graded as it fills", "[host]") {
  const SmallDisk disk("size=1m,nr_inodes=100");
  if (!disk.mounted) return skipped("own-mounts", "not root: cannot mount a tmpfs");
  UnderTest<Disk> check;
  check.set("path", disk.folder.path());
  CHECK_THAT(check.run(), Ended(status::ok, disk.folder.path() + " is 0% full (1.0 MiB free)"));
  disk.fill(870 << 10);
  CHECK_THAT(check.run(), Ended(status::warning, "is 85.2% full"));
  disk.fill(980 << 10);
  const auto report = check.run();
  CHECK_THAT(report, Ended(status::critical, "full"));
  const ronda::testing::fields labels = {{"path", disk.folder.path()}, {"type", "tmpfs"}};
  CHECK_THAT(report, HasMetric("total", 1 << 20, labels));
  CHECK_THAT(report, HasMetric("read_only", 0, labels));
}

TEST_CASE("a mount point is one however its path is written", "[host]") {
  const auto path = GENERATE(as<std::string>(), "/proc", "/proc/", "//proc//", "/./proc/.");
  UnderTest<Disk> check;
  CHECK_THAT(check.set("path", path).set("mounted", true).run(), Ended(status::ok));
}

TEST_CASE("a folder that is no mount point is told from one, with a slash or without", "[host]") {
  const TempFolder folder;
  const auto* end = GENERATE("", "/");
  UnderTest<Disk> check;
  CHECK_THAT(check.set("path", folder.path() + end).set("mounted", true).run(),
             Ended(status::critical, " is not a mount point; it lies on "));
}

TEST_CASE("a disk without inodes left is critical although it is empty", "[host]") {
  const SmallDisk disk("size=1m,nr_inodes=20");
  if (!disk.mounted) return skipped("own-mounts", "not root: cannot mount a tmpfs");
  for (int i = 0; i < 40; ++i) std::ofstream(disk.folder.file(std::to_string(i)));
  UnderTest<Disk> check;
  CHECK_THAT(check.set("path", disk.folder.path()).run(), Ended(status::critical, "100% of inodes used"));
}

TEST_CASE("a disk that was remounted read-only is critical where it must be writable", "[host]") {
  const SmallDisk disk("size=1m");
  if (!disk.mounted) return skipped("own-mounts", "not root: cannot mount a tmpfs");
  REQUIRE(mount(nullptr, disk.folder.path().c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) == 0);
  UnderTest<Disk> check;
  check.set("path", disk.folder.path());
  CHECK_THAT(check.run(), Ended(status::ok));
  check.restart();
  CHECK_THAT(check.set("writable", "required").run(), Ended(status::critical, "it is read-only"));
}

TEST_CASE("a name of a mount point with control characters stays data", "[host]") {
  const TempFolder folder;
  const std::string path = folder.file("evil\x1B[2J\n name");
  REQUIRE(mkdir(path.c_str(), 0700) == 0);
  if (mount("small", path.c_str(), "tmpfs", 0, "size=1m") != 0) return skipped("own-mounts", "not root: cannot mount a tmpfs");
  UnderTest<Disk> check;
  const auto report = check.set("path", path).run();
  umount(path.c_str());
  CHECK_THAT(report, Ended(status::ok, "evil\\x1b[2J\\x0a name is 0% full"));
  REQUIRE(report.find("used") != nullptr);
  CHECK(report.find("used")->labels.at("path") == path);
}

TEST_CASE("several filesystems: the worst speaks, the others are counted", "[host]") {
  const SmallDisk full("size=1m");
  const SmallDisk empty("size=1m");
  if (!full.mounted || !empty.mounted) return skipped("own-mounts", "not root: cannot mount a tmpfs");
  full.fill(1000 << 10);
  UnderTest<Disk> check;
  check.set("types", ronda::testing::node::list{"tmpfs"});
  const auto report = check.run();
  CHECK_THAT(report, Ended(status::critical, full.folder.path() + " is 97.7% full"));
  CHECK(report.find("used", {{"path", empty.folder.path()}, {"type", "tmpfs"}}) != nullptr);
}

TEST_CASE("a path that is no mount point is critical where it must be one", "[host]") {
  const TempFolder folder;
  UnderTest<Disk> check;
  check.set("path", folder.path()).set("mounted", true);
  CHECK_THAT(check.run(), Ended(status::critical, folder.path() + " is not a mount point; it lies on "));
}

TEST_CASE("a path that does not exist is unknown, with the reason", "[host]") {
  UnderTest<Disk> check;
  CHECK_THAT(check.set("path", "/no/such/path").run(), Ended(status::unknown, "/no/such/path: No such file or directory"));
}

TEST_CASE("without a path the disks of this host are measured", "[host]") {
  UnderTest<Disk> check;
  const auto report = check.run();
  INFO(report.summary);
  CHECK(report.ended());
  CHECK(report.find("used") != nullptr);
}

TEST_CASE("no filesystem of the wanted types is unknown, not ok", "[host]") {
  UnderTest<Disk> check;
  check.set("types", ronda::testing::node::list{"nosuchfs"});
  CHECK_THAT(check.run(), Ended(status::unknown, "no filesystem of the wanted types is mounted"));
}

namespace {

/// A filesystem whose server never answers: FUSE without a daemon, as NFS is with a dead server.
struct DeadMount {
  TempFolder folder;
  int fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
  bool mounted = false;

  DeadMount() {
    const std::string options = "fd=" + std::to_string(fuse) + ",rootmode=40000,user_id=0,group_id=0";
    mounted = fuse >= 0 && mount("dead", folder.path().c_str(), "fuse.dead", 0, options.c_str()) == 0;
  }
  DeadMount(const DeadMount&) = delete;
  DeadMount& operator=(const DeadMount&) = delete;
  ~DeadMount() {
    if (fuse >= 0) close(fuse);  // the kernel then fails every call that waits
    if (mounted) umount2(folder.path().c_str(), MNT_DETACH);
  }
};

}  // namespace

TEST_CASE("a dead server costs its own mount only: critical there, the others measured", "[host]") {
  const DeadMount dead;
  const SmallDisk alive("size=1m");
  if (!dead.mounted || !alive.mounted) return skipped("own-mounts", "not root or no /dev/fuse");
  UnderTest<Disk> check;
  check.set("types", ronda::testing::node::list{"tmpfs", "fuse.dead"}).set("remote_timeout", std::chrono::milliseconds(300));
  const auto begin = std::chrono::steady_clock::now();
  const auto report = check.run();
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
  CHECK_THAT(report, Ended(status::critical, dead.folder.path() + " (fuse.dead from dead) does not answer within 300ms"));
  CHECK(report.find("used", {{"path", alive.folder.path()}, {"type", "tmpfs"}}) != nullptr);
}

TEST_CASE("a link into a dead mount is not followed by us", "[host]") {
  const DeadMount dead;
  if (!dead.mounted) return skipped("own-mounts", "not root or no /dev/fuse");
  const TempFolder folder;
  REQUIRE(symlink((dead.folder.path() + "/deep").c_str(), folder.file("data").c_str()) == 0);
  UnderTest<Disk> check;
  check.set("path", folder.file("data")).set("remote_timeout", std::chrono::milliseconds(300));
  CHECK_THAT(check.run(), Ended(status::critical, "does not answer within 300ms"));
}
