// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace ronda::config {

/// How conditions, alerts and silences name a task: task.NAME. No name of conf.d has a dot.
inline constexpr std::string_view task_prefix = "task.";

}  // namespace ronda::config
