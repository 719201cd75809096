// SPDX-License-Identifier: Apache-2.0
#include "agent.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <filesystem>
#include <optional>
#include <set>

#include "api/routes.hpp"
#include "base/clock.hpp"
#include "base/counted.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/service_manager.hpp"
#include "base/text.hpp"
#include "config/parse_child.hpp"
#include "give_back.hpp"
#include "own_process.hpp"
#include "plugin/runner_process.hpp"
#include "plugin/runner_spec.hpp"
#include "plugin/stage.hpp"
#include "plugin/vet_child.hpp"
#include "remember.hpp"
#include "response/response.hpp"
#include "roles.hpp"
#include "ronda/version.h"
#include "safe_mode.hpp"
#include "schedule/clock_watch.hpp"
#include "schedule/prober.hpp"
#include "schedule/scheduler.hpp"
#include "store/health_log.hpp"
#include "vetting.hpp"

namespace ronda {
namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto reload_pause = 1s;  // between two reloads asked for by signal
constexpr auto parse_deadline = 15000ms;
constexpr auto vet_deadline = 10000ms;
constexpr auto zone_look = 10min;  // at tzdata; a reload looks too
constexpr auto last_answers = 2s;  // for clients to take what they are told at the end
constexpr auto last_wait = 5s;     // for runners to be gone, once they were killed

std::string errors_text(std::size_t count) {
  return counted(count, "error") + " in the configuration";
}

/// What a start that goes on in spite of errors owes whoever looks: how many there are, and the first of them.
std::string trouble_of(const schedule::Candidate& candidate) {
  for (const config::Diagnostic& diagnostic : candidate.diagnostics.all()) {
    if (diagnostic.severity != config::Severity::error) continue;
    return errors_text(candidate.diagnostics.errors()) +
           "; the agent runs without what is wrong: " + config::place_and_message(diagnostic, candidate.sources);
  }
  return {};
}

std::string host_of(const config::AgentSettings& agent) {
  return agent.host.empty() ? host_name() : agent.host;
}

/// A run that stopping gives its time: half done it would leave something behind.
bool may_change(const schedule::Prepared& spec) {
  return spec.kind == config::Kind::task && (spec.rare == nullptr || spec.rare->changes.value_or(true));
}

}  // namespace

class Agent final : private api::AgentView {
 public:
  explicit Agent(const AgentOptions& options);
  int run();

 private:
  // start
  Status open_store();
  Status load_first();
  void make_response();
  void remember_late();
  void tell_configured();
  void on_store_health(const store::Health& health);
  void begin(const schedule::Remembered& known);
  void open_api();
  schedule::CandidateRequest candidate_request();
  void report(const schedule::Candidate& candidate) const;
  void look_at_zones();
  void watch_zones();
  void start_signals();
  void on_signal(int number);
  void tick_watchdog();

  // reload
  void reload(bool allow_empty, std::function<void(api::ReloadResult)> told) override;
  std::vector<const schedule::Prepared*> to_be_tried(const schedule::Candidate& candidate) const;
  void try_candidate(schedule::VettedFiles files);
  void finish_reload(schedule::Prober::Failures failures);
  void reload_by_signal();
  api::ReloadResult take_over(schedule::Candidate candidate, bool allow_empty);
  void forget_reading();

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
  std::string config_trouble() const override { return config_trouble_; }
  std::string safe_mode() const override { return safe_mode_.reason(); }
  std::string runner_limits() const override { return cgroups_->text(); }
  bool may_leave_safe_mode() const override { return !options_.safe_mode; }
  void leave_safe_mode() override;
  std::string backup_directory() const override {
    return std::filesystem::absolute(options_.state_directory + "/backups").lexically_normal().string();
  }

