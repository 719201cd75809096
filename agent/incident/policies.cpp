// SPDX-License-Identifier: Apache-2.0
#include "incident/policies.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "base/text.hpp"
#include "incident/engine.hpp"
#include "incident/ladder_read.hpp"
#include "incident/read_keys.hpp"
#include "incident/wrong_people.hpp"

namespace ronda::escalation {
namespace {

using namespace std::chrono_literals;
using people::all_levels;
using people::level_index;

constexpr std::string_view of_severity = "severity", of_last_resort = "last-resort", usual = "default";

bool is_reserved(std::string_view name) {
  return name == of_severity || name == of_last_resort;
}

/// "[escalation.default.p1]" or "[severity.p1]"
std::string header(const Escalation& escalation, Level level) {
  const std::string tail = "." + std::string(config::level_name(level)) + "]";
  return escalation.name == of_severity ? "[severity" + tail : "[escalation." + escalation.name + tail;
}

/// When and where a ladder tells a target first, and whose word it overrides there.
struct Word {
  Nanos start{0};
  config::Place place;
  std::vector<std::string> overrides;
};

class Compiler {
 public:
  Compiler(const people::Input& input, const people::People& people, config::Diagnostics& diagnostics)
      : generation_(*input.generation), input_(input), people_(people), diagnostics_(diagnostics) {}

  Policies run();

 private:
  void note_names();
  void read_ladders();
  void judge_impacts();
  void add_severities();
  std::vector<std::string> known_of(const std::vector<std::string>& names, Level level, config::Place place);
  void judge_wrong_severities();
  Policy make_policy(std::string_view service, const std::vector<std::string>& escalations);
  void settle(Policy& policy, Level level);
  static std::map<std::string, Word> words_of(const Escalation& escalation, Level level);
  bool overrides(const Word& word, const Escalation& other) const {
    return std::ranges::find(word.overrides, other.name) != word.overrides.end();
  }
  void settle_two(Escalation& one, Escalation& other, Level level);
  void judge_reach(const Policy& policy, Level level);
  void judge_target(const Step& step, const std::string& target, const std::string& where, Level level);
  void add_last_resort(Policy& policy, Level level);
  void warn_of_silence(const Policy& policy, Level level);
  bool fresh(const std::string& message, config::Place place) {
    return told_.emplace(message, place.file, place.line, place.column).second;
  }

