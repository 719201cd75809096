// SPDX-License-Identifier: Apache-2.0
#include "schedule/candidate.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "base/text.hpp"
#include "config/build.hpp"
#include "config/example_names.hpp"
#include "config/task_prefix.hpp"
#include "config/unread_name.hpp"
#include "plugin/encode_options.hpp"
#include "plugin/grade.hpp"
#include "plugin/runner_spec.hpp"
#include "plugin/schema.hpp"
#include "schedule/preview.hpp"
#include "schedule/unsound.hpp"

namespace ronda::schedule {
namespace {

using namespace std::chrono_literals;

constexpr Nanos default_timeout = 30s;
constexpr Nanos default_notifier_timeout = 20s;  // others wait for who does not answer
constexpr std::size_t largest_set = 1U << 24;  // positions that fit a call id

/// Makes the instances of one generation ready.
class Preparer {
 public:
  /// Without trust, who may do what is not known.
  Preparer(const CandidateRequest& request, Candidate& candidate, bool is_trusted)
      : request_(request), candidate_(candidate), is_trusted_(is_trusted) {
    judges_.calendar = [this](std::string_view text) { return judge(parse_calendar(text, *request_.zones, candidate_.zone)); };
    judges_.cron = [this](std::string_view text) { return judge(parse_cron(text, candidate_.zone)); };
  }

  void prepare(config::Instance& instance);
  /// For an instance that cannot be allowed anything, for a reason that is told once: disabled, and judged all the same.
  void withhold(const config::Instance& instance, std::string reason);
  /// What else is wrong with an instance that is disabled already: everything is told in one pass.
  void judge_rest(const config::Instance& instance);

 private:
  struct Refusal {
    config::Place place;
    std::string reason;
    bool is_of_trust = false;    // trust.toml does not allow it
    bool is_taken_back = false;  // and did before
  };
  static Result<Unit> judge(Result<Calendar> parsed) {
    if (!parsed) return std::move(parsed).error();
    return done();
  }

  std::shared_ptr<const ProcedureRef> procedure_of(const plugin::Catalogue::Found& found);
  std::optional<When> when_of(const config::Instance& instance);
  std::optional<std::shared_ptr<const Calendar>> calendar_of(const config::Rare& rare);
  void take_back(const config::Instance& instance, const std::string& reason);
  const plugin::PluginEntry* entry_before(std::string_view id) const;
  std::string why_taken_back(const config::Instance& instance) const;
  void judge_idle_zone(const config::Rare& rare);
  void warn_of_idle_keys(const config::Instance& instance);
  bool judge_limits(const config::Instance& instance, const plugin::Procedure& procedure);
  bool user_allowed(const config::Instance& instance, const plugin::PluginEntry& plugin);
  std::vector<Refusal> refusals_of(const config::Instance& instance, const plugin::PluginEntry* plugin);
  std::optional<plugin::Catalogue::Found> find_procedure(const config::Instance& instance) const;
  bool is_withheld(const config::Instance& instance) const;
  bool is_withheld_by_trust(const config::Instance& instance) const;
  void tell_refusal(const config::Instance& instance, Refusal refusal);
  Refusal missing(const config::Instance& instance) const;
  static std::string why_not_detached(const plugin::PluginEntry& plugin);

