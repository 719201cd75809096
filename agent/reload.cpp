// SPDX-License-Identifier: Apache-2.0
// Reload: from a signal or a request to another generation, or to nothing changed.
#include <algorithm>
#include <iterator>

#include "agent_impl.hpp"
#include "base/counted.hpp"
#include "base/log.hpp"
#include "config/changes.hpp"

namespace ronda {

using namespace std::chrono_literals;

namespace {

constexpr auto reload_pause = 1s;           // between two reloads asked for by signal
constexpr std::size_t changes_logged = 20;  // of one reload
constexpr std::size_t changes_told = 100;   // to who asked, of instances and of all else
constexpr std::size_t troubles_logged = 5;
constexpr std::size_t troubles_told = 100;  // to who asked, of each sort

/// What one line says of many, bounded.
std::string first_of(const std::vector<std::string>& all, std::size_t most, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < std::min(all.size(), most); ++i) out += (i == 0 ? "" : ", ") + all[i];
  return count > most ? out + " and " + std::to_string(count - most) + " more" : out;
}

/// What is wrong, then what is only odd; of more than a few of those the number, for they are there with each reload.
void tell_diagnostics(std::vector<std::string>& to, const schedule::Candidate& candidate) {
  constexpr std::size_t most_warnings = 5;
  const std::vector<config::Diagnostic>& all = candidate.diagnostics.all();
  const auto is_error = [](const config::Diagnostic& one) { return one.severity == config::Severity::error; };
  const std::size_t warnings = candidate.diagnostics.warnings();
  for (const config::Diagnostic& one : all) {
    if (is_error(one)) to.push_back(config::render(one, candidate.sources));
  }
  if (warnings > most_warnings) to.push_back(counted(warnings, "warning") + "; 'ronda validate' shows them");
  for (const config::Diagnostic& one : all) {
    if (!is_error(one) && warnings <= most_warnings) to.push_back(config::render(one, candidate.sources));
  }
}

/// The first of `all`, and how many of `count` are left out.
void tell_first(std::vector<std::string>& to, const std::vector<std::string>& all, std::size_t most, std::size_t count) {
  const std::size_t told = std::min(all.size(), most);
  to.insert(to.end(), all.begin(), all.begin() + static_cast<std::ptrdiff_t>(told));
  if (count > told) to.push_back("... and " + std::to_string(count - told) + " more");
}

}  // namespace

/// In three steps beside the event loop: the files are parsed by a throw-away process, new plugin code and instances are
/// tried in runners of their own, then all of it takes over at once. What is asked for meanwhile waits.
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
  try_instances();
}

void Agent::finish_reload() {
  const auto trial = std::move(trial_);
  if (stopping_) return trial->told({false, "the agent is stopping", {}});
  api::ReloadResult result = take_over(*trial);
  tell_config_trouble();
  log(result.ok ? LogLevel::info : LogLevel::error, result.line);
  manager_.ready(result.line);  // also after a refused one: the old configuration is active, not nothing
  trial->told(std::move(result));
  serve_waiting();
}

/// Those who say the same of an empty set are served by one reload, the others by the next: nobody's word stands for another's.
void Agent::serve_waiting() {
  if (reloads_waiting_.empty()) return;
  const bool allow_empty = reloads_waiting_.front().allow_empty;
  const auto others = std::stable_partition(reloads_waiting_.begin(), reloads_waiting_.end(),
                                            [&](const WaitingReload& one) { return one.allow_empty == allow_empty; });
  auto served =
      std::make_shared<std::vector<WaitingReload>>(std::make_move_iterator(reloads_waiting_.begin()), std::make_move_iterator(others));
  reloads_waiting_.erase(reloads_waiting_.begin(), others);
  reload(allow_empty, [served](const api::ReloadResult& of_all) {
    for (const WaitingReload& one : *served) one.told(of_all);
  });
}

