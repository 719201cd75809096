// SPDX-License-Identifier: Apache-2.0
// The composition root's own class: what is built, in which order, and what is connected to what. For agent.cpp (start, stop),
// calendar_files.cpp, reload.cpp and trial.cpp alone.
#pragma once

#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "agent.hpp"
#include "api/routes.hpp"
#include "api/tcp.hpp"
#include "base/clock.hpp"
#include "base/service_manager.hpp"
#include "give_back.hpp"
#include "incident/calendar_watch.hpp"
#include "incident/people_candidate.hpp"
#include "plugin/cgroups.hpp"
#include "plugin/runner_process.hpp"
#include "plugin/stage.hpp"
#include "plugin/start_gate.hpp"
#include "response/response.hpp"
#include "roles.hpp"
#include "safe_mode.hpp"
#include "schedule/clock_watch.hpp"
#include "schedule/prober.hpp"
#include "schedule/scheduler.hpp"
#include "sign_of_life.hpp"
#include "store/health_log.hpp"
#include "vetting.hpp"

namespace ronda {
namespace asio = boost::asio;

inline constexpr std::chrono::milliseconds parse_deadline{15000};
inline constexpr std::chrono::milliseconds vet_deadline{10000};

/// "3 errors in the configuration"
std::string errors_text(std::size_t count);
/// As it is called in messages and to plugins.
std::string host_of(const config::AgentSettings& agent);

class Agent final : private api::AgentView {
 public:
  explicit Agent(const AgentOptions& options);
  int run();

 private:
  /// A reload under way.
  struct Trial {
    bool allow_empty = false;
    std::function<void(api::ReloadResult)> told;
    std::shared_ptr<Vetting> vetting;  // until the files are read
    schedule::VettedFiles files;       // then: if some new code does not work the candidate is made again
    schedule::Candidate candidate;
    std::unique_ptr<schedule::Prober> prober;       // of the candidate, so before it goes
    std::map<std::string, std::string> unfit;       // hashes of new code that does not work, and why
    std::set<std::pair<std::string, Hash128>> fit;  // instances that were tried, by label and hash
    std::vector<std::string> told_of_plugins;       // which instances new code could not make, with their places
    std::size_t untried = 0;
  };

  // start
  Status open_store();
  Status load_first();
  void make_response();
  void make_sign_of_life();
  void remember_late();
  void tell_configured();
  void tell_config_trouble();
  void tell_plugin_trouble(std::string_view plugin);
  void tell_plugin_troubles();
  void on_store_health(const store::Health& health);
  void begin(const schedule::Remembered& known);
  void open_api();
  void open_door();
  std::string link_key(const config::ApiSettings& api);
  schedule::CandidateRequest candidate_request();
  void report(const schedule::Candidate& candidate) const;
  void look_at_zones();
  void watch_zones();
  void start_signals();
  void on_signal(int number);
  void tick_watchdog();

  // reload
  void reload(bool allow_empty, std::function<void(api::ReloadResult)> told) override;
  void try_candidate(schedule::VettedFiles files);
  void finish_reload();
  void serve_waiting();
  void reload_by_signal();
  api::ReloadResult take_over(Trial& trial);
  void forget_reading();
  void prune_stage();

  // calendar files of rotas
  void watch_calendars(std::chrono::seconds wait);
  void look_at_calendars();
  Status take_calendar(const people::Rota& rota, const std::string& bytes);

  // trials
  std::unique_ptr<schedule::Prober> make_prober(std::vector<const schedule::Prepared*> subjects, const schedule::Candidate& of);
  void try_instances();
  std::vector<const schedule::Prepared*> to_be_tried(const schedule::Candidate& candidate) const;
  void judge_trial(const schedule::Prober::Findings& findings);
  void try_what_waits();
  void tell_unmade(const std::vector<schedule::Prober::Failure>& failures);

  // runners
  std::unique_ptr<plugin::Supervisor> make_supervisor(const schedule::Candidate& of, const schedule::PluginRef& plugin,
                                                      const schedule::RunAs& as, plugin::SupervisorClient& client);

  // stop
  void stop();
  void finish();

