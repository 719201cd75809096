// SPDX-License-Identifier: Apache-2.0
// The host side of one instance, for tests, in one process and with no agent: every service of the SDK
// over plain values that a test sets and reads. Its clock moves only when told to, or by a sleep.
// Strict: what breaks a rule of the contract is noted in broken(), by the rule's number.
#pragma once

#include <ronda/call.hpp>
#include <ronda/version.h>
#include <ronda/testing/exec.hpp>
#include <ronda/testing/node.hpp>

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <mutex>
#include <set>

namespace ronda::testing {

class host {
 public:
  using exec_hook = std::function<exec_answer(const exec_request&)>;
  /// `next` or previous instant of an expression; nothing when there is none.
  using calendar_hook = std::function<std::optional<wall_time>(std::string_view, wall_time at, bool next)>;

  host() : inst_(this), cancel_fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), log_(log_table()) {}
  ~host() { ::close(cancel_fd_); }
  host(const host&) = delete;
  host& operator=(const host&) = delete;

  // ---- what the test sets
  host& set(const std::string& key, node item) { return config_.set(key, std::move(item)), *this; }
  host& set_secret(const std::string& key, std::string bytes) {
    return set(key, node::secret(std::move(bytes)));
  }
  host& set_fact(const std::string& name, std::string text) { return facts_[name] = std::move(text), *this; }
  host& set_log_level(std::uint32_t level) { return log_.level = level, *this; }
  /// As if the manifest had not asked for it: "ronda.kv/1".
  host& deny(const std::string& service) { return denied_.insert(service), *this; }
  host& on_exec(exec_hook hook) { return exec_ = std::move(hook), *this; }
  /// Programs are really run.
  host& run_programs() {
    return on_exec([this](const exec_request& r) { return real_program::run(r, cancel_fd_); });
  }
  host& on_calendar(calendar_hook hook) { return calendar_ = std::move(hook), *this; }
  host& send(std::string event, std::string text = {}, std::int32_t code = 0) {
    std::lock_guard lock(lock_);
    return inbox_.push_back({std::move(event), std::move(text), code, wall_}), *this;
  }
  host& set_wall(wall_time now) {
    std::lock_guard lock(lock_);
    return wall_ = now, *this;
  }
  host& advance(std::chrono::nanoseconds span) {
    std::lock_guard lock(lock_);
    return wall_ += span, mono_ += span, *this;
  }
  /// A run that asks how long it may sleep, or looks at cancelled(), sees the call as cancelled.
  void cancel() {
    std::uint64_t one = 1;
    if (::write(cancel_fd_, &one, sizeof one) < 0) note("eventfd");
  }

  // ---- what the test reads
  const std::vector<log_line>& logs() const { return logs_; }
  const std::vector<exec_request>& programs() const { return programs_; }
  const std::map<std::string, std::string>& kept() const {
    return durable_;
  }  // what kv would find after a restart
  host& keep(const std::string& key, std::string text) {
    std::lock_guard lock(lock_);
    return durable_[key] = kv_[key] = std::move(text), *this;
  }
  std::size_t inbox_left() const { return inbox_.size(); }
  std::size_t secrets_open() const { return secrets_.size(); }
  wall_time wall() const { return wall_; }
  std::chrono::nanoseconds slept() const { return slept_; }
  /// Contract rules that were broken, "RONDA-P-031: two results in one call"; empty is right.
  const std::vector<std::string>& broken() const { return broken_; }

  // ---- for subject: the frame of a call
  const ronda_inst* inst() const { return &inst_; }
  std::uint64_t mono_ns() const { return static_cast<std::uint64_t>(mono_.count()); }
  int cancel_fd() const { return cancel_fd_; }
  enum class frame { none, create, call, migrate, destroy };
  void enter(frame now, const ronda_call* call = nullptr);
  report leave(std::int32_t code, std::string error);
  std::mutex& call_lock() { return call_lock_; }
  void uncancel() {
    std::uint64_t count;
    while (::read(cancel_fd_, &count, sizeof count) > 0) {
    }
  }
  void note(std::string rule) {
    std::lock_guard lock(lock_);
    broken_.push_back(std::move(rule));
  }

