// SPDX-License-Identifier: Apache-2.0
// What a condition that was read means: whether its names exist, which units its numbers have, and which history
// it needs. Private to agent/rule.
#pragma once

#include <string>
#include <vector>

#include "rule/condition.hpp"

namespace ronda::rule {

/// False where there was an error. Sets the dimension of every node that is a number.
bool judge_nodes(Condition& condition, const Facts& facts, std::vector<Remark>& remarks);

/// Fills `checks` and `needs`.
void note_needs(Condition& condition);

/// Why two numbers cannot be compared or divided; empty: they can, or it is not known yet.
std::string why_not_comparable(const Condition& condition, const Node& left, const Dimension& left_is, const Node& right,
                               const Dimension& right_is);

/// The number of a constant in the unit of what it is compared with: "10MiB/s" beside a trend is so much each hour.
double constant_beside(const Node& constant, const Dimension& other);

}  // namespace ronda::rule
