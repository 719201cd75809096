// SPDX-License-Identifier: Apache-2.0
// What a plugin's process may reach of files, ports and other processes, by Landlock, as far as this kernel has it.
#pragma once

#include "base/result.hpp"

namespace ronda::runner {

struct LandlockNeeds {
  bool files = false;    // may change whatever its user may
  bool network = false;  // may connect
};

/// For this thread and the threads and processes it makes from now on. Needs no_new_privs. Returns the version of the
/// kernel's Landlock; 0 when there is nothing that it could take away. Errors: the kernel has none.
Result<int> apply_landlock(const LandlockNeeds& needs);

}  // namespace ronda::runner