  /// A reload under way.
  struct Trial {
    bool allow_empty = false;
    std::function<void(api::ReloadResult)> told;
    std::shared_ptr<Vetting> vetting;  // until the files are read
    schedule::VettedFiles files;       // then: if some new code does not work the candidate is made again
    schedule::Candidate candidate;
    std::unique_ptr<schedule::Prober> prober;  // of the candidate, so before it goes
  };
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
  asio::steady_timer watchdog_{loop_}, stop_timer_{loop_}, reload_timer_{loop_}, zone_timer_{loop_};
  GiveBack give_back_{loop_, [this] { return scheduler_->in_flight() == 0; }};
  schedule::ZoneDatabase zones_;
  std::vector<std::string> zones_kept_old_;  // as it was told last
  std::optional<plugin::Stage> stage_;
  plugin::HostLibraries libraries_{plugin::system_library_directories()};
  SafeMode safe_mode_{loop_, options_.state_directory, options_.safe_mode};
  std::unique_ptr<store::Store> store_;
  schedule::Candidate active_;
  std::uint64_t generation_ = 0, reloads_ = 0;
  std::string config_trouble_;
  std::optional<plugin::Cgroups> cgroups_;  // of runners, which it outlives; not before the state directory is ours
  std::unique_ptr<schedule::Scheduler> scheduler_;
  std::shared_ptr<const response::Plan> compiled_;  // of the candidate that was loaded last
  std::unique_ptr<response::Response> response_;    // hands its messages to the scheduler, which tells it results
  std::optional<schedule::ClockWatch> clock_watch_;  // tells the scheduler
  std::unique_ptr<Trial> trial_;
  std::vector<WaitingReload> reloads_waiting_;
  std::optional<Roles> roles_;
  std::unique_ptr<api::UnixServer> api_;
  bool reload_wanted_ = false, stopping_ = false;
  bool begun_ = false, not_remembered_ = false;
  store::HealthLog health_log_;
  std::chrono::nanoseconds last_reload_{0};
};

Agent::Agent(const AgentOptions& options) : options_(options) {}

// ---- start ----------------------------------------------------------------------------------

schedule::CandidateRequest Agent::candidate_request() {
  schedule::CandidateRequest request;
  request.config_directory = options_.config_directory;
  // safe mode: what was added to this host stays out
  request.plugin_directories =
      options_.safe_mode ? std::vector<std::string>{options_.system_plugin_directory} : options_.plugin_directories;
  request.trust_file = options_.trust_file;
  request.environment = config::environment_of_process(options_.env_file, uid_);
  request.uid = uid_;
  request.zones = &zones_;
  request.stage = &*stage_;
  request.libraries = &libraries_;
  if (generation_ > 0) request.previous = &active_.catalogue;
  request.vet_config = [uid = uid_, environment = request.environment](const config::Sources& sources) -> Status {
    auto answer = config::validate_in_child({"/proc/self/exe", "--parse-child"}, sources, environment, uid, parse_deadline);
    if (!answer) return std::move(answer).error();
    return done();
  };
  request.vet_plugin = [](const plugin::PluginBytes& bytes) {
    return plugin::vet_in_child({"/proc/self/exe", "--vet-plugin"}, bytes.bytes, vet_deadline);
  };
  request.judges.push_back([this](schedule::Candidate& candidate) {
    compiled_ = response::compile(candidate, zones_, {host_of(candidate.generation.agent), wall_clock().count(), uid_});
  });
  return request;
}

void Agent::report(const schedule::Candidate& candidate) const {
  for (const config::Diagnostic& diagnostic : candidate.diagnostics.all()) {
    if (diagnostic.severity == config::Severity::error) log(LogLevel::error, config::place_and_message(diagnostic, candidate.sources));
  }
  const std::size_t warnings = candidate.diagnostics.warnings();
  if (warnings > 0) log(LogLevel::warning, "the configuration has " + counted(warnings, "warning") + "; 'ronda validate' shows them");
  for (const plugin::RefusedFile& refused : candidate.catalogue.refused)
    log(LogLevel::error, "plugin " + refused.path + " is refused: " + refused.refusal.text());
}

Status Agent::open_store() {
  store::Options options;
  options.directory = options_.state_directory;
  options.post = [this](std::function<void()> work) { asio::post(loop_, std::move(work)); };
  options.wall_ns = [] { return wall_clock().count(); };
  options.mono_ns = [] { return monotonic().count(); };
  options.on_health = [this](const store::Health& health) { on_store_health(health); };
  options.on_owned = [this] { safe_mode_.count_start(); };
  RONDA_TRY(store_, store::Store::open(std::move(options)));
  for (const std::string& notice : store_->report().notices) log(LogLevel::warning, notice);
  safe_mode_.judge(*store_);
  return done();
}

void Agent::leave_safe_mode() {
  safe_mode_.leave();
  scheduler_->leave_safe_mode();
}

