// SPDX-License-Identifier: Apache-2.0
#include "plugin/report_text.hpp"

#include <algorithm>
#include <cmath>

#include "base/text.hpp"

namespace ronda::wire {
namespace {

constexpr std::size_t name_limit = 128;
constexpr std::size_t unit_limit = 16;

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}
bool is_name(char c) {
  return is_alphanumeric(c) || c == '_' || c == '.' || c == '-';
}
bool is_unit(char c) {
  return c > ' ' && c <= '~' && std::string_view(";|'\"=").find(c) == std::string_view::npos;
}
bool is_range(char c) {
  return is_alphanumeric(c) || std::string_view(".:~@+-% ").find(c) != std::string_view::npos;
}

std::string replaced(std::string_view text, std::size_t limit, bool (*fits)(char)) {
  std::string out(text.substr(0, limit));
  std::ranges::replace_if(
      out, [&](char c) { return !fits(c); }, '_');
  return out;
}

/// Most text is: nothing has to be looked at twice.
bool is_plain(std::string_view text, std::size_t limit) {
  return text.size() <= limit && std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

void repair(std::string& text, std::size_t limit) {
  if (!is_plain(text, limit)) text = repair_utf8(text, limit);
}

bool fits(std::string_view text, std::size_t limit, bool (*fits_one)(char)) {
  return text.size() <= limit && std::ranges::all_of(text, fits_one);
}

/// Whether the next metric is as the runner makes them, without taking it apart.
bool is_fit(Reader& r) {
  const std::string_view name = r.bytes();
  const bool is_integer = r.boolean();
  const double value = is_integer ? static_cast<double>(r.integer()) : r.real();
  r.boolean();
  const std::string_view unit = r.bytes(), warn = r.bytes(), crit = r.bytes();
  const std::size_t labels = r.array();
  bool fit = r.ok() && !name.empty() && fits(name, name_limit, is_name) && std::isfinite(value) && fits(unit, unit_limit, is_unit) &&
             fits(warn, name_limit, is_range) && fits(crit, name_limit, is_range) && labels <= labels_limit;
  for (std::size_t i = 0; fit && i < labels; ++i) {
    fit = fits(r.bytes(), name_limit, is_name);
    fit = is_plain(r.bytes(), label_limit) && fit && r.ok();
  }
  return fit;
}

bool are_fit(std::string_view metrics) {
  Reader r(metrics);
  std::size_t count = 0;
  while (!r.at_end()) {
    if (++count > metrics_limit || !is_fit(r)) return false;
  }
  return r.ok();
}

void repair(Pairs& pairs, std::size_t limit) {
  if (pairs.size() > labels_limit) pairs.resize(labels_limit);
  for (auto& [key, value] : pairs) {
    key = metric_name(key);
    repair(value, limit);
  }
}

std::string repaired_metrics(const std::string& encoded, std::int64_t& dropped) {
  std::string out;
  Writer w(out);
  std::size_t count = 0;
  each_metric(encoded, [&](Metric&& metric) {
    if (metric.name.empty() || !std::isfinite(metric.value) || ++count > metrics_limit) {
      ++dropped;
      return;
    }
    metric.name = metric_name(metric.name);
    metric.unit = metric_unit(metric.unit);
    metric.warn = metric_range(metric.warn);
    metric.crit = metric_range(metric.crit);
    repair(metric.labels, label_limit);
    encode_metric(w, metric);
  });
  return out;
}

}  // namespace

std::string metric_name(std::string_view name) {
  return replaced(name, name_limit, is_name);
}
std::string metric_unit(std::string_view unit) {
  return replaced(unit, unit_limit, is_unit);
}
std::string metric_range(std::string_view range) {
  return fits(range, name_limit, is_range) ? std::string(range) : std::string();
}

bool is_cut(std::string_view metrics, std::int64_t dropped) {
  if (dropped == 0) return false;
  std::size_t count = 0;
  each_metric(metrics, [&](const Metric&) { ++count; });
  return count >= metrics_limit || metrics.size() > metrics_bytes_limit;
}

std::int32_t last_status(Kind kind) {
  constexpr std::int32_t unknown_or_skipped = 3, drop = 2;
  return kind == Kind::notifier ? drop : unknown_or_skipped;
}

std::string no_such_status(std::int32_t status) {
  return "reported the status " + std::to_string(status) + ", which does not exist";
}

void repair(Outcome& outcome, Kind kind) {
  constexpr std::int32_t unknown = 3;
  if (outcome.end == End::reported && (outcome.status < 0 || outcome.status > last_status(kind))) {
    outcome.end = End::bad_result;
    outcome.summary = no_such_status(outcome.status);
  }
  if (outcome.end != End::reported) outcome.status = unknown;
  repair(outcome.summary, text_limit);
  repair(outcome.detail, text_limit);
  if (!are_fit(outcome.metrics)) outcome.metrics = repaired_metrics(outcome.metrics, outcome.dropped_metrics);
}

void repair(Log& log) {
  repair(log.text, text_limit);
}

void repair(Event& event) {
  event.name = metric_name(event.name);
  repair(event.text, event_text_limit);
  repair(event.fields, event_field_limit);
}

bool repair(Progress& progress) {
  repair(progress.what, progress_limit);
  return progress.share >= 0 && progress.share <= 1;
}

std::string repaired_reason(std::string text) {
  repair(text, summary_limit);
  return text;
}

}  // namespace ronda::wire
