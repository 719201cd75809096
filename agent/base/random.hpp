// SPDX-License-Identifier: Apache-2.0
// Bits that nobody can foretell, for ids and one-time words; never for judgement, which takes them as a parameter.
#pragma once

#include <cstdint>

namespace ronda {

/// From the kernel. Ends the process where it gives none. [any]
std::uint64_t random_bits();

}  // namespace ronda
