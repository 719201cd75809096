// SPDX-License-Identifier: Apache-2.0
#include "incident/people.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "base/counted.hpp"
#include "incident/moment.hpp"
#include "incident/people_read.hpp"
#include "incident/read_keys.hpp"
#include "incident/unfilled.hpp"

namespace ronda::people {
namespace {

using namespace std::chrono;

constexpr days gaps_ahead(14);

template <class T>
const T* find_named(const std::vector<T>& all, std::string_view name) {
  const auto found = std::ranges::lower_bound(all, name, {}, &T::name);
  return found != all.end() && found->name == name ? &*found : nullptr;
}

class Compiler {
 public:
  Compiler(const Input& input, config::Diagnostics& diagnostics)
      : generation_(*input.generation), input_(input), diagnostics_(diagnostics), context_{input, diagnostics, {}, true} {}

  People run();
  std::optional<Rota> run_again(const People& people, std::string_view name);

 private:
  void note_names();
  void note_notifiers();
  void read_severities();
  void read_contacts();
  void claim_unix_users(Contact& contact);
  void read_groups();
  void judge_members(Group& group);
  void judge_circles();
  void read_oncalls();
  void warn_of_gaps(const Rota& rota, config::Place place);
  void read_vendors();
  void warn_of_no_notifier();
  void disable(const config::RawObject& object, const config::Scope& scope) {
    out_.disabled.push_back({object.kind, object.name, object.place, scope.reason()});
  }

