// SPDX-License-Identifier: Apache-2.0
// The steps of Flapping; see ladder.hpp for what it is. Private to agent/rule.
#pragma once

#include "rule/ladder.hpp"

namespace ronda::rule {

/// The first result of all is no change.
void count_result(Flapping& flapping, Raw raw, bool is_first, std::int64_t now_ns);
/// Without a result: what was long ago holds nothing any more.
void pass_time(Flapping& flapping, std::int64_t now_ns);
void note_rise(Flapping& flapping);
void note_fall(Flapping& flapping, std::int64_t now_ns);

}  // namespace ronda::rule
