// SPDX-License-Identifier: Apache-2.0
// What the store of a whole agent that does not run tells of the slots of one instance.
#pragma once

#include <cstdint>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "store/types.hpp"
#include "store_rows.hpp"
#include "whole_agent.hpp"

namespace ronda::test {

struct SlotAccount {
  std::map<std::int64_t, int> said;  // of each slot from the first to the last: how often it stands there, as a row or as missed
  std::int64_t done = 0;
  std::int64_t others = 0;  // rows of what was promised and not done
};

/// Of a name that one instance alone has, and whose slots are so many seconds apart.
inline SlotAccount slots_of(const WholeAgent& stopped, const std::string& name, std::int64_t apart_s = 1) {
  SlotAccount out;
  const auto numbers = [&](const std::string& columns, const std::string& table) {
    std::vector<std::pair<std::int64_t, std::int64_t>> rows;
    for (const std::string& row : column(stopped, "SELECT " + columns + " FROM " + table + " WHERE name = '" + name + "'")) {
      std::istringstream in(row);
      in >> rows.emplace_back().first >> rows.back().second;
    }
    return rows;
  };
  for (const auto& [second, state] : numbers("(scheduled / 1000000000) || ' ' || state", "slot")) {
    ++out.said[second];
    ++(state == static_cast<std::int64_t>(store::SlotState::done) ? out.done : out.others);
  }
  for (const auto& [first, last] : numbers("(first / 1000000000) || ' ' || (last / 1000000000)", "missed")) {
    for (std::int64_t second = first; second <= last; second += apart_s) ++out.said[second];
  }
  if (out.said.empty()) return out;
  const std::int64_t last = out.said.rbegin()->first;
  for (std::int64_t second = out.said.begin()->first; second < last; second += apart_s) out.said[second];  // 0 where it is not
  return out;
}

}  // namespace ronda::test