  const config::Generation& generation_;
  const people::Input& input_;
  const people::People& people_;
  config::Diagnostics& diagnostics_;
  std::vector<std::string_view> targets_, names_;
  std::vector<std::string> notifiers_;  // that can be used, or whose trouble was told
  people::WrongPeople wrong_;
  bool names_complete_ = true;
  std::map<std::string, Escalation, std::less<>> escalations_;
  std::set<std::tuple<std::string, std::uint32_t, std::uint32_t, std::uint32_t>> told_;  // of many services once
  Policies out_;
};

void Compiler::note_names() {
  const auto add = [&](std::string_view kind, std::string_view name) {
    if (kind == "contact" || kind == "group" || kind == "oncall") targets_.push_back(name);
    if (kind == "escalation") names_.push_back(name.substr(0, name.rfind('.')));
  };
  for (const config::RawObject& one : generation_.objects) add(one.kind, one.name);
  for (const config::Disabled& one : generation_.disabled) {
    add(one.kind, one.name);
    if (one.kind == "file") names_complete_ = false;
  }
  names_.push_back(of_severity);
  people::add_wrong(generation_.disabled, wrong_);
  people::add_wrong(people_.disabled, wrong_);
  for (const people::Notifier& one : input_.notifiers) {
    if (one.usable || one.wrong) notifiers_.push_back(one.name);
  }
}

void Compiler::read_ladders() {
  const Known known{targets_, names_, names_complete_};
  for (const config::RawObject& object : generation_.raw("escalation")) {
    const std::size_t dot = object.name.rfind('.');
    const std::string name = object.name.substr(0, dot);
    const auto level = std::ranges::find(all_levels, object.name.substr(dot + 1), config::level_name);
    if (level == all_levels.end()) continue;  // told when it was collected
    if (is_reserved(name)) {
      const std::string message = "an escalation may not be called `" + name + "`: the word stands for what holds without one";
      diagnostics_.error(object.place, message);
      out_.disabled.push_back({"escalation", object.name, object.place, message});
      continue;
    }
    auto ladder = read_ladder(known, diagnostics_, object, *level, out_.disabled);
    Escalation& escalation = escalations_[name];
    escalation.name = name;
    escalation.ladders[level_index(*level)] = std::move(ladder);
  }
}

/// Whether one is the other with a slip of the finger: short words differ in more than a letter.
bool is_slip(std::string_view one, std::string_view other) {
  return one != other && edit_distance(one, other, 2) <= (std::min(one.size(), other.size()) < 6 ? 1 : 2);
}

/// Impacts are what people say with `incident note --impact`, and "sla" is what the agent says: a step that waits for a word
/// that nobody says tells nobody, and nothing else would show it.
void Compiler::judge_impacts() {
  std::map<std::string, std::pair<std::size_t, config::Place>> tags;  // how many steps wait for it, and the first
  for (const auto& [name, escalation] : escalations_) {
    for (const auto& ladder : escalation.ladders) {
      for (const Step& step : ladder ? ladder->steps : std::vector<Step>()) {
        for (const std::string& tag : step.impact) ++tags.try_emplace(tag, 0, step.place).first->second.first;
      }
    }
  }
  for (const auto& [tag, seen] : tags) {
    if (tag == incident::sla_impact) continue;
    std::string meant = is_slip(tag, incident::sla_impact) ? std::string(incident::sla_impact) : std::string();
    for (const auto& [other, its] : tags) {
      constexpr std::size_t least = 4;  // "dev" is no slip of "sev"
      const bool is_rarer = seen.first < its.first || (seen.first == its.first && other < tag);
      if (is_rarer && std::min(tag.size(), other.size()) >= least && is_slip(tag, other)) meant = other;
    }
    if (!meant.empty())
      diagnostics_.warning(seen.second, "`impact`: this step waits for " + people::quoted(tag) + "; did you mean `" + meant + "`?" +
                                            (meant == incident::sla_impact ? " That is what the agent says where an objective burns" : ""));
  }
}

/// Those that exist; the others are told.
std::vector<std::string> Compiler::known_of(const std::vector<std::string>& names, Level level, config::Place place) {
  std::vector<std::string> out;
  for (const std::string& name : names) {
    if (std::ranges::find(targets_, name) != targets_.end()) {
      out.push_back(name);
    } else if (names_complete_) {
      const std::string message = "`notify`: there is no contact, group or oncall " + people::quoted(name) + people::hint(name, targets_);
      diagnostics_.error(place, message);
      out_.disabled.push_back({"severity", std::string(config::level_name(level)), place, message});
    }
  }
  return out;
}

/// Nothing of those counts, but whom they name is told in the same pass.
void Compiler::judge_wrong_severities() {
  const auto is_at = [](config::Place a, config::Place b) { return a.file == b.file && a.line == b.line && a.column == b.column; };
  for (const config::RawObject& object : generation_.raw("severity")) {
    const auto level = std::ranges::find(all_levels, object.name, config::level_name);
    if (level == all_levels.end() || is_at(people_.severity(*level).place, object.place)) continue;
    const config::Value* notify = object.value.find("notify");
    const config::List* list = notify == nullptr ? nullptr : notify->as_list();
    std::vector<std::string> names;
    for (const config::Value& one : list == nullptr ? config::List() : *list) {
      if (one.as_string() != nullptr && !one.as_string()->empty()) names.push_back(*one.as_string());
    }
    if (!names.empty()) known_of(names, *level, notify->place());
  }
}

/// `notify` of a severity is a ladder of one step.
void Compiler::add_severities() {
  Escalation& escalation = escalations_[std::string(of_severity)];
  escalation.name = of_severity;
  for (const people::Severity& severity : people_.severities) {
    std::vector<std::string> targets = known_of(severity.notify, severity.level, severity.notify_place);
    if (targets.empty()) continue;
    Ladder ladder;
    ladder.level = severity.level;
    ladder.place = severity.place;
    Step& step = ladder.steps.emplace_back();
    step.targets = std::move(targets);
    step.place = severity.notify_place;
    escalation.ladders[level_index(severity.level)] = std::move(ladder);
  }
}

std::map<std::string, Word> Compiler::words_of(const Escalation& escalation, Level level) {
  std::map<std::string, Word> out;
  const Ladder* ladder = escalation.at(level);
  if (ladder == nullptr) return out;
  for (const Step& step : ladder->steps) {
    if (!step.impact.empty()) continue;  // not by time alone
    for (const std::string& target : step.targets) {
      const auto [word, is_first] = out.emplace(target, Word{step.from, step.place, step.overrides});
      if (!is_first) word->second.overrides.insert(word->second.overrides.end(), step.overrides.begin(), step.overrides.end());
    }
  }
  return out;
}

void remove_target(Escalation& escalation, Level level, const std::string& target) {
  Ladder& ladder = *escalation.ladders[level_index(level)];
  for (Step& step : ladder.steps) {
    if (step.impact.empty()) std::erase(step.targets, target);
  }
}

void Compiler::settle_two(Escalation& one, Escalation& other, Level level) {
  const auto words = words_of(one, level), others = words_of(other, level);
  for (const auto& [target, word] : words) {
    const auto found = others.find(target);
    if (found == others.end() || found->second.start == word.start) continue;
    const Word& second = found->second;
    const bool first_wins = overrides(word, other), second_wins = overrides(second, one);
    if (first_wins != second_wins) {
      remove_target(first_wins ? other : one, level, target);
      continue;
    }
    const std::string after = people::quoted(target) + " is told after " + format_duration(word.start) + " by " + header(one, level) +
                              " and after " + format_duration(second.start) + " by " + header(other, level);
    const std::string message =
        after + (first_wins ? ", and each overrides the other" : ": let one of the two steps say overrides = [\"NAME\"]");
    if (fresh(message, word.place)) diagnostics_.error(word.place, message, second.place);
  }
}

/// What the ladders of one level say of the same target must agree, or one must say that it overrides.
void Compiler::settle(Policy& policy, Level level) {
  std::vector<Escalation>& all = policy.escalations;
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t k = i + 1; k < all.size(); ++k) settle_two(all[i], all[k], level);
  }
  for (Escalation& one : all) {
    auto& ladder = one.ladders[level_index(level)];
    if (!ladder) continue;
    const auto is_empty = [](const Step& step) { return step.targets.empty(); };
    if (std::ranges::all_of(ladder->steps, is_empty) && ladder->owner.empty()) ladder.reset();
  }
}

