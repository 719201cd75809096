// SPDX-License-Identifier: Apache-2.0
// How full a filesystem is for those who are not root, and what that means. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "mounts.hpp"
#include "verdict.hpp"

namespace host {

/// The numbers of statvfs, in bytes and inodes.
struct Space {
  double total = 0;
  double free = 0;       // with what is kept for root
  double available = 0;  // for everybody
  double inodes = 0;     // 0: this filesystem does not count them
  double inodes_free = 0;

  /// As df counts: what is kept for root is neither used nor free. 0 for an empty filesystem.
  double used_ratio() const;
  double inodes_ratio() const;
};

/// The answer of `stat --file-system --format "%S %b %f %a %c %d"`.
std::optional<Space> parse_stat_output(std::string_view text);

enum class Writable : std::uint8_t {
  automatic,  // a filesystem that went read-only by itself is critical, one mounted so is not
  required,   // read-only for any reason is critical
  any,        // not looked at
};

struct SpaceLimits {
  double warn_at = 1, crit_at = 1;                // share used
  double inodes_warn_at = 1, inodes_crit_at = 1;  // share of inodes used
  double warn_free = 0, crit_free = 0;            // bytes; 0: not looked at
  double enough_free = 0;                         // with more than that free the share is not judged; 0: always is
  double free_min_size = 0;                       // of a smaller filesystem the bytes that are free are not judged
  Writable writable = Writable::automatic;
};

/// The share used, or 0 where enough is free for it not to matter: what a rule may compare.
double judged_ratio(const Space& space, const SpaceLimits& limits);

/// The level and the reason: "/srv is 91% full (8 GiB free), 97% of inodes used".
Verdict judge(const Mount& mount, const Space& space, const SpaceLimits& limits);

}  // namespace host
