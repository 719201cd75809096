// SPDX-License-Identifier: Apache-2.0
// What an answer means for a delivery, by its status alone. Pure.
#pragma once

#include <ronda/result.hpp>

#include <cstdint>

#include "outgoing/post.hpp"

namespace outgoing {

enum class Meaning {
  taken,    ///< 2xx
  later,    ///< 408, 425, 429, 5xx, or no answer: what is tried again may go through
  refused,  ///< anything else, redirects too
};

Meaning meaning_of(int status);

/// By meaning_of; a retry waits as long as the answer asks for, where it does. A refusal tells the first line of the body.
/// `now_s`: seconds since 1970.
ronda::delivery outcome_of(const Answer& answer, std::int64_t now_s);

/// The wait that the answer asks for; zero: none, or none that can be read.
std::chrono::nanoseconds wait_of(const Answer& answer, std::int64_t now_s);

}  // namespace outgoing
