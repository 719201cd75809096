// SPDX-License-Identifier: Apache-2.0
#include "agent.hpp"

#include <grp.h>
#include <malloc.h>
#include <pwd.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <optional>

#include "api/routes.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/service_manager.hpp"
#include "base/text.hpp"
#include "config/parse_child.hpp"
#include "plugin/runner_process.hpp"
#include "plugin/stage.hpp"
#include "ronda/version.h"
#include "schedule/scheduler.hpp"
#include "vetting.hpp"

namespace ronda {
namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t runner_base_memory = std::int64_t{64} << 20;
constexpr std::int64_t runner_base_fds = 64;
constexpr std::int64_t runner_base_pids = 16;
constexpr auto reload_pause = 1s;           // between two reloads asked for by signal
constexpr auto parse_deadline = 15000ms;
constexpr auto last_wait = 5s;              // for runners to be gone, once they were killed

std::string host_name() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
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
  void apply_first();
  void begin(const schedule::Remembered& known);
  void open_api();
  schedule::CandidateRequest candidate_request();
  void report(const schedule::Candidate& candidate) const;
  void start_signals();
  void on_signal(int number);
  void tick_watchdog();

  // reload
  void reload(bool allow_empty, std::function<void(api::ReloadResult)> told) override;
  void reload_by_signal();
  void finish_reload(bool allow_empty, schedule::VettedFiles files, const std::function<void(api::ReloadResult)>& told);
  api::ReloadResult take_over(schedule::Candidate candidate, bool allow_empty);
  void forget_reading();

  // runners
  std::unique_ptr<plugin::Supervisor> make_supervisor(const schedule::PluginRef& plugin, const std::string& user, plugin::SupervisorClient& client);
  api::Role role_of(uid_t uid, gid_t gid, const std::vector<gid_t>& groups, pid_t pid) const;

  // stop
  void stop();
  void finish();

  // AgentView
  const schedule::Scheduler& scheduler() const override { return *scheduler_; }
  schedule::Scheduler& scheduler() override { return *scheduler_; }
  store::Store& store() override { return *store_; }
  const schedule::Candidate& active() const override { return active_; }
  std::uint64_t generation() const override { return generation_; }
  std::int64_t started_wall_ns() const override { return started_; }
  std::string config_trouble() const override { return config_trouble_; }
  bool safe_mode() const override { return options_.safe_mode; }

  const AgentOptions options_;
  const std::int64_t started_ = wall_clock().count();
  const uid_t uid_ = ::geteuid();
  bool pid_namespaces_ = false;
  ServiceManager manager_ = ServiceManager::from_environment();
  asio::io_context loop_{1};
  asio::signal_set signals_{loop_, SIGHUP, SIGTERM, SIGINT};
  asio::steady_timer watchdog_{loop_}, stop_timer_{loop_}, reload_timer_{loop_};
  schedule::ZoneDatabase zones_;
  std::optional<plugin::Stage> stage_;
  plugin::HostLibraries libraries_{plugin::system_library_directories()};
  std::unique_ptr<store::Store> store_;
  schedule::Candidate active_;
  std::uint64_t generation_ = 0, reloads_ = 0;
  std::string config_trouble_;
  std::unique_ptr<schedule::Scheduler> scheduler_;
  std::unique_ptr<api::UnixServer> api_;
  std::shared_ptr<Vetting> vetting_;  // of the reload that is under way
  std::deque<std::pair<bool, std::function<void(api::ReloadResult)>>> reloads_waiting_;  // allow_empty, told
  bool reload_wanted_ = false, stopping_ = false;
  std::chrono::nanoseconds last_reload_{0};
  int exit_code_ = 0;
};

Agent::Agent(const AgentOptions& options) : options_(options) {}

// ---- start ----------------------------------------------------------------------------------

schedule::CandidateRequest Agent::candidate_request() {
  schedule::CandidateRequest request;
  request.config_directory = options_.config_directory;
  // safe mode: what was added to this host stays out
  request.plugin_directories = options_.safe_mode ? std::vector<std::string>{options_.system_plugin_directory} : options_.plugin_directories;
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
  return request;
}

