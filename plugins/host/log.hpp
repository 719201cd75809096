// SPDX-License-Identifier: Apache-2.0
// host.log: how many new lines of a file match a pattern. It starts at the end, survives rotation and
// restarts, and quotes the last match with its control characters made visible.
#pragma once

#include <ronda/plugin.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "follow.hpp"
#include "pattern.hpp"

namespace host {

class Log : public ronda::check {
 public:
  Log();
  static constexpr std::string_view procedure = "host.log";
  ronda::result run(ronda::call& c) override;

 private:
  struct Matches {
    std::uint64_t count = 0;
    std::string last;
  };

  void match(std::string_view line, Matches& matches) const;
  ronda::result judge(const Followed& followed, const Matches& matches) const;
  void emit_rate(ronda::call& c, std::uint64_t count);

  const std::string path_ = ronda::cfg<std::string>("path");
  const Pattern pattern_{ronda::cfg<std::string>("pattern")};
  const std::uint64_t at_least_ = ronda::cfg<std::uint64_t>("at_least");
  const ronda::status found_;
  const ronda::status missing_;
  const ronda::status lost_;
  const FollowLimits limits_;
  std::vector<Pattern> exclude_;
};

}  // namespace host
