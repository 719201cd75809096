// SPDX-License-Identifier: Apache-2.0
#include "plugin/grade.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "base/text.hpp"
#include "base/units.hpp"

namespace ronda::plugin {
namespace {

constexpr std::size_t perfdata_limit = 16 << 10;

/// The unit that a bound of a limit is written in: "ratio", "s", "B" or none.
std::string_view unit_of_bound(std::string_view text) {
  const std::size_t letter = text.find_first_not_of("0123456789.-");
  if (letter == std::string_view::npos) return {};
  if (text[letter] == '%') return "ratio";
  return text.find('B', letter) == std::string_view::npos ? "s" : "B";
}

/// One end of a limit's range, as it is written.
struct Bound {
  std::string_view text;
  double value;

  /// 0 is the same in every unit.
  bool is_bare() const { return unit_of_bound(text).empty() && value != 0; }
};

/// What stands in a limit: "@", "10:" or "~:", "20"; a bound that is left out is none.
struct Bounds {
  std::string_view before;  // the low bound: "@", "~" or both
  std::optional<Bound> low, high;
  bool colon = false;
};

Bounds bounds_of(const config::Limit& limit) {
  Bounds out;
  std::string_view text = trim(limit.text);
  out.before = text.substr(0, std::min(text.find_first_not_of("@~"), text.size()));
  text.remove_prefix(out.before.size());
  const std::size_t colon = text.find(':');
  out.colon = colon != std::string_view::npos;
  const std::string_view low = out.colon ? text.substr(0, colon) : std::string_view();
  const std::string_view high = out.colon ? text.substr(colon + 1) : text;
  if (!low.empty()) out.low = Bound{low, limit.range.low};
  if (!high.empty()) out.high = Bound{high, limit.range.high};
  return out;
}

bool has_scale(std::string_view unit) {
  return unit == "s" || unit == "B" || unit == "ratio";
}

/// Whether a bound says what a metric in this base unit is compared with: 500 of seconds would be a guess.
bool fits(const Bound& bound, std::string_view unit) {
  const std::string_view written = unit_of_bound(bound.text);
  return written.empty() ? bound.value == 0 || !has_scale(unit) : written == unit;
}

/// The limit once more, its bare bounds with this unit: "10s:20s".
std::string written_in(const Bounds& bounds, std::string_view unit, double factor = 1) {
  const auto one = [&](const std::optional<Bound>& bound) {
    if (!bound) return std::string();
    return bound->is_bare() ? format_number(bound->value * factor) + std::string(unit) : std::string(bound->text);
  };
  return "\"" + std::string(bounds.before) + (bounds.colon ? one(bounds.low) + ":" : "") + one(bounds.high) + "\"";
}

/// What to write in place of a limit that does not fit.
std::string remedy(const Bounds& bounds, std::string_view unit) {
  const auto other = [](const std::optional<Bound>& bound) { return bound && !unit_of_bound(bound->text).empty(); };
  const bool only_bare = !other(bounds.low) && !other(bounds.high);
  if (unit == "s") return only_bare ? written_in(bounds, "ms") + " or " + written_in(bounds, "s") : "for example \"500ms\"";
  if (unit == "B") return only_bare ? written_in(bounds, "B") + " or " + written_in(bounds, "MiB") : "for example \"10MiB\"";
  if (unit != "ratio") return "for example \"5\"";
  if (!only_bare) return "for example \"80%\"";
  const auto is_share = [](const std::optional<Bound>& bound) { return !bound || std::abs(bound->value) <= 1; };
  const bool shares = is_share(bounds.low) && is_share(bounds.high);
  return written_in(bounds, "%") + (shares ? " or " + written_in(bounds, "%", 100) : "");
}

/// Why a limit cannot be compared with what comes in this unit, with the remedy; empty: it can.
std::string why_not_comparable(const config::Limit& limit, std::string_view named, std::string_view unit) {
  const Bounds bounds = bounds_of(limit);
  const std::string_view base = in_base_unit(1, unit).unit;
  if ((!bounds.low || fits(*bounds.low, base)) && (!bounds.high || fits(*bounds.high, base))) return {};
  return std::string(named) + (unit.empty() ? " has no unit" : " is in \"" + std::string(unit) + "\"") +
         ", which cannot be compared with \"" + limit.text + "\"; write " + remedy(bounds, base);
}

struct Broken {
  CheckStatus status = CheckStatus::ok;
  std::string reason;
};

/// `status` if the metric breaks the limit, unknown if the two cannot be compared.
Broken test(const wire::Metric& metric, const config::Limit& limit, CheckStatus status) {
  if (std::string why = why_not_comparable(limit, metric.name, metric.unit); !why.empty()) return {CheckStatus::unknown, std::move(why)};
  if (!limit.range.alerts(in_base_unit(metric.value, metric.unit).value)) return {};
  return {status, metric.name + " is " + format_value(metric) + ", limit " + limit.text};
}

void apply(Grade& grade, std::span<const wire::Metric> metrics, const std::vector<config::Limit>& limits, CheckStatus status) {
  for (const config::Limit& limit : limits) {
    bool seen = false;
    for (const wire::Metric& metric : metrics) {
      if (metric.name != limit.metric) continue;
      seen = true;
      Broken broken = test(metric, limit, status);
      if (worse(broken.status, grade.status) == grade.status) continue;
      grade = {broken.status, std::move(broken.reason)};
    }
    if (!seen && grade.status == CheckStatus::ok)
      grade = {CheckStatus::unknown, "no metric \"" + limit.metric + "\" came, which has a limit"};
  }
}

/// What is gone may have been of the name that the limit is for, unless that has one metric only: the one without labels.
bool is_judged_whole(const config::Limit& limit, std::span<const wire::Metric> metrics) {
  return std::ranges::any_of(metrics, [&](const wire::Metric& metric) { return metric.name == limit.metric && metric.labels.empty(); });
}

std::string quoted_label(const wire::Metric& metric) {
  std::string label = metric.name;
  for (const auto& [key, value] : metric.labels) label += "_" + value;
  label = escape_controls(label);
  // neither of them can be quoted: the first ends the text, the second a value
  std::ranges::replace_if(
      label, [](char c) { return c == '|' || c == ';'; }, '_');
  const bool quote = label.find_first_of(" ='") != std::string::npos;
  if (!quote) return label;
  std::string out = "'";
  for (const char c : label) out += c == '=' ? std::string("_") : c == '\'' ? std::string("''") : std::string(1, c);
  return out + "'";
}

/// A range as Nagios reads it: plain numbers, "low:" and ":high" left out where they say nothing.
std::string plain(const Range& range, double factor) {
  std::string out = range.inside ? "@" : "";
  if (std::isinf(range.low))
    out += "~:";
  else if (range.low != 0 || std::isinf(range.high))
    out += format_number(range.low * factor) + ":";
  return std::isinf(range.high) ? out : out + format_number(range.high * factor);
}

/// The limit in the unit that the metric's value is printed in: what reads perfdata compares the two as numbers.
std::string limit_text(const std::vector<config::Limit>& limits, const wire::Metric& metric, const std::string& own) {
  const double shown = metric.unit == "ratio" ? 100 : 1;
  const auto found = std::ranges::find(limits, metric.name, &config::Limit::metric);
  if (found != limits.end()) {
    // what cannot be compared is no limit to whoever reads the line either
    if (!why_not_comparable(*found, metric.name, metric.unit).empty()) return {};
    return plain(found->range, shown / in_base_unit(1, metric.unit).value);
  }
  if (own.empty() || shown == 1) return own;
  const auto range = parse_range(own);
  return range ? plain(*range, shown) : std::string();
}

}  // namespace

std::string_view name_of(CheckStatus status) {
  constexpr std::array<std::string_view, 4> names = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};
  return names[static_cast<std::size_t>(status)];
}

