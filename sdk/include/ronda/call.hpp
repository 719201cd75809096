// SPDX-License-Identifier: Apache-2.0
// One run, as the plugin sees it: deadline, cancellation, why and for when it runs, and what may be
// reported before it ends: metrics, events, progress. Valid until run() or deliver() returns.
// [any]: metric, event, progress and cancelled may be called from threads of the plugin's own.
#pragma once

#include <ronda/range.hpp>

#include <poll.h>
#include <time.h>

#include <initializer_list>

namespace ronda {

/// A metric's unit and whether it only grows. `bytes.counted()` is a counter of bytes.
struct unit {
  const char* text;
  std::uint32_t kind = RONDA_METRIC_GAUGE;
  constexpr unit counted() const { return {text, RONDA_METRIC_COUNTER}; }
};
inline constexpr unit none{""};
inline constexpr unit ratio{"ratio"};  // 0..1; shown as percent
inline constexpr unit seconds{"s"};
inline constexpr unit bytes{"B"};
inline constexpr unit counter{"c", RONDA_METRIC_COUNTER};

/// A name with a value, for labels and fields. Borrows both.
struct label : ronda_kv {
  label(borrowed name, borrowed text) : ronda_kv{to_abi(name), to_abi(text)} {}
};
static_assert(sizeof(label) == sizeof(ronda_kv), "an array of labels is an array of ronda_kv");

/// Any number of them: {{"mount", path}, {"type", "ext4"}} or a vector. Owns the list, so it can be kept; the
/// texts are borrowed.
class labels {
 public:
  labels() = default;
  labels(std::initializer_list<label> list) : list_(list) {}
  labels(std::vector<label> list) : list_(std::move(list)) {}
  const ronda_kv* data() const noexcept { return list_.data(); }
  std::uint64_t size() const noexcept { return list_.size(); }

 private:
  std::vector<label> list_;
};

/// What the host keeps of one call's metrics. What comes after that is dropped and told to people: emit what matters first.
inline constexpr std::size_t most_metrics = 1000;
inline constexpr std::size_t most_metric_bytes = 256 << 10;

enum class reason : std::uint32_t {
  schedule = RONDA_REASON_SCHEDULE,
  manual = RONDA_REASON_MANUAL,
  event = RONDA_REASON_EVENT,
  catch_up = RONDA_REASON_CATCH_UP,
  first = RONDA_REASON_FIRST,
};

class call {
 public:
  call(const ronda_inst* inst, const ronda_call* raw, const ronda_emit_1* emit,
       const ronda_clock_1* clock) noexcept
      : inst_(inst), raw_(raw), emit_(emit), clock_(clock) {}
  call(const call&) = delete;
  call& operator=(const call&) = delete;

  std::uint64_t id() const noexcept { return raw_->id; }
  ronda::reason reason() const noexcept { return static_cast<ronda::reason>(raw_->reason); }
  /// A task then says what it would do and changes nothing.
  bool dry_run() const noexcept { return (raw_->flags & RONDA_CALL_DRY_RUN) != 0; }
  /// The slot this run is for; nothing for a manual one.
  std::optional<wall_time> scheduled() const noexcept {
    if (raw_->scheduled_wall_ns == 0) return std::nullopt;
    return wall_time(std::chrono::nanoseconds(raw_->scheduled_wall_ns));
  }

  /// CLOCK_MONOTONIC nanoseconds.
  std::uint64_t deadline_mono_ns() const noexcept { return raw_->deadline_mono_ns; }
  /// What is left until the deadline; zero when it has passed.
  std::chrono::nanoseconds remaining() const noexcept {
    std::uint64_t now = mono_now();
    return std::chrono::nanoseconds(now < raw_->deadline_mono_ns ? raw_->deadline_mono_ns - now : 0);
  }
  /// The same in milliseconds for poll() and its like, at most `most`, rounded up.
  int remaining_ms(int most = std::numeric_limits<int>::max()) const noexcept {
    auto left = (remaining().count() + 999999) / 1000000;
    return left < most ? static_cast<int>(left) : most;
  }
  /// Readable once the call should end: poll it beside your own descriptors. Never read or close it.
  int cancel_fd() const noexcept { return raw_->cancel_fd; }
  bool cancelled() const noexcept {
    pollfd watched{raw_->cancel_fd, POLLIN, 0};
    return raw_->cancel_fd >= 0 && ::poll(&watched, 1, 0) > 0;
  }

  /// A named number. Floating point and integers are kept as such; a duration becomes seconds.
  template <class T>
  void metric(std::string_view name, T number, unit u = none, const threshold& warn = {},
              const threshold& crit = {}, const labels& with = {}) {
    static_assert(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>, "a metric is a number");
    ronda_metric m{};
    if constexpr (std::is_integral_v<T>) {
      m.type = RONDA_METRIC_I64;
      m.i64 = static_cast<std::int64_t>(number);
      if (std::is_unsigned_v<T> && m.i64 < 0) {  // above the largest int64: the nearest double
        m.type = RONDA_METRIC_F64;
        m.f64 = static_cast<double>(number);
      }
    } else {
      m.f64 = static_cast<double>(number);
    }
    emit_metric(m, name, u, warn, crit, with);
  }
  template <class Rep, class Period>
  void metric(std::string_view name, std::chrono::duration<Rep, Period> span, const threshold& warn = {},
              const threshold& crit = {}, const labels& with = {}) {
    metric(name, std::chrono::duration<double>(span).count(), seconds, warn, crit, with);
  }

  /// A line on the timeline: something that happened, not a state.
  void event(std::string_view name, std::string_view what, const labels& fields = {},
             std::uint32_t level = RONDA_LOG_INFO) {
    ronda_event e{sizeof(ronda_event), level, to_abi(name), to_abi(what), fields.data(), fields.size()};
    if (emit_ != nullptr) emit_->event(inst_, raw_, &e);
  }

  /// Share of the work done, 0..1.
  template <class... Parts>
  void progress(double share, const Parts&... what) {
    if (emit_ != nullptr) emit_->progress(inst_, raw_, share, to_abi(text(what...)));
  }

  const ronda_call* raw() const noexcept { return raw_; }

 private:
  std::uint64_t mono_now() const noexcept {
    if (clock_ != nullptr) return clock_->mono_ns(inst_);
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1000000000u + static_cast<std::uint64_t>(now.tv_nsec);
  }

  void emit_metric(ronda_metric& m, std::string_view name, unit u, const threshold& warn,
                   const threshold& crit, const labels& with) {
    if (emit_ == nullptr) return;
    auto [w, c] = ranges(warn, crit);
    std::string warn_text = w ? w->text() : std::string(), crit_text = c ? c->text() : std::string();
    m.size = sizeof m;
    m.kind = u.kind;
    m.name = to_abi(name);
    m.unit = to_abi(u.text);
    m.warn = to_abi(warn_text);
    m.crit = to_abi(crit_text);
    m.labels = with.data();
    m.label_count = with.size();
    emit_->metric(inst_, raw_, &m);
  }

  const ronda_inst* inst_;
  const ronda_call* raw_;
  const ronda_emit_1* emit_;
  const ronda_clock_1* clock_;
};

}  // namespace ronda
