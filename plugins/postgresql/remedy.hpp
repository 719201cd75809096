// SPDX-License-Identifier: Apache-2.0
// What a Failure means and what to do about it, in words. Pure. Whether that is CRITICAL or UNKNOWN is the
// check's own decision.
#pragma once

#include <string>
#include <string_view>

#include "answer.hpp"

namespace postgresql {

/// Empty when there is nothing to advise. `version` as 150020; 0: there is no session.
std::string remedy(const Failure& failure, std::string_view role, int version);

/// "15.20"
std::string version_text(int version);

/// "4.2s", "12m 5s", "3d 4h"
std::string span_text(double seconds);

/// "public.orders"
std::string qualified(std::string_view schema, std::string_view name);

}  // namespace postgresql
