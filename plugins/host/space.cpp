// SPDX-License-Identifier: Apache-2.0
#include "space.hpp"

#include <array>

#include "text.hpp"

namespace host {
namespace {

bool read_only(const Mount& mount, Writable writable) {
  const bool by_itself = mount.failed || (mount.super_read_only && !mount.mount_read_only);
  switch (writable) {
    case Writable::automatic:
      return by_itself;
    case Writable::required:
      return by_itself || mount.mount_read_only || mount.super_read_only;
    case Writable::any:
      return false;
  }
  return false;
}

ronda::status space_level(const Space& space, const SpaceLimits& limits) {
  const ronda::status share = above(judged_ratio(space, limits), limits.warn_at, limits.crit_at);
  if (space.total < limits.free_min_size) return share;
  return ronda::worst(share, below(space.available, limits.warn_free, limits.crit_free));
}

}  // namespace

double judged_ratio(const Space& space, const SpaceLimits& limits) {
  return limits.enough_free > 0 && space.available > limits.enough_free ? 0 : space.used_ratio();
}

double Space::used_ratio() const {
  const double used = total - free;
  const double usable = used + available;
  return usable > 0 ? used / usable : 0;
}

double Space::inodes_ratio() const {
  return inodes > 0 ? (inodes - inodes_free) / inodes : 0;
}

std::optional<Space> parse_stat_output(std::string_view text) {
  const auto all = fields(text);
  std::array<double, 6> numbers{};
  if (all.size() != numbers.size()) return std::nullopt;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto number = to_u64(all[i]);
    if (!number) return std::nullopt;
    numbers[i] = static_cast<double>(*number);
  }
  const double block = numbers[0];
  return Space{numbers[1] * block, numbers[2] * block, numbers[3] * block, numbers[4], numbers[5]};
}

Verdict judge(const Mount& mount, const Space& space, const SpaceLimits& limits) {
  Verdict verdict;
  verdict.add(space_level(space, limits),
              shown(mount.path) + " is " + ronda::percent(space.used_ratio()) + " full (" + ronda::human_bytes(space.available) + " free)");
  const ronda::status inodes = above(space.inodes_ratio(), limits.inodes_warn_at, limits.inodes_crit_at);
  if (inodes != ronda::status::ok) verdict.add(inodes, ronda::percent(space.inodes_ratio()) + " of inodes used");
  if (read_only(mount, limits.writable)) verdict.add(ronda::status::critical, "it is read-only");
  return verdict;
}

}  // namespace host
