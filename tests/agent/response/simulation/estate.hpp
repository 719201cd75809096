// SPDX-License-Identifier: Apache-2.0
// The two configurations between which worlds reload.
#pragma once

#include <array>
#include <memory>

#include "response/plan.hpp"

namespace ronda::sim {

inline constexpr std::array check_names = {"net", "api", "page", "db", "disk"};
inline constexpr std::array sink_names = {"chat", "log", "mail"};

/// Compiled once: 0 or 1.
std::shared_ptr<const response::Plan> plan(std::size_t number);

}  // namespace ronda::sim
