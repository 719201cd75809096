// SPDX-License-Identifier: Apache-2.0
// A run's outcome judged: the plugin's own status, made worse where a metric breaks a limit of conf.d.
// Pure. A percentage is a ratio inside; limits with a unit compare in base units (seconds, bytes, ratio).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/generation.hpp"
#include "plugin/manifest.hpp"
#include "plugin/messages.hpp"

namespace ronda::plugin {

enum class CheckStatus : std::uint8_t { ok = 0, warning = 1, critical = 2, unknown = 3 };
std::string_view name_of(CheckStatus status);  // "OK", "WARNING", ...: the first word of a Nagios line

/// critical > unknown > warning > ok, as `status` ranks them.
CheckStatus worse(CheckStatus a, CheckStatus b);

struct Grade {
  CheckStatus status = CheckStatus::ok;
  std::string reason;  // of the limit that made it worse: "total is 0.61s, above 500ms"; empty when none did
};

/// `cut`: more came than a run may report, and is gone. A limit that holds for all that were kept of a name is then not known to hold.
Grade grade(CheckStatus reported, std::span<const wire::Metric> metrics, const config::Judgement& limits, bool cut = false);

/// Why this limit can never be compared with the metric as its manifest declares it; empty where it can, or where the metric
/// is not declared: then its unit is known at run time only.
std::string why_never_comparable(const config::Limit& limit, std::span<const MetricDeclaration> declared);

/// A value in the unit that limits and conditions are compared in: seconds, bytes, a ratio; other units stay.
struct Measured {
  double value;
  std::string_view unit;  // of `unit`, or a literal
};
Measured in_base_unit(double value, std::string_view unit);

/// The metrics of an outcome; what does not decode is left out.
std::vector<wire::Metric> decode_metrics(std::string_view encoded);

/// " | used=83%;80;90 ..." after a Nagios line; empty without metrics. Limits are numbers in the value's own unit, as
/// Nagios wants them, whatever unit conf.d gave. At most 16 KiB.
std::string perfdata(std::span<const wire::Metric> metrics, const config::Judgement& limits);

/// That so many metrics of a run were not kept, and why.
std::string dropped_metrics_text(std::int64_t count);

/// "83%", "0.61s", "1.5GiB", "42": a metric's value for people.
std::string format_value(double value, std::string_view unit);
std::string format_value(const wire::Metric& metric);

}  // namespace ronda::plugin