api::ReloadResult Agent::take_over(Trial& trial) {
  schedule::Candidate candidate = std::move(trial.candidate);
  api::ReloadResult result;
  result.details = std::move(trial.told_of_plugins);
  const std::string name = "reload #" + std::to_string(++reloads_);
  tell_diagnostics(result.details, candidate);
  if (candidate.set.empty() && candidate.taken_back.empty() && !trial.allow_empty && !candidate.has_errors()) {
    refused_trouble_ = "the configuration is empty; --allow-empty accepts that";
    result.line = name + ": refused, nothing changed: " + refused_trouble_;
    return result;
  }
  if (candidate.has_errors()) {
    report(candidate);
    refused_trouble_ = errors_text(candidate.diagnostics.errors()) + "; the old one is active";
    result.line = name + ": refused, nothing changed: " + counted(candidate.diagnostics.errors(), "error");
    return result;
  }
  std::vector<schedule::Prepared> set = std::move(candidate.set);
  // of a file that was cut short an alert may be gone with no check
  const std::vector<std::string> others = config::changes_between(active_.generation, candidate.generation);
  active_ = std::move(candidate);
  active_.generation.number = ++generation_;
  scheduler_->use_zones(active_.zone);
  response_->use(compiled_);
  if (api_ != nullptr) open_door();
  // what it looks at may go now; and what could not be made, and has not changed, was not tried for this reload
  const bool tries_waiting = std::exchange(start_trial_, nullptr) != nullptr || !unmade_.empty();
  unmade_.clear();
  const schedule::ApplyReport applied = scheduler_->apply(std::move(set));
  if (sign_of_life_) sign_of_life_->use(active_.generation.agent, host_of(active_.generation.agent));
  if (applied.added + applied.removed > 0) tell_configured();
  tell_plugin_troubles();
  forget_reading();
  prune_stage();
  const std::size_t failed = active_.kept_plugins.size(), taken_back = active_.taken_back.size();
  refused_trouble_.clear();
  calendars_.forget();
  active_trouble_ = failed == 0 ? std::string() : std::to_string(failed) + " plugins keep their old code: " + active_.kept_plugins.front();
  if (taken_back > 0) {
    active_trouble_ += (failed == 0 ? "" : "; ") + std::string("trust.toml takes back what ") + counted(taken_back, "instance") +
                       " had: " + active_.taken_back.front();
  }
  result.ok = failed + taken_back == 0;
  result.line = name + ": " + std::to_string(applied.kept) + " kept, " + std::to_string(applied.replaced) + " replaced, " +
                std::to_string(applied.added) + " added, " + std::to_string(applied.removed) + " removed, " + std::to_string(failed) +
                " failed";
  if (taken_back > 0) result.line += "; " + counted(taken_back, "instance") + " disabled, which trust.toml does not allow any more";
  if (trial.untried > 0) result.line += "; " + counted(trial.untried, "instance") + " not tried before, the time for that was over";
  std::vector<std::string> troubles = active_.kept_plugins;
  troubles.insert(troubles.end(), active_.taken_back.begin(), active_.taken_back.end());
  std::vector<std::string>().swap(active_.taken_back);
  tell_first(result.details, troubles, troubles_told, troubles.size());
  // alerts and people first: there may be many checks, and the log has the first of all
  tell_first(result.details, others, changes_told, others.size());
  tell_first(result.details, applied.changes, changes_told, applied.replaced + applied.added + applied.removed);
  std::vector<std::string> changed = others;
  changed.insert(changed.end(), applied.changes.begin(), applied.changes.end());
  // who asked by signal reads it here or nowhere
  for (std::size_t i = 0; i < std::min(troubles.size(), troubles_logged); ++i) log(LogLevel::error, name + ": " + troubles[i]);
  const std::size_t changes = applied.replaced + applied.added + applied.removed + others.size();
  if (changes > 0) log(LogLevel::info, name + ": " + first_of(changed, changes_logged, changes));
  if (tries_waiting) try_what_waits();
  return result;
}

/// Staged code is kept as long as a runner has it mapped, and for one generation after it was in use: a debugger and a
/// back-trace want the file.
void Agent::prune_stage() {
  std::set<std::string, std::less<>> active = plugin::hashes_of(active_.catalogue), keep = active;
  keep.insert(hashes_before_.begin(), hashes_before_.end());
  for (const plugin::SupervisorStatus& status : scheduler_->plugins()) keep.insert(status.sha256);
  stage_->prune(keep);
  hashes_before_ = std::move(active);
}

/// The text of the files was needed to judge them and is many times what is kept: it goes back to the system.
void Agent::forget_reading() {
  std::vector<config::Place>().swap(active_.places);
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

}  // namespace ronda