 private:
  struct side : ronda_inst {
    host* owner;
    explicit side(host* h) : ronda_inst{sizeof(ronda_inst), RONDA_ABI_MINOR, host::query}, owner(h) {}
  };
  struct posted {
    std::string event, text;
    std::int32_t code;
    wall_time at;
  };
  static host& of(const ronda_inst* inst) { return *static_cast<const side*>(inst)->owner; }
  static const void* query(const ronda_inst* inst, const char* id) noexcept;
  static ronda_log_1 log_table() noexcept;
  bool inside(const char* what) {
    if (frame_ == frame::none) note(text("RONDA-P-032: ", what, " outside a call, create or destroy"));
    return frame_ != frame::none;
  }
  bool may_write(const char* what) {
    if (frame_ == frame::destroy) note(text("RONDA-P-038: ", what, " in destroy"));
    return frame_ != frame::destroy && inside(what);
  }
  bool in_call(const char* what) {
    if (frame_ != frame::call) note(text("RONDA-P-033: ", what, " outside a call"));
    return frame_ == frame::call;
  }
  /// The same of that very call; one that is over is not looked into.
  bool in_call(const char* what, const ronda_call* call) {
    if (frame_ == frame::call && call != call_) {
      note(text("RONDA-P-033: ", what, " with a call that is over"));
      return false;
    }
    return in_call(what);
  }
  ronda_str lend(std::string text) { return to_abi(arena_.emplace_back(std::move(text))); }

  void write_log(std::uint32_t level, ronda_str line, const ronda_kv* kv, std::uint64_t n);
  static std::size_t bytes_of(const ronda_metric& m);
  std::int32_t emit_metric(const ronda_call* call, const ronda_metric& m);
  std::int32_t emit_result(const ronda_call* call, const ronda_result& r);
  std::int32_t kv_put(std::string key, std::string data);
  bool may_wait(const std::string& key, std::size_t bytes);
  std::int32_t exec_run(const ronda_call* call, const ronda_exec_spec& spec, ronda_exec_result* result, ronda_error* err);
  std::int32_t take(const ronda_call* call, ronda_inbox_fn fn, void* user);
  std::int32_t ask_calendar(ronda_str expression, std::int64_t at, std::int64_t* out, bool next);
  std::int32_t sleep(const ronda_call* call, std::int64_t ns);
  std::int32_t open_secret(const ronda_value* option, ronda_str* view);
  void close_secret(ronda_str view);
  friend struct services;

  side inst_;
  int cancel_fd_;
  node config_{node::table{}};
  std::map<std::string, std::string> facts_{{"hostname", "test-host"}, {"agent.version", RONDA_VERSION},
                                            {"instance.name", "test"}, {"instance.kind", "check"},
                                            {"language", "en"},        {"tz", "UTC"}};
  std::set<std::string> denied_;
  ronda_log_1 log_;
  exec_hook exec_;
  calendar_hook calendar_;
  std::vector<posted> inbox_;
  std::size_t taken_ = 0;
  std::size_t metric_bytes_ = 0;  // of current_
  std::map<std::string, std::string> kv_, durable_;
  std::map<std::string, std::size_t> waiting_;  // bytes written since the last commit, by key
  std::map<std::string, wall_time> expiry_;
  std::map<const char*, std::string> secrets_;
  wall_time wall_{std::chrono::seconds(1735689600)};  // 2025-01-01 00:00 UTC
  std::chrono::nanoseconds mono_{std::chrono::hours(1)}, slept_{0};

  // of all that is here: a thread of the plugin's own may come at any time. Not held while plugin or test are called.
  std::recursive_mutex lock_;
  std::mutex call_lock_;  // between the end of a call and its cancel
  frame frame_ = frame::none;
  const ronda_call* call_ = nullptr;  // of frame::call
  report current_;
  std::deque<std::string> arena_;  // what was lent to the plugin; gone when the call ends
  std::vector<log_line> logs_;
  std::vector<exec_request> programs_;
  std::vector<std::string> broken_;
};

inline void host::enter(frame now, const ronda_call* call) {
  std::lock_guard lock(lock_);
  frame_ = now;
  call_ = call;
  current_ = report();
  metric_bytes_ = 0;
  taken_ = 0;
}

