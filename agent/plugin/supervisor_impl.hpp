// SPDX-License-Identifier: Apache-2.0
// The inside of Supervisor, shared by its source files: supervisor.cpp (face, time), supervisor_calls.cpp
// (what is asked of runners), supervisor_processes.cpp (the runners themselves).
#pragma once

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <map>
#include <optional>
#include <queue>
#include <unordered_map>

#include "base/clock.hpp"
#include "plugin/cgroups.hpp"
#include "plugin/output_capture.hpp"
#include "plugin/report_text.hpp"
#include "plugin/runner_link.hpp"
#include "plugin/scrub.hpp"
#include "plugin/start_gate.hpp"
#include "plugin/supervisor.hpp"
#include "ronda/abi.h"

namespace ronda::plugin {
namespace asio = boost::asio;
using namespace std::chrono_literals;

inline constexpr auto answer_limit = 500ms;  // past its deadline, a call is called timed out by us
inline constexpr auto grace = 2s;            // past its deadline, its runner gets no new work
inline constexpr auto wedged_limit = 5s;     // and with an exclusive call that hangs in it, it is ended, whatever checks it runs
inline constexpr auto suspect_time = 10min;  // an instance that held a thread in vain is watched for so long
inline constexpr auto long_failure = 1s;     // a check that fails after this has held its thread in vain
inline constexpr auto healthy_time = 60s;    // of service, after which earlier deaths are forgotten
inline constexpr auto partial_frame_limit = 5s;
inline constexpr auto group_look_pause = 100ms;   // 16 us each
inline constexpr auto turn_limit = 30s;           // what waits for a runner's turn to start waits so long at least
inline constexpr auto probe_limit = 10s;          // for loading, create and destroy together
inline constexpr std::size_t quick_limit = 1024;  // quick calls handed over at once
inline constexpr std::size_t largest_reply = wire::max_frame - 64;
inline constexpr std::size_t unread_limit = std::size_t{8} << 20;  // bytes a runner may leave unread
// what one call may send: its runner keeps to less, so whoever sends more is no runner any more
inline constexpr std::size_t events_per_call = 100;
inline constexpr std::size_t requests_per_call = 100'000;
inline constexpr std::size_t progress_to_begin_with = 100;  // and then one in 50 ms
inline constexpr std::size_t log_lines_per_minute = 600;

inline Mono mono_now() {
  return monotonic();
}
inline std::uint64_t as_count(Mono t) {
  return static_cast<std::uint64_t>(t.count());
}

class Supervisor::Impl : public std::enable_shared_from_this<Supervisor::Impl> {
 public:
  Impl(asio::io_context& loop, RunnerSpec spec, SupervisorClient& client)
      : loop_(loop), spec_(std::move(spec)), client_(&client), timer_(loop) {}

  void dispatch(std::vector<CallSpec> calls);
  void cancel(std::uint64_t call);
  void probe(std::uint32_t instance);
  void forget(std::uint32_t instance);
  void retire();
  void kill_all();
  void set_idle_limit(std::chrono::nanoseconds limit);
  void shut();
  SupervisorStatus status() const;
  void clear_quarantine(std::uint32_t instance);
  void end_plugin_quarantine();
  void restore_quarantine(std::uint32_t instance, Mono next_probe, std::string reason);

  asio::io_context& loop_;
  RunnerSpec spec_;
  SupervisorClient* client_;
  // their ends by lack of memory are counted together with the runner's
  const bool starts_programs_ = std::ranges::find(spec_.setup.grants, "exec") != spec_.setup.grants.end();
  RestartPolicy policy_;
  std::chrono::nanoseconds idle_limit_ = 60s;

  struct Process;
  std::vector<std::unique_ptr<Process>> processes_;
  bool is_empty() const { return processes_.empty() && nothing_waits() && ends_.empty() && overs_.empty() && unbegun_probes_.empty(); }

 private:
  struct InFlight {
    CallSpec spec;
    Process* process = nullptr;
    Mono deadline{0};
    int attempt = 1;
    bool suspect = false;                                // holds one of the places of those that timed out
    bool ended = false;                                  // told already; a result that still comes is late
    std::size_t events = 0, progress = 0, requests = 0;  // that it has sent
  };
  struct Waiting {
    CallSpec spec;
    Mono until{0};
    int attempt = 1;
  };
  struct Check {  // of a call, at a time
    Mono at;
    std::uint64_t call;
    bool operator>(const Check& other) const { return at > other.at; }
  };

