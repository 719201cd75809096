// SPDX-License-Identifier: Apache-2.0
// What ships as an example and was not filled in: it leads nowhere, and a message to it is tried for days before anybody
// hears of it. Pure.
#pragma once

#include "incident/people.hpp"

namespace ronda::people {

/// Warns of notifiers by which nobody beyond this host is reached. Of those alone that may leave it: who writes to a file only
/// has meant that.
void warn_of_examples(const Input& input, const People& people, config::Diagnostics& diagnostics);

}  // namespace ronda::people
