// SPDX-License-Identifier: Apache-2.0
// What an instance of chaos knows while it misbehaves. For tests only, never installed.
#pragma once

#include <string>
#include <string_view>

#include <ronda/plugin.hpp>

namespace chaos {

/// A misdeed's view of its instance: the services it may use and its two options.
struct Deed {
  ronda::call& call;
  const ronda_inst* inst;
  std::string_view mode;
  std::int64_t n;
};

/// What one run of a mode does and says; "no such mode" is a result like any other.
ronda::result commit(Deed& deed);

// by theme; false when the mode is not of that theme
bool crash(const Deed& deed);                      // crashes.cpp: does not come back
bool hang(Deed& deed);                             // hangs.cpp: comes back late or never
bool spoil(Deed& deed);                            // spoils.cpp: takes or breaks what the process has
bool spawn(Deed& deed);                            // spawns.cpp: leaves processes behind
bool babble(Deed& deed, ronda::result& result);    // babbles.cpp: reports wrongly or too much
bool ask(Deed& deed, ronda::result& result);       // asks.cpp: tells what the services answered

void sleep_ms(std::int64_t ms);

}  // namespace chaos