  // calls
  bool is_suspect(std::uint32_t instance, Mono now);
  static bool was_in_vain(const CallSpec& spec, const wire::Outcome& outcome);
  void pump();
  bool may_send(const Process& process, const CallSpec& spec, bool suspect) const;
  void send(Process& process, Waiting waiting, bool suspect, Mono now);
  bool pump_queue(std::deque<Waiting>& queue, bool suspect, Mono now);
  void pump_alone(Mono now);
  std::string unavailable_reason(const CallSpec& spec, Mono now);
  std::string back_off_text(Mono now) const;
  void end(CallEnd call_end);
  void keep_end(CallEnd call_end);
  void tell_soon();
  void tell_over(const InFlight& call);
  void tell_ends();
  void finish_waiting(std::string_view cause, Fate fate);
  void expire_waiting(Mono now);
  void check_call(std::uint64_t id, Mono now);
  void check_overdue(InFlight& call, Mono now);
  void move_unbegun(Process& process, Mono now);
  bool nothing_waits() const { return ready_.empty() && suspects_.empty() && alone_.empty(); }
  bool has_call(std::uint32_t instance) const;
  void destroy(std::uint32_t instance);
  void release(const InFlight& call);

  // processes
  bool take_turn(StartGate::For what);
  Process* start(Mono now);
  static std::string stuck_text(const Process& process);
  static std::string kill_text(const Process& process);
  void step(Process& process, LifeEvent event);
  void act(Process& process, LifeAction action);
  void on_loaded(Process& process, const wire::Loaded& loaded);
  void on_outcome(Process& process, wire::Outcome outcome);
  void on_read(const Process& process);
  void on_hung_up(Process& process);
  void on_broken(Process& process, std::string_view why);
  void look_at_group(Process& process, Mono now) const;
  void look_for_left_alive(Process& process, wire::Outcome& outcome, const InFlight& call);
  void tell_left_alive(const Process& process);
  void wear_out(Process& process, wire::Worn by);
  void after_call(Process& process);
  void end_probe(std::uint32_t instance, Process& process, bool ok, std::string_view error);
  void end_probes(Process& process, std::string_view error);
  void watch_probes(Mono now);
  void on_end(Process& process, const RunnerEnd& end);
  void settle(Process& process, const RunnerEnd& end);
  void settle_quietly(Process& process);
  void log_death(const Process& process, Mono now);
  void end_quarantine(std::uint32_t instance);
  void tell_quarantine(std::uint32_t instance, bool holds);
  std::string quarantine_text(std::uint32_t instance) const;
  std::string culprits_text() const;
  struct Verdict {  // on a process that ended
    std::optional<std::uint64_t> culprit;
    bool begun = true;      // calls may have been running
    bool in_doubt = false;  // one of its calls did it, nobody knows which
    Fate fate = Fate::crashed;
    std::string cause;
  };
  Verdict judge(const Process& process, const RunnerEnd& end, const std::vector<std::uint64_t>& here) const;
  void settle_call(std::uint64_t id, InFlight& call, const Verdict& verdict);
  void blame(std::uint32_t instance, std::string_view cause, Mono now);
  void trouble(std::uint32_t instance, std::string text);
  void log(std::uint32_t instance, std::int64_t level, std::string_view text);

  // time
  void arm(Mono at);
  void on_timer();
  void watch_processes(Mono now);
  void watch_wedged(Process& process, Mono now);

  struct Probe {
    Process* process;
    Mono until;
  };
  std::map<std::uint32_t, Probe> probes_;            // by instance
  std::vector<std::uint32_t> unbegun_probes_;        // until it is our turn to start
  std::map<std::uint32_t, wire::Create> forgotten_;  // whose last call has not ended yet

  Process* current_ = nullptr;  // the one that gets new work
  StartGate::Pass pass_;        // to start one, until that is done
  Mono asked_at_{0};            // for one; 0: it has not
  std::deque<Waiting> ready_, suspects_, alone_;
  std::unordered_map<std::uint64_t, InFlight> calls_;
  std::unordered_map<std::uint32_t, Mono> suspect_until_;
  std::priority_queue<Check, std::vector<Check>, std::greater<>> checks_;
  std::vector<CallEnd> ends_;
  std::vector<std::uint64_t> overs_;  // told after the ends
  bool ends_scheduled_ = false;
  bool has_room_ = false;  // a result was read: what waits may be sent
  asio::steady_timer timer_;
  Mono armed_for_ = Mono::max();
  Mono last_activity_{0};
  OutputCapture output_;
  Mono log_minute_{0};
  std::size_t log_lines_ = 0;
  std::size_t deaths_ = 0, late_results_ = 0;
  Mono death_line_{0};  // when the log last told of one
  std::size_t deaths_unsaid_ = 0;
  std::string last_trouble_, refused_;
  std::map<std::uint32_t, std::string> why_quarantined_;  // by instance
  bool retiring_ = false;
  bool killed_ = false;  // by kill_all: nothing is started any more
  std::uint64_t next_serial_ = 1;
};

/// One runner and what is known of it; hands its events on with itself as the first argument.
struct Supervisor::Impl::Process final : RunnerEvents {
  Process(Impl& owner, std::uint64_t number) : serial(number), owner_(owner) {}

