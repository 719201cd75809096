// SPDX-License-Identifier: Apache-2.0
// Whether this is a build with a sanitizer: its shadow of all memory counts as data of the process and its runtime makes
// system calls of its own, so limits of memory and filters of system calls that hold everywhere else cannot hold there.
#pragma once

namespace ronda {

#ifdef RONDA_SANITIZED
inline constexpr bool is_sanitized = true;
#else
inline constexpr bool is_sanitized = false;
#endif

}  // namespace ronda
