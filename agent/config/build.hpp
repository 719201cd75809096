// SPDX-License-Identifier: Apache-2.0
// Builds a generation from the bytes of conf.d: parse, resolve references, apply defaults, judge each object,
// then what they say of each other. Reports everything that is wrong in one pass; a wrong object disables
// only itself. Never decides whether errors are acceptable, never runs or loads anything.
#pragma once

#include <vector>

#include "config/generation.hpp"
#include "config/references.hpp"

namespace ronda::config {

/// The diagnostics come back sorted by place. `unsound` gets the raw objects that are disabled for a key of the wrong shape,
/// by kind, then name: those whose meaning it is can judge their other keys in the same pass.
Generation build_generation(const Sources& sources, const Environment& environment, Diagnostics& diagnostics,
                            std::vector<RawObject>* unsound = nullptr);

}  // namespace ronda::config
