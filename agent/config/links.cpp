// SPDX-License-Identifier: Apache-2.0
#include "config/links.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "base/text.hpp"

namespace ronda::config {
namespace {

using NameSet = std::unordered_set<std::string_view>;

/// All names by kind, of good objects and of disabled ones: a mention of a disabled object is not itself
/// wrong.
class Names {
 public:
  explicit Names(const Generation& generation) {
    for (const Instance& one : generation.instances) names_[kind_name(one.kind)].insert(one.name);
    for (const Service& one : generation.services) names_["service"].insert(one.name);
    for (const RawObject& one : generation.objects) add(one.kind, one.name);
    for (const Disabled& one : generation.disabled) add(one.kind, one.name);
  }

  bool contains(std::string_view kind, std::string_view name) const {
    const auto found = names_.find(kind);
    return found != names_.end() && found->second.contains(name);
  }

  /// Looking through all names is dear, so only the first misses get a hint.
  std::string_view close_to(std::string_view kind, std::string_view name) {
    const auto found = names_.find(kind);
    if (found == names_.end() || ++hints_ > max_hints) return {};
    const std::vector<std::string_view> all(found->second.begin(), found->second.end());
    return nearest(name, all);
  }

 private:
  static constexpr int max_hints = 50;

  void add(std::string_view kind, std::string_view name) {
    // an escalation is mentioned without its level
    if (kind == "escalation") name = name.substr(0, name.rfind('.'));
    names_[kind].insert(name);
  }

  std::map<std::string_view, NameSet> names_;
  int hints_ = 0;
};

struct Loop {
  std::string text;  // "a -> b -> a"
  std::vector<const Instance*> members;
};

/// Cycles of `after` among checks: a depth-first walk without recursion.
class CycleSearch {
 public:
  explicit CycleSearch(const Generation& generation) : generation_(generation) {}

  std::vector<Loop> run() {
    for (const Instance& check : generation_.all(Kind::check)) {
      if (!check.after.empty() && !done_.contains(&check)) walk(check);
    }
    return std::move(loops_);
  }

 private:
  struct Step {
    const Instance* check;
    std::size_t next = 0;  // index into its `after`
  };

  void walk(const Instance& start) {
    path_.push_back({&start});
    on_path_.emplace(&start, 0);
    while (!path_.empty()) {
      Step& top = path_.back();
      if (top.next == top.check->after.size()) {
        done_.insert(top.check);
        on_path_.erase(top.check);
        path_.pop_back();
        continue;
      }
      const Instance* parent = generation_.find(Kind::check, top.check->after[top.next++]);
      if (parent == nullptr || done_.contains(parent)) continue;
      if (const auto found = on_path_.find(parent); found != on_path_.end()) {
        note_loop(found->second);
      } else {
        on_path_.emplace(parent, path_.size());
        path_.push_back({parent});
      }
    }
  }

  void note_loop(std::size_t from) {
    constexpr std::size_t most_named = 20;
    Loop loop;
    for (std::size_t i = from; i < path_.size(); ++i) {
      if (i - from == most_named) loop.text += "... -> ";
      if (i - from < most_named) loop.text += path_[i].check->name + " -> ";
      loop.members.push_back(path_[i].check);
    }
    loop.text += path_[from].check->name;
    loops_.push_back(std::move(loop));
  }