void Agent::report(const schedule::Candidate& candidate) const {
  for (const config::Diagnostic& diagnostic : candidate.diagnostics.all()) {
    if (diagnostic.severity == config::Severity::error) log(LogLevel::error, config::headline(diagnostic, candidate.sources));
  }
  const std::size_t warnings = candidate.diagnostics.warnings();
  if (warnings > 0) log(LogLevel::warning, "the configuration has " + std::to_string(warnings) + " warnings; 'ronda validate' shows them");
  for (const plugin::RefusedFile& refused : candidate.catalogue.refused) log(LogLevel::error, "plugin " + refused.path + " is refused: " + refused.refusal.text());
}

Status Agent::open_store() {
  store::Options options;
  options.directory = options_.state_directory;
  options.post = [this](std::function<void()> work) { asio::post(loop_, std::move(work)); };
  options.wall_ns = [] { return wall_clock().count(); };
  options.mono_ns = [] { return monotonic().count(); };
  options.on_health = [](const store::Health& health) {
    if (health.state == store::HealthState::ok) log(LogLevel::info, "the store is well");
    else log(LogLevel::error, "the store is not well: " + health.reason);
  };
  RONDA_TRY(store_, store::Store::open(std::move(options)));
  for (const std::string& notice : store_->report().notices) log(LogLevel::warning, notice);
  return done();
}

Status Agent::load_first() {
  active_ = schedule::load_candidate(candidate_request());
  report(active_);
  if (active_.has_errors() && active_.generation.agent.strict) {
    return Error(Errc::invalid, "[agent] strict: the configuration has " + std::to_string(active_.diagnostics.errors()) + " errors");
  }
  generation_ = 1;
  active_.generation.number = 1;
  const std::string host = active_.generation.agent.host.empty() ? host_name() : active_.generation.agent.host;
  scheduler_ = std::make_unique<schedule::Scheduler>(schedule::SchedulerPorts{
      loop_, *store_, zones_, active_.zone, host, schedule::sys_seconds(std::chrono::seconds(RONDA_BUILD_TIME)),
      [this](const schedule::PluginRef& plugin, const std::string& user, plugin::SupervisorClient& client) { return make_supervisor(plugin, user, client); },
      [](std::int64_t level, std::string_view text) { log(static_cast<LogLevel>(std::clamp<std::int64_t>(level, 0, 3)), text); },
      options_.safe_mode});
  apply_first();
  return done();
}

/// What the store remembers comes in pieces, each by the loop; the first set begins when all are there.
void Agent::apply_first() {
  auto known = std::make_shared<schedule::Remembered>();
  const auto part = [known]<class T>(std::vector<T> schedule::Remembered::* member, std::function<void()> next) {
    return [known, member, next = std::move(next)](Result<std::vector<T>> loaded) {
      if (loaded) (*known).*member = std::move(*loaded);
      else log(LogLevel::error, "not remembered: " + loaded.error().message());
      if (next) next();
    };
  };
  store_->load_instances(part(&schedule::Remembered::states, nullptr));
  store_->load_last_slots(part(&schedule::Remembered::last_slots, nullptr));
  store_->load_started_slots(part(&schedule::Remembered::started_slots, nullptr));
  store_->load_inbox_owners(part(&schedule::Remembered::inbox_owners, nullptr));
  store_->load_quarantines(part(&schedule::Remembered::quarantines, [this, known] { begin(*known); }));
}

void Agent::begin(const schedule::Remembered& known) {
  const auto report = scheduler_->begin(std::move(active_.set), known);
  forget_reading();
  open_api();
  const std::string line = std::to_string(report.added) + " instances, " + std::to_string(active_.generation.disabled.size()) + " disabled, " +
                           std::to_string(active_.catalogue.plugins.size()) + " plugins";
  log(LogLevel::info, "ronda " RONDA_VERSION " runs: " + line);
  manager_.ready(line);
  tick_watchdog();
}

void Agent::open_api() {
  auto opened = api::UnixServer::open(
      loop_, options_.socket, [this](uid_t uid, gid_t gid, const std::vector<gid_t>& groups, pid_t pid) { return role_of(uid, gid, groups, pid); },
      api::make_routes(*this));
  if (!opened) return log(LogLevel::error, "no API: " + opened.error().message());
  api_ = std::move(*opened);
}

