// SPDX-License-Identifier: Apache-2.0
// Builds a generation from the bytes of conf.d: parse, resolve references, apply defaults, judge each object,
// then what they say of each other. Reports everything that is wrong in one pass; a wrong object disables
// only itself. Never decides whether errors are acceptable, never runs or loads anything.
#pragma once

#include "config/generation.hpp"
#include "config/references.hpp"

namespace ronda::config {

/// The diagnostics come back sorted by place.
Generation build_generation(const Sources& sources, const Environment& environment, Diagnostics& diagnostics);

}  // namespace ronda::config