  const Generation& generation_;
  std::vector<Step> path_;
  std::unordered_map<const Instance*, std::size_t> on_path_;
  std::unordered_set<const Instance*> done_;
  std::vector<Loop> loops_;
};

/// Why an object, by kind and name, is wrong.
using Reasons = std::map<std::pair<std::string, std::string>, std::string>;

void judge_mentions(const std::vector<Link>& links, Names& names, Reasons& wrong, Diagnostics& diagnostics) {
  for (const Link& link : links) {
    const Mention& mention = link.mention;
    if (names.contains(mention.target_kind, mention.target)) continue;
    std::string message =
        "`" + std::string(mention.key) + "`: there is no " + std::string(mention.target_kind) + " `" + mention.target.substr(0, 128) + "`";
    const std::string_view close = names.close_to(mention.target_kind, mention.target);
    if (!close.empty()) message += "; did you mean `" + std::string(close) + "`?";
    diagnostics.error(mention.place, message);
    wrong.emplace(std::pair(std::string(link.kind), link.name), message);
  }
}

void judge_cycles(const Generation& generation, const std::vector<Link>& links, Reasons& wrong, Diagnostics& diagnostics) {
  const std::vector<Loop> loops = CycleSearch(generation).run();
  if (loops.empty()) return;
  std::unordered_map<std::string_view, Place> places;
  for (const Link& link : links) {
    if (link.kind == "check" && link.mention.key == "after") places.emplace(link.name, link.mention.place);
  }
  for (const Loop& loop : loops) {
    const auto place = places.find(loop.members.front()->name);
    const std::string message = "`after` leads in a circle: " + loop.text;
    diagnostics.error(place == places.end() ? loop.members.front()->place : place->second, message);
    for (const Instance* member : loop.members) wrong.emplace(std::pair("check", member->name), message);
  }
}

void move_out_instances(Generation& generation, const Reasons& wrong) {
  const auto reason = [&](const Instance& one) { return wrong.find({std::string(kind_name(one.kind)), one.name}); };
  std::vector<Instance>& all = generation.instances;
  const auto out = std::stable_partition(all.begin(), all.end(), [&](const Instance& one) { return reason(one) == wrong.end(); });
  for (auto one = out; one != all.end(); ++one) {
    generation.disabled.push_back({std::string(kind_name(one->kind)), one->name, one->place, reason(*one)->second});
    generation.unsound.push_back(std::move(*one));
  }
  all.erase(out, all.end());
}

void move_out_services(Generation& generation, const Reasons& wrong) {
  std::erase_if(generation.services, [&](const Service& one) {
    const auto found = wrong.find({"service", one.name});
    if (found == wrong.end()) return false;
    generation.disabled.push_back({"service", one.name, one.place, found->second});
    return true;
  });
}

void drop_missing(Generation& generation) {
  const auto missing = [&](const std::string& name) { return generation.find(Kind::check, name) == nullptr; };
  for (Instance& one : generation.instances) {
    if (!one.after.empty()) std::erase_if(one.after, missing);
  }
  for (Service& one : generation.services) std::erase_if(one.checks, missing);
  std::erase_if(generation.agent.last_resort, [&](const std::string& name) { return generation.find(Kind::notifier, name) == nullptr; });
  if (generation.find(Kind::notifier, generation.agent.heartbeat) == nullptr) generation.agent.heartbeat.clear();
}

bool is_name_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/// Adds the words before a dot of all strings in the value: "api-status.error_rate > 5%" names api-status.
void add_named_checks(const Value& value, std::unordered_set<std::string>& names) {
  if (const Table* table = value.as_table()) {
    for (const Member& member : *table) add_named_checks(member.value, names);
  }
  const std::string* text = value.as_string();
  if (text == nullptr) return;
  for (std::size_t dot = text->find('.'); dot != std::string::npos; dot = text->find('.', dot + 1)) {
    std::size_t begin = dot;
    while (begin > 0 && is_name_byte((*text)[begin - 1])) --begin;
    if (begin < dot) names.insert(text->substr(begin, dot - begin));
  }
}

/// Alerts wait while what their check comes `after` is critical. Where nothing tells of that one, they do in the end.
void warn_of_silence(const Generation& generation, std::span<const RawObject> unsound, const std::vector<Link>& links,
                     Diagnostics& diagnostics) {
  std::unordered_set<std::string> watched;
  for (const RawObject& alert : generation.raw("alert")) add_named_checks(alert.value, watched);
  for (const RawObject& one : unsound) {
    if (one.kind == "alert") add_named_checks(one.value, watched);
  }
  const auto is_told = [&](const Instance& check) { return check.judgement().severity != Level::none || watched.contains(check.name); };
  std::unordered_map<std::string_view, Place> waiting;  // by what is waited for: the first `after` of one that has an alert
  for (const Link& link : links) {
    const Instance* check = link.kind == "check" && link.mention.key == "after" ? generation.find(Kind::check, link.name) : nullptr;
    if (check != nullptr && check->enabled && is_told(*check)) waiting.try_emplace(link.mention.target, link.mention.place);
  }
  for (const Instance& check : generation.all(Kind::check)) {
    if (!check.enabled || is_told(check)) continue;
    const std::string what = "check `" + check.name + "` has neither `severity` nor an alert: when it fails, nobody is told";
    if (const auto found = waiting.find(check.name); found != waiting.end())
      diagnostics.add({Severity::warning, check.place, what + " but late, by alerts that wait for it through `after`", found->second});
    else
      diagnostics.warning(check.place, what);
  }
}

}  // namespace

void judge_links(Generation& generation, std::span<const RawObject> unsound, const std::vector<Link>& links, bool names_complete,
                 Diagnostics& diagnostics) {
  Reasons wrong;
  Names names(generation);
  if (names_complete) judge_mentions(links, names, wrong, diagnostics);
  judge_cycles(generation, links, wrong, diagnostics);
  if (!wrong.empty()) {
    move_out_instances(generation, wrong);
    move_out_services(generation, wrong);
  }
  drop_missing(generation);
  if (names_complete) warn_of_silence(generation, unsound, links, diagnostics);
}

}  // namespace ronda::config
