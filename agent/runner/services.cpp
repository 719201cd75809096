// SPDX-License-Identifier: Apache-2.0
// The small services (log, clock, facts, secret) and the look-up of all of them by id.
#include "runner/services.hpp"

#include <poll.h>

#include <array>
#include <cstring>
#include <ctime>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "runner/instance.hpp"
#include "runner/link.hpp"

namespace ronda::runner {
namespace {

/// The two shapes a plugin may pass as host_or_inst; told apart by the last word of their common head.
const HostSide* as_host(const void* side) {
  const auto* host = static_cast<const HostSide*>(static_cast<const ronda_host*>(side));
  return side != nullptr && host->query == find_host_service ? host : nullptr;
}

void log_write(const void* side, std::uint32_t level, ronda_str text, const ronda_kv* fields, std::uint64_t count) noexcept try {
  const HostSide* host = as_host(side);
  if (side == nullptr) return;
  Instance* instance = host == nullptr ? Instance::of(static_cast<const ronda_inst*>(side)) : nullptr;
  const auto fit = [&](ronda_str s, std::size_t limit) {
    return instance == nullptr ? repair_utf8(view(s), limit) : instance->fit(view(s), limit);
  };
  std::string line = fit(text, 8192);
  for (std::uint64_t i = 0; fields != nullptr && i < std::min<std::uint64_t>(count, 32); ++i) {
    line += " " + fit(fields[i].key, 64) + "=" + fit(fields[i].value, 1024);
  }
  if (host != nullptr) return host->link->log(wire::Log{0, level, std::move(line)});
  instance->link().log(wire::Log{instance->id(), level, std::move(line)});
} catch (...) {
}

std::int64_t wall_ns(const ronda_inst*) noexcept {
  return wall_clock().count();
}

std::uint64_t mono_ns(const ronda_inst*) noexcept {
  return static_cast<std::uint64_t>(monotonic().count());
}

std::int32_t sleep_ns(const ronda_inst* inst, const ronda_call* call, std::int64_t ns) noexcept {
  if (inst == nullptr || ns < 0 || !Instance::of(inst)->is_in(call)) return RONDA_E_INVALID;  // of another call nothing can be read
  const std::uint64_t until = mono_ns(nullptr) + static_cast<std::uint64_t>(ns);
  for (std::uint64_t now = mono_ns(nullptr); now < until; now = mono_ns(nullptr)) {
    pollfd cancel{call->cancel_fd, POLLIN, 0};
    const timespec wait{static_cast<time_t>((until - now) / 1'000'000'000U), static_cast<long>((until - now) % 1'000'000'000U)};
    if (::ppoll(&cancel, 1, &wait, nullptr) > 0) return RONDA_E_TIMEOUT;
  }
  return RONDA_OK;
}

std::int32_t fact(const wire::Setup& setup, std::string_view name, ronda_str* value) {
  for (const auto& [key, text] : setup.facts) {
    if (key != name) continue;
    *value = {text.data(), text.size()};
    return RONDA_OK;
  }
  return RONDA_E_NOTFOUND;
}

std::int32_t facts_get(const void* side, ronda_str name, ronda_str* value) noexcept {
  constexpr std::array<std::string_view, 3> kinds = {"check", "task", "notifier"};
  if (side == nullptr || value == nullptr) return RONDA_E_INVALID;
  if (const HostSide* host = as_host(side)) return fact(*host->setup, view(name), value);
  const Instance* instance = Instance::of(static_cast<const ronda_inst*>(side));
  const std::string_view own = instance->spec().name();
  const std::string_view kind = kinds[static_cast<std::size_t>(instance->spec().kind)];
  if (view(name) == "instance.name")
    *value = {own.data(), own.size()};
  else if (view(name) == "instance.kind")
    *value = {kind.data(), kind.size()};
  else
    return fact(instance->setup(), view(name), value);
  return RONDA_OK;
}

std::int32_t secret_open(const ronda_inst* inst, const ronda_value* option, ronda_str* out) noexcept try {
  if (inst == nullptr || option == nullptr || out == nullptr) return RONDA_E_INVALID;
  if (option->type != RONDA_TYPE_SECRET && option->type != RONDA_TYPE_STR) return RONDA_E_INVALID;
  const Instance& instance = *Instance::of(inst);
  ActiveCall* const call = instance.active();
  if (!instance.is_in(call)) return RONDA_E_INVALID;
  const char* const copy = call->secrets.open(option->text());
  if (copy == nullptr) return RONDA_E_AGAIN;
  *out = {copy, option->size};
  return RONDA_OK;
} catch (...) {
  return RONDA_E_INTERNAL;
}

void secret_close(const ronda_inst* inst, ronda_str view) noexcept {
  ActiveCall* const call = inst == nullptr ? nullptr : Instance::of(inst)->active();
  if (call != nullptr) call->secrets.close(view.ptr);  // else it is closed already, with its call
}

constexpr ronda_log_1 log_service = {sizeof(ronda_log_1), RONDA_LOG_INFO, log_write};
constexpr ronda_clock_1 clock_service = {sizeof(ronda_clock_1), 0, wall_ns, mono_ns, sleep_ns};
constexpr ronda_facts_1 facts_service = {sizeof(ronda_facts_1), 0, facts_get};

struct Row {
  std::string_view id;
  std::string_view grant;  // empty: everybody's
  const void* table;
};

const std::array<Row, 10>& rows() {
  static const std::array<Row, 10> table = {{{RONDA_SERVICE_LOG, "", &log_service},
                                             {RONDA_SERVICE_EMIT, "", &emit_service},
                                             {RONDA_SERVICE_CONFIG, "", &config_service},
                                             {RONDA_SERVICE_CLOCK, "", &clock_service},
                                             {RONDA_SERVICE_FACTS, "", &facts_service},
                                             {RONDA_SERVICE_CALENDAR, "", &calendar_service},
                                             {RONDA_SERVICE_KV, "state", &kv_service},
                                             {RONDA_SERVICE_SECRET, "secrets", &secret_service},
                                             {RONDA_SERVICE_EXEC, "exec", &exec_service},
                                             {RONDA_SERVICE_INBOX, "inbox", &inbox_service}}};
  return table;
}

/// Ids are short; a longer or unterminated one is compared no further than that.
std::string_view bounded(const char* id) {
  return id == nullptr ? std::string_view() : std::string_view(id, ::strnlen(id, 64));
}

}  // namespace

const ronda_secret_1 secret_service = {sizeof(ronda_secret_1), 0, secret_open, secret_close};

const void* find_host_service(const ronda_host*, const char* id) noexcept {
  if (bounded(id) == RONDA_SERVICE_LOG) return &log_service;
  if (bounded(id) == RONDA_SERVICE_FACTS) return &facts_service;
  return nullptr;
}

const void* find_inst_service(const ronda_inst* inst, const char* id) noexcept {
  if (inst == nullptr) return nullptr;
  for (const Row& row : rows()) {
    if (row.id != bounded(id)) continue;
    return row.grant.empty() || Instance::of(inst)->granted(row.grant) ? row.table : nullptr;
  }
  return nullptr;
}

}  // namespace ronda::runner