  const CandidateRequest& request_;
  Candidate& candidate_;
  bool is_trusted_;
  plugin::TextJudges judges_;
  std::map<std::string, std::shared_ptr<const PluginRef>> plugins_;
  std::map<std::pair<std::string, int>, std::shared_ptr<const ProcedureRef>> procedures_;
  std::map<std::string, std::shared_ptr<const Calendar>> calendars_;  // the same expression is parsed once
};

/// What trust.toml does not give any more is gone with this generation: an error would refuse the reload and leave it.
void Preparer::take_back(const config::Instance& instance, const std::string& reason) {
  const config::Diagnostic told{
      config::Severity::error, instance.place, label_of(instance.kind, instance.name) + " is disabled: " + reason, {}};
  candidate_.taken_back.push_back(config::place_and_message(told, candidate_.sources));
  candidate_.generation.disabled.push_back(
      {std::string(config::kind_name(instance.kind)), instance.name, instance.place, "trust.toml takes back what it gave: " + reason});
  if (find_procedure(instance)) judge_rest(instance);  // of what is not there nothing is asked
}

/// As the generation that is active knows it; null: it does not.
const plugin::PluginEntry* Preparer::entry_before(std::string_view id) const {
  if (request_.previous == nullptr) return nullptr;
  const auto found = request_.previous->plugins.find(id);
  return found == request_.previous->plugins.end() ? nullptr : found->second.get();
}

/// Of one whose plugin nobody provides any more: empty unless trust.toml is why.
std::string Preparer::why_taken_back(const config::Instance& instance) const {
  for (const auto& [id, why] : candidate_.untrusted) {
    const auto provides = [&](const plugin::Procedure& one) {
      return one.kind == static_cast<plugin::Kind>(instance.kind) && one.name == instance.use;
    };
    if (std::ranges::any_of(entry_before(id)->manifest.provides, provides)) return "plugin " + id + ": " + why;
  }
  return {};
}

std::shared_ptr<const ProcedureRef> Preparer::procedure_of(const plugin::Catalogue::Found& found) {
  const plugin::PluginEntry& entry = *found.plugin;
  auto& known = procedures_[{found.procedure->name, static_cast<int>(found.procedure->kind)}];
  if (known != nullptr) return known;
  auto& plugin = plugins_[entry.manifest.id];
  if (plugin == nullptr) {
    const bool spawns = std::ranges::find(entry.grants, plugin::Grant::exec) != entry.grants.end();
    const bool connects = std::ranges::find(entry.grants, plugin::Grant::net) != entry.grants.end();
    const bool stateful = std::ranges::find(entry.grants, plugin::Grant::state) != entry.grants.end();
    std::string grants;
    for (const plugin::Grant grant : entry.grants) grants += " " + std::string(plugin::to_string(grant));
    plugin = std::make_shared<PluginRef>(PluginRef{entry.manifest.id, entry.manifest.version, entry.sha256, entry.manifest.state_version,
                                                   entry.manifest.max_concurrency, spawns, stateful, std::move(grants), connects});
  }
  known = std::make_shared<ProcedureRef>(ProcedureRef{found.procedure->name, static_cast<Kind>(found.procedure->kind), plugin,
                                                      found.procedure->locks, found.procedure->messages});
  return known;
}

std::optional<std::shared_ptr<const Calendar>> Preparer::calendar_of(const config::Rare& rare) {
  const bool cron = !rare.cron.empty();
  const std::string key = (cron ? "cron " + rare.cron : "at " + rare.at) + "\n" + rare.tz;
  if (const auto known = calendars_.find(key); known != calendars_.end()) return known->second;
  ZonePtr zone = candidate_.zone;
  bool has_zone = true;
  if (!rare.tz.empty()) {
    auto named = request_.zones->find(rare.tz);
    has_zone = named.has_value();
    if (!named) candidate_.diagnostics.error(rare.tz_place, named.error().message());
    if (named) zone = *named;
  }
  auto parsed = cron ? parse_cron(rare.cron, zone) : parse_calendar(rare.at, *request_.zones, zone);
  if (!parsed) {
    candidate_.diagnostics.error(rare.when_place, parsed.error().message());
    return {};
  }
  if (!has_zone) return {};
  // never UTC silently: a zone that is named, in `tz` or in the expression, is another matter
  if (rare.tz.empty() && !candidate_.zone_trouble.empty() && parsed->zone() == candidate_.zone && !rare.at.ends_with(" UTC"))
    candidate_.diagnostics.warning(rare.when_place, candidate_.zone_trouble + "; until then this is UTC");
  if (!rare.tz.empty() && !rare.usual_tz && parsed->zone() != zone)
    candidate_.diagnostics.warning(rare.tz_place, "`tz` has no effect: `at` names its own zone");
  // that both days are set is said of the key itself, and such a date always comes
  if (cron && parsed->possible()) return calendars_[key] = std::make_shared<const Calendar>(std::move(*parsed));
  for (const std::string& warning : parsed->warnings()) candidate_.diagnostics.warning(rare.when_place, warning);
  if (const std::string over = why_over(*parsed, request_.now); !over.empty()) candidate_.diagnostics.warning(rare.when_place, over);
  return calendars_[key] = std::make_shared<const Calendar>(std::move(*parsed));
}

/// Of an instance whose `at` or `cron` is wrong, so that no calendar asks for it.
void Preparer::judge_idle_zone(const config::Rare& rare) {
  if (rare.tz.empty() || !rare.at.empty() || !rare.cron.empty()) return;
  if (rare.when_place.line == 0) return;  // without at and cron a zone is idle, and warned of
  const auto zone = request_.zones->find(rare.tz);
  if (!zone) candidate_.diagnostics.error(rare.tz_place, zone.error().message());
}

std::optional<When> Preparer::when_of(const config::Instance& instance) {
  When when;
  if (instance.every) when.every = *instance.every;
  const config::Rare& rare = instance.rare();
  if (rare.at.empty() && rare.cron.empty()) return when;
  auto calendar = calendar_of(rare);
  if (!calendar) return {};
  when.calendar = std::move(*calendar);
  return when;
}

/// Keys that are read but not acted on yet: silence would be a promise.
void Preparer::warn_of_idle_keys(const config::Instance& instance) {
  const auto warn = [&](bool is_set, std::string_view key) {
    if (is_set) candidate_.diagnostics.warning(instance.place, "`" + std::string(key) + "` has no effect in this version");
  };
  if (!instance.has_rare()) return;
  const config::Rare& rare = instance.rare();
  const bool is_notifier = instance.kind == Kind::notifier;
  warn(rare.retry.times > 0 && is_notifier, "retry");
  warn(rare.overlap == config::Overlap::kill || (rare.overlap != config::Overlap::skip && is_notifier), "overlap");
  warn(!rare.reporters.empty() && instance.kind != Kind::check, "reporters");
  warn(!rare.runbook.empty(), "runbook");
  warn(rare.changes.has_value() && instance.kind != Kind::task, "changes");
  warn(rare.fleet, "scope");
  warn(!rare.windows.empty(), "window");
  warn(rare.params.as_table() != nullptr, "params");
}

bool Preparer::user_allowed(const config::Instance& instance, const plugin::PluginEntry& plugin) {
  const std::string& user = instance.rare().user;
  return user.empty() || std::ranges::find(plugin.users, user) != plugin.users.end();
}

/// Why no instance of this plugin may be detached, with the remedy; empty: it may.
std::string Preparer::why_not_detached(const plugin::PluginEntry& plugin) {
  const std::string& id = plugin.manifest.id;
  const auto has = [](const std::vector<plugin::Grant>& grants) {
    return std::ranges::find(grants, plugin::Grant::detached) != grants.end();
  };
  if (has(plugin.grants)) return {};
  if (!has(plugin.manifest.needs))
    return "`detached = true` cannot be granted to plugin " + id + ": its manifest does not list it in needs; remove the key";
  std::string grants;
  for (const plugin::Grant grant : plugin.grants) grants += "\"" + std::string(plugin::to_string(grant)) + "\", ";
  return "`detached = true` is not granted to plugin " + id + "; write grants = [" + grants + "\"detached\"] below [plugin.\"" + id +
         "\"] in trust.toml";
}

/// Of a metric that the manifest declares the unit is known before it comes; where it may bring others, their names are not.
bool Preparer::judge_limits(const config::Instance& instance, const plugin::Procedure& procedure) {
  const std::size_t errors = candidate_.diagnostics.errors();
  const config::Judgement& limits = instance.judgement();
  for (const std::vector<config::Limit>* side : {&limits.warn, &limits.crit}) {
    for (const config::Limit& limit : *side) {
      const std::string why = plugin::why_never_comparable(limit, procedure.metrics);
      if (!why.empty()) candidate_.diagnostics.error(limit.place, why);
      const bool known = std::ranges::find(procedure.metrics, limit.metric, &plugin::MetricDeclaration::name) != procedure.metrics.end();
      if (known || procedure.open_metrics || procedure.metrics.empty()) continue;
      std::vector<std::string_view> names;
      for (const plugin::MetricDeclaration& one : procedure.metrics) names.push_back(one.name);
      const std::string_view near = nearest(limit.metric, names);
      candidate_.diagnostics.warning(limit.place, "'" + procedure.name + "' declares no metric `" + limit.metric + "`" +
                                                      (near.empty() ? "" : "; did you mean `" + std::string(near) + "`?"));
    }
  }
  return candidate_.diagnostics.errors() == errors;
}

/// What this instance may not do; `plugin` is null where none is known.
std::vector<Preparer::Refusal> Preparer::refusals_of(const config::Instance& instance, const plugin::PluginEntry* plugin) {
  std::vector<Refusal> out;
  if (!is_trusted_) return out;
  const std::string& user = instance.rare().user;
  const plugin::PluginEntry* before = plugin == nullptr ? nullptr : entry_before(plugin->manifest.id);
  if (plugin != nullptr && !user_allowed(instance, *plugin)) {
    out.push_back({instance.place,
                   "user \"" + user + "\" is not allowed for plugin " + plugin->manifest.id + "; add it to users of [plugin.\"" +
                       plugin->manifest.id + "\"] in trust.toml",
                   true, before != nullptr && user_allowed(instance, *before)});
  } else if (request_.uid == 0 && !user.empty() && !plugin::has_user(user)) {
    out.push_back({instance.place, "there is no user \"" + user + "\" on this host"});
  }
  if (plugin == nullptr || !instance.rare().detached) return out;
  std::string why = why_not_detached(*plugin);
  if (why.empty()) return out;
  const bool could_be_granted = std::ranges::find(plugin->manifest.needs, plugin::Grant::detached) != plugin->manifest.needs.end();
  const bool is_taken_back = before != nullptr && why_not_detached(*before).empty();
  out.push_back({instance.rare().detached_place, std::move(why), could_be_granted || is_taken_back, is_taken_back});
  return out;
}

std::optional<plugin::Catalogue::Found> Preparer::find_procedure(const config::Instance& instance) const {
  if (instance.use.empty()) return {};
  const auto found = candidate_.catalogue.find(static_cast<plugin::Kind>(instance.kind), instance.use);
  return found ? std::optional(*found) : std::nullopt;
}

/// A plugin provides it, and policy does not let that run.
bool Preparer::is_withheld(const config::Instance& instance) const {
  return std::ranges::any_of(candidate_.catalogue.refused, [&](const plugin::RefusedFile& file) {
    return file.refusal.step == plugin::LoadStep::policy && std::ranges::find(file.procedures, instance.use) != file.procedures.end();
  });
}

/// The same, and it is trust.toml that does not.
bool Preparer::is_withheld_by_trust(const config::Instance& instance) const {
  using enum plugin::LoadReason;
  return std::ranges::any_of(candidate_.catalogue.refused, [&](const plugin::RefusedFile& file) {
    const plugin::LoadReason why = file.refusal.reason;
    return (why == not_pinned || why == wrong_hash || why == grant_refused) &&
           std::ranges::find(file.procedures, instance.use) != file.procedures.end();
  });
}

/// What trust.toml does not allow is an error of what is to run, and else to be known before that is enabled.
void Preparer::tell_refusal(const config::Instance& instance, Refusal refusal) {
  const bool is_error = instance.enabled || !refusal.is_of_trust;
  candidate_.diagnostics.add(
      {is_error ? config::Severity::error : config::Severity::warning, refusal.place, std::move(refusal.reason), {}});
}

Preparer::Refusal Preparer::missing(const config::Instance& instance) const {
  return {instance.use_place, candidate_.catalogue.explain_missing(static_cast<plugin::Kind>(instance.kind), instance.use),
          is_withheld_by_trust(instance)};
}

void Preparer::judge_rest(const config::Instance& instance) {
  config::Diagnostics told = std::exchange(candidate_.diagnostics, {});
  const auto found = find_procedure(instance);
  // what policy refuses while nobody knows the policy may be the best of all plugins
  if (!found && !instance.use.empty() && (is_trusted_ || !is_withheld(instance))) tell_refusal(instance, missing(instance));
  for (Refusal& refusal : refusals_of(instance, found ? found->plugin.get() : nullptr)) {
    if (!refusal.is_taken_back) tell_refusal(instance, std::move(refusal));  // an error would refuse the reload
  }
  if (found) plugin::check_options(*found->procedure, instance.options, instance.place, judges_, candidate_.diagnostics);
  when_of(instance);
  judge_idle_zone(instance.rare());
  if (found) judge_limits(instance, *found->procedure);
  const config::Diagnostics said = std::exchange(candidate_.diagnostics, std::move(told));
  // a value whose reference failed is no value of the option either; of the instance as a whole there may be more to say
  add_untold(said, instance.place, candidate_.diagnostics);
}

void Preparer::withhold(const config::Instance& instance, std::string reason) {
  candidate_.generation.disabled.push_back(
      {std::string(config::kind_name(instance.kind)), instance.name, instance.place, std::move(reason)});
  judge_rest(instance);
}

void Preparer::prepare(config::Instance& instance) {
  const auto found = find_procedure(instance);
  if (std::string taken = found ? std::string() : why_taken_back(instance); !taken.empty()) {
    if (instance.enabled) return take_back(instance, taken);
    tell_refusal(instance, {instance.use_place, std::move(taken), true});
    return judge_rest(instance);
  }
  std::vector<Refusal> refusals = refusals_of(instance, found ? found->plugin.get() : nullptr);
  if (!found) refusals.insert(refusals.begin(), missing(instance));
  const auto is_wrong = [&](const Refusal& one) { return instance.enabled || !one.is_of_trust; };
  if (const auto wrong = std::ranges::find_if(refusals, is_wrong); wrong != refusals.end()) {
    if (std::ranges::all_of(refusals, &Refusal::is_taken_back)) return take_back(instance, refusals.front().reason);
    candidate_.generation.disabled.push_back({std::string(config::kind_name(instance.kind)), instance.name, instance.place, wrong->reason});
    return judge_rest(instance);
  }
  if (!found) return judge_rest(instance);
  for (Refusal& refusal : refusals) tell_refusal(instance, std::move(refusal));
  const std::size_t errors = candidate_.diagnostics.errors();
  const auto options = plugin::check_options(*found->procedure, instance.options, instance.place, judges_, candidate_.diagnostics);
  const auto when = when_of(instance);
  const bool limits_fit = judge_limits(instance, *found->procedure);
  if (!options || !when || !limits_fit) {
    const bool said = candidate_.diagnostics.errors() > errors;
    const std::string reason = said ? candidate_.diagnostics.all().back().message : "its options are wrong";
    candidate_.generation.disabled.push_back({std::string(config::kind_name(instance.kind)), instance.name, instance.place, reason});
    return;
  }
  if (!instance.enabled) return;
  Prepared prepared;
  prepared.kind = instance.kind;
  prepared.procedure = procedure_of(*found);
  prepared.options = plugin::encode_options(*options, instance.secrets);
  prepared.timeout = instance.timeout.value_or(instance.kind == Kind::notifier ? default_notifier_timeout : default_timeout);
  prepared.when = *when;
  prepared.user = instance.rare().user;
  if (!instance.after.empty()) prepared.after = std::make_unique<const std::vector<std::string>>(std::move(instance.after));
  warn_of_idle_keys(instance);
  if (instance.has_rare()) prepared.rare = std::make_unique<config::Rare>(instance.rare());
  const config::Judgement& limits = instance.judgement();
  const bool judges = !limits.warn.empty() || !limits.crit.empty() || !limits.hold.empty() || limits.severity != config::Level::none;
  if (judges) prepared.limits = std::make_unique<config::Judgement>(limits);
  // the code is part of what an instance is, and what it may do: another plugin file or other grants replace it
  prepared.hash =
      siphash128(prepared.procedure->plugin->sha256 + prepared.procedure->plugin->grants, {instance.hash.first, instance.hash.second});
  prepared.name = std::move(instance.name);
  candidate_.set.push_back(std::move(prepared));
}

/// Its name went into the set.
void note_example(const config::Instance& instance, Candidate& candidate) {
  if (instance.kind != Kind::notifier) return;
  const bool is_example =
      std::ranges::any_of(instance.options, [](const config::Member& option) { return config::holds_an_example(option.value); });
  if (is_example) candidate.example_notifiers.emplace(candidate.set.back().name, instance.place);
}

void note_unread_tags(Candidate& candidate) {
  candidate.tags[std::string(config::unread_name)] = {std::string(config::unread_name)};
}

void note_tags(const config::Instance& instance, Candidate& candidate) {
  if (instance.kind == Kind::notifier) return;
  std::vector<std::string> tags = instance.tags;
  if (std::erase(tags, config::unread_name) > 0) note_unread_tags(candidate);
  if (tags.empty()) return;
  const std::string prefix(instance.kind == Kind::task ? config::task_prefix : "");
  candidate.tags.emplace(prefix + instance.name, std::move(tags));
}

/// Nobody knows the tags of what was refused as a whole: of a file, of a name that is none or stands twice; nor those that
/// `[defaults]` would give.
bool knows_all_tags(const config::Generation& generation) {
  const auto position = [](config::Place place) { return std::tuple(place.file, place.line, place.column); };
  std::set<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>> read;
  for (const config::Instance& one : generation.unsound) read.insert(position(one.place));
  return std::ranges::none_of(generation.disabled, [&](const config::Disabled& one) {
    const bool has_tags = one.kind == config::kind_name(Kind::check) || one.kind == config::kind_name(Kind::task);
    return one.kind == "file" || one.kind == "defaults" || (has_tags && !read.contains(position(one.place)));
  });
}

/// What is said of its metrics can be judged although it does not run.
void note_procedure(const config::Instance& instance, Candidate& candidate) {
  if (instance.kind == Kind::check && candidate.catalogue.find(plugin::Kind::check, instance.use))
    candidate.known_procedures.emplace(instance.name, instance.use);
}

/// What runs now stays usable where its file is refused: nobody loses a check to a half-copied plugin. With the rights that
/// trust.toml gives it now, and not if that does not let it run at all.
void keep_running_plugins(const CandidateRequest& request, const plugin::Trust& trust, Candidate& candidate) {
  for (const auto& [id, entry] : request.previous->plugins) {
    if (candidate.catalogue.plugins.contains(id)) continue;
    if (request.unfit.contains(entry->sha256)) continue;  // it was there and did not run: nothing is lost with it
    auto grants = plugin::judge_trust(trust, entry->manifest, entry->sha256);
    if (!grants) {
      candidate.untrusted.emplace(id, grants.error().text());
      continue;
    }
    for (const plugin::RefusedFile& refused : candidate.catalogue.refused) {
      if (refused.id != id && refused.path != entry->path) continue;
      auto kept = std::make_shared<plugin::PluginEntry>(*entry);
      kept->grants = *std::move(grants);
      const plugin::PluginTrust* given = trust.find(id);
      kept->users = given == nullptr ? std::vector<std::string>() : given->users;
      candidate.catalogue.plugins[id] = std::move(kept);
      candidate.kept_plugins.push_back(id + " keeps its running code: " + refused.path + ": " + refused.refusal.text());
      break;
    }
  }
}

ZonePtr agent_zone(const CandidateRequest& request, Candidate& candidate) {
  const config::AgentSettings& agent = candidate.generation.agent;
  auto zone = agent.tz.empty() ? request.zones->find_local(request.localtime) : request.zones->find(agent.tz);
  if (zone) return *zone;
  if (!agent.tz.empty())
    candidate.diagnostics.error(agent.tz_place, zone.error().message());
  else
    candidate.zone_trouble = zone.error().message();
  return *request.zones->find("UTC");
}

/// Nothing: trust.toml is wrong. Then what the plugins say of themselves serves to judge the rest of the configuration, and
/// none of them may be used.
std::optional<plugin::Trust> scan(const CandidateRequest& request, Candidate& candidate) {
  plugin::ScanRequest scan;
  scan.directories = request.plugin_directories;
  scan.uid = request.uid;
  auto trust = plugin::load_trust(request.trust_file, request.uid, candidate.sources, candidate.diagnostics);
  if (trust) {
    scan.trust = *trust;
    scan.stage = request.stage;
  }
  scan.libraries = request.libraries;
  scan.previous = request.previous;
  scan.vet = [&request](const plugin::PluginBytes& bytes) -> std::function<Result<Unit>()> {
    if (request.vetted) {
      const auto known = request.vetted->plugins.find(bytes.sha256);
      if (known != request.vetted->plugins.end()) return [answer = known->second] { return answer; };
    }
    return request.vet_plugin ? request.vet_plugin(bytes) : nullptr;
  };
  scan.unfit = request.unfit;
  candidate.catalogue = plugin::scan_plugins(scan);
  return trust;
}

/// Nothing of the catalogue may be used, nor was it judged by the policy that holds.
void forget_plugins(plugin::Catalogue& catalogue) {
  catalogue.plugins.clear();
  std::erase_if(catalogue.refused, [](const plugin::RefusedFile& file) { return file.refusal.step == plugin::LoadStep::policy; });
}

VettedFiles read_and_vet(const CandidateRequest& request) {
  VettedFiles out;
  out.files = config::read_directory(request.config_directory, request.config_directory, request.uid, out.diagnostics);
  if (request.vet_config) out.verdict = request.vet_config(out.files.sources);
  return out;
}

/// The same for what is no instance: one line a kind, at the first of it.
void warn_of_idle_objects(Candidate& candidate) {
  // what parts that schedule does not know act on
  constexpr std::array<std::string_view, 11> people = {"alert", "contact",  "escalation", "group",  "oncall", "severity",
                                                       "slo",   "template", "token",      "vendor", "window"};
  const config::Generation& generation = candidate.generation;
  const auto warn = [&](config::Place place, const std::string& what) {
    candidate.diagnostics.warning(place, what + " has no effect in this version");
  };
  for (auto first = generation.objects.begin(); first != generation.objects.end();) {
    const auto next = std::find_if(first, generation.objects.end(), [&](const config::RawObject& one) { return one.kind != first->kind; });
    if (std::ranges::find(people, first->kind) == people.end())
      warn(first->place, "`[" + first->kind + ".*]`, of which there are " + std::to_string(next - first) + ",");
    first = next;
  }
}

}  // namespace

Candidate load_candidate(const CandidateRequest& request) {
  Candidate out;
  VettedFiles read = request.vetted ? *request.vetted : read_and_vet(request);
  out.files = std::move(read.files);
  out.diagnostics = std::move(read.diagnostics);
  out.sources = out.files.sources;
  if (!read.verdict) {
    out.diagnostics.error({}, read.verdict.error().message());
    return out;
  }
  std::vector<config::RawObject> unsound;
  out.generation = config::build_generation(out.files.sources, request.environment, out.diagnostics, &unsound);
  out.zone = agent_zone(request, out);
  const std::optional<plugin::Trust> trust = scan(request, out);
  if (trust && request.previous != nullptr) keep_running_plugins(request, *trust, out);
  warn_of_idle_objects(out);
  Preparer preparer(request, out, trust.has_value());
  if (!knows_all_tags(out.generation)) note_unread_tags(out);
  std::vector<config::Instance> instances = std::move(out.generation.instances);
  if (instances.size() > largest_set) out.diagnostics.error({}, "more than 16 million instances");
  out.set.reserve(instances.size());
  for (config::Instance& instance : instances) {
    ++(instance.kind == Kind::check ? out.checks : instance.kind == Kind::task ? out.tasks : out.notifiers);
    note_tags(instance, out);
    const std::size_t before = out.set.size();
    if (trust)
      preparer.prepare(instance);
    else
      preparer.withhold(instance, "no plugin may be used while " + request.trust_file + " has errors");
    if (out.set.size() > before) {
      out.places.push_back(instance.place);
      note_example(instance, out);
    }
    if (out.set.size() == before) {
      out.idle.emplace_back(instance.kind, instance.name);
      note_procedure(instance, out);
    }
    instance.options = {};
  }
  for (const config::Instance& instance : std::exchange(out.generation.unsound, {})) {
    preparer.judge_rest(instance);
    note_tags(instance, out);
    note_procedure(instance, out);
  }
  if (!trust) forget_plugins(out.catalogue);
  judge_all(request.judges, std::move(unsound), out);
  out.diagnostics.sort();
  return out;
}

}  // namespace ronda::schedule
