// SPDX-License-Identifier: Apache-2.0
// host.disk: how full filesystems are, in bytes and inodes, and whether one went read-only.
// A network filesystem is asked in a child with a short deadline, so that a dead server costs that child
// only.
#pragma once

#include <ronda/plugin.hpp>

#include <string>
#include <string_view>
#include <vector>

#include "mounts.hpp"
#include "space.hpp"

namespace host {

class Disk : public ronda::check {
 public:
  static constexpr std::string_view procedure = "host.disk";
  ronda::result run(ronda::call& c) override;

 private:
  struct Measured {
    ronda::result result;
    double used = 0;
  };

  ronda::result run_one(ronda::call& c, const std::vector<Mount>& mounts);
  ronda::result run_all(ronda::call& c, const std::vector<Mount>& mounts);
  Measured measure(ronda::call& c, const Mount& mount, const std::string& path);
  ronda::reply<Space> ask(ronda::call& c, const Mount& mount, const std::string& path);
  ronda::reply<Space> ask_in_child(ronda::call& c, const std::string& path);
  void emit(ronda::call& c, const Mount& mount, const Space& space);

  const std::optional<std::string> path_ = ronda::cfg<std::optional<std::string>>("path");
  const bool mounted_ = ronda::cfg<bool>("mounted");
  const std::chrono::nanoseconds remote_timeout_ = ronda::cfg<std::chrono::nanoseconds>("remote_timeout");
  const Selection selection_;
  const SpaceLimits limits_;

 public:
  Disk();
};

}  // namespace host