/// root, the agent's own user and group ronda operate; what runs inside a runner has no say at all.
api::Role Agent::role_of(uid_t uid, gid_t gid, const std::vector<gid_t>& groups, pid_t pid) const {
  std::array<char, 64> theirs{}, ours{};
  const std::string path = "/proc/" + std::to_string(pid) + "/ns/pid";
  const bool readable = ::readlink(path.c_str(), theirs.data(), theirs.size() - 1) > 0 && ::readlink("/proc/self/ns/pid", ours.data(), ours.size() - 1) > 0;
  if (pid_namespaces_ && readable && std::string_view(theirs.data()) != ours.data()) return api::Role::none;
  if (uid == 0 || uid == uid_) return api::Role::operator_;
  const group* ronda = ::getgrnam("ronda");
  const bool member = ronda != nullptr && (gid == ronda->gr_gid || std::ranges::find(groups, ronda->gr_gid) != groups.end());
  if (member) return api::Role::operator_;
  return active_.generation.api.others_may_view ? api::Role::viewer : api::Role::none;
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

std::unique_ptr<plugin::Supervisor> Agent::make_supervisor(const schedule::PluginRef& plugin, const std::string& user, plugin::SupervisorClient& client) {
  const plugin::PluginEntry& entry = *active_.catalogue.plugins.at(plugin.id);
  plugin::RunnerSpec spec;
  spec.runner_path = options_.runner;
  spec.plugin_id = plugin.id;
  spec.sha256 = plugin.sha256;
  spec.plugin_fd = Descriptor(::dup(entry.staged->file.get()));
  spec.pid_namespace = pid_namespaces_;
  wire::Setup& setup = spec.setup;
  setup.build = RONDA_BUILD;
  setup.plugin_id = plugin.id;
  setup.sha256 = plugin.sha256;
  setup.exec_path = entry.staged->path;
  const std::int64_t calls = entry.manifest.max_concurrency;
  setup.concurrency = calls;
  setup.memory_bytes = runner_base_memory + entry.manifest.limits.memory * calls;
  setup.fds = runner_base_fds + entry.manifest.limits.fds * calls;
  setup.pids = runner_base_pids + (entry.manifest.limits.pids + 1) * calls;
  if (uid_ == 0) {
    const passwd* account = ::getpwnam(user.empty() ? "_ronda-run" : user.c_str());
    setup.uid = account == nullptr ? 65534 : account->pw_uid;
    setup.gid = account == nullptr ? 65534 : account->pw_gid;
  }
  for (const plugin::Grant grant : entry.grants) {
    setup.grants.emplace_back(plugin::to_string(grant));
    if (grant == plugin::Grant::setuid) setup.no_new_privs = false;
  }
  for (const plugin::Procedure& procedure : entry.manifest.provides) {
    const auto kind = static_cast<wire::Kind>(procedure.kind);
    if (procedure.kind != plugin::Kind::unknown && std::ranges::find(setup.kinds, kind) == setup.kinds.end()) setup.kinds.push_back(kind);
  }
  const config::AgentSettings& agent = active_.generation.agent;
  setup.facts = {{"hostname", agent.host.empty() ? host_name() : agent.host}, {"agent.version", RONDA_VERSION}, {"language", agent.language}, {"tz", agent.tz}};
  return std::make_unique<plugin::Supervisor>(loop_, std::move(spec), client);
}

// ---- reload ---------------------------------------------------------------------------------

void Agent::reload(bool allow_empty, std::function<void(api::ReloadResult)> told) {
  if (stopping_) return told({false, "the agent is stopping", {}});
  if (vetting_ != nullptr) return reloads_waiting_.emplace_back(allow_empty, std::move(told)), void();
  manager_.reloading();
  last_reload_ = monotonic();
  vetting_ = Vetting::start(loop_, candidate_request(), parse_deadline, [this, allow_empty, told = std::move(told)](schedule::VettedFiles files) {
    const auto vetting = std::exchange(vetting_, nullptr);  // lives until this returns
    finish_reload(allow_empty, std::move(files), told);
    if (reloads_waiting_.empty()) return;
    auto [next_allow_empty, next_told] = std::move(reloads_waiting_.front());
    reloads_waiting_.pop_front();
    reload(next_allow_empty, std::move(next_told));
  });
}

void Agent::finish_reload(bool allow_empty, schedule::VettedFiles files, const std::function<void(api::ReloadResult)>& told) {
  if (stopping_) return told({false, "the agent is stopping", {}});
  schedule::CandidateRequest request = candidate_request();
  request.vetted = std::move(files);
  api::ReloadResult result = take_over(schedule::load_candidate(request), allow_empty);
  log(result.ok ? LogLevel::info : LogLevel::error, result.line);
  manager_.ready(result.line);  // also after a refused one: the old configuration is active, not nothing
  told(std::move(result));
}

api::ReloadResult Agent::take_over(schedule::Candidate candidate, bool allow_empty) {
  api::ReloadResult result;
  const std::string name = "reload #" + std::to_string(++reloads_);
  for (const config::Diagnostic& diagnostic : candidate.diagnostics.all()) result.details.push_back(config::render(diagnostic, candidate.sources));
  if (candidate.set.empty() && !allow_empty && !candidate.has_errors()) {
    config_trouble_ = "the configuration is empty; --allow-empty accepts that";
    result.line = name + ": refused, nothing changed: " + config_trouble_;
    return result;
  }
  if (candidate.has_errors()) {
    report(candidate);
    config_trouble_ = std::to_string(candidate.diagnostics.errors()) + " errors in the configuration; the old one is active";
    result.line = name + ": refused, nothing changed: " + std::to_string(candidate.diagnostics.errors()) + " errors";
    return result;
  }
  std::vector<schedule::Prepared> set = std::move(candidate.set);
  active_ = std::move(candidate);
  active_.generation.number = ++generation_;
  const schedule::ApplyReport applied = scheduler_->apply(std::move(set));
  forget_reading();
  stage_->prune(plugin::hashes_of(active_.catalogue));
  const std::size_t failed = active_.kept_plugins.size();
  config_trouble_ = failed == 0 ? std::string() : std::to_string(failed) + " plugins keep their old code: " + active_.kept_plugins.front();
  result.ok = failed == 0;
  result.line = name + ": " + std::to_string(applied.kept) + " kept, " + std::to_string(applied.replaced) + " replaced, " + std::to_string(applied.added) +
                " added, " + std::to_string(applied.removed) + " removed, " + std::to_string(failed) + " failed";
  result.details.insert(result.details.end(), active_.kept_plugins.begin(), active_.kept_plugins.end());
  result.details.insert(result.details.end(), applied.changes.begin(), applied.changes.end());
  return result;
}

/// The text of the files was needed to judge them and is many times what is kept: it goes back to the system.
void Agent::forget_reading() {
  for (auto* sources : {&active_.sources, &active_.files.sources}) {
    for (config::Source& source : *sources) source.text = {};
  }
  ::malloc_trim(0);
}

/// Signals coalesce: the first reload starts at once, the next not sooner than a second after, with the last state.
void Agent::reload_by_signal() {
  if (std::exchange(reload_wanted_, true)) return;
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
  scheduler_->each([&](const schedule::Entry& entry) { changing = changing || (entry.call != 0 && entry.spec.kind == config::Kind::task); });
  const auto limit = changing ? active_.generation.agent.stop_timeout : std::chrono::nanoseconds(5s);
  manager_.stopping("waits for " + std::to_string(scheduler_->in_flight()) + " runs");
  manager_.extend_timeout(std::chrono::duration_cast<std::chrono::microseconds>(limit + last_wait));
  log(LogLevel::info, "stopping; " + std::to_string(scheduler_->in_flight()) + " runs in flight");
  stop_timer_.expires_after(std::chrono::duration_cast<asio::steady_timer::duration>(limit));
  stop_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) finish();
  });
  scheduler_->stop([this] { finish(); });
}

void Agent::finish() {
  stop_timer_.cancel();
  if (api_ != nullptr) api_->close();
  if (scheduler_ != nullptr) scheduler_->kill_all();
  store_->flush([this](auto) { loop_.stop(); });
}

int Agent::run() {
  signals_.add(SIGUSR1);
  start_signals();
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);
  ::umask(077);
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = std::min<rlim_t>(files.rlim_max, 8192);
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
  pid_namespaces_ = plugin::can_use_pid_namespace();
  if (auto opened = open_store(); !opened) {
    log(LogLevel::error, opened.error().message());
    return 1;
  }
  stage_.emplace(options_.state_directory, uid_);
  if (!stage_->trouble().empty()) log(LogLevel::warning, stage_->trouble());
  if (auto loaded = load_first(); !loaded) {
    log(LogLevel::error, loaded.error().message());
    return 1;
  }
  loop_.run();
  api_.reset();
  scheduler_.reset();
  store_->close();
  log(LogLevel::info, "stopped");
  return exit_code_;
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
