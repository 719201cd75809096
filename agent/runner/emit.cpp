// SPDX-License-Identifier: Apache-2.0
// ronda.emit/1: what a run reports, made safe and bounded here, so that the agent gets it ready to keep.
#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/clock.hpp"
#include "plugin/report_text.hpp"
#include "runner/instance.hpp"
#include "runner/link.hpp"
#include "runner/services.hpp"

namespace ronda::runner {
namespace {

constexpr auto progress_interval = std::chrono::milliseconds(100);

/// The call that this instance is in, if it is that one.
ActiveCall* current(const ronda_inst* inst, const ronda_call* call) {
  if (inst == nullptr || call == nullptr) return nullptr;
  ActiveCall* active = Instance::of(inst)->active();
  return static_cast<const ronda_call*>(active) == call ? active : nullptr;
}

wire::Pairs fit_pairs(const Instance& instance, const ronda_kv* pairs, std::uint64_t count, std::size_t limit) {
  wire::Pairs out;
  for (std::uint64_t i = 0; pairs != nullptr && i < std::min<std::uint64_t>(count, wire::labels_limit); ++i) {
    out.emplace_back(wire::metric_name(view(pairs[i].key)), instance.fit(view(pairs[i].value), limit));
  }
  return out;
}

std::int32_t metric(const ronda_inst* inst, const ronda_call* call, const ronda_metric* m) noexcept try {
  ActiveCall* active = current(inst, call);
  if (active == nullptr || m == nullptr || !RONDA_HAS(m, label_count)) return RONDA_E_INVALID;
  wire::Metric out;
  out.name = wire::metric_name(view(m->name));
  out.is_integer = m->type == RONDA_METRIC_I64;
  if (out.is_integer) out.integer = m->i64;
  out.value = out.is_integer ? static_cast<double>(m->i64) : m->f64;
  out.counter = m->kind == RONDA_METRIC_COUNTER;
  out.unit = wire::metric_unit(view(m->unit));
  if (out.unit == "%") {
    out.unit = "ratio";
    out.value /= 100;
    out.is_integer = false;
  }
  out.warn = wire::metric_range(view(m->warn));
  out.crit = wire::metric_range(view(m->crit));
  out.labels = fit_pairs(*Instance::of(inst), m->labels, m->label_count, wire::label_limit);
  const std::lock_guard lock(active->emit_mutex);
  const bool unfit = out.name.empty() || !std::isfinite(out.value) || (out.counter && out.value < 0);
  if (unfit || active->metric_count >= wire::metrics_limit || active->outcome.metrics.size() > wire::metrics_bytes_limit) {
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
  const Instance& instance = *Instance::of(inst);
  if (r->status < 0 || r->status > wire::last_status(instance.spec().kind)) {
    outcome.end = wire::End::bad_result;
    outcome.summary = wire::no_such_status(r->status);
    return RONDA_E_INVALID;
  }
  outcome.status = r->status;
  outcome.summary = instance.fit(view(r->summary), wire::summary_limit);
  outcome.detail = instance.fit(view(r->detail), wire::text_limit);
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
  Instance& instance = *Instance::of(inst);
  instance.link().post(wire::Event{active->id, e->level, wire::metric_name(view(e->name)),
                                   instance.fit(view(e->text), wire::event_text_limit),
                                   fit_pairs(instance, e->fields, e->field_count, wire::event_field_limit)});
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
    const auto now = monotonic();
    const bool ends = share >= 1 && !active->progress_ended;  // told at once, but once
    if (!ends && now - active->progress_at < progress_interval) return RONDA_OK;
    active->progress_at = now;
    active->progress_ended = share >= 1;
  }
  instance->link().send(wire::Progress{active->id, share, instance->fit(view(what), wire::progress_limit)});
  return RONDA_OK;
} catch (...) {
  return RONDA_E_INTERNAL;
}

}  // namespace

const ronda_emit_1 emit_service = {sizeof(ronda_emit_1), 0, metric, result, event, progress};

}  // namespace ronda::runner
