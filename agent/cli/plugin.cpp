// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.hpp"

namespace ronda::cli {

int plugin(const Options&) {
  complain("not built yet");
  return exit_undetermined;
}

}  // namespace ronda::cli
