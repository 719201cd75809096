// SPDX-License-Identifier: Apache-2.0
// Who is wrong and was told: what cannot be reached through them is no second mistake. Pure.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "incident/people.hpp"

namespace ronda::people {

using WrongPeople = std::set<std::string, std::less<>>;

/// Adds the contacts, groups and on-calls among them; they share one namespace.
void add_wrong(const std::vector<config::Disabled>& disabled, WrongPeople& out);

/// Whether the target is one of them, or has one of them in it.
bool holds_wrong(const People& people, std::string_view target, const WrongPeople& wrong);

}  // namespace ronda::people
