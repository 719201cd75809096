// SPDX-License-Identifier: Apache-2.0
#include "agent_impl.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <set>

#include "api/door.hpp"
#include "base/counted.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/text.hpp"
#include "config/parse_child.hpp"
#include "door_key.hpp"
#include "own_process.hpp"
#include "plugin/runner_spec.hpp"
#include "plugin/vet_child.hpp"
#include "remember.hpp"
#include "response/own_troubles.hpp"
#include "ronda/version.h"

namespace ronda {
using namespace std::chrono_literals;

namespace {

using response::plugin_trouble_prefix;

constexpr auto zone_look = 10min;  // at tzdata; a reload looks too
constexpr auto checks_wait = 4s;   // for runs that change nothing: who stops the agent is to wait no longer than 5 s for them
constexpr auto last_answers = 2s;  // for clients to take what they are told at the end
constexpr auto last_wait = 5s;     // for runners to be gone, once they were killed

/// What a start that goes on in spite of errors owes whoever looks: how many there are, and the first of them.
std::string trouble_of(const schedule::Candidate& candidate) {
  for (const config::Diagnostic& diagnostic : candidate.diagnostics.all()) {
    if (diagnostic.severity != config::Severity::error) continue;
    return errors_text(candidate.diagnostics.errors()) +
           "; the agent runs without what is wrong: " + config::place_and_message(diagnostic, candidate.sources);
  }
  return {};
}

}  // namespace

std::string host_of(const config::AgentSettings& agent) {
  return agent.host.empty() ? host_name() : agent.host;
}

std::string errors_text(std::size_t count) {
  return counted(count, "error") + " in the configuration";
}

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
  request.now = schedule::sys_seconds(std::chrono::floor<std::chrono::seconds>(wall_clock()));
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
    const config::Generation& generation = candidate.generation;
    compiled_ = response::compile(candidate, zones_, {host_of(generation.agent), wall_clock().count(), uid_, link_key(generation.api)});
    api::read_tokens(generation, candidate.diagnostics);
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
  recalls_ = recalls_ || not_remembered_;
  if (response_ != nullptr) response_->on_store_health(health);
  const bool has_failed = health.state == store::HealthState::failed;
  const bool is_back = std::exchange(store_has_failed_, has_failed) && !has_failed;
  if (has_failed) return;
  if (not_remembered_) return remember_late();
  if (is_back && begun_ && !stopping_) scheduler_->on_store_back();
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
  active_trouble_ = trouble_of(active_);
  hashes_before_ = plugin::hashes_of(active_.catalogue);
  generation_ = 1;
  active_.generation.number = 1;
  scheduler_ = std::make_unique<schedule::Scheduler>(schedule::SchedulerPorts{
      loop_,
      *store_,
      zones_,
      active_.zone,
      host_of(active_.generation.agent),
      schedule::sys_seconds(std::chrono::seconds(RONDA_BUILD_TIME)),
      [this](const schedule::PluginRef& plugin, const schedule::RunAs& as, plugin::SupervisorClient& client) {
        return make_supervisor(active_, plugin, as, client);
      },
      [](std::int64_t level, std::string_view text) { log(static_cast<LogLevel>(std::clamp<std::int64_t>(level, 0, 3)), text); },
      !safe_mode_.reason().empty(),
      {},
      std::chrono::seconds(10),
      [this](const schedule::Entry& entry) { response_->on_result(entry); },
      [this] { return response_->take_samples(); },
      [this](std::string_view plugin) { tell_plugin_trouble(plugin); }});
  make_response();
  remember(*store_, [this](const schedule::Remembered& known, bool is_whole) {
    not_remembered_ = !is_whole;
    if (stopping_) return;
    response_->start([this, known] {
      if (!stopping_) begin(known);
    });
  });
  return done();
}