  const config::Generation& generation_;
  const Input& input_;
  config::Diagnostics& diagnostics_;
  ReadContext context_;
  std::vector<std::string_view> contacts_, targets_;                         // names, also of objects that are wrong
  std::map<std::string, std::pair<std::string, config::Place>> unix_users_;  // whose, and where the contact stands
  People out_;
};

void Compiler::note_names() {
  for (const std::string_view kind : {"contact", "group", "oncall"}) {
    std::vector<std::string_view>& of_contacts = contacts_;
    const auto add = [&](std::string_view name) {
      targets_.push_back(name);
      if (kind == "contact") of_contacts.push_back(name);
    };
    for (const config::RawObject& one : generation_.raw(kind)) add(one.name);
    for (const config::Disabled& one : generation_.disabled) {
      if (one.kind == kind) add(one.name);
    }
  }
  context_.names_complete = std::ranges::find(generation_.disabled, "file", &config::Disabled::kind) == generation_.disabled.end();
}

void Compiler::note_notifiers() {
  for (const Notifier& one : input_.notifiers) {
    context_.notifiers.push_back(one.name);
    if (one.usable) out_.notifiers.push_back(one.name);
  }
  std::ranges::sort(out_.notifiers);
  out_.no_notifier = input_.notifiers.empty();
  for (const std::string& one : generation_.agent.last_resort) {
    const bool is_known = std::ranges::binary_search(out_.notifiers, one);
    if (is_known && std::ranges::find(out_.last_resort, one) == out_.last_resort.end()) out_.last_resort.push_back(one);
  }
}

void Compiler::read_severities() {
  out_.severities = default_severities();
  for (const config::RawObject& object : generation_.raw("severity")) {
    config::Scope scope(diagnostics_);
    if (!read_severity(scope, object, out_.severities)) disable(object, scope);
  }
}

/// A name of this host stands for one person; who claims it second does not get it.
void Compiler::claim_unix_users(Contact& contact) {
  std::erase_if(contact.unix_users, [&](const std::string& user) {
    const auto [owner, fresh] = unix_users_.emplace(user, std::pair(contact.name, contact.place));
    if (fresh) return false;
    if (owner->second.first == contact.name) return true;
    const std::string message =
        "`unix`: " + quoted(user) + " is contact `" + owner->second.first + "` already; a name of this host stands for one person";
    diagnostics_.error(contact.place, message, owner->second.second);
    out_.disabled.push_back({"contact", contact.name, contact.place, message});
    return true;
  });
}

void Compiler::read_contacts() {
  for (const config::RawObject& object : generation_.raw("contact")) {
    auto contact = read_contact(context_, object, out_);
    if (!contact) continue;
    claim_unix_users(*contact);
    out_.contacts.push_back(*std::move(contact));
  }
}

void Compiler::judge_members(Group& group) {
  const config::RawObject* object = generation_.find_raw("group", group.name);
  const config::Value* written = object == nullptr ? nullptr : object->value.find("members");
  std::erase_if(group.members, [&](const std::string& name) {
    if (std::ranges::find(targets_, name) != targets_.end()) return false;
    if (!context_.names_complete) return true;
    config::Place place = group.place;
    for (const config::Value& one : written == nullptr || written->as_list() == nullptr ? config::List() : *written->as_list()) {
      if (one.as_string() != nullptr && *one.as_string() == name) place = one.place();
    }
    const std::string message = "`members`: there is no contact, group or oncall " + quoted(name) + hint(name, targets_);
    diagnostics_.error(place, message);
    out_.disabled.push_back({"group", group.name, place, message});
    return true;
  });
}

/// Told once a circle, at the first of its groups by name.
void Compiler::judge_circles() {
  std::set<std::string, std::less<>> done;
  for (const Group& start : out_.groups) {
    std::vector<std::pair<const Group*, std::size_t>> path = {{&start, 0}};
    while (!path.empty()) {
      auto& [group, next] = path.back();
      if (done.contains(group->name) || next == group->members.size()) {
        done.insert(group->name);
        path.pop_back();
        continue;
      }
      const Group* member = out_.find_group(group->members[next++]);
      if (member == nullptr) continue;
      const auto known = std::ranges::find(path, member, &std::pair<const Group*, std::size_t>::first);
      if (known == path.end()) {
        path.emplace_back(member, 0);
        continue;
      }
      std::string message = "`members` leads in a circle: ";
      for (auto one = known; one != path.end(); ++one) message += one->first->name + " -> ";
      message += member->name;
      diagnostics_.error(member->place, message);
      out_.disabled.push_back({"group", member->name, member->place, message});
    }
  }
}

/// Of a group that is wrong: whom it names is told in the same pass.
Group named_members(const config::RawObject& object) {
  Group out;
  out.name = object.name;
  out.place = object.place;
  const config::Value* members = object.value.find("members");
  const config::List* list = members == nullptr ? nullptr : members->as_list();
  for (const config::Value& one : list == nullptr ? config::List() : *list) {
    if (one.as_string() != nullptr && !one.as_string()->empty()) out.members.push_back(*one.as_string());
  }
  return out;
}

void Compiler::read_groups() {
  std::vector<Group> wrong;
  for (const config::RawObject& object : generation_.raw("group")) {
    config::Scope scope(diagnostics_);
    if (auto group = read_group(context_, scope, object)) {
      out_.groups.push_back(*std::move(group));
    } else {
      disable(object, scope);
      wrong.push_back(named_members(object));
    }
  }
  for (Group& group : out_.groups) judge_members(group);
  for (Group& group : wrong) judge_members(group);
  judge_circles();
}

void Compiler::warn_of_gaps(const Rota& rota, config::Place place) {
  if (input_.now_ns == 0) return;
  const auto found = gaps(rota, input_.now_ns, input_.now_ns + Nanos(gaps_ahead).count());
  if (found.empty()) return;
  const auto text = [&](std::int64_t at_ns) { return moment_text(at_ns, *rota.zone); };
  std::string message =
      "nobody is on call by `" + rota.name + "` from " + text(found.front().begin_ns) + " to " + text(found.front().end_ns);
  if (found.size() > 1) message += ", and " + counted(found.size() - 1, "more time");
  diagnostics_.warning(place, message + " within the next 14 days; messages go to the next target then");
}

void Compiler::read_oncalls() {
  for (const config::RawObject& object : generation_.raw("oncall")) {
    config::Scope scope(diagnostics_);
    auto rota = read_rota(context_, scope, object, out_, contacts_);
    if (!rota) {
      disable(object, scope);
      continue;
    }
    warn_of_gaps(*rota, object.place);
    out_.oncalls.push_back(*std::move(rota));
  }
}

void Compiler::read_vendors() {
  for (const config::RawObject& object : generation_.raw("vendor")) {
    config::Scope scope(diagnostics_);
    if (auto vendor = read_vendor(scope, object, input_.checks)) {
      out_.vendors.push_back(*std::move(vendor));
    } else {
      disable(object, scope);
    }
  }
}

/// One cause, one message: without any notifier each channel would be wrong.
void Compiler::warn_of_no_notifier() {
  if (!out_.no_notifier || !context_.names_complete) return;
  std::set<std::string> named;
  const Contact* first = nullptr;
  for (const Contact& contact : out_.contacts) {
    for (const Channel& channel : contact.channels) named.insert(channel.notifier);
    if (first == nullptr && !contact.channels.empty()) first = &contact;
  }
  if (first == nullptr) return;
  std::string list;
  for (const std::string& one : named) list += (list.empty() ? "" : ", ") + quoted(one);
  diagnostics_.warning(first->place, "nobody can be told anything: there is no [notifier.*] at all, and channels name " + list);
}

People Compiler::run() {
  note_names();
  note_notifiers();
  read_severities();
  read_contacts();
  read_groups();
  read_oncalls();
  read_vendors();
  warn_of_no_notifier();
  if (context_.names_complete) warn_of_examples(input_, out_, diagnostics_);
  return std::move(out_);
}

std::optional<Rota> Compiler::run_again(const People& people, std::string_view name) {
  note_names();
  const config::RawObject* object = generation_.find_raw("oncall", name);
  if (object == nullptr) return {};
  config::Scope scope(diagnostics_);
  auto rota = read_rota(context_, scope, *object, people, contacts_);
  if (rota) warn_of_gaps(*rota, object->place);
  return rota;
}

}  // namespace

std::optional<std::int64_t> held_until(const Quiet& quiet, Level level, std::int64_t at_ns) {
  if (!quiet.levels.has(level)) return {};
  const auto at = floor<seconds>(sys_time<nanoseconds>(nanoseconds(at_ns)));
  const schedule::local_seconds reading = quiet.zone->to_local(at);
  const local_days today = floor<days>(reading);
  const seconds time = reading - today;
  const bool over_midnight = quiet.from >= quiet.to;
  local_days last = today;
  if (over_midnight && time >= quiet.from) {
    last += days(1);
  } else if (over_midnight ? time >= quiet.to : time < quiet.from || time >= quiet.to) {
    return {};
  }
  const std::int64_t end_ns = Nanos(quiet.zone->to_utc(last + quiet.to).first.time_since_epoch()).count();
  return end_ns > at_ns ? std::optional(end_ns) : std::nullopt;
}

bool Contact::reachable(Level level, std::span<const std::string> usable_notifiers) const {
  return std::ranges::any_of(channels, [&](const Channel& one) {
    return one.levels.has(level) && std::ranges::find(usable_notifiers, one.notifier) != usable_notifiers.end();
  });
}

const Contact* People::find_contact(std::string_view name) const {
  return find_named(contacts, name);
}
const Group* People::find_group(std::string_view name) const {
  return find_named(groups, name);
}
const Rota* People::find_oncall(std::string_view name) const {
  return find_named(oncalls, name);
}
const Vendor* People::find_vendor(std::string_view name) const {
  return find_named(vendors, name);
}

const Contact* People::contact_of_unix(std::string_view user) const {
  const auto is_his = [&](const Contact& one) { return std::ranges::find(one.unix_users, user) != one.unix_users.end(); };
  const auto found = std::ranges::find_if(contacts, is_his);
  return found == contacts.end() ? nullptr : &*found;
}

Members People::members_of(std::string_view target) const {
  Members out;
  std::set<std::string_view> seen;
  std::vector<std::string_view> open = {target};  // the last one is next
  while (!open.empty()) {
    const std::string_view name = open.back();
    open.pop_back();
    if (!seen.insert(name).second) continue;
    if (find_contact(name) != nullptr) out.contacts.emplace_back(name);
    if (find_oncall(name) != nullptr) out.oncalls.emplace_back(name);
    if (const Group* group = find_group(name)) open.insert(open.end(), group->members.rbegin(), group->members.rend());
  }
  return out;
}

bool People::reachable(std::string_view target, Level level, std::span<const std::string> by) const {
  const auto can_hear = [&](const std::string& name) {
    const Contact* contact = find_contact(name);
    return contact != nullptr && contact->reachable(level, by);
  };
  const Members members = members_of(target);
  return std::ranges::any_of(members.contacts, can_hear) || std::ranges::any_of(members.oncalls, [&](const std::string& name) {
           return std::ranges::any_of(find_oncall(name)->everybody(), can_hear);
         });
}

bool is_e164(std::string_view number) {
  if (number.size() < 9 || number.size() > 16 || number[0] != '+' || number[1] == '0') return false;
  return std::ranges::all_of(number.substr(1), [](char c) { return c >= '0' && c <= '9'; });
}

People compile(const Input& input, config::Diagnostics& diagnostics) {
  return Compiler(input, diagnostics).run();
}

std::optional<Rota> compile_again(const Input& input, const People& people, std::string_view rota, config::Diagnostics& diagnostics) {
  return Compiler(input, diagnostics).run_again(people, rota);
}

}  // namespace ronda::people
