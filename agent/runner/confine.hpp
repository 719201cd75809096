// SPDX-License-Identifier: Apache-2.0
// How a runner gives up what it does not need, before it loads anything: user, groups, descriptors, limits.
#pragma once

#include "base/result.hpp"
#include "plugin/messages.hpp"

namespace ronda::runner {

/// Limits, user and descriptors as the setup says. Errors name what could not be done.
Status confine(const wire::Setup& setup);

}  // namespace ronda::runner
