// SPDX-License-Identifier: Apache-2.0
// The body of POST /api/v2/alerts, and labels as they are kept between two messages of an incident. Pure.
#pragma once

#include <ronda/text.hpp>

#include <optional>
#include <string>
#include <string_view>

#include "outgoing/alert.hpp"

namespace alertmanager {

/// `before`: what the same incident was called until now, if that was different; it ends with this message.
std::string alerts_body(const outgoing::Alert& alert, const std::optional<outgoing::Labels>& before, ronda::wall_time now,
                        std::chrono::nanoseconds valid_for);

std::string kept_labels(const outgoing::Labels& labels);
/// Nothing when the text is none of kept_labels().
std::optional<outgoing::Labels> read_kept_labels(std::string_view text);

}  // namespace alertmanager