  // AgentView
  const schedule::Scheduler& scheduler() const override { return *scheduler_; }
  schedule::Scheduler& scheduler() override { return *scheduler_; }
  store::Store& store() override { return *store_; }
  response::Response& response() override { return *response_; }
  const schedule::Candidate& active() const override { return active_; }
  std::uint64_t generation() const override { return generation_; }
  std::int64_t started_wall_ns() const override { return started_; }
  std::string config_trouble() const override;
  std::string safe_mode() const override { return safe_mode_.reason(); }
  std::string runner_limits() const override { return cgroups_->text(); }
  api::HeartbeatView heartbeat() const override;
  bool may_leave_safe_mode() const override { return !options_.safe_mode; }
  void leave_safe_mode() override;
  std::string backup_directory() const override {
    return std::filesystem::absolute(options_.state_directory + "/backups").lexically_normal().string();
  }

  struct WaitingReload {
    bool allow_empty = false;
    std::function<void(api::ReloadResult)> told;
  };

  const AgentOptions options_;
  const std::int64_t started_ = wall_clock().count();
  const uid_t uid_ = ::geteuid();
  bool pid_namespaces_ = false;
  ServiceManager manager_ = ServiceManager::from_environment();
  asio::io_context loop_{1};
  asio::signal_set signals_{loop_, SIGHUP, SIGTERM, SIGINT};
  asio::steady_timer watchdog_{loop_}, stop_timer_{loop_}, reload_timer_{loop_}, zone_timer_{loop_}, calendar_timer_{loop_};
  GiveBack give_back_{loop_, [this] { return scheduler_->in_flight() == 0; }};
  schedule::ZoneDatabase zones_;
  std::vector<std::string> zones_kept_old_;  // as it was told last
  std::optional<plugin::Stage> stage_;
  plugin::HostLibraries libraries_{plugin::system_library_directories()};
  SafeMode safe_mode_{loop_, options_.state_directory, options_.safe_mode};
  std::unique_ptr<store::Store> store_;
  schedule::Candidate active_;
  std::uint64_t generation_ = 0, reloads_ = 0;
  std::set<std::string, std::less<>> hashes_before_;  // of the plugins of the generation before
  std::string active_trouble_;                        // of the configuration that is active
  std::string refused_trouble_;                       // of the last reload; empty: it was not refused
  people::CalendarWatch calendars_{{[this](const std::string& path) { return escalation::read_calendar_file(path, uid_); },
                                    [this](const people::Rota& rota, const std::string& bytes) { return take_calendar(rota, bytes); }}};
  plugin::StartGate starts_{loop_, std::max(2U, std::thread::hardware_concurrency())};
  std::optional<plugin::Cgroups> cgroups_;  // of runners, which it outlives; not before the state directory is ours
  std::unique_ptr<schedule::Scheduler> scheduler_;
  std::shared_ptr<const response::Plan> compiled_;   // of the candidate that was loaded last
  std::unique_ptr<response::Response> response_;     // hands its messages to the scheduler, which tells it results
  std::optional<SignOfLife> sign_of_life_;           // hands its beats to the scheduler too
  std::optional<schedule::ClockWatch> clock_watch_;  // tells the scheduler
  std::unique_ptr<Trial> trial_;
  std::unique_ptr<schedule::Prober> start_trial_;     // of what is in the set and does not run soon; null: it is over
  std::set<std::pair<std::string, Hash128>> unmade_;  // what it found: by label and hash
  std::vector<WaitingReload> reloads_waiting_;
  std::optional<Roles> roles_;
  std::unique_ptr<api::UnixServer> api_;
  std::unique_ptr<api::TcpServer> door_;
  std::string door_listens_;  // as it was asked for; empty: there is none
  std::string link_key_;
  bool reload_wanted_ = false, stopping_ = false;
  bool begun_ = false, not_remembered_ = false, store_has_failed_ = false;
  bool recalls_ = false;  // what the store has of the scheduler is still to come, after what it has of people
  store::HealthLog health_log_;
  std::chrono::nanoseconds last_reload_{0};
};

}  // namespace ronda
