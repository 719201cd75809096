// SPDX-License-Identifier: Apache-2.0
// The services of the host as C++ objects: log, kv, secret, exec, inbox, calendar, clock, facts.
// A service that the manifest did not ask for is an object too: its calls answer RONDA_E_DENIED.
// Only inside a call, create or destroy, and on the thread of that call, except log, facts and the clock.
#pragma once

#include <ronda/call.hpp>
#include <ronda/config.hpp>
#include <ronda/reply.hpp>

namespace ronda {

namespace detail {

/// An instance and one table of its host; the table is null when the service is absent.
template <class Table>
class service {
 public:
  service(const ronda_inst* inst, const char* id) noexcept
      : inst_(inst), table_(inst == nullptr ? nullptr : static_cast<const Table*>(inst->query(inst, id))) {}
  bool granted() const noexcept { return table_ != nullptr; }

 protected:
  const ronda_inst* inst_;
  const Table* table_;
};

inline ronda_error empty_error() noexcept {
  ronda_error e;
  e.size = sizeof e;
  e.code = RONDA_OK;
  e.msg[0] = '\0';
  return e;
}

}  // namespace detail

/// Structured lines; the host limits the rate and scrubs secrets. stdout and stderr also reach the log.
class log_service : detail::service<ronda_log_1> {
 public:
  explicit log_service(const ronda_inst* inst) noexcept : service(inst, RONDA_SERVICE_LOG) {}
  bool enabled(std::uint32_t level) const noexcept { return table_ != nullptr && level >= table_->level; }
  void write(std::uint32_t level, std::string_view line, const labels& fields = {}) const noexcept {
    if (enabled(level)) table_->write(inst_, level, to_abi(line), fields.data(), fields.size());
  }
  template <class... Parts>
  void debug(const Parts&... parts) const {
    if (enabled(RONDA_LOG_DEBUG)) write(RONDA_LOG_DEBUG, text(parts...));
  }
  template <class... Parts>
  void info(const Parts&... parts) const {
    if (enabled(RONDA_LOG_INFO)) write(RONDA_LOG_INFO, text(parts...));
  }
  template <class... Parts>
  void warning(const Parts&... parts) const {
    write(RONDA_LOG_WARNING, text(parts...));
  }
  template <class... Parts>
  void error(const Parts&... parts) const {
    write(RONDA_LOG_ERROR, text(parts...));
  }
};

/// Durable state of this instance; grant `state`. What one call writes is applied when its result is
/// accepted.
class kv_service : public detail::service<ronda_kv_1> {
 public:
  explicit kv_service(const ronda_inst* inst) noexcept : service(inst, RONDA_SERVICE_KV) {}

  reply<std::string> get(std::string_view key) const {
    ronda_str found{nullptr, 0};
    std::int32_t code = table_ == nullptr ? RONDA_E_DENIED : table_->get(inst_, to_abi(key), &found);
    if (code != RONDA_OK) return reply<std::string>::failed(code);
    return std::string(from_abi(found));
  }
  /// A number that put() stored; NOTFOUND also when it is none.
  reply<std::int64_t> get_i64(std::string_view key) const {
    reply<std::string> digits = get(key);
    if (!digits) return reply<std::int64_t>::failed(digits.code(), digits.error());
    std::int64_t number = 0;
    const char* end = digits->data() + digits->size();
    auto [stop, problem] = std::from_chars(digits->data(), end, number);
    if (problem != std::errc() || stop != end)
      return reply<std::int64_t>::failed(RONDA_E_NOTFOUND, "not a number");
    return number;
  }
  reply<double> get_f64(std::string_view key) const {
    reply<std::string> digits = get(key);
    if (!digits) return reply<double>::failed(digits.code(), digits.error());
    std::optional<double> number = detail::parse_number(*digits);
    if (!number) return reply<double>::failed(RONDA_E_NOTFOUND, "not a number");
    return *number;
  }