/// The end of a call: its result is accepted or not, and with it what it wrote and took. What create wrote counts
/// with the first call, what migrate wrote if it succeeded.
inline report host::leave(std::int32_t code, std::string error) {
  std::lock_guard lock(lock_);
  bool was_call = frame_ == frame::call;
  current_.code = code;
  current_.error = std::move(error);
  if (was_call && code == RONDA_OK && current_.results == 0)
    note("RONDA-P-030: a call returned without a result");
  bool waits = frame_ == frame::create && code == RONDA_OK;
  bool accepted = (was_call && current_.ended()) || (frame_ == frame::migrate && code == RONDA_OK);
  if (!waits) waiting_.clear();
  if (accepted) {
    durable_ = kv_;
    inbox_.erase(inbox_.begin(), inbox_.begin() + static_cast<std::ptrdiff_t>(taken_));
  } else if (!waits) {
    kv_ = durable_;
  }
  if (!current_.ended()) current_.status = RONDA_STATUS_UNKNOWN, current_.summary = current_.error;
  frame_ = frame::none;
  call_ = nullptr;
  secrets_.clear();
  arena_.clear();
  return std::move(current_);
}

inline void host::write_log(std::uint32_t level, ronda_str line, const ronda_kv* kv, std::uint64_t n) {
  std::lock_guard lock(lock_);
  logs_.push_back({level, std::string(from_abi(line)), to_fields(kv, n)});
}

/// What a metric takes of the bytes that are kept of a call, as the runner writes it.
inline std::size_t host::bytes_of(const ronda_metric& m) {
  constexpr std::uint64_t of_metric = 24, of_label = 6, longest_label = 256;
  std::uint64_t size = of_metric + m.name.len + m.unit.len + m.warn.len + m.crit.len;
  for (std::uint64_t i = 0; i < m.label_count; ++i)
    size += of_label + m.labels[i].key.len + std::min(m.labels[i].value.len, longest_label);
  return static_cast<std::size_t>(size);
}

inline std::int32_t host::emit_metric(const ronda_call* call, const ronda_metric& m) {
  std::lock_guard lock(lock_);
  if (!in_call("emit.metric", call)) return RONDA_E_INVALID;
  if (m.name.len == 0) note("RONDA-P-035: a metric without a name");
  if (current_.metrics.size() >= most_metrics || metric_bytes_ > most_metric_bytes)
    return ++current_.dropped_metrics, RONDA_E_RANGE;
  metric_bytes_ += bytes_of(m);
  bool integer = m.type == RONDA_METRIC_I64;
  current_.metrics.push_back({std::string(from_abi(m.name)), std::string(from_abi(m.unit)),
                              integer ? static_cast<double>(m.i64) : m.f64, integer,
                              m.kind == RONDA_METRIC_COUNTER, std::string(from_abi(m.warn)),
                              std::string(from_abi(m.crit)), to_fields(m.labels, m.label_count)});
  return RONDA_OK;
}

inline std::int32_t host::emit_result(const ronda_call* call, const ronda_result& r) {
  std::lock_guard lock(lock_);
  if (!in_call("emit.result", call)) return RONDA_E_INVALID;
  if (++current_.results > 1) return note("RONDA-P-031: two results in one call"), RONDA_E_INVALID;
  if (r.status < 0 || r.status > 3)
    return current_.refused = true, note("RONDA-P-034: no such status"), RONDA_E_INVALID;
  current_.status = r.status;
  current_.summary = from_abi(r.summary);
  current_.detail = from_abi(r.detail);
  current_.again_at = wall_time(std::chrono::nanoseconds(r.again_at_wall_ns));
  return RONDA_OK;
}

inline std::int32_t host::kv_put(std::string key, std::string data) {
  constexpr std::size_t key_limit = 256, value_limit = 64 << 10, all_limit = 1 << 20;
  if (key.empty()) return RONDA_E_INVALID;
  if (key.size() > key_limit || data.size() > value_limit) return RONDA_E_RANGE;
  std::size_t all = key.size() + data.size();
  for (const auto& [k, v] : kv_)
    if (k != key) all += k.size() + v.size();
  if (all > all_limit || !may_wait(key, key.size() + data.size())) return RONDA_E_RANGE;
  expiry_.erase(key);
  kv_[std::move(key)] = std::move(data);
  return RONDA_OK;
}

/// What is written between commits has a limit too; of several writes to one key the last counts.
inline bool host::may_wait(const std::string& key, std::size_t bytes) {
  constexpr std::size_t waiting_limit = 256 << 10;
  std::size_t all = bytes;
  for (const auto& [k, size] : waiting_)
    if (k != key) all += size;
  if (all > waiting_limit) return false;
  return waiting_[key] = bytes, true;
}

