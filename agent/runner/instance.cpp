// SPDX-License-Identifier: Apache-2.0
#include "runner/instance.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <exception>
#include <functional>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "plugin/report_text.hpp"
#include "ronda/version.h"
#include "runner/link.hpp"
#include "runner/plugin_object.hpp"
#include "runner/services.hpp"

namespace ronda::runner {
namespace {

constexpr std::size_t scrubbed_most = std::size_t{1} << 20;  // bytes of one text that are looked at

ronda_str borrowed(const std::string& text) {
  return {text.data(), text.size()};
}

/// Runs `body` so that nothing thrown by a plugin gets further; the text of what was thrown, or nothing.
template <class Body>
std::optional<std::string> caught(Body&& body) {
  try {
    body();
    return {};
  } catch (const std::exception& e) {
    return std::string(e.what());
  } catch (...) {
    return std::string("something that is no std::exception");
  }
}

}  // namespace

Instance::Instance(const wire::Create& spec, const Surroundings& around)
    : ronda_inst{sizeof(ronda_inst), RONDA_ABI_MINOR, find_inst_service},
      around_(around),
      spec_(spec),
      options_(decode_options(spec_.options())) {
  Secrets secrets;
  collect_secrets(options_, secrets);
  collect_pieces(spec_.options(), secrets);
  // would cut every text to pieces and protect nothing
  std::erase_if(secrets, [](std::string_view secret) { return secret.size() < 4; });
  if (secrets.empty()) return;
  // one may hold another
  std::ranges::stable_sort(secrets, std::ranges::greater(), &std::string_view::size);
  secrets_ = std::make_unique<const Secrets>(std::move(secrets));
  ::mlock(spec_.writable_options(), spec_.options().size());
}

Instance::~Instance() {
  wipe();
}

void Instance::wipe() {
  if (secrets_ != nullptr) ::explicit_bzero(spec_.writable_options(), spec_.options().size());
}

Instance* Instance::of(const ronda_inst* inst) {
  auto* instance = const_cast<Instance*>(static_cast<const Instance*>(inst));
  return instance;
}

bool Instance::granted(std::string_view grant) const {
  return std::ranges::find(setup().grants, grant) != setup().grants.end();
}

std::string Instance::scrub(std::string text) const {
  if (secrets_ == nullptr) return text;
  for (const std::string_view secret : *secrets_) {
    for (std::size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at + 3)) {
      text.replace(at, secret.size(), "***");
    }
  }
  return text;
}

std::string Instance::fit(std::string_view text, std::size_t limit) const {
  // cut last: what is cut before may be the head of a secret, which no scrubbing finds
  const bool huge = text.size() > scrubbed_most;
  std::string out = secrets_ == nullptr ? std::string(text.substr(0, limit + 4)) : scrub(std::string(text.substr(0, scrubbed_most)));
  if (huge && secrets_ != nullptr) out.resize(out.size() - std::min(out.size(), secrets_->front().size()));
  return repair_utf8(out, limit);
}

ronda_str Instance::keep(std::string text) {
  return borrowed(arena_.emplace_front(std::move(text)));
}

/// Made, and with the state that another version of the plugin kept.
bool Instance::create(wire::Outcome& outcome) {
  if (!make(outcome.summary)) return outcome.end = wire::End::create_failed, false;
  if (spec_.state_from == 0 || !granted("state") || take_state_over(outcome)) return true;
  kv_pending.clear();
  destroy();
  return false;
}

/// What the plugin makes of the old state is kept at once, all of it or nothing, before its first run.
bool Instance::take_state_over(wire::Outcome& outcome) {
  const std::uint32_t from = spec_.state_from, to = spec_.state_version;
  ronda_error told{sizeof(ronda_error), 0, {}};
  std::int32_t code = RONDA_OK;
  std::optional<std::string> thrown;
  if (from > to) {
    code = RONDA_E_INVALID;
  } else if (has_state()) {
    inside_.store(Inside::migrate, std::memory_order_relaxed);
    thrown = caught([&] { code = around_.plugin.migrate(spec_.kind, self_, from, to, told); });
    inside_.store(Inside::nothing, std::memory_order_relaxed);
  }
  arena_.clear();
  if (thrown || code != RONDA_OK) {
    const std::string_view text(told.msg, ::strnlen(told.msg, sizeof told.msg));
    const std::string why = thrown         ? "migrate threw: " + *thrown
                            : from > to    ? "it is newer"
                            : text.empty() ? "code " + std::to_string(code)
                                           : std::string(text);
    outcome.end = wire::End::state_refused;
    outcome.summary = "its state of version " + std::to_string(from) + " is not taken over by version " + std::to_string(to) + ": " + why;
    return false;
  }
  const wire::Reply kept = around_.link.ask({0, id(), wire::Ask::kv_commit, {}, 0, kv_pending.all(), 0});
  kv_pending.clear();
  outcome.end = wire::End::create_failed;
  outcome.summary = "its state of version " + std::to_string(to) + " could not be stored";
  if (kept.code != RONDA_OK) return false;
  outcome.end = wire::End::reported;
  outcome.summary.clear();
  spec_.state_from = 0;
  return true;
}

/// Whether anything is kept at all; when the agent does not say, the plugin will see.
bool Instance::has_state() {
  const wire::Reply all = around_.link.ask({0, id(), wire::Ask::kv_each, {}, 0, {}, 0});
  wire::Reader r(all.payload);
  return all.code != RONDA_OK || r.map() > 0;
}

