// SPDX-License-Identifier: Apache-2.0
#include "mounts.hpp"

#include <map>

#include "catch.hpp"

using namespace host;

namespace {

const char* const table_text =
    "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro\n"
    "23 22 0:20 / /proc rw,nosuid - proc proc rw\n"
    "24 22 0:21 / /run rw,nosuid - tmpfs tmpfs rw,size=1k\n"
    "25 22 8:17 / /srv/data rw,noatime shared:2 master:1 - xfs /dev/sdb1 ro\n"
    "26 22 8:17 /inner /var/bind rw - xfs /dev/sdb1 ro\n"
    "27 22 0:45 / /mnt/nfs rw,vers=4.2 - nfs4 server:/export rw,hard\n"
    "28 22 8:33 / /media/my\\040disk\\012x ro - vfat /dev/sdc1 ro\n"
    "29 22 7:0 / /snap/core ro - squashfs /dev/loop0 ro\n"
    "30 22 8:49 / /srv/gone rw - ext4 /dev/sdd1 rw,emergency_ro\n"
    "half a line\n";

std::vector<std::string> paths(const std::vector<Mount>& mounts) {
  std::vector<std::string> out;
  for (const Mount& mount : mounts) out.push_back(mount.path);
  return out;
}

ReadLink links(std::map<std::string, std::string> targets) {
  return [targets = std::move(targets)](const std::string& path) -> std::optional<std::string> {
    const auto found = targets.find(path);
    if (found == targets.end()) return std::nullopt;
    return found->second;
  };
}

using names = std::vector<std::string>;

}  // namespace

TEST_CASE("mountinfo: optional fields, octal escapes and broken lines", "[host]") {
  const auto mounts = parse_mountinfo(table_text);
  REQUIRE(mounts.size() == 9);
  CHECK(mounts[0].type == "ext4");
  CHECK(mounts[3].source == "/dev/sdb1");
  CHECK(mounts[4].root == "/inner");
  CHECK(mounts[6].path == "/media/my disk\nx");
}

TEST_CASE("read-only by itself is told from mounted read-only", "[host]") {
  const auto mounts = parse_mountinfo(table_text);
  CHECK(mounts[3].super_read_only);
  CHECK_FALSE(mounts[3].mount_read_only);
  CHECK(mounts[6].mount_read_only);
  CHECK(mounts[8].failed);
  CHECK_FALSE(mounts[0].super_read_only);
}

TEST_CASE("without a path each device of a local disk is measured once", "[host]") {
  const auto mounts = parse_mountinfo(table_text);
  CHECK(paths(select(mounts, {})) == names{"/", "/srv/data", "/media/my disk\nx", "/srv/gone"});
}

TEST_CASE("types, exclusions and network filesystems are chosen by name", "[host]") {
  const auto mounts = parse_mountinfo(table_text);
  Selection selection;
  selection.types = {"tmpfs"};
  CHECK(paths(select(mounts, selection)) == names{"/run"});
  selection = {};
  selection.remote = true;
  selection.exclude_types = {"vfat"};
  selection.exclude_paths = {"/srv/*"};
  CHECK(paths(select(mounts, selection)) == names{"/", "/var/bind", "/mnt/nfs"});
}

TEST_CASE("a mount that another one hides is not measured", "[host]") {
  const auto mounts = parse_mountinfo(
      "1 0 8:1 / / rw - ext4 /dev/a rw\n"
      "2 1 8:2 / /data rw - ext4 /dev/b rw\n"
      "3 1 8:3 / /data rw - ext4 /dev/c rw\n");
  const auto selected = select(mounts, {});
  REQUIRE(selected.size() == 2);
  CHECK(selected[1].source == "/dev/c");
}

TEST_CASE("the root of a container counts, other overlays do not", "[host]") {
  const auto mounts = parse_mountinfo(
      "1 0 0:1 / / rw - overlay overlay rw\n"
      "2 1 0:2 / /var/lib/x/merged rw - overlay overlay rw\n");
  CHECK(paths(select(mounts, {})) == names{"/"});
}

TEST_CASE("a path belongs to the longest mount point, at a component's border", "[host]") {
  const auto mounts = parse_mountinfo(table_text);
  CHECK(holding(mounts, "/srv/data/x")->path == "/srv/data");
  CHECK(holding(mounts, "/srv/database")->path == "/");
}

TEST_CASE("links are followed, but nothing is asked of a remote filesystem", "[host]") {
  const auto mounts = parse_mountinfo(table_text);
  std::vector<std::string> asked;
  const auto with = links({{"/data", "/mnt/nfs/deep/er"}, {"/up", "srv/data"}, {"/loop", "/loop"}});
  const ReadLink recorded = [&](const std::string& path) {
    asked.push_back(path);
    return with(path);
  };
  CHECK(locate(mounts, "/data/file", recorded)->path == "/mnt/nfs");
  CHECK(asked == names{"/data", "/mnt"});
  CHECK(locate(mounts, "/up/x", with)->path == "/srv/data");
  CHECK(locate(mounts, "/srv/data/..", with)->path == "/");
  CHECK(locate(mounts, "/", with)->path == "/");
  CHECK(locate(mounts, "/loop", with) == nullptr);
}
