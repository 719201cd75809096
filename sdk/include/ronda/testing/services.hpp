// SPDX-License-Identifier: Apache-2.0
// The tables of the fake host's services: the way from C to testing/host.hpp, which includes this last.
#pragma once

#include <ronda/testing/host.hpp>

namespace ronda::testing {

/// The tables, and the way from C to the host above.
struct services {
  static void log_write(const void* inst, std::uint32_t level, ronda_str line, const ronda_kv* kv,
                        std::uint64_t n) noexcept {
    host::of(static_cast<const ronda_inst*>(inst)).write_log(level, line, kv, n);
  }
  static std::int32_t facts_get(const void* inst, ronda_str name, ronda_str* out) noexcept {
    host& h = host::of(static_cast<const ronda_inst*>(inst));
    std::lock_guard lock(h.lock_);
    auto found = h.facts_.find(std::string(from_abi(name)));
    if (found == h.facts_.end()) return RONDA_E_NOTFOUND;
    return *out = to_abi(found->second), RONDA_OK;
  }
  static std::int32_t metric(const ronda_inst* inst, const ronda_call* c, const ronda_metric* m) noexcept {
    return host::of(inst).emit_metric(c, *m);
  }
  static std::int32_t result(const ronda_inst* inst, const ronda_call* c, const ronda_result* r) noexcept {
    return host::of(inst).emit_result(c, *r);
  }
  static std::int32_t event(const ronda_inst* inst, const ronda_call* c, const ronda_event* e) noexcept {
    host& h = host::of(inst);
    std::lock_guard lock(h.lock_);
    if (!h.in_call("emit.event", c)) return RONDA_E_INVALID;
    h.current_.events.push_back({e->level, std::string(from_abi(e->name)), std::string(from_abi(e->text)),
                                 to_fields(e->fields, e->field_count)});
    return RONDA_OK;
  }
  static std::int32_t progress(const ronda_inst* inst, const ronda_call* c, double share, ronda_str what) noexcept {
    host& h = host::of(inst);
    std::lock_guard lock(h.lock_);
    if (!h.in_call("emit.progress", c)) return RONDA_E_INVALID;
    h.current_.progress.push_back({share, std::string(from_abi(what))});
    return RONDA_OK;
  }
  static const ronda_value* root(const ronda_inst* inst) noexcept { return host::of(inst).config_.handle(); }

  static void expire(host& h) {
    for (auto e = h.expiry_.begin(); e != h.expiry_.end();)
      if (e->second <= h.wall_)
        h.kv_.erase(e->first), e = h.expiry_.erase(e);
      else
        ++e;
  }
  static std::int32_t kv_get(const ronda_inst* inst, ronda_str key, ronda_str* out) noexcept {
    host& h = host::of(inst);
    std::lock_guard lock(h.lock_);
    if (!h.inside("kv.get")) return RONDA_E_INVALID;
    expire(h);
    auto found = h.kv_.find(std::string(from_abi(key)));
    if (found == h.kv_.end()) return RONDA_E_NOTFOUND;
    return *out = h.lend(found->second), RONDA_OK;
  }
  static std::int32_t kv_put(const ronda_inst* inst, ronda_str key, ronda_str data,
                             std::int64_t ttl) noexcept {
    host& h = host::of(inst);
    std::lock_guard lock(h.lock_);
    if (!h.may_write("kv.put")) return RONDA_E_INVALID;
    std::int32_t code = h.kv_put(std::string(from_abi(key)), std::string(from_abi(data)));
    if (code == RONDA_OK && ttl > 0)
      h.expiry_[std::string(from_abi(key))] = h.wall_ + std::chrono::nanoseconds(ttl);
    return code;
  }
  static std::int32_t kv_del(const ronda_inst* inst, ronda_str key) noexcept {
    host& h = host::of(inst);
    std::lock_guard lock(h.lock_);
    if (!h.may_write("kv.del")) return RONDA_E_INVALID;
    std::string name(from_abi(key));
    if (!h.may_wait(name, name.size())) return RONDA_E_RANGE;
    h.kv_.erase(name);
    return RONDA_OK;
  }
  static std::int32_t kv_each(const ronda_inst* inst, ronda_str prefix, ronda_kv_each_fn fn,
                              void* user) noexcept {
    host& h = host::of(inst);
    std::map<std::string, std::string> entries;  // the callback may write
    {
      std::lock_guard lock(h.lock_);
      if (!h.inside("kv.each")) return RONDA_E_INVALID;
      expire(h);
      entries = h.kv_;
    }
    for (const auto& [key, data] : entries) {
      if (key.compare(0, static_cast<std::size_t>(prefix.len), from_abi(prefix)) != 0) continue;
      if (std::int32_t stop = fn(user, to_abi(key), to_abi(data))) return stop;
    }
    return RONDA_OK;
  }
  static std::int32_t kv_commit(const ronda_inst* inst) noexcept {
    host& h = host::of(inst);
    std::lock_guard lock(h.lock_);
    if (!h.may_write("kv.commit")) return RONDA_E_INVALID;
    h.durable_ = h.kv_;
    h.waiting_.clear();
    return RONDA_OK;
  }