  /// ttl zero: kept for ever.
  outcome put(std::string_view key, std::string_view data, std::chrono::nanoseconds ttl = {}) const {
    return table_ == nullptr ? RONDA_E_DENIED : table_->put(inst_, to_abi(key), to_abi(data), ttl.count());
  }
  template <class T, class = std::enable_if_t<std::is_arithmetic_v<T>>>
  outcome put(std::string_view key, T number, std::chrono::nanoseconds ttl = {}) const {
    if constexpr (std::is_floating_point_v<T>)
      return put(key, std::string_view(detail::exact(number)), ttl);
    else
      return put(key, std::string_view(text(number)), ttl);
  }
  outcome del(std::string_view key) const {
    return table_ == nullptr ? RONDA_E_DENIED : table_->del(inst_, to_abi(key));
  }
  /// Everything below a prefix, in the order of the keys.
  reply<std::map<std::string, std::string>> all(std::string_view prefix = {}) const {
    using entries = std::map<std::string, std::string>;
    entries found;
    auto add = [](void* to, ronda_str key, ronda_str data) -> std::int32_t {
      try {
        static_cast<entries*>(to)->emplace(from_abi(key), from_abi(data));
        return 0;
      } catch (...) {
        return RONDA_E_INTERNAL;
      }
    };
    std::int32_t code = table_ == nullptr ? RONDA_E_DENIED : table_->each(inst_, to_abi(prefix), add, &found);
    if (code != RONDA_OK) return reply<entries>::failed(code);
    return found;
  }
  /// Makes what was put and deleted so far durable now, all of it or nothing.
  outcome commit() const { return table_ == nullptr ? RONDA_E_DENIED : table_->commit(inst_); }
};

/// The bytes of a secret, while this object lives and the call lasts. Do not copy them.
class secret_view : detail::service<ronda_secret_1> {
 public:
  secret_view(const ronda_inst* inst, const ronda_value* option) noexcept
      : service(inst, RONDA_SERVICE_SECRET) {
    if (option == nullptr)
      code_ = RONDA_E_NOTFOUND;
    else
      code_ = table_ == nullptr ? RONDA_E_DENIED : table_->open(inst_, option, &view_);
  }
  ~secret_view() {
    if (code_ == RONDA_OK && inst_ != nullptr) table_->close(inst_, view_);
  }
  secret_view(secret_view&& other) noexcept : service(other), view_(other.view_), code_(other.code_) {
    other.inst_ = nullptr;
  }
  secret_view& operator=(secret_view&&) = delete;

  explicit operator bool() const noexcept { return code_ == RONDA_OK; }
  std::int32_t code() const noexcept { return code_; }
  const char* error() const noexcept { return code_text(code_); }
  std::string_view view() const noexcept { return from_abi(view_); }

 private:
  ronda_str view_{nullptr, 0};
  std::int32_t code_;
};

struct exec_options {
  std::vector<label> env = {};         // added to the runner's clean environment
  bool clear_env = false;              // env is the whole environment
  bool merge_err = false;              // stderr goes where stdout goes
  borrowed dir = {};                   // empty: /
  borrowed input = {};                 // empty: /dev/null
  std::uint64_t output_limit = 0;      // bytes kept of each stream; 0: 64 KiB
  std::uint64_t deadline_mono_ns = 0;  // 0: the call's own
};

struct exec_result {
  std::int32_t exit_code = -1;                 // -1 when it ended otherwise
  std::int32_t signal = 0;                     // that ended it
  bool timed_out = false;                      // ended at the deadline or on cancel
  std::string_view out, err;                   // borrowed until the call ends
  std::uint64_t out_total = 0, err_total = 0;  // bytes written, kept or not
  std::chrono::nanoseconds duration{0};
};

/// Programs, with no shell and no PATH search; own process group, ended with the call. Grant `exec`.
class exec_service : public detail::service<ronda_exec_1> {
 public:
  explicit exec_service(const ronda_inst* inst) noexcept : service(inst, RONDA_SERVICE_EXEC) {}

