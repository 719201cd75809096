// SPDX-License-Identifier: Apache-2.0
// host.packages: updates that wait, those of security apart; how old the lists are; whether a reboot is asked
// for. apt-get only simulates: it takes no lock, writes no cache and installs nothing.
#pragma once

#include <ronda/plugin.hpp>

#include <optional>
#include <string_view>

#include "apt.hpp"

namespace host {

class Packages : public ronda::check {
 public:
  static constexpr std::string_view procedure = "host.packages";
  ronda::result run(ronda::call& c) override;

 private:
  ronda::result judge(ronda::call& c, const PendingUpdates& updates);

  const ronda::status found_ = status_of_found();
  static ronda::status status_of_found();
  const std::chrono::seconds max_list_age_ = ronda::cfg<std::chrono::seconds>("max_list_age");
};

}  // namespace host