void Compiler::judge_target(const Step& step, const std::string& target, const std::string& where, Level level) {
  const std::string name(config::level_name(level));
  const people::Members members = people_.members_of(target);
  if (people_.reachable(target, level, notifiers_)) {
    for (const std::string& rota : members.oncalls) {
      for (const std::string& one : people_.find_oncall(rota)->everybody()) {
        const people::Contact* contact = people_.find_contact(one);
        if (contact != nullptr && contact->reachable(level, notifiers_)) continue;
        const std::string message = where + " tells oncall `" + rota + "`, and of its members `" + one + "` has no channel for " + name +
                                    ": his turns reach nobody";
        if (fresh(message, step.place)) diagnostics_.warning(step.place, message);
      }
    }
    return;
  }
  const bool is_known =
      people_.find_contact(target) != nullptr || people_.find_group(target) != nullptr || people_.find_oncall(target) != nullptr;
  if (!is_known || people::holds_wrong(people_, target, wrong_)) return;  // an object is wrong, which was told
  const std::string message = members.empty() ? where + " tells " + people::quoted(target) + ", in which there is nobody"
                                              : where + " tells " + people::quoted(target) + ", and nobody there has a channel for " + name;
  if (fresh(message, step.place)) diagnostics_.error(step.place, message);
}

void Compiler::judge_reach(const Policy& policy, Level level) {
  if (people_.no_notifier || !names_complete_) return;
  for (const Escalation& escalation : policy.escalations) {
    const Ladder* ladder = escalation.at(level);
    if (ladder == nullptr || escalation.name == of_last_resort) continue;
    const std::string where = header(escalation, level);
    for (const Step& step : ladder->steps) {
      for (const std::string& target : step.targets) judge_target(step, target, where, level);
    }
    Step owner;
    owner.place = ladder->place;
    for (const std::string& target : ladder->owner) judge_target(owner, target, where, level);
  }
}