  void on_hello(const wire::Hello& hello) override;
  void on_loaded(const wire::Loaded& told) override;
  void on_created(const wire::Created& probed) override;
  void on_outcome(wire::Outcome outcome) override { owner_.on_outcome(*this, std::move(outcome)); }
  void on_log(wire::Log log) override {
    wire::repair(log);
    owner_.log(is_its_own(log.instance) ? log.instance : 0, log.level, scrubber.scrub(std::move(log.text)));
  }
  void on_event(wire::Event event) override;
  void on_progress(wire::Progress progress) override;
  void on_request(wire::Request request) override;
  void on_output(std::string_view bytes) override {
    owner_.output_.feed(scrubber.feed(bytes), mono_now(), [this](std::string_view line) { owner_.log(0, RONDA_LOG_INFO, line); });
  }
  void on_read() override { owner_.on_read(*this); }
  void on_hung_up() override { owner_.on_hung_up(*this); }
  void on_broken(std::string_view why) override { owner_.on_broken(*this, why); }
  void on_end(const RunnerEnd& end) override {
    owner_.output_.feed(scrubber.end(), mono_now(), [this](std::string_view line) { owner_.log(0, RONDA_LOG_INFO, line); });
    owner_.on_end(*this, end);
  }

  bool is_running(std::uint64_t call) const {
    const auto& running = link->process().blackbox->running;
    return std::ranges::any_of(running, [&](const auto& slot) { return slot.load(std::memory_order_relaxed) == call; });
  }
  /// Nothing that is still waited for has its mark in the runner; one that was stopped just behind its result has the mark of a call
  /// that has ended.
  bool runs_nothing() const {
    const auto is_idle = [this](std::uint64_t id) {
      const auto found = owner_.calls_.find(id);
      return found == owner_.calls_.end() || found->second.process != this;
    };
    return std::ranges::all_of(link->process().blackbox->running,
                               [&](const auto& slot) { return is_idle(slot.load(std::memory_order_relaxed)); });
  }
  /// Whether this runner was ever told of the instance: of another's it can say nothing and learns nothing.
  bool is_its_own(std::uint32_t instance) const { return instance < told_of.size() && told_of[instance]; }
  /// RONDA_OK, or why this runner is not given what it asks for: what the plugin's own process decides counts for nothing.
  std::int32_t judge(const wire::Request& request) const;
  /// The call, when it is this runner's and has not been told its end; else null, and what is said of it counts for nothing.
  InFlight* open_call(std::uint64_t id) const;
  /// Counts one more of `sent`; beyond `most` the conversation ends.
  bool may_send(std::size_t& sent, std::size_t most, std::string_view what);
  void ensure_created(std::uint32_t instance) {
    if (instance >= created.size()) created.resize(instance + 1), told_of.resize(instance + 1);
    if (created[instance]) return;
    created[instance] = told_of[instance] = true;
    const auto forgotten = owner_.forgotten_.find(instance);
    const wire::Create spec = forgotten == owner_.forgotten_.end() ? owner_.client_->describe(instance) : forgotten->second;
    scrubber.add_secrets_of(spec.options);
    link->post(spec);
  }

  /// Ends the runner and everything that its plugin started.
  void end_all();

  const std::uint64_t serial;  // never used twice
  StartGate::Pass pass;        // until it has loaded its plugin
  std::unique_ptr<RunnerLink> link;
  RunnerGroup group;
  Mono group_looked_at{0};
  Life life = Life::starting;
  Mono since{0};  // in this life
  Mono started{0};
  std::chrono::nanoseconds started_boot{0};  // on boottime(), by which /proc tells when a process started
  std::uint32_t last_instance = 0;           // of a detached runner: whose call it ended last; 0: none
  bool has_told_left = false;                // what that call left alive
  std::vector<bool> created;                 // by instance
  std::vector<bool> told_of;                 // by instance: of a destroyed one too, whose destroy still asks
  Scrubber scrubber;                         // of what it prints, which its runner does not see
  std::size_t quick = 0, slow = 0, suspects = 0;
  std::size_t unfinished = 0;  // calls in flight that were not told an end
  std::size_t requests_outside_calls = 0;
  std::string broken;  // why, if it broke the protocol
  pid_t worker = -1;   // the process that loads the plugin; -1: it has not said so, or could not be found
  std::string locked;  // what holds the plugin, as the runner said before it loaded it
  bool our_kill = false;
  bool worn = false;            // gets no new work and leaves when it has nothing in flight
  std::string_view why_killed;  // by us
  bool loaded = false;          // it has said so: before that, no call can have begun
  bool has_said_hello = false, has_said_loaded = false;

 private:
  Impl& owner_;
};

}  // namespace ronda::plugin