bool Instance::make(std::string& error) {
  ronda_error told{sizeof(ronda_error), 0, {}};
  std::int32_t code = 0;
  inside_.store(Inside::create, std::memory_order_relaxed);
  const auto thrown = caught([&] { code = around_.plugin.create(*this, &self_, told); });
  inside_.store(Inside::nothing, std::memory_order_relaxed);
  arena_.clear();
  created_ = !thrown && code == RONDA_OK;
  if (created_) return true;
  const std::string_view text(told.msg, ::strnlen(told.msg, sizeof told.msg));
  error = thrown ? "create threw: " + *thrown : text.empty() ? "create failed with code " + std::to_string(code) : std::string(text);
  error = fit(error, 1024);
  return false;
}

void Instance::call_plugin(ActiveCall& call, const wire::Message* message) {
  std::vector<ronda_kv> fields;
  ronda_message handed{};
  if (message != nullptr) {
    for (const auto& [key, value] : message->fields) fields.push_back({borrowed(key), borrowed(value)});
    handed = {sizeof(ronda_message),
              static_cast<std::uint32_t>(message->attempt),
              borrowed(message->id),
              borrowed(message->to),
              borrowed(message->title),
              borrowed(message->body),
              borrowed(message->level),
              borrowed(message->event),
              borrowed(message->incident),
              fields.data(),
              fields.size()};
  }
  ronda_error told{sizeof(ronda_error), 0, {}};
  std::int32_t code = 0;
  inside_.store(Inside::call, std::memory_order_relaxed);
  const auto thrown = caught([&] { code = around_.plugin.run(spec_.kind, self_, call, &handed, told); });
  inside_.store(Inside::nothing, std::memory_order_relaxed);
  wire::Outcome& outcome = call.outcome;
  const std::string_view text(told.msg, ::strnlen(told.msg, sizeof told.msg));
  if (thrown) {
    outcome.end = wire::End::threw;
    outcome.summary = "threw: " + *thrown;
  } else if (outcome.end == wire::End::bad_result) {    // glue hands on that it was refused, which says less
  } else if (code != RONDA_OK && !call.result_twice) {  // the first result stands, whatever became of the second
    outcome.end = wire::End::failed;
    outcome.summary = text.empty() ? "failed with code " + std::to_string(code) : std::string(text);
  } else if (!call.has_result) {
    outcome.end = wire::End::silent;
    outcome.summary = "returned without a result";
  }
  if (outcome.end != wire::End::reported) outcome.status = RONDA_STATUS_UNKNOWN;
}

wire::Outcome Instance::run(ActiveCall& call, const wire::Message* message) {
  const std::int64_t start = monotonic().count();
  wire::Outcome& outcome = call.outcome;
  outcome.call = call.id;
  active_.store(&call, std::memory_order_release);
  if (created_ || create(outcome)) call_plugin(call, message);
  active_.store(nullptr, std::memory_order_release);
  {
    const std::lock_guard lock(call.cancel_mutex);  // cancel may be in the middle of it, and is of the call
    call.over = true;
  }
  const std::lock_guard emitting(call.emit_mutex);  // a thread of the plugin's own may be in the middle of it
  call.secrets.close_all();
  arena_.clear();
  const std::int64_t now = monotonic().count();
  // a service that looks at the deadline itself may have been quicker than who watches it
  outcome.timed_out = call.timed_out || now >= static_cast<std::int64_t>(call.deadline_mono_ns);
  outcome.duration_ns = now - start;
  outcome.summary = fit(outcome.summary, wire::text_limit);
  outcome.detail = fit(outcome.detail, wire::text_limit);
  if (outcome.end == wire::End::reported) outcome.kv = kv_pending.all();
  kv_pending.clear();
  return std::move(outcome);
}

wire::Created Instance::probe() {
  wire::Created created{id(), false, {}};
  wire::Outcome outcome;
  created.ok = created_ || create(outcome);
  created.error = fit(outcome.summary, 1024);
  if (created.ok) destroy();
  kv_pending.clear();
  return created;
}

void Instance::destroy() {
  if (!created_) return;
  created_ = false;
  inside_.store(Inside::destroy, std::memory_order_relaxed);
  const auto thrown = caught([&] { around_.plugin.destroy(spec_.kind, self_); });
  inside_.store(Inside::nothing, std::memory_order_relaxed);
  self_ = nullptr;
  if (thrown) around_.link.log(wire::Log{id(), RONDA_LOG_ERROR, fit("destroy threw: " + *thrown, 1024)});
}

bool Instance::is_in(const ronda_call* call) const {
  return call != nullptr && static_cast<const ronda_call*>(active()) == call && inside_.load(std::memory_order_relaxed) == Inside::call;
}

bool Instance::may_write_state() {
  const Inside inside = inside_.load(std::memory_order_relaxed);
  if (inside != Inside::destroy) return inside != Inside::nothing;
  if (!write_told_.exchange(true))
    around_.link.log(wire::Log{id(), RONDA_LOG_ERROR, "RONDA-P-038: it writes state in destroy: refused, nothing of it is kept"});
  return false;
}

void Instance::cancel(ActiveCall& call) const noexcept {
  // only while the plugin is inside this call: before and after there is nothing that could be cancelled
  const std::lock_guard lock(call.cancel_mutex);
  if (call.over || !created_ || active() != &call) return;
  const auto thrown = caught([&] { around_.plugin.cancel(spec_.kind, self_, call); });
  if (thrown) around_.link.log(wire::Log{id(), RONDA_LOG_ERROR, fit("cancel threw: " + *thrown, 1024)});
}

}  // namespace ronda::runner
