// SPDX-License-Identifier: Apache-2.0
// ronda.emit/1: what a run reports, made safe and bounded here, so that the agent gets it ready to keep.
#include <cmath>
#include <ctime>

#include "base/text.hpp"
#include "runner/instance.hpp"
#include "runner/link.hpp"
#include "runner/services.hpp"

namespace ronda::runner {
namespace {

constexpr std::size_t name_limit = 128;
constexpr std::size_t label_limit = 16;
constexpr std::uint64_t progress_interval_ns = 100'000'000;

std::uint64_t monotonic_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
}

/// The call that this instance is in, if it is that one.
ActiveCall* current(const ronda_inst* inst, const ronda_call* call) {
  if (inst == nullptr || call == nullptr) return nullptr;
  ActiveCall* active = Instance::of(inst)->active();
  return static_cast<const ronda_call*>(active) == call ? active : nullptr;
}

/// Letters, digits, underscore, dot and dash stay; everything else becomes an underscore.
std::string metric_name(ronda_str name) {
  std::string out(view(name).substr(0, name_limit));
  for (char& c : out) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
    if (!plain) c = '_';
  }
  return out;
}

wire::Pairs labels_of(const ronda_metric& metric) {
  wire::Pairs labels;
  const std::uint64_t count = std::min<std::uint64_t>(metric.label_count, label_limit);
  for (std::uint64_t i = 0; metric.labels != nullptr && i < count; ++i) {
    labels.emplace_back(metric_name(metric.labels[i].key), repair_utf8(view(metric.labels[i].value), 256));
  }
  return labels;
}

std::int32_t metric(const ronda_inst* inst, const ronda_call* call, const ronda_metric* m) noexcept try {
  ActiveCall* active = current(inst, call);
  if (active == nullptr || m == nullptr || !RONDA_HAS(m, label_count)) return RONDA_E_INVALID;
  wire::Metric out;
  out.name = metric_name(m->name);
  out.is_integer = m->type == RONDA_METRIC_I64;
  out.value = out.is_integer ? static_cast<double>(m->i64) : m->f64;
  out.counter = m->kind == RONDA_METRIC_COUNTER;
  out.unit = std::string(view(m->unit).substr(0, 16));
  if (out.unit == "%") {
    out.unit = "ratio";
    out.value /= 100;
    out.is_integer = false;
  }
  out.warn = std::string(view(m->warn).substr(0, name_limit));
  out.crit = std::string(view(m->crit).substr(0, name_limit));
  out.labels = labels_of(*m);
  const std::lock_guard lock(active->emit_mutex);
  const bool unfit = out.name.empty() || !std::isfinite(out.value) || (out.counter && out.value < 0);
  if (unfit || active->metric_count >= Instance::metrics_limit || active->outcome.metrics.size() > Instance::metrics_bytes_limit) {
    ++active->outcome.dropped_metrics;
    return unfit ? RONDA_E_INVALID : RONDA_E_RANGE;
  }
  ++active->metric_count;
  wire::Writer writer(active->outcome.metrics);
  wire::encode_metric(writer, out);
  return RONDA_OK;
} catch (...) {
  return RONDA_E_INTERNAL;
}

std::int32_t result(const ronda_inst* inst, const ronda_call* call, const ronda_result* r) noexcept try {
  ActiveCall* active = current(inst, call);
  if (active == nullptr || r == nullptr || !RONDA_HAS(r, again_at_wall_ns)) return RONDA_E_INVALID;
  const std::lock_guard lock(active->emit_mutex);
  if (active->has_result) {
    active->result_twice = true;
    return RONDA_E_INVALID;
  }
  active->has_result = true;
  wire::Outcome& outcome = active->outcome;
  if (r->status < 0 || r->status > 3) {
    outcome.end = wire::End::bad_result;
    outcome.summary = "reported the status " + std::to_string(r->status) + ", which does not exist";
    return RONDA_E_INVALID;
  }
  outcome.status = r->status;
  outcome.summary = repair_utf8(view(r->summary), 4096);
  outcome.detail = repair_utf8(view(r->detail), Instance::text_limit);
  outcome.again_at_wall_ns = r->again_at_wall_ns;
  return RONDA_OK;
} catch (...) {
  return RONDA_E_INTERNAL;
}

std::int32_t event(const ronda_inst* inst, const ronda_call* call, const ronda_event* e) noexcept try {
  ActiveCall* active = current(inst, call);
  if (active == nullptr || e == nullptr || !RONDA_HAS(e, field_count)) return RONDA_E_INVALID;
  {
    const std::lock_guard lock(active->emit_mutex);
    if (++active->event_count > Instance::events_limit) return RONDA_E_RANGE;
  }
  const Instance* instance = Instance::of(inst);
  wire::Event out{active->id, e->level, metric_name(e->name), instance->scrub(repair_utf8(view(e->text), 4096)), {}};
  for (std::uint64_t i = 0; e->fields != nullptr && i < std::min<std::uint64_t>(e->field_count, label_limit); ++i) {
    out.fields.emplace_back(metric_name(e->fields[i].key), instance->scrub(repair_utf8(view(e->fields[i].value), 1024)));
  }
  Instance::of(inst)->link().post(out);
  return RONDA_OK;
} catch (...) {
  return RONDA_E_INTERNAL;
}

std::int32_t progress(const ronda_inst* inst, const ronda_call* call, double share, ronda_str what) noexcept try {
  ActiveCall* active = current(inst, call);
  if (active == nullptr || !(share >= 0 && share <= 1)) return RONDA_E_INVALID;
  Instance* instance = Instance::of(inst);
  {
    // for a bar on a screen, which nobody reads faster than this
    const std::lock_guard lock(active->emit_mutex);
    const std::uint64_t now = monotonic_ns();
    if (share < 1 && now - active->progress_at < progress_interval_ns) return RONDA_OK;
    active->progress_at = now;
  }
  instance->link().send(wire::Progress{active->id, share, instance->scrub(repair_utf8(view(what), 256))});
  return RONDA_OK;
} catch (...) {
  return RONDA_E_INTERNAL;
}

}  // namespace

const ronda_emit_1 emit_service = {sizeof(ronda_emit_1), 0, metric, result, event, progress};

}  // namespace ronda::runner
