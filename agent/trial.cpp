// SPDX-License-Identifier: Apache-2.0
// Trying instances in throw-away runners: what a reload would take over, and after a start what does not run soon.
#include <algorithm>
#include <map>

#include "agent_impl.hpp"
#include "base/counted.hpp"
#include "base/log.hpp"

namespace ronda {

using namespace std::chrono_literals;

namespace {

constexpr auto trial_limit = 10s;           // then no more are tried
constexpr std::size_t refusals_named = 3;   // of one plugin, in one text
constexpr std::size_t refusals_told = 100;  // to who asked, and by the log

std::string first_few(const std::vector<std::string>& reasons) {
  std::string out;
  for (std::size_t i = 0; i < std::min(reasons.size(), refusals_named); ++i) out += (i == 0 ? "" : "; ") + reasons[i];
  return reasons.size() > refusals_named ? out + " and " + std::to_string(reasons.size() - refusals_named) + " more" : out;
}

std::pair<std::string, Hash128> name_and_hash(const schedule::Prepared& one) {
  return {schedule::label_of(one.kind, one.name), one.hash};
}

/// Each of these is a word of those: " state net" holds " net".
bool holds_all(std::string_view those, std::string_view these) {
  const std::string all = std::string(those) + " ";
  for (std::size_t at = 0; at < these.size();) {
    const std::size_t end = std::min(these.find(' ', at + 1), these.size());
    if (all.find(std::string(these.substr(at, end - at)) + " ") == std::string::npos) return false;
    at = end;
  }
  return true;
}

/// Made by the same code, with no more rights, of the same options: what create makes of one it made of the other. With fewer
/// it may not; but a right that is taken back is gone, whatever its instances say to that.
bool is_made_alike(const schedule::Prepared& running, const schedule::Prepared& candidate) {
  const schedule::PluginRef &before = *running.procedure->plugin, &after = *candidate.procedure->plugin;
  return before.sha256 == after.sha256 && holds_all(before.grants, after.grants) && running.procedure->name == candidate.procedure->name &&
         schedule::run_as(running) == schedule::run_as(candidate) && running.options.view() == candidate.options.view();
}

}  // namespace

std::unique_ptr<schedule::Prober> Agent::make_prober(std::vector<const schedule::Prepared*> subjects, const schedule::Candidate& of) {
  const auto make = [this, &of](const schedule::PluginRef& plugin, const schedule::RunAs& as, plugin::SupervisorClient& client) {
    return make_supervisor(of, plugin, as, client);
  };
  return std::make_unique<schedule::Prober>(
      loop_, std::move(subjects), make,
      schedule::Prober::Present{
          [this](const schedule::Prepared& spec) { return scheduler_->state_from(spec); },
          [this](const schedule::Prepared& spec, const wire::Request& asked, std::function<void(std::int32_t, std::string)> reply) {
            scheduler_->answer_trial(spec, asked, std::move(reply));
          }},
      trial_limit);
}

/// A candidate with errors is refused anyhow, and runs no code.
void Agent::try_instances() {
  auto subjects = trial_->candidate.has_errors() ? std::vector<const schedule::Prepared*>() : to_be_tried(trial_->candidate);
  if (subjects.empty()) return finish_reload();
  trial_->prober = make_prober(std::move(subjects), trial_->candidate);
  trial_->prober->start([this](const schedule::Prober::Findings& findings) { judge_trial(findings); });
}

/// Those that create would not make as what runs now was made: new ones, and those with other options, code, grants or
/// user. Another interval or limit is no other instance to its plugin.
std::vector<const schedule::Prepared*> Agent::to_be_tried(const schedule::Candidate& candidate) const {
  std::vector<const schedule::Prepared*> out;
  for (const schedule::Prepared& prepared : candidate.set) {
    const schedule::Entry* running = scheduler_->find(prepared.kind, prepared.name);
    const bool was_made = running != nullptr && !unmade_.contains(name_and_hash(running->spec));
    if (was_made && is_made_alike(running->spec, prepared)) continue;
    if (trial_->fit.contains(name_and_hash(prepared))) continue;
    out.push_back(&prepared);
  }
  return out;
}

/// New code that takes the place of code that runs, and does not work, is left out: the candidate is made once more with
/// the code that runs now, which its instances are then to fit. Any other refusal is an error of the configuration.
void Agent::judge_trial(const schedule::Prober::Findings& findings) {
  const auto prober = std::exchange(trial_->prober, nullptr);  // lives until this returns
  std::map<std::string, std::string, std::less<>> running;     // hashes by plugin id
  scheduler_->each(
      [&](const schedule::Entry& entry) { running.emplace(entry.spec.procedure->plugin->id, entry.spec.procedure->plugin->sha256); });
  schedule::Candidate& candidate = trial_->candidate;
  std::map<std::string, std::vector<std::string>> unfit;  // by hash: instances and why
  for (const schedule::Prober::Failure& failure : findings.failures) {
    const schedule::PluginRef& plugin = *failure.subject->procedure->plugin;
    const config::Diagnostic error{config::Severity::error, candidate.place_of(*failure.subject), failure.text(), {}};
    const auto in_use = running.find(plugin.id);
    if (in_use == running.end() || in_use->second == plugin.sha256) {
      candidate.diagnostics.add(error);
      continue;
    }
    unfit[plugin.sha256].push_back(failure.subject->name + ": " + failure.why);
    if (trial_->told_of_plugins.size() < refusals_told) trial_->told_of_plugins.push_back(config::render(error, candidate.sources));
  }
  candidate.diagnostics.sort();
  trial_->untried = findings.untried;
  if (unfit.empty() || candidate.has_errors()) return finish_reload();
  for (const schedule::Prepared* tried : findings.tried) trial_->fit.insert(name_and_hash(*tried));  // what failed is in no candidate again
  for (const auto& [hash, reasons] : unfit) trial_->unfit[hash] = first_few(reasons);
  schedule::CandidateRequest request = candidate_request();
  request.unfit = trial_->unfit;
  request.vetted = trial_->files;
  candidate = schedule::load_candidate(request);
  trial_->untried = 0;
  try_instances();
}

/// Beside what runs already. A check with an interval tells by its first result whether it can be made; a notifier, a task
/// or what waits for its hour would tell when it is needed.
void Agent::try_what_waits() {
  if (!safe_mode_.reason().empty()) return;
  std::vector<const schedule::Prepared*> subjects;
  scheduler_->each([&](const schedule::Entry& entry) {
    if (entry.spec.kind != schedule::Kind::check || entry.spec.when.every == 0ns) subjects.push_back(&entry.spec);
  });
  if (subjects.empty()) return;
  start_trial_ = make_prober(std::move(subjects), active_);
  start_trial_->start([this](const schedule::Prober::Findings& findings) {
    const auto prober = std::exchange(start_trial_, nullptr);  // lives until this returns
    if (findings.untried > 0 && !stopping_)
      log(LogLevel::warning, counted(findings.untried, "instance") + " not tried after the start, the time for that was over");
    tell_unmade(findings.failures);
  });
}

/// They stay in the set and are tried whenever they are used: what they need may come later.
void Agent::tell_unmade(const std::vector<schedule::Prober::Failure>& failures) {
  if (failures.empty() || stopping_) return;
  for (std::size_t i = 0; i < failures.size(); ++i) {
    unmade_.insert(name_and_hash(*failures[i].subject));
    if (i < refusals_told) log(LogLevel::error, failures[i].text());
  }
  active_trouble_ += (active_trouble_.empty() ? "" : "; ") + counted(failures.size(), "instance") +
                     " cannot be made; the first: " + failures.front().text();
  tell_config_trouble();
}

}  // namespace ronda
