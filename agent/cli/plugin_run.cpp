// SPDX-License-Identifier: Apache-2.0
// `ronda plugin run`: one procedure once, under the real runner, with no agent.
#include <array>
#include <boost/json.hpp>
#include <iostream>

#include "base/text.hpp"
#include "base/units.hpp"
#include "cli/plugin_session.hpp"
#include "plugin/grade.hpp"

namespace ronda::cli {
namespace json = boost::json;

namespace {

using StatusWords = std::array<std::string_view, 4>;

/// What a status means for this kind, and the exit code for it.
struct Verdict {
  std::string word;
  int exit_code;
};

Verdict verdict_of(plugin::Kind kind, const plugin::CallEnd& end) {
  const std::int32_t status = end.outcome.status;
  const bool known = end.fate == plugin::Fate::finished && end.outcome.end == wire::End::reported &&
                     status >= 0 && status <= 3;
  if (!known) return {"UNKNOWN", exit_undetermined};
  const auto index = static_cast<std::size_t>(status);
  if (kind == plugin::Kind::check)
    return {std::string(plugin::name_of(static_cast<plugin::CheckStatus>(status))), status};
  if (kind == plugin::Kind::task) {
    constexpr StatusWords words = {"CHANGED", "UNCHANGED", "FAILED", "SKIPPED"};
    return {std::string(words[index]), status == 2 ? exit_failed : exit_done};
  }
  constexpr StatusWords words = {"DELIVERED", "RETRY", "DROPPED", "UNKNOWN"};
  return {std::string(words[index]), status == 0 ? exit_done : exit_failed};
}

/// The plugin's summary, or why there is none.
std::string summary_of(const plugin::CallEnd& end) {
  std::string out = end.fate == plugin::Fate::finished
                        ? end.outcome.summary
                        : plugin::text_of(end);
  out = escape_controls(out);
  for (char& c : out) c = c == '|' ? '/' : c;
  return out.empty() ? "it said nothing" : out;
}

void print_text(const SessionRequest& request, const SessionReport& report, const Verdict& verdict) {
  std::cout << verdict.word << " - " << request.procedure.name << ": " << summary_of(report.end)
            << plugin::perfdata(report.metrics, {}) << "\n";
  if (!report.end.outcome.detail.empty())
    std::cout << repair_utf8(report.end.outcome.detail, 64 << 10) << "\n";
  std::vector<std::vector<std::string>> rows;
  for (const wire::Metric& metric : report.metrics) {
    std::string labels;
    for (const auto& [key, value] : metric.labels) labels += (labels.empty() ? "" : ", ") + key + "=" + value;
    rows.push_back({"  " + escape_controls(metric.name), plugin::format_value(metric),
                    metric.counter ? "counter" : "gauge", escape_controls(labels)});
  }
  std::cout << columns(rows);
  for (const std::string& event : report.events) std::cout << "event: " << event << "\n";
  if (report.end.outcome.dropped_metrics > 0)
    std::cout << plugin::dropped_metrics_text(report.end.outcome.dropped_metrics) << "\n";
  if (report.end.fate == plugin::Fate::finished)
    std::cout << "took " << format_duration(Nanos(report.end.outcome.duration_ns / 1000 * 1000)) << "\n";
  for (const std::string& line : report.logs) std::cerr << line << "\n";
}

void print_json(const SessionRequest& request, const SessionReport& report, const Verdict& verdict) {
  json::array metrics, logs, events;
  for (const wire::Metric& metric : report.metrics) {
    json::object labels;
    for (const auto& [key, value] : metric.labels) labels[key] = value;
    metrics.push_back(json::object{{"name", metric.name},
                                   {"value", metric.is_integer ? json::value(metric.integer) : json::value(metric.value)},
                                   {"unit", metric.unit},
                                   {"kind", metric.counter ? "counter" : "gauge"},
                                   {"labels", std::move(labels)}});
  }
  for (const std::string& line : report.logs) logs.push_back(json::value(line));
  for (const std::string& event : report.events) events.push_back(json::value(event));
  std::cout << json::serialize(json::object{{"format", 1},
                                            {"procedure", request.procedure.name},
                                            {"kind", plugin::to_string(request.procedure.kind)},
                                            {"status", verdict.word},
                                            {"fate", plugin::name_of(report.end.fate)},
                                            {"summary", summary_of(report.end)},
                                            {"detail", repair_utf8(report.end.outcome.detail, 64 << 10)},
                                            {"duration_ns", report.end.outcome.duration_ns},
                                            {"metrics", std::move(metrics)},
                                            {"events", std::move(events)},
                                            {"logs", std::move(logs)}})
            << "\n";
}

std::vector<std::string> settings_of(const Options& options) {
  std::vector<std::string> out;
  for (const auto& [flag, value] : options.flags)
    if (flag == "set") out.push_back(value);
  return out;
}

int usage_error(const Error& error) {
  complain(error.message());
  return exit_undetermined;  // as `check`: 0, 1, 2 are answers of the plugin
}

}  // namespace

int plugin_run(const Options& options) {
  const auto file = open_plugin(options, options.arguments[0]);
  if (!file) return usage_error(file.error());
  const auto procedure =
      choose_procedure(*file->manifest, options.arguments.size() > 1 ? options.arguments[1] : "");
  if (!procedure) return usage_error(procedure.error());
  auto encoded = encode_settings(**procedure, settings_of(options));
  if (!encoded) return usage_error(encoded.error());
  SessionRequest request{*file, **procedure, *std::move(encoded)};
  request.dry_run = options.has("dry-run");
  if (options.has("timeout")) {
    const auto timeout = parse_duration(options.value("timeout"));
    if (!timeout || timeout->count() <= 0)
      return usage_error(Error(Errc::invalid, "--timeout wants a duration like \"10s\""));
    request.timeout = *timeout;
  }
  const auto report = run_session(request);
  if (!report) return usage_error(report.error());
  const Verdict verdict = verdict_of((*procedure)->kind, report->end);
  if (options.json)
    print_json(request, *report, verdict);
  else
    print_text(request, *report, verdict);
  return verdict.exit_code;
}

}  // namespace ronda::cli
