// SPDX-License-Identifier: Apache-2.0
#include "mounts.hpp"

#include <algorithm>
#include <array>
#include <deque>

#include "text.hpp"

namespace host {
namespace {

bool is_octal(char c) {
  return c >= '0' && c <= '7';
}

/// The kernel writes blank, tab, newline and backslash as three octal digits.
std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && is_octal(text[i + 1]) && is_octal(text[i + 2]) &&
        is_octal(text[i + 3])) {
      out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

bool has_option(std::string_view options, std::string_view name) {
  while (!options.empty()) {
    const std::size_t comma = options.find(',');
    if (options.substr(0, comma) == name) return true;
    if (comma == std::string_view::npos) return false;
    options.remove_prefix(comma + 1);
  }
  return false;
}

std::optional<Mount> parse_line(std::string_view line) {
  const auto all = fields(line);
  const auto dash = std::find(all.begin(), all.end(), "-");
  if (all.size() < 9 || dash - all.begin() < 6 || all.end() - dash < 4) return std::nullopt;
  Mount mount;
  mount.device = all[2];
  mount.root = unescape(all[3]);
  mount.path = unescape(all[4]);
  mount.mount_read_only = has_option(all[5], "ro");
  mount.type = dash[1];
  mount.source = unescape(dash[2]);
  mount.super_read_only = has_option(dash[3], "ro");
  mount.failed = has_option(dash[3], "emergency_ro") || has_option(dash[3], "shutdown");
  return mount;
}

template <std::size_t n>
bool contains(const std::array<std::string_view, n>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool matches(const std::string& pattern, std::string_view path) {
  if (!pattern.empty() && pattern.back() == '*') {
    return path.substr(0, pattern.size() - 1) == std::string_view(pattern).substr(0, pattern.size() - 1);
  }
  return path == pattern;
}

bool wanted(const Mount& mount, const Selection& selection) {
  if (contains(selection.exclude_types, mount.type)) return false;
  const auto excluded = [&](const std::string& pattern) { return matches(pattern, mount.path); };
  if (std::any_of(selection.exclude_paths.begin(), selection.exclude_paths.end(), excluded)) return false;
  if (!selection.types.empty()) return contains(selection.types, mount.type);
  // the root of a container is an overlay and is the one place where that means a disk
  if (mount.type == "overlay") return mount.path == "/";
  return is_local_disk(mount.type) || (selection.remote && is_remote(mount.type));
}

bool covers(std::string_view mount_point, std::string_view path) {
  if (mount_point == "/") return true;
  return path.substr(0, mount_point.size()) == mount_point &&
         (path.size() == mount_point.size() || path[mount_point.size()] == '/');
}

void push_components(std::deque<std::string>& rest, std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    if (!part.empty() && part != ".") parts.emplace_back(part);
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
  }
  rest.insert(rest.begin(), parts.begin(), parts.end());
}

}  // namespace

std::vector<Mount> parse_mountinfo(std::string_view text) {
  std::vector<Mount> mounts;
  std::string_view line;
  while (next_line(text, line)) {
    if (auto mount = parse_line(line)) mounts.push_back(std::move(*mount));
  }
  return mounts;
}

bool is_local_disk(std::string_view type) {
  static constexpr std::array<std::string_view, 19> types = {
      "ext2", "ext3",  "ext4", "xfs",   "btrfs",   "zfs",    "f2fs",    "jfs",   "reiserfs", "bcachefs",
      "vfat", "exfat", "ntfs", "ntfs3", "fuseblk", "nilfs2", "hfsplus", "ubifs", "udf"};
  return contains(types, type);
}

bool is_remote(std::string_view type) {
  static constexpr std::array<std::string_view, 13> types = {"nfs",    "nfs4",      "cifs",   "smb3", "smbfs",
                                                             "ceph",   "glusterfs", "lustre", "afs",  "9p",
                                                             "autofs", "gfs2",      "ocfs2"};
  return contains(types, type) || type == "fuse" || type.substr(0, 5) == "fuse.";
}

const Mount* holding(const std::vector<Mount>& mounts, std::string_view path) {
  const Mount* best = nullptr;
  for (const Mount& mount : mounts) {
    if (covers(mount.path, path) && (best == nullptr || mount.path.size() >= best->path.size()))
      best = &mount;
  }
  return best;
}

std::vector<Mount> select(const std::vector<Mount>& mounts, const Selection& selection) {
  std::vector<Mount> out;
  for (const Mount& mount : mounts) {
    // a mount that another one hides cannot be measured by its path
    if (!wanted(mount, selection) || holding(mounts, mount.path) != &mount) continue;
    const auto same =
        std::find_if(out.begin(), out.end(), [&](const Mount& m) { return m.device == mount.device; });
    if (same == out.end()) {
      out.push_back(mount);
    } else if (mount.root.size() < same->root.size()) {
      *same = mount;
    }
  }
  return out;
}

std::string plain_path(std::string_view path) {
  std::deque<std::string> parts;
  push_components(parts, path);
  std::string out;
  for (const std::string& part : parts) out += "/" + part;
  return out.empty() ? "/" : out;
}

const Mount* locate(const std::vector<Mount>& mounts, std::string_view path, const ReadLink& read_link) {
  std::deque<std::string> rest;
  push_components(rest, path);
  std::string at;
  int links = 0;
  while (!rest.empty()) {
    const std::string part = std::move(rest.front());
    rest.pop_front();
    if (part == "..") {
      at.resize(at.empty() ? 0 : at.rfind('/'));
      continue;
    }
    const std::string next = at + "/" + part;
    const Mount* mount = holding(mounts, next);
    if (mount != nullptr && is_remote(mount->type)) return mount;
    const auto target = read_link(next);
    if (!target) {
      at = next;
      continue;
    }
    if (++links > 40) return nullptr;
    if (!target->empty() && target->front() == '/') at.clear();
    push_components(rest, *target);
  }
  return holding(mounts, at.empty() ? "/" : at);
}

}  // namespace host
