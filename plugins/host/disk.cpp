// SPDX-License-Identifier: Apache-2.0
#include "disk.hpp"

#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

#include "text.hpp"

namespace host {
namespace {

using names = std::vector<std::string>;

Selection read_selection() {
  return {ronda::cfg<names>("types"), ronda::cfg<names>("exclude_types"), ronda::cfg<names>("exclude_paths"), ronda::cfg<bool>("remote")};
}

SpaceLimits read_limits() {
  SpaceLimits limits;
  limits.warn_at = ronda::cfg<double>("warn_at");
  limits.crit_at = ronda::cfg<double>("crit_at");
  limits.inodes_warn_at = ronda::cfg<double>("inodes_warn_at");
  limits.inodes_crit_at = ronda::cfg<double>("inodes_crit_at");
  const auto bytes = [](const char* key) { return static_cast<double>(ronda::cfg<std::optional<std::int64_t>>(key).value_or(0)); };
  limits.warn_free = bytes("warn_free");
  limits.crit_free = bytes("crit_free");
  limits.enough_free = bytes("enough_free");
  limits.free_min_size = bytes("free_min_size");
  const auto writable = ronda::cfg<std::string>("writable");
  limits.writable = writable == "any" ? Writable::any : writable == "required" ? Writable::required : Writable::automatic;
  return limits;
}

std::optional<std::string> read_link(const std::string& path) {
  std::array<char, PATH_MAX> target;
  const ssize_t length = readlink(path.c_str(), target.data(), target.size());
  if (length < 0) return std::nullopt;
  return std::string(target.data(), static_cast<std::size_t>(length));
}

ronda::reply<Space> statvfs_here(const std::string& path) {
  struct statvfs v {};
  if (statvfs(path.c_str(), &v) != 0) {
    return ronda::reply<Space>::failed(RONDA_E_INTERNAL, std::strerror(errno));
  }
  const auto block = static_cast<double>(v.f_frsize);
  Space space;
  space.total = static_cast<double>(v.f_blocks) * block;
  space.free = static_cast<double>(v.f_bfree) * block;
  space.available = static_cast<double>(v.f_bavail) * block;
  space.inodes = static_cast<double>(v.f_files);
  space.inodes_free = static_cast<double>(v.f_ffree);
  return space;
}

}  // namespace

Disk::Disk() : selection_(read_selection()), limits_(read_limits()) {}

ronda::result Disk::run(ronda::call& c) {
  const Contents contents = read_file("/proc/self/mountinfo", 8 << 20);
  const auto mounts = parse_mountinfo(contents.text);
  if (mounts.empty()) {
    return ronda::unknown("/proc/self/mountinfo: ", contents.error != 0 ? std::strerror(contents.error) : "is empty",
                          "; host.disk needs /proc");
  }
  return path_ ? run_one(c, mounts) : run_all(c, mounts);
}

ronda::result Disk::run_one(ronda::call& c, const std::vector<Mount>& mounts) {
  const Mount* mount = locate(mounts, *path_, read_link);
  if (mount == nullptr) return ronda::unknown(shown(*path_), ": too many symbolic links");
  if (mounted_ && mount->path != plain_path(*path_)) {
    return ronda::critical(shown(*path_), " is not a mount point; it lies on ", shown(mount->path));
  }
  return measure(c, *mount, *path_).result;
}

ronda::result Disk::run_all(ronda::call& c, const std::vector<Mount>& mounts) {
  const auto selected = select(mounts, selection_);
  if (selected.empty()) {
    return ronda::unknown("no filesystem of the wanted types is mounted; name a path, or the types to measure");
  }
  std::vector<Measured> measured;
  for (const Mount& mount : selected) {
    if (c.cancelled()) break;
    measured.push_back(measure(c, mount, mount.path));
  }
  std::stable_sort(measured.begin(), measured.end(), [](const Measured& a, const Measured& b) { return a.used > b.used; });
  std::vector<ronda::result> results;
  for (const Measured& one : measured) results.push_back(one.result);
  ronda::result merged = ronda::worst(results);
  if (selected.size() > 1) merged.summary += ronda::text("; ", selected.size(), " filesystems measured");
  return merged;
}

Disk::Measured Disk::measure(ronda::call& c, const Mount& mount, const std::string& path) {
  const auto space = ask(c, mount, path);
  if (space) {
    emit(c, mount, *space);
    return {judge(mount, *space, limits_).result(), space->used_ratio()};
  }
  if (space.code() == RONDA_E_TIMEOUT) {
    return {ronda::critical(shown(path), " (", shown(mount.type), " from ", shown(mount.source), ") ", space.error())};
  }
  return {ronda::unknown(shown(path), ": ", space.error())};
}

ronda::reply<Space> Disk::ask(ronda::call& c, const Mount& mount, const std::string& path) {
  return is_remote(mount.type) ? ask_in_child(c, path) : statvfs_here(path);
}

ronda::reply<Space> Disk::ask_in_child(ronda::call& c, const std::string& path) {
  ronda::exec_options how;
  how.output_limit = 4096;
  how.deadline_mono_ns = std::min(c.deadline_mono_ns(), static_cast<std::uint64_t>((clock().mono() + remote_timeout_).count()));
  const auto done = exec().run(c, {"/usr/bin/stat", "--file-system", "--format=%S %b %f %a %c %d", "--", path}, how);
  if (!done) return ronda::reply<Space>::failed(done.code(), "/usr/bin/stat: " + done.error());
  if (done->timed_out) {
    return ronda::reply<Space>::failed(RONDA_E_TIMEOUT,
                                       ronda::text("does not answer within ", std::chrono::duration<double>(remote_timeout_)));
  }
  if (done->exit_code != 0) return ronda::reply<Space>::failed(RONDA_E_INTERNAL, shown(trim(done->err)));
  const auto space = parse_stat_output(done->out);
  if (!space) return ronda::reply<Space>::failed(RONDA_E_INTERNAL, "unexpected answer of stat: " + shown(done->out));
  return *space;
}

void Disk::emit(ronda::call& c, const Mount& mount, const Space& space) {
  const std::vector<ronda::label> labels = {{"path", mount.path}, {"type", mount.type}};
  c.metric("used", space.used_ratio(), ronda::ratio, limits_.warn_at, limits_.crit_at, labels);
  c.metric("used_judged", judged_ratio(space, limits_), ronda::ratio, limits_.warn_at, limits_.crit_at, labels);
  c.metric("free", space.available, ronda::bytes, {}, {}, labels);
  c.metric("total", space.total, ronda::bytes, {}, {}, labels);
  c.metric("inodes_used", space.inodes_ratio(), ronda::ratio, limits_.inodes_warn_at, limits_.inodes_crit_at, labels);
  const bool read_only = mount.mount_read_only || mount.super_read_only || mount.failed;
  c.metric("read_only", read_only ? 1 : 0, ronda::none, {}, {}, labels);
}

}  // namespace host
