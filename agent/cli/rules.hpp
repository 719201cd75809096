// SPDX-License-Identifier: Apache-2.0
// `ronda rules`: its second word.
#pragma once

#include "cli/cli.hpp"

namespace ronda::cli {

/// 0 it was looked at, whatever would have fired; 2 no such alert or time; 3 there are no results, or no agent.
int rules_backtest(const Options& options);

}  // namespace ronda::cli