void Agent::on_store_health(const store::Health& health) {
  if (const auto line = health_log_.tell(health, monotonic())) log(line->is_well ? LogLevel::info : LogLevel::error, line->text);
  if (response_ != nullptr) response_->on_store_health(health);
  if (health.state == store::HealthState::ok) remember_late();
}

Status Agent::load_first() {
  active_ = schedule::load_candidate(candidate_request());
  report(active_);
  // an agent that watches nothing would look well from afar; a reload keeps what runs instead
  if (!active_.files.readable)
    return Error(Errc::invalid, "not started: the configuration directory " + options_.config_directory + " cannot be used");
  if (active_.has_errors() && active_.generation.agent.strict) {
    return Error(Errc::invalid, "[agent] strict: the configuration has " + counted(active_.diagnostics.errors(), "error"));
  }
  config_trouble_ = trouble_of(active_);
  generation_ = 1;
  active_.generation.number = 1;
  scheduler_ = std::make_unique<schedule::Scheduler>(schedule::SchedulerPorts{
      loop_, *store_, zones_, active_.zone, host_of(active_.generation.agent), schedule::sys_seconds(std::chrono::seconds(RONDA_BUILD_TIME)),
      [this](const schedule::PluginRef& plugin, const schedule::RunAs& as, plugin::SupervisorClient& client) {
        return make_supervisor(active_, plugin, as, client);
      },
      [](std::int64_t level, std::string_view text) { log(static_cast<LogLevel>(std::clamp<std::int64_t>(level, 0, 3)), text); },
      !safe_mode_.reason().empty(), {}, std::chrono::seconds(10), [this](const schedule::Entry& entry) { response_->on_result(entry); },
      [this] { return response_->take_samples(); }});
  make_response();
  remember(*store_, [this](const schedule::Remembered& known, bool is_whole) {
    not_remembered_ = !is_whole;
    if (!stopping_) response_->start([this, known] { begin(known); });
  });
  return done();
}

void Agent::make_response() {
  response_ = std::make_unique<response::Response>(
      response::Ports{loop_, *store_,
                      [this](std::string_view notifier, std::shared_ptr<const wire::Message> message,
                             std::function<void(const schedule::DeliveryEnd&)> ended) {
                        scheduler_->deliver(notifier, std::move(message), std::move(ended));
                      },
                      [](std::int64_t level, std::string_view text) { log(static_cast<LogLevel>(std::clamp<std::int64_t>(level, 0, 3)), text); },
                      [] { return wall_clock().count(); }, random_bits},
      compiled_);
}

/// The store could not be read at the start; once it is well again, what it holds is caught up with.
void Agent::remember_late() {
  if (!begun_ || stopping_ || !std::exchange(not_remembered_, false)) return;
  remember(*store_, [this](const schedule::Remembered& known, bool is_whole) {
    not_remembered_ = !is_whole;
    if (is_whole && !stopping_) scheduler_->recall_late(known);
  });
}

/// So that the store knows what has left. Where a whole file could not be read nobody knows what was in it.
void Agent::tell_configured() {
  std::vector<store::InstanceId> ids;
  for (const config::Disabled& disabled : active_.generation.disabled) {
    if (disabled.kind == "file") return;
    ids.push_back({disabled.kind, disabled.name});
  }
  for (const auto& [kind, name] : active_.idle) ids.push_back(schedule::id_of(kind, name));
  scheduler_->each([&](const schedule::Entry& entry) { ids.push_back(schedule::id_of(entry.spec)); });
  store_->mark_configured(std::move(ids), [](const Result<Unit>& marked) {
    if (!marked) log(LogLevel::warning, "what left the configuration is not marked in the store: " + marked.error().message());
  });
}

void Agent::begin(const schedule::Remembered& known) {
  const auto report = scheduler_->begin(std::move(active_.set), known);
  tell_configured();
  begun_ = true;
  clock_watch_.emplace(loop_, [this] {
    scheduler_->on_clock_set();
    response_->on_clock_set();
  });
  watch_zones();
  if (store_->health().state == store::HealthState::ok) remember_late();
  forget_reading();
  open_api();
  const std::string line = std::to_string(report.added) + " instances, " + std::to_string(active_.generation.disabled.size()) +
                           " disabled, " + std::to_string(active_.catalogue.plugins.size()) + " plugins";
  log(LogLevel::info, "ronda " RONDA_VERSION " runs: " + line);
  manager_.ready(line);
  tick_watchdog();
  safe_mode_.watch();
  if (std::exchange(reload_wanted_, false)) reload_by_signal();  // it came too early to be served
}

