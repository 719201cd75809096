// SPDX-License-Identifier: Apache-2.0
// The services that the agent answers: kv, inbox, calendar. Writes to kv wait here and leave with the call's
// outcome, so that state and result are accepted together or not at all.
#include <map>

#include "runner/instance.hpp"
#include "runner/link.hpp"
#include "runner/services.hpp"

namespace ronda::runner {
namespace {

constexpr std::size_t key_limit = 256;
constexpr std::size_t value_limit = std::size_t{64} << 10;
constexpr std::size_t pending_limit = 256 << 10;  // bytes of one call's writes; more needs commit

wire::Reply ask(Instance& instance, wire::Ask what, std::string_view text, std::int64_t at = 0) {
  const ActiveCall* call = instance.active();
  return instance.link().ask({0, instance.id(), what, std::string(text), at, {}, call == nullptr ? 0 : call->id});
}

std::int32_t kv_get(const ronda_inst* inst, ronda_str key, ronda_str* value) noexcept try {
  if (inst == nullptr || value == nullptr || key.len > key_limit) return RONDA_E_INVALID;
  Instance& instance = *Instance::of(inst);
  if (!instance.may_read_state()) return RONDA_E_INVALID;
  if (const wire::KvWrite* own = instance.kv_pending.find(view(key))) {
    if (own->erase) return RONDA_E_NOTFOUND;
    *value = instance.keep(own->value);
    return RONDA_OK;
  }
  wire::Reply reply = ask(instance, wire::Ask::kv_get, view(key));
  if (reply.code == RONDA_OK) *value = instance.keep(std::move(reply.payload));
  return reply.code;
} catch (...) {
  return RONDA_E_INTERNAL;
}

std::int32_t add_write(const ronda_inst* inst, wire::KvWrite write) {
  if (!Instance::of(inst)->may_write_state()) return RONDA_E_INVALID;
  return Instance::of(inst)->kv_pending.add(std::move(write), pending_limit) ? RONDA_OK : RONDA_E_RANGE;
}

std::int32_t kv_put(const ronda_inst* inst, ronda_str key, ronda_str value, std::int64_t ttl_ns) noexcept try {
  if (inst == nullptr || key.len == 0 || ttl_ns < 0) return RONDA_E_INVALID;
  if (key.len > key_limit || value.len > value_limit) return RONDA_E_RANGE;
  return add_write(inst, {std::string(view(key)), std::string(view(value)), ttl_ns, false});
} catch (...) {
  return RONDA_E_INTERNAL;
}

std::int32_t kv_del(const ronda_inst* inst, ronda_str key) noexcept try {
  if (inst == nullptr || key.len == 0 || key.len > key_limit) return RONDA_E_INVALID;
  return add_write(inst, {std::string(view(key)), {}, 0, true});
} catch (...) {
  return RONDA_E_INTERNAL;
}

std::int32_t kv_each(const ronda_inst* inst, ronda_str prefix, ronda_kv_each_fn fn, void* user) noexcept try {
  if (inst == nullptr || fn == nullptr || prefix.len > key_limit) return RONDA_E_INVALID;
  Instance& instance = *Instance::of(inst);
  if (!instance.may_read_state()) return RONDA_E_INVALID;
  const wire::Reply reply = ask(instance, wire::Ask::kv_each, view(prefix));
  if (reply.code != RONDA_OK) return reply.code;
  std::map<std::string, std::string> all;
  wire::Reader r(reply.payload);
  for (std::size_t n = r.map(); n > 0 && r.ok(); --n) {
    std::string key(r.bytes());
    all[std::move(key)] = r.bytes();
  }
  for (const auto& [key, w] : instance.kv_pending.by_key()) {
    if (!key.starts_with(view(prefix))) continue;
    if (w.erase)
      all.erase(key);
    else
      all[key] = w.value;
  }
  for (const auto& [key, value] : all) {
    if (fn(user, {key.data(), key.size()}, {value.data(), value.size()}) != 0) break;
  }
  return r.ok() ? RONDA_OK : RONDA_E_INTERNAL;
} catch (...) {
  return RONDA_E_INTERNAL;
}

std::int32_t kv_commit(const ronda_inst* inst) noexcept try {
  if (inst == nullptr) return RONDA_E_INVALID;
  Instance& instance = *Instance::of(inst);
  if (!instance.may_write_state()) return RONDA_E_INVALID;
  // what create and migrate keep is no part of the call for which they run: it stays, also where that is a dry run
  const ActiveCall* call = instance.active();
  const std::uint64_t inside = instance.is_in(call) ? call->id : 0;
  wire::Request request{0, instance.id(), wire::Ask::kv_commit, {}, 0, instance.kv_pending.all(), inside};
  const wire::Reply reply = instance.link().ask(std::move(request));
  if (reply.code == RONDA_OK) instance.kv_pending.clear();
  return reply.code;
} catch (...) {
  return RONDA_E_INTERNAL;
}

std::int32_t inbox_take(const ronda_inst* inst, const ronda_call* call, ronda_inbox_fn fn, void* user) noexcept try {
  if (inst == nullptr || call == nullptr || fn == nullptr) return RONDA_E_INVALID;
  Instance& instance = *Instance::of(inst);
  ActiveCall* active = instance.active();
  if (static_cast<const ronda_call*>(active) != call) return RONDA_E_INVALID;
  const wire::Reply reply = ask(instance, wire::Ask::inbox_take, {});
  if (reply.code != RONDA_OK) return reply.code;
  active->outcome.took_inbox = true;
  wire::Reader r(reply.payload);
  for (std::size_t n = r.array(); n > 0 && r.ok(); --n) {
    const std::string_view event = r.bytes();
    const std::int64_t wall = r.integer();
    const std::int64_t code = r.integer();
    const std::string_view text = r.bytes();
    const ronda_inbox_event out{
        sizeof(ronda_inbox_event), static_cast<std::int32_t>(code), wall, {event.data(), event.size()}, {text.data(), text.size()}};
    if (r.ok() && fn(user, &out) != 0) break;
  }
  return r.ok() ? RONDA_OK : RONDA_E_INTERNAL;
} catch (...) {
  return RONDA_E_INTERNAL;
}

std::int32_t calendar(const ronda_inst* inst, wire::Ask which, ronda_str expression, std::int64_t at, std::int64_t* out) noexcept try {
  if (inst == nullptr || out == nullptr || expression.len > 1024) return RONDA_E_INVALID;
  const wire::Reply reply = ask(*Instance::of(inst), which, view(expression), at);
  if (reply.code != RONDA_OK) return reply.code;
  wire::Reader r(reply.payload);
  *out = r.integer();
  return r.ok() ? RONDA_OK : RONDA_E_INTERNAL;
} catch (...) {
  return RONDA_E_INTERNAL;
}

std::int32_t calendar_previous(const ronda_inst* inst, ronda_str expression, std::int64_t at, std::int64_t* out) noexcept {
  return calendar(inst, wire::Ask::calendar_previous, expression, at, out);
}

std::int32_t calendar_next(const ronda_inst* inst, ronda_str expression, std::int64_t at, std::int64_t* out) noexcept {
  return calendar(inst, wire::Ask::calendar_next, expression, at, out);
}

}  // namespace

const ronda_kv_1 kv_service = {sizeof(ronda_kv_1), 0, kv_get, kv_put, kv_del, kv_each, kv_commit};
const ronda_inbox_1 inbox_service = {sizeof(ronda_inbox_1), 0, inbox_take};
const ronda_calendar_1 calendar_service = {sizeof(ronda_calendar_1), 0, calendar_previous, calendar_next};

}  // namespace ronda::runner