  /// argv[0] is an absolute path. An error means that it was not started.
  reply<exec_result> run(const call& c, const std::vector<std::string>& argv,
                         const exec_options& how = {}) const {
    if (table_ == nullptr) return reply<exec_result>::failed(RONDA_E_DENIED);
    std::vector<ronda_str> words;
    words.reserve(argv.size());
    for (const std::string& word : argv) words.push_back(to_abi(word));
    ronda_exec_spec spec{};
    spec.size = sizeof spec;
    spec.flags = (how.clear_env ? RONDA_EXEC_NO_ENV : 0u) | (how.merge_err ? RONDA_EXEC_MERGE_ERR : 0u);
    spec.argv = words.data();
    spec.argc = words.size();
    spec.env = how.env.data();
    spec.env_count = how.env.size();
    spec.dir = to_abi(how.dir);
    spec.input = to_abi(how.input);
    spec.output_limit = how.output_limit;
    spec.deadline_mono_ns = how.deadline_mono_ns;
    ronda_exec_result done{};
    done.size = sizeof done;
    ronda_error why = detail::empty_error();
    std::int32_t code = table_->run(inst_, c.raw(), &spec, &done, &why);
    if (code != RONDA_OK) return reply<exec_result>::failed(code, why.msg);
    return exec_result{
        done.exit_code,     done.signal,    done.timed_out != 0, from_abi(done.out),
        from_abi(done.err), done.out_total, done.err_total,      std::chrono::nanoseconds(done.duration_ns)};
  }
};

struct inbox_event {
  std::string event;  // "start", "success", "fail", "heartbeat", "log"
  std::string text;   // data from outside
  std::int32_t code = 0;
  wall_time at{};  // when it was accepted
};

/// What was sent to this instance; removed once the call's result is accepted. Grant `inbox`.
class inbox_service : public detail::service<ronda_inbox_1> {
 public:
  explicit inbox_service(const ronda_inst* inst) noexcept : service(inst, RONDA_SERVICE_INBOX) {}

  /// In the order of arrival.
  reply<std::vector<inbox_event>> take(const call& c) const {
    using events = std::vector<inbox_event>;
    events taken;
    auto add = [](void* to, const ronda_inbox_event* e) -> std::int32_t {
      try {
        static_cast<events*>(to)->push_back({std::string(from_abi(e->event)), std::string(from_abi(e->text)),
                                             e->code, wall_time(std::chrono::nanoseconds(e->wall_ns))});
        return 0;
      } catch (...) {
        return RONDA_E_INTERNAL;
      }
    };
    std::int32_t code = table_ == nullptr ? RONDA_E_DENIED : table_->take(inst_, c.raw(), add, &taken);
    if (code != RONDA_OK) return reply<events>::failed(code);
    return taken;
  }
};

/// Calendar expressions of conf.d, judged as the scheduler would.
class calendar_service : public detail::service<ronda_calendar_1> {
 public:
  explicit calendar_service(const ronda_inst* inst) noexcept : service(inst, RONDA_SERVICE_CALENDAR) {}

  /// The last instant <= at.
  reply<wall_time> previous(std::string_view expression, wall_time at) const {
    return ask(table_ == nullptr ? nullptr : table_->previous, expression, at);
  }
  /// The first instant > at.
  reply<wall_time> next(std::string_view expression, wall_time at) const {
    return ask(table_ == nullptr ? nullptr : table_->next, expression, at);
  }

 private:
  template <class Fn>
  reply<wall_time> ask(Fn fn, std::string_view expression, wall_time at) const {
    std::int64_t found = 0;
    std::int32_t code =
        fn == nullptr ? RONDA_E_DENIED : fn(inst_, to_abi(expression), at.time_since_epoch().count(), &found);
    if (code != RONDA_OK) return reply<wall_time>::failed(code);
    return wall_time(std::chrono::nanoseconds(found));
  }
};

/// The host's clocks; use them, not the system's, and a test can turn them.
class clock_service : public detail::service<ronda_clock_1> {
 public:
  explicit clock_service(const ronda_inst* inst) noexcept : service(inst, RONDA_SERVICE_CLOCK) {}

  wall_time wall() const noexcept {
    return wall_time(std::chrono::nanoseconds(table_ == nullptr ? 0 : table_->wall_ns(inst_)));
  }
  std::chrono::nanoseconds mono() const noexcept {
    return std::chrono::nanoseconds(table_ == nullptr ? 0 : table_->mono_ns(inst_));
  }
  /// Ends early with RONDA_E_TIMEOUT when the call is cancelled.
  outcome sleep(const call& c, std::chrono::nanoseconds span) const {
    return table_ == nullptr ? RONDA_E_DENIED : table_->sleep(inst_, c.raw(), span.count());
  }
};

/// "hostname", "agent.version", "instance.name", "instance.kind", "language", "tz", "tag.N", "agent.started_ns".
class facts_service : public detail::service<ronda_facts_1> {
 public:
  explicit facts_service(const ronda_inst* inst) noexcept : service(inst, RONDA_SERVICE_FACTS) {}
  reply<std::string> get(std::string_view name) const {
    ronda_str found{nullptr, 0};
    std::int32_t code = table_ == nullptr ? RONDA_E_DENIED : table_->get(inst_, to_abi(name), &found);
    if (code != RONDA_OK) return reply<std::string>::failed(code);
    return std::string(from_abi(found));
  }
};

}  // namespace ronda
