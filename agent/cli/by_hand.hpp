// SPDX-License-Identifier: Apache-2.0
// Who stands in on call because a person said so: the running agent knows it, conf.d does not.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "cli/cli.hpp"
#include "incident/people.hpp"
#include "incident/route.hpp"

namespace ronda::cli {

struct ByHand {
  escalation::Overrides overrides;  // by rota
  boost::json::array all;           // as the agent says them
  bool is_known = true;             // false: an agent is there and does not tell

  std::span<const people::Override> of(const people::Rota& rota) const;
  /// Of one rota, as the agent says them.
  boost::json::array of(std::string_view rota) const;
  /// Those that hold at some time within [from, to].
  boost::json::array within(std::int64_t from_ns, std::int64_t to_ns) const;
};

/// Where no agent runs there are none. What is not known is said on stderr.
ByHand read_by_hand(const Options& options, const schedule::Zone& utc);
/// "override O-K7Q2M4XD: bo, by unix:ops: Ana is ill"
std::string override_text(const boost::json::object& one);

}  // namespace ronda::cli
