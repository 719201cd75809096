// SPDX-License-Identifier: Apache-2.0
// What a plugin reports, made fit to keep and to show. The runner does it where it comes in; the agent does it again,
// because the runner is the plugin's own process. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "plugin/messages.hpp"

namespace ronda::wire {

inline constexpr std::size_t metrics_limit = 1000;             // of one call
inline constexpr std::size_t metrics_bytes_limit = 256 << 10;  // of them, encoded, before the last one
inline constexpr std::size_t labels_limit = 16;                // of one metric, fields of one event
inline constexpr std::size_t summary_limit = 4096;             // all of these in bytes
inline constexpr std::size_t text_limit = 64 << 10;            // detail; summaries that are the reason of a failure
inline constexpr std::size_t label_limit = 256;
inline constexpr std::size_t event_text_limit = 4096;
inline constexpr std::size_t event_field_limit = 1024;
inline constexpr std::size_t progress_limit = 256;

/// At most 128 letters, digits, underscores, dots and dashes; everything else becomes an underscore.
std::string metric_name(std::string_view name);
/// At most 16 characters of printable ASCII that mean nothing to a Nagios line; everything else becomes an underscore.
std::string metric_unit(std::string_view unit);
/// A Nagios range with or without units; empty when it holds anything else: half of a range would be another one.
std::string metric_range(std::string_view range);
/// Of what came some is gone because there was too much of it, and not because it was unfit.
bool is_cut(std::string_view metrics, std::int64_t dropped);
/// The last status that a kind has; the first is 0.
std::int32_t last_status(Kind kind);
std::string no_such_status(std::int32_t status);

/// Texts become UTF-8 of bounded length, a status exists, metrics are at most metrics_limit finite ones.
void repair(Outcome& outcome, Kind kind);
void repair(Log& log);
void repair(Event& event);
/// False when its share is no share.
bool repair(Progress& progress);
/// What a runner says of itself, and why something could not be made: UTF-8, at most summary_limit.
std::string repaired_reason(std::string text);

}  // namespace ronda::wire
