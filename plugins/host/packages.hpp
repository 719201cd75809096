// SPDX-License-Identifier: Apache-2.0
// host.packages: updates that wait, those of security apart; how old the lists are; whether a reboot is asked
// for. apt-get only simulates: it takes no lock, writes no cache and installs nothing.
#pragma once

#include <ronda/plugin.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "apt.hpp"

namespace host {

/// When the newest of apt's package lists was made by its archive, in seconds since the epoch; nothing when there is
/// none. The folder's own time says nothing: an update that fails changes it too.
std::optional<std::int64_t> lists_as_of_s(const std::string& folder);

class Packages : public ronda::check {
 public:
  static constexpr std::string_view procedure = "host.packages";
  ronda::result run(ronda::call& c) override;

  std::string lists_folder = "/var/lib/apt/lists";  // another one only in tests

 private:
  ronda::result judge(ronda::call& c, const PendingUpdates& updates, std::int64_t as_of_s);

  const ronda::status found_ = status_of_found();
  static ronda::status status_of_found();
  const std::chrono::seconds max_list_age_ = ronda::cfg<std::chrono::seconds>("max_list_age");
};

}  // namespace host