/// tzdata may have been replaced. Rules that cannot be read any more stay as they were: a slot is never moved to UTC.
void Agent::look_at_zones() {
  const auto found = zones_.refresh();
  if (found.kept_old != zones_kept_old_) {
    for (const std::string& name : found.kept_old)
      log(LogLevel::warning, "tzdata: " + name + " cannot be read any more; the rules known so far stay");
    zones_kept_old_ = found.kept_old;
  }
  if (found.changed.empty()) return;
  if (const auto zone = zones_.find(active_.zone->name())) active_.zone = *zone;
  const std::size_t planned = scheduler_->use_zones(active_.zone);
  std::string names;
  for (const std::string& name : found.changed) names += (names.empty() ? "" : ", ") + name;
  log(LogLevel::info, "tzdata: other rules for " + names + "; " + std::to_string(planned) + " instances are planned anew");
}

void Agent::watch_zones() {
  zone_timer_.expires_after(zone_look);
  zone_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error || stopping_) return;
    look_at_zones();
    watch_zones();
  });
}

void Agent::open_api() {
  roles_.emplace(active_, *scheduler_, pid_namespaces_);
  auto opened = api::UnixServer::open(
      loop_, options_.socket,
      [this](uid_t uid, gid_t gid, const std::vector<gid_t>& groups, pid_t pid) { return roles_->of(uid, gid, groups, pid); },
      api::make_routes(*this), [](std::string_view text) { log(LogLevel::error, text); });
  if (!opened) return log(LogLevel::error, "no API: " + opened.error().message());
  api_ = std::move(*opened);
}

void Agent::tick_watchdog() {
  const auto interval = manager_.watchdog_interval();
  if (!interval) return;
  manager_.watchdog();
  watchdog_.expires_after(*interval);
  watchdog_.async_wait([this](const boost::system::error_code& error) {
    if (!error) tick_watchdog();
  });
}

// ---- runners --------------------------------------------------------------------------------

std::unique_ptr<plugin::Supervisor> Agent::make_supervisor(const schedule::Candidate& of, const schedule::PluginRef& plugin,
                                                           const schedule::RunAs& as, plugin::SupervisorClient& client) {
  const config::AgentSettings& agent = of.generation.agent;
  const plugin::RunnerSettings settings{options_.runner,
                                        pid_namespaces_,
                                        uid_ == 0,
                                        as.user,
                                        {{"hostname", host_of(agent)},
                                         {"agent.version", RONDA_VERSION},
                                         {"agent.started_ns", std::to_string(started_)},
                                         {"language", agent.language},
                                         {"tz", agent.tz}},
                                        &*cgroups_,
                                        as.detached};
  return std::make_unique<plugin::Supervisor>(loop_, plugin::make_runner_spec(*of.catalogue.plugins.at(plugin.id), settings), client);
}

// ---- reload ---------------------------------------------------------------------------------

/// In three steps beside the event loop: the files are parsed by a throw-away process, new plugin code is tried in
/// runners of its own, then all of it takes over at once. What is asked for meanwhile waits for the next reload,
/// which serves all of them.
void Agent::reload(bool allow_empty, std::function<void(api::ReloadResult)> told) {
  if (stopping_) return told({false, "the agent is stopping", {}});
  if (trial_ != nullptr) return reloads_waiting_.push_back({allow_empty, std::move(told)});
  manager_.reloading();
  last_reload_ = monotonic();
  trial_ = std::make_unique<Trial>();
  trial_->allow_empty = allow_empty;
  trial_->told = std::move(told);
  trial_->vetting = Vetting::start(loop_, candidate_request(), {parse_deadline, vet_deadline},
                                   [this](schedule::VettedFiles files) { try_candidate(std::move(files)); });
}

