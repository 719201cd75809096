// SPDX-License-Identifier: Apache-2.0
// The kernel's list of mounts as data: which of them hold files on a disk, which may hang when their server
// dies. Pure, but for locate(), which reads symbolic links on local filesystems and never touches a remote
// one.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace host {

struct Mount {
  std::string device;  // "8:1"
  std::string root;    // of the filesystem, that is mounted here; "/" unless it is a bind mount
  std::string path;
  std::string type;
  std::string source;
  bool mount_read_only = false;  // as this mount was asked for
  bool super_read_only = false;  // as the filesystem is
  bool failed = false;           // the kernel gave up on it: emergency_ro, shutdown
};

/// /proc/self/mountinfo; lines that do not parse are left out.
std::vector<Mount> parse_mountinfo(std::string_view text);

/// ext4, xfs, btrfs, zfs, vfat and their like: on a device of this host.
bool is_local_disk(std::string_view type);
/// nfs, cifs, fuse and their like: a call on them may not come back.
bool is_remote(std::string_view type);

/// The mount that holds `path` by its name alone: the longest mount point, the last one mounted there.
const Mount* holding(const std::vector<Mount>& mounts, std::string_view path);

/// What to measure when no path was given: one mount per device, local disks, or just the named types.
struct Selection {
  std::vector<std::string> types;  // empty: local disks
  std::vector<std::string> exclude_types;
  std::vector<std::string> exclude_paths;  // exact, or a prefix that ends in "*"
  bool remote = false;                     // network filesystems too
};
std::vector<Mount> select(const std::vector<Mount>& mounts, const Selection& selection);

using ReadLink = std::function<std::optional<std::string>(const std::string&)>;

/// An absolute path as the kernel writes mount points: without "//", "/./" and a slash at the end. ".." stays, since
/// what it means depends on symbolic links.
std::string plain_path(std::string_view path);

/// The mount that holds `path` with its symbolic links followed. Nothing is asked of a remote filesystem:
/// where the walk comes to one, that mount is the answer. Null when links go in circles.
const Mount* locate(const std::vector<Mount>& mounts, std::string_view path, const ReadLink& read_link);

}  // namespace host