CheckStatus worse(CheckStatus a, CheckStatus b) {
  constexpr std::array<int, 4> rank = {0, 1, 3, 2};
  return rank[static_cast<std::size_t>(a)] >= rank[static_cast<std::size_t>(b)] ? a : b;
}

Measured in_base_unit(double value, std::string_view unit) {
  const BaseUnit base = base_unit(unit);
  return {value * base.factor, base.unit};
}

Grade grade(CheckStatus reported, std::span<const wire::Metric> metrics, const config::Judgement& limits, bool cut) {
  Grade out{reported, {}};
  if (reported == CheckStatus::unknown) return out;  // nothing was measured: a missing metric tells nothing new
  apply(out, metrics, limits.crit, CheckStatus::critical);
  apply(out, metrics, limits.warn, CheckStatus::warning);
  if (!cut || out.status != CheckStatus::ok) return out;
  for (const auto* some : {&limits.crit, &limits.warn}) {
    for (const config::Limit& limit : *some) {
      if (is_judged_whole(limit, metrics)) continue;
      return {CheckStatus::unknown,
              "more metrics came than a run may report; \"" + limit.metric + "\" has a limit, and may be among those dropped"};
    }
  }
  return out;
}

std::string why_never_comparable(const config::Limit& limit, std::span<const MetricDeclaration> declared) {
  const auto found = std::ranges::find(declared, limit.metric, &MetricDeclaration::name);
  return found == declared.end() ? std::string() : why_not_comparable(limit, "`" + limit.metric + "`", found->unit);
}

std::vector<wire::Metric> decode_metrics(std::string_view encoded) {
  std::vector<wire::Metric> out;
  wire::each_metric(encoded, [&](wire::Metric&& metric) { out.push_back(std::move(metric)); });
  return out;
}

std::string dropped_metrics_text(std::int64_t count) {
  return std::to_string(count) + " metrics were dropped: more than 1,000 or 256 KiB of one run, or not finite";
}

std::string format_value(double value, std::string_view unit) {
  return format_quantity(value, unit);
}

std::string format_value(const wire::Metric& metric) {
  if (!metric.is_integer || metric.unit == "ratio") return format_value(metric.value, metric.unit);
  return metric.unit == "B" ? format_size(metric.integer) : std::to_string(metric.integer) + metric.unit;
}

std::string perfdata(std::span<const wire::Metric> metrics, const config::Judgement& limits) {
  std::string out;
  for (const wire::Metric& metric : metrics) {
    const bool ratio = metric.unit == "ratio";
    std::string one =
        quoted_label(metric) + "=" +
        (metric.is_integer && !ratio ? std::to_string(metric.integer) : format_number(ratio ? metric.value * 100 : metric.value));
    one += ratio ? "%" : metric.counter && metric.unit.empty() ? "c" : metric.unit;
    const std::string warn = limit_text(limits.warn, metric, metric.warn);
    const std::string crit = limit_text(limits.crit, metric, metric.crit);
    if (!warn.empty() || !crit.empty()) one += ";" + warn + ";" + crit;
    if (out.size() + one.size() + 1 > perfdata_limit) break;
    out += (out.empty() ? "" : " ") + one;
  }
  return out.empty() ? out : " | " + out;
}

}  // namespace ronda::plugin