void Agent::try_candidate(schedule::VettedFiles files) {
  const auto vetting = std::exchange(trial_->vetting, nullptr);  // lives until this returns
  look_at_zones();
  schedule::CandidateRequest request = candidate_request();
  request.vetted = std::move(files);
  trial_->candidate = schedule::load_candidate(request);
  trial_->files = *std::move(request.vetted);
  auto subjects = trial_->candidate.has_errors() ? std::vector<const schedule::Prepared*>() : to_be_tried(trial_->candidate);
  if (subjects.empty()) return finish_reload({});
  const auto make = [this](const schedule::PluginRef& plugin, const schedule::RunAs& as, plugin::SupervisorClient& client) {
    return make_supervisor(trial_->candidate, plugin, as, client);
  };
  trial_->prober = std::make_unique<schedule::Prober>(
      loop_, std::move(subjects), make,
      schedule::Prober::Present{
          [this](const schedule::Prepared& spec) { return scheduler_->state_from(spec); },
          [this](const schedule::Prepared& spec, const wire::Request& asked, std::function<void(std::int32_t, std::string)> reply) {
            scheduler_->answer_trial(spec, asked, std::move(reply));
          }});
  trial_->prober->start([this](schedule::Prober::Failures failures) { finish_reload(std::move(failures)); });
}

/// Instances of plugins whose code no instance uses yet: of replaced files, of new ones, and of those that lay idle.
std::vector<const schedule::Prepared*> Agent::to_be_tried(const schedule::Candidate& candidate) const {
  std::set<std::string_view> running;
  scheduler_->each([&](const schedule::Entry& entry) { running.insert(entry.spec.procedure->plugin->sha256); });
  std::vector<const schedule::Prepared*> out;
  for (const schedule::Prepared& prepared : candidate.set) {
    if (!running.contains(prepared.procedure->plugin->sha256)) out.push_back(&prepared);
  }
  return out;
}

/// New code that failed is left out: the candidate is made once more, with the code that runs now.
void Agent::finish_reload(schedule::Prober::Failures failures) {
  const auto trial = std::move(trial_);
  if (stopping_) return trial->told({false, "the agent is stopping", {}});
  if (!failures.empty()) {
    schedule::CandidateRequest request = candidate_request();
    request.unfit = std::move(failures);
    request.vetted = std::move(trial->files);
    trial->candidate = schedule::load_candidate(request);
  }
  api::ReloadResult result = take_over(std::move(trial->candidate), trial->allow_empty);
  log(result.ok ? LogLevel::info : LogLevel::error, result.line);
  manager_.ready(result.line);  // also after a refused one: the old configuration is active, not nothing
  trial->told(std::move(result));
  if (reloads_waiting_.empty()) return;
  auto waiting = std::make_shared<std::vector<WaitingReload>>(std::exchange(reloads_waiting_, {}));
  const bool all_allow_empty = std::ranges::all_of(*waiting, &WaitingReload::allow_empty);
  reload(all_allow_empty, [waiting](const api::ReloadResult& of_all) {
    for (const WaitingReload& one : *waiting) one.told(of_all);
  });
}

api::ReloadResult Agent::take_over(schedule::Candidate candidate, bool allow_empty) {
  api::ReloadResult result;
  const std::string name = "reload #" + std::to_string(++reloads_);
  for (const config::Diagnostic& diagnostic : candidate.diagnostics.all())
    result.details.push_back(config::render(diagnostic, candidate.sources));
  if (candidate.set.empty() && !allow_empty && !candidate.has_errors()) {
    config_trouble_ = "the configuration is empty; --allow-empty accepts that";
    result.line = name + ": refused, nothing changed: " + config_trouble_;
    return result;
  }
  if (candidate.has_errors()) {
    report(candidate);
    config_trouble_ = errors_text(candidate.diagnostics.errors()) + "; the old one is active";
    result.line = name + ": refused, nothing changed: " + counted(candidate.diagnostics.errors(), "error");
    return result;
  }
  std::vector<schedule::Prepared> set = std::move(candidate.set);
  active_ = std::move(candidate);
  active_.generation.number = ++generation_;
  scheduler_->use_zones(active_.zone);
  response_->use(compiled_);
  const schedule::ApplyReport applied = scheduler_->apply(std::move(set));
  if (applied.added + applied.removed > 0) tell_configured();
  forget_reading();
  stage_->prune(plugin::hashes_of(active_.catalogue));
  const std::size_t failed = active_.kept_plugins.size();
  config_trouble_ = failed == 0 ? std::string() : std::to_string(failed) + " plugins keep their old code: " + active_.kept_plugins.front();
  result.ok = failed == 0;
  result.line = name + ": " + std::to_string(applied.kept) + " kept, " + std::to_string(applied.replaced) + " replaced, " +
                std::to_string(applied.added) + " added, " + std::to_string(applied.removed) + " removed, " + std::to_string(failed) +
                " failed";
  result.details.insert(result.details.end(), active_.kept_plugins.begin(), active_.kept_plugins.end());
  result.details.insert(result.details.end(), applied.changes.begin(), applied.changes.end());
  return result;
}

