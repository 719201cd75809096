// SPDX-License-Identifier: Apache-2.0
// While a verb waits, a person at a terminal sees for what and for how long.
#pragma once

#include <functional>
#include <string>
#include <thread>

#include "cli/cli.hpp"

namespace ronda::cli {

/// One line on standard error, where that is a terminal and the output is no JSON: from a second on, anew each second, taken away
/// at the end. Nothing else writes to standard error meanwhile.
class Waiting {
 public:
  /// `more` is called once a second, by a thread of its own: what there is to say beside the time, fit for a terminal.
  Waiting(const Options& options, std::string what, std::function<std::string()> more = {});

 private:
  std::jthread drawing_;  // none where nobody looks; joined at the end
};

}  // namespace ronda::cli