void Agent::make_response() {
  response_ = std::make_unique<response::Response>(
      response::Ports{
          loop_, *store_,
          [this](std::string_view notifier, std::shared_ptr<const wire::Message> message,
                 std::function<void(const schedule::DeliveryEnd&)> ended) {
            scheduler_->deliver(notifier, std::move(message), std::move(ended));
          },
          [](std::int64_t level, std::string_view text) { log(static_cast<LogLevel>(std::clamp<std::int64_t>(level, 0, 3)), text); },
          [] { return wall_clock().count(); }, random_bits,
          [this](std::string_view name) {
            const schedule::Entry* task = scheduler_->find(config::Kind::task, name);
            return task != nullptr ? task : scheduler_->find(config::Kind::check, name);
          },
          [this](schedule::Kind kind, std::string_view name, std::function<void(const schedule::Entry&)> ended) {
            return scheduler_->run_now(kind, name, 0, std::move(ended));
          },
          [this] {
            tell_config_trouble();
            if (!recalls_) tell_plugin_troubles();  // else once the quarantines are known as well
          }},
      compiled_);
}

void Agent::make_sign_of_life() {
  const auto fitness = [this](const std::string& beats) {
    Fitness out;
    out.store_failed = store_->health().state == store::HealthState::failed;
    out.overdue = scheduler_->overdue();
    const auto status = response_->courier().status();
    const auto is_dead = [&](const people::Notifier& one) {
      return std::ranges::any_of(status, [&](const notify::SinkStatus& sink) { return sink.notifier == one.name && sink.is_dead; });
    };
    const auto& notifiers = response_->desk().plan().notifiers;
    const auto others = std::ranges::count_if(notifiers, [&](const people::Notifier& one) { return one.name != beats; });
    out.has_way =
        others == 0 || std::ranges::any_of(notifiers, [&](const people::Notifier& one) { return one.name != beats && !is_dead(one); });
    return out;
  };
  sign_of_life_.emplace(SignOfLife::Ports{
      loop_,
      [this](std::string_view notifier, std::shared_ptr<const wire::Message> message,
             std::function<void(const schedule::DeliveryEnd&)> ended) {
        scheduler_->deliver(notifier, std::move(message), std::move(ended));
      },
      fitness, [this](config::Level level, std::string_view text) { response_->on_own_trouble(response::heartbeat_trouble, level, text); },
      [] { return wall_clock().count(); }});
  sign_of_life_->use(active_.generation.agent, host_of(active_.generation.agent));
}

api::HeartbeatView Agent::heartbeat() const {
  if (!sign_of_life_) return {};
  const notify::Heartbeat& beat = sign_of_life_->beat();
  return {sign_of_life_->notifier(), beat.last_arrived(), beat.missed(),
          sign_of_life_->unfit().empty() ? beat.last_error() : sign_of_life_->unfit()};
}