inline std::int32_t host::exec_run(const ronda_call* call, const ronda_exec_spec& spec, ronda_exec_result* result, ronda_error* err) {
  exec_request request;
  std::unique_lock lock(lock_);
  if (!in_call("exec.run", call) || call == nullptr) return RONDA_E_INVALID;
  for (std::uint64_t i = 0; i < spec.argc; ++i) request.argv.emplace_back(from_abi(spec.argv[i]));
  request.env = to_fields(spec.env, spec.env_count);
  request.dir = from_abi(spec.dir);
  request.input = from_abi(spec.input);
  request.clear_env = (spec.flags & RONDA_EXEC_NO_ENV) != 0;
  request.merge_err = (spec.flags & RONDA_EXEC_MERGE_ERR) != 0;
  if (spec.output_limit != 0) request.output_limit = spec.output_limit;
  std::uint64_t deadline = spec.deadline_mono_ns != 0 ? spec.deadline_mono_ns : call->deadline_mono_ns;
  if (deadline > mono_ns()) request.timeout = std::chrono::nanoseconds(deadline - mono_ns());
  programs_.push_back(request);
  lock.unlock();
  exec_answer answer;
  if (exec_)
    answer = exec_(request);
  else
    answer.code = RONDA_E_NOTFOUND, answer.err = "the test says nothing about this program: host.on_exec()";
  if (answer.code != RONDA_OK) {
    if (err == nullptr) return answer.code;
    std::snprintf(err->msg, sizeof err->msg, "%s", answer.err.c_str());
    return err->code = answer.code;
  }
  lock.lock();
  result->exit_code = answer.exit_code;
  result->signal = answer.signal;
  result->timed_out = answer.timed_out ? 1 : 0;
  result->out_total = answer.out_total != 0 ? answer.out_total : answer.out.size();
  result->err_total = answer.err_total != 0 ? answer.err_total : answer.err.size();
  result->out = lend(std::move(answer.out));
  result->err = lend(std::move(answer.err));
  result->duration_ns = answer.duration.count();
  return RONDA_OK;
}

/// Each event once, also when the callback takes itself.
inline std::int32_t host::take(const ronda_call* call, ronda_inbox_fn fn, void* user) {
  while (true) {
    posted p;
    {
      std::lock_guard lock(lock_);
      if (!in_call("inbox.take", call)) return RONDA_E_INVALID;
      if (taken_ >= inbox_.size()) return RONDA_OK;
      p = inbox_[taken_++];
    }
    ronda_inbox_event e{sizeof e, p.code, p.at.time_since_epoch().count(), to_abi(p.event), to_abi(p.text)};
    if (std::int32_t stop = fn(user, &e)) return stop;
  }
}

inline std::int32_t host::ask_calendar(ronda_str expression, std::int64_t at, std::int64_t* out, bool next) {
  auto found = calendar_ ? calendar_(from_abi(expression), wall_time(std::chrono::nanoseconds(at)), next)
                         : std::nullopt;
  if (!found) return RONDA_E_NOTFOUND;
  return *out = found->time_since_epoch().count(), RONDA_OK;
}

inline std::int32_t host::sleep(const ronda_call* call, std::int64_t ns) {
  std::lock_guard lock(lock_);
  if (!in_call("clock.sleep", call)) return RONDA_E_INVALID;
  pollfd watched{cancel_fd_, POLLIN, 0};
  if (::poll(&watched, 1, 0) > 0) return RONDA_E_TIMEOUT;
  slept_ += std::chrono::nanoseconds(ns);
  advance(std::chrono::nanoseconds(ns));
  return RONDA_OK;
}

inline std::int32_t host::open_secret(const ronda_value* option, ronda_str* view) {
  std::lock_guard lock(lock_);
  if (!in_call("secret.open")) return RONDA_E_INVALID;
  const node* n = node::of(option);
  if (n->type() != RONDA_TYPE_SECRET && n->type() != RONDA_TYPE_STR) return RONDA_E_INVALID;
  std::string copy = n->bytes();
  copy.reserve(64);  // on the heap: the address is the name of the view
  const char* at = copy.data();
  std::string& held = secrets_[at] = std::move(copy);
  return *view = to_abi(held), RONDA_OK;
}

inline void host::close_secret(ronda_str view) {
  std::lock_guard lock(lock_);
  if (secrets_.erase(view.ptr) == 0) note("RONDA-P-036: secret.close of a view that is not open");
}

}  // namespace ronda::testing

#include <ronda/testing/services.hpp>