  static std::int32_t secret_open(const ronda_inst* inst, const ronda_value* option,
                                  ronda_str* view) noexcept {
    return host::of(inst).open_secret(option, view);
  }
  static void secret_close(const ronda_inst* inst, ronda_str view) noexcept {
    host::of(inst).close_secret(view);
  }
  static std::int32_t exec_run(const ronda_inst* inst, const ronda_call* c, const ronda_exec_spec* spec, ronda_exec_result* result,
                               ronda_error* err) noexcept {
    return host::of(inst).exec_run(c, *spec, result, err);
  }
  static std::int32_t inbox_take(const ronda_inst* inst, const ronda_call* c, ronda_inbox_fn fn, void* user) noexcept {
    return host::of(inst).take(c, fn, user);
  }
  static std::int32_t calendar_previous(const ronda_inst* inst, ronda_str e, std::int64_t at,
                                        std::int64_t* out) noexcept {
    return host::of(inst).ask_calendar(e, at, out, false);
  }
  static std::int32_t calendar_next(const ronda_inst* inst, ronda_str e, std::int64_t at,
                                    std::int64_t* out) noexcept {
    return host::of(inst).ask_calendar(e, at, out, true);
  }
  static std::int64_t wall_ns(const ronda_inst* inst) noexcept {
    std::lock_guard lock(host::of(inst).lock_);
    return host::of(inst).wall_.time_since_epoch().count();
  }
  static std::uint64_t mono_ns(const ronda_inst* inst) noexcept {
    std::lock_guard lock(host::of(inst).lock_);
    return host::of(inst).mono_ns();
  }
  static std::int32_t sleep(const ronda_inst* inst, const ronda_call* c, std::int64_t ns) noexcept {
    return host::of(inst).sleep(c, ns);
  }
};

inline ronda_log_1 host::log_table() noexcept {
  return {sizeof(ronda_log_1), RONDA_LOG_DEBUG, services::log_write};
}

inline const void* host::query(const ronda_inst* inst, const char* id) noexcept {
  using s = services;
  using c = config_side;
  static constexpr ronda_emit_1 emit{sizeof emit, 0, s::metric, s::result, s::event, s::progress};
  static constexpr ronda_config_1 config{sizeof config, 0,          s::root,    c::type,
                                         c::member,     c::length,  c::item,    c::key,
                                         c::get_bool,   c::get_i64, c::get_f64, c::get_str};
  static constexpr ronda_kv_1 kv{sizeof kv, 0, s::kv_get, s::kv_put, s::kv_del, s::kv_each, s::kv_commit};
  static constexpr ronda_secret_1 secret{sizeof secret, 0, s::secret_open, s::secret_close};
  static constexpr ronda_exec_1 exec{sizeof exec, 0, s::exec_run};
  static constexpr ronda_inbox_1 inbox{sizeof inbox, 0, s::inbox_take};
  static constexpr ronda_calendar_1 calendar{sizeof calendar, 0, s::calendar_previous, s::calendar_next};
  static constexpr ronda_clock_1 clock{sizeof clock, 0, s::wall_ns, s::mono_ns, s::sleep};
  static constexpr ronda_facts_1 facts{sizeof facts, 0, s::facts_get};
  static constexpr std::pair<std::string_view, const void*> tables[] = {
      {RONDA_SERVICE_EMIT, &emit},         {RONDA_SERVICE_CONFIG, &config}, {RONDA_SERVICE_KV, &kv},
      {RONDA_SERVICE_SECRET, &secret},     {RONDA_SERVICE_EXEC, &exec},     {RONDA_SERVICE_INBOX, &inbox},
      {RONDA_SERVICE_CALENDAR, &calendar}, {RONDA_SERVICE_CLOCK, &clock},   {RONDA_SERVICE_FACTS, &facts}};
  host& h = of(inst);
  if (id == nullptr || h.denied_.count(id) != 0) return nullptr;
  if (std::string_view(id) == RONDA_SERVICE_LOG) return &h.log_;
  for (const auto& [name, table] : tables)
    if (name == id) return table;
  return nullptr;
}

}  // namespace ronda::testing