void Compiler::add_last_resort(Policy& policy, Level level) {
  if (std::ranges::any_of(policy.escalations, [&](const Escalation& one) { return one.at(level) != nullptr; })) return;
  if (policy.escalations.empty() || policy.escalations.back().name != of_last_resort)
    policy.escalations.push_back({std::string(of_last_resort), {}});
  Ladder ladder;
  ladder.level = level;
  Step& step = ladder.steps.emplace_back();
  step.targets = {std::string(last_resort_target)};
  if (level == Level::p1 || level == Level::p2) step.repeat = {15min, 30min, 1h};
  policy.escalations.back().ladders[level_index(level)] = std::move(ladder);
}

/// Whether a ladder pages for ever what nobody takes.
bool goes_on(const Ladder& ladder) {
  if (ladder.end) return ladder.loop_to || !ladder.owner_repeat.empty();
  return std::ranges::any_of(ladder.steps, [](const Step& step) {
    return step.until_ack && !step.to && !step.repeat.empty() && !step.targets.empty() && step.impact.empty();
  });
}

void Compiler::warn_of_silence(const Policy& policy, Level level) {
  const Ladder* first = nullptr;
  std::string names, ended;  // of those that have no `end`, and of those whose end is not for ever
  for (const Escalation& escalation : policy.escalations) {
    const Ladder* ladder = escalation.at(level);
    if (ladder == nullptr || escalation.name == of_severity) continue;
    if (escalation.name == of_last_resort || goes_on(*ladder)) return;
    if (first == nullptr) first = ladder;
    std::string& which = ladder->end ? ended : names;
    which += (which.empty() ? "" : " and ") + header(escalation, level);
  }
  if (first == nullptr) return;
  std::string message = "what nobody takes ends in silence: ";
  if (!names.empty())
    message += "of " + names + " no step without `to` repeats, nor is there an `end` with loop_to, or with owner and repeat";
  if (!ended.empty())
    message += (names.empty() ? "" : "; ") + std::string("`end` of ") + ended +
               " tells its owner once, and nobody after that: give it repeat = [\"1h\"], or loop_to in place of owner";
  if (fresh(message, first->place)) diagnostics_.warning(first->place, message);
}

Policy Compiler::make_policy(std::string_view service, const std::vector<std::string>& escalations) {
  Policy policy;
  policy.service = service;
  for (const std::string& name : escalations) {
    const auto known = [&](const Escalation& one) { return one.name == name; };
    const auto found = escalations_.find(name);
    if (found != escalations_.end() && std::ranges::none_of(policy.escalations, known)) policy.escalations.push_back(found->second);
  }
  policy.escalations.push_back(escalations_.find(of_severity)->second);
  for (const people::Level level : all_levels) {
    settle(policy, level);
    judge_reach(policy, level);
    warn_of_silence(policy, level);
    add_last_resort(policy, level);
  }
  return policy;
}

Policies Compiler::run() {
  note_names();
  read_ladders();
  judge_impacts();
  add_severities();
  judge_wrong_severities();
  out_.general = make_policy("", {std::string(usual)});
  for (const config::Service& service : generation_.services) {
    // an escalation of which nothing is left leaves its service to the usual one
    const auto is_left = [&](const std::string& name) { return escalations_.contains(name); };
    if (std::ranges::any_of(service.escalations, is_left)) out_.services.push_back(make_policy(service.name, service.escalations));
  }
  const bool has_usual = std::ranges::find(names_, usual) != names_.end();  // also one that is wrong, which was told
  if (escalations_.size() > 1 && !has_usual && names_complete_) {
    const config::RawObject& first = generation_.raw("escalation").front();
    diagnostics_.warning(
        first.place,
        "there is no escalation `default`: what belongs to no service, and services that name none, go to [agent] last_resort");
  }
  return std::move(out_);
}

}  // namespace

const Policy& Policies::of(std::string_view service) const {
  const auto found = std::ranges::lower_bound(services, service, {}, &Policy::service);
  return found != services.end() && found->service == service ? *found : general;
}

Policies compile(const people::Input& input, const people::People& people, config::Diagnostics& diagnostics) {
  return Compiler(input, people, diagnostics).run();
}

}  // namespace ronda::escalation