/// The store could not be read at the start; once it is well again, what it holds is caught up with.
void Agent::remember_late() {
  if (!begun_ || stopping_ || !std::exchange(not_remembered_, false)) return;
  remember(*store_, [this](const schedule::Remembered& known, bool is_whole) {
    not_remembered_ = !is_whole;
    recalls_ = !is_whole;
    if (!is_whole || stopping_) return;
    scheduler_->recall_late(known);
    tell_plugin_troubles();
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

/// A configuration that is not what its files say is a P2 of the agent itself, until a reload takes all of them.
void Agent::tell_config_trouble() {
  const std::string trouble = config_trouble();
  const bool well = trouble.empty();
  response_->on_own_trouble(response::config_trouble, well ? config::Level::none : config::Level::p2,
                            well ? std::string("the configuration is active as it stands") : "configuration: " + trouble);
}

/// A reload that is refused mends nothing of what is active.
std::string Agent::config_trouble() const {
  const std::string calendars = calendars_.trouble();
  const std::string active = active_trouble_ + (active_trouble_.empty() || calendars.empty() ? "" : "; ") + calendars;
  return refused_trouble_ + (refused_trouble_.empty() || active.empty() ? "" : "; what is active: ") + active;
}

/// A quarantine, and a runner that cannot be killed, are a P2 of the agent's own for as long as they last.
void Agent::tell_plugin_trouble(std::string_view plugin) {
  const std::string trouble = scheduler_->trouble_of(plugin);
  const std::string name = std::string(plugin_trouble_prefix) + std::string(plugin);
  if (!trouble.empty()) return response_->on_own_trouble(name, config::Level::p2, "plugin " + std::string(plugin) + ": " + trouble);
  const std::vector<std::string> told = response_->desk().own_troubles();
  if (std::ranges::find(told, name) == told.end()) return;
  response_->on_own_trouble(name, config::Level::none, "plugin " + std::string(plugin) + " is held no more");
}

/// Also of what a life before left behind, and of plugins that are not configured any more.
void Agent::tell_plugin_troubles() {
  std::set<std::string> plugins;
  for (const auto& [id, entry] : active_.catalogue.plugins) {
    if (!scheduler_->quarantines(id).empty()) plugins.insert(id);
  }
  for (const std::string& name : response_->desk().own_troubles()) {
    if (name.starts_with(plugin_trouble_prefix)) plugins.insert(name.substr(plugin_trouble_prefix.size()));
  }
  for (const std::string& plugin : plugins) tell_plugin_trouble(plugin);
}

void Agent::begin(const schedule::Remembered& known) {
  const auto report = scheduler_->begin(std::move(active_.set), known);
  tell_configured();
  tell_config_trouble();
  tell_plugin_troubles();
  begun_ = true;
  clock_watch_.emplace(loop_, [this] {
    scheduler_->on_clock_set();
    response_->on_clock_set();
  });
  make_sign_of_life();
  watch_zones();
  watch_calendars(people::CalendarWatch::usual);
  if (store_->health().state != store::HealthState::failed) remember_late();
  forget_reading();
  open_api();
  const std::string line = std::to_string(report.added) + " instances, " + std::to_string(active_.generation.disabled.size()) +
                           " disabled, " + std::to_string(active_.catalogue.plugins.size()) + " plugins";
  log(LogLevel::info, "ronda " RONDA_VERSION " runs: " + line);
  manager_.ready(line);
  tick_watchdog();
  safe_mode_.watch();
  try_what_waits();
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
  if (response_ != nullptr) response_->use_zone(active_.zone);
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
  open_door();
}

/// Where the configuration says so, and again when it says something else. A door that cannot be opened is told, and
/// tried again by the next reload.
void Agent::open_door() {
  const std::string& wanted = active_.generation.api.listen;
  if (wanted == door_listens_) return;
  door_.reset();
  door_listens_.clear();
  if (wanted.empty()) return log(LogLevel::info, "no API on TCP any more");
  auto opened = api::TcpServer::open(loop_, wanted, api::make_door(*this, api::make_routes(*this), monotonic));
  if (!opened) return log(LogLevel::error, "no API on TCP: " + opened.error().message());
  door_ = std::move(*opened);
  door_listens_ = wanted;
  log(LogLevel::info, "the API is also on http://" + door_->address());
}

/// Empty where no door is to be opened, and where the key cannot be had: then there are no links, and all else goes on.
std::string Agent::link_key(const config::ApiSettings& api) {
  if (api.listen.empty() || api.public_url.empty() || !link_key_.empty()) return link_key_;
  auto key = read_or_make_door_key(options_.state_directory);
  if (!key) log(LogLevel::error, "no acknowledge links: " + key.error().message());
  link_key_ = key ? *std::move(key) : std::string();
  return link_key_;
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
                                        &starts_,
                                        as.detached};
  return std::make_unique<plugin::Supervisor>(loop_, plugin::make_runner_spec(*of.catalogue.plugins.at(plugin.id), settings), client);
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
  start_trial_.reset();
  bool changing = false;
  scheduler_->each([&](const schedule::Entry& entry) { changing = changing || (entry.call != 0 && schedule::may_change(entry.spec)); });
  const auto limit = changing ? active_.generation.agent.stop_timeout : std::chrono::nanoseconds(checks_wait);
  manager_.stopping("waits for " + std::to_string(scheduler_->in_flight()) + " runs");
  manager_.extend_timeout(std::chrono::duration_cast<std::chrono::microseconds>(limit + last_wait));
  log(LogLevel::info, "stopping; " + std::to_string(scheduler_->in_flight()) + " runs in flight");
  stop_timer_.expires_after(std::chrono::duration_cast<asio::steady_timer::duration>(limit));
  stop_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) finish();
  });
  if (sign_of_life_) sign_of_life_->stop();
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
      const auto close_api = [this] { api_ == nullptr ? loop_.stop() : api_->close([this] { loop_.stop(); }); };
      door_ == nullptr ? close_api() : door_->close(close_api);
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
  door_.reset();
  api_.reset();
  trial_.reset();
  start_trial_.reset();
  clock_watch_.reset();
  sign_of_life_.reset();
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