/// The text of the files was needed to judge them and is many times what is kept: it goes back to the system.
void Agent::forget_reading() {
  for (auto* sources : {&active_.sources, &active_.files.sources}) {
    for (config::Source& source : *sources) std::string().swap(source.text);  // assigning nothing would keep the room
  }
  give_back_.begin();
}

/// Signals coalesce: the first reload starts at once, the next not sooner than a second after, with the last state.
void Agent::reload_by_signal() {
  if (std::exchange(reload_wanted_, true) || !begun_) return;
  const auto wait = std::max<std::chrono::nanoseconds>(last_reload_ == 0ns ? 0ns : last_reload_ + reload_pause - monotonic(), 0ns);
  reload_timer_.expires_after(std::chrono::duration_cast<asio::steady_timer::duration>(wait));
  reload_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    reload_wanted_ = false;
    reload(false, [](const api::ReloadResult&) {});
  });
}

// ---- signals and stop -----------------------------------------------------------------------

void Agent::start_signals() {
  signals_.async_wait([this](const boost::system::error_code& error, int number) {
    if (error) return;
    on_signal(number);
    start_signals();
  });
}

void Agent::on_signal(int number) {
  if (number == SIGHUP) return scheduler_ != nullptr && !stopping_ ? reload_by_signal() : void();
  if (number == SIGUSR1) return scheduler_ != nullptr ? scheduler_->run_all_now() : void();
  stop();
}

void Agent::stop() {
  if (std::exchange(stopping_, true)) return;
  if (scheduler_ == nullptr) return loop_.stop();
  bool changing = false;
  scheduler_->each([&](const schedule::Entry& entry) { changing = changing || (entry.call != 0 && may_change(entry.spec)); });
  const auto limit = changing ? active_.generation.agent.stop_timeout : std::chrono::nanoseconds(5s);
  manager_.stopping("waits for " + std::to_string(scheduler_->in_flight()) + " runs");
  manager_.extend_timeout(std::chrono::duration_cast<std::chrono::microseconds>(limit + last_wait));
  log(LogLevel::info, "stopping; " + std::to_string(scheduler_->in_flight()) + " runs in flight");
  stop_timer_.expires_after(std::chrono::duration_cast<asio::steady_timer::duration>(limit));
  stop_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) finish();
  });
  response_->stop();
  scheduler_->stop([this] { finish(); });
}

void Agent::finish() {
  if (scheduler_ != nullptr) scheduler_->kill_all();
  // who waits for a run that has ended is still told
  stop_timer_.expires_after(last_answers);
  stop_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) loop_.stop();
  });
  asio::post(loop_, [this] {  // the ends of what was killed come first
    store_->flush([this](auto) {
      if (api_ == nullptr) return loop_.stop();
      api_->close([this] { loop_.stop(); });
    });
  });
}

int Agent::run() {
  signals_.add(SIGUSR1);
  start_signals();
  settle_own_process();
  pid_namespaces_ = plugin::can_use_pid_namespace();
  if (auto opened = open_store(); !opened) {
    log(LogLevel::error, opened.error().message());
    safe_mode_.end_orderly();
    return 1;
  }
  cgroups_.emplace(loop_, plugin::CgroupOptions{.tell = [](std::string_view text) { log(LogLevel::warning, text); }});
  log(LogLevel::info, "runners are limited by " + cgroups_->text());
  stage_.emplace(options_.state_directory, uid_);
  if (!stage_->trouble().empty()) log(LogLevel::warning, stage_->trouble());
  if (auto loaded = load_first(); !loaded) {
    log(LogLevel::error, loaded.error().message());
    safe_mode_.end_orderly();
    return 1;
  }
  loop_.run();
  api_.reset();
  trial_.reset();
  clock_watch_.reset();
  response_.reset();
  scheduler_.reset();
  safe_mode_.end_orderly();  // as long as the state directory is ours
  store_->close();
  log(LogLevel::info, "stopped");
  return 0;
}

int run_agent(const AgentOptions& options) {
  start_log(LogLevel::info);
  int code = 1;
  {
    Agent agent(options);
    code = agent.run();
  }
  stop_log();
  return code;
}

}  // namespace ronda
