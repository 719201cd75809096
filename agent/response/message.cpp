// SPDX-License-Identifier: Apache-2.0
#include "response/message.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include "base/units.hpp"
#include "response/clock.hpp"
#include "response/upkeep.hpp"
#include "response/words.hpp"

namespace ronda::response {
namespace {

notify::Topic topic_of(std::string_view event) {
  if (event == incident::notice::open) return notify::Topic::open;
  if (event == incident::notice::escalation) return notify::Topic::escalation;
  if (event == incident::notice::resolve) return notify::Topic::resolve;
  if (event == incident::notice::reminder) return notify::Topic::reminder;
  return notify::Topic::update;
}

void set(notify::Fields& fields, std::string_view name, std::string value) {
  std::erase_if(fields, [&](const auto& field) { return field.first == name; });
  fields.emplace_back(std::string(name), std::move(value));
}

std::string trouble_text(const notify::RouteTrouble& trouble, const notify::Message& message) {
  const std::string about = message.incident.empty() ? "a message" : message.incident;
  switch (trouble.what) {
    case notify::RouteTrouble::What::no_channel:
      return about + ": " + trouble.contact + " has no channel that can be used";
    case notify::RouteTrouble::What::last_resort:
      return about + ": nobody is reached as configured, the last resort is told";
    case notify::RouteTrouble::What::unnamed:
      return about + ": nobody is told: neither a ladder nor [agent] last_resort names anybody for " +
             std::string(config::level_name(message.level));
    case notify::RouteTrouble::What::nobody:
      return about + ": nobody can be told, no notifier can be used";
  }
  return {};
}

/// What a notifier is avoided for has its own trouble: that the last resort hears it then is no other one.
Way way_of(const notify::Routed& routed, const notify::Message& message) {
  Way out = routed.rows.empty() ? Way::unknown : Way::as_said;
  for (const notify::RouteTrouble& trouble : routed.troubles) {
    if (trouble.what == notify::RouteTrouble::What::nobody) return Way::nobody;
    if (trouble.what == notify::RouteTrouble::What::last_resort) out = message.avoid.empty() ? Way::last_resort : Way::unknown;
    if (trouble.what == notify::RouteTrouble::What::unnamed) out = Way::unknown;  // as it is configured, of which others say nothing
  }
  return out;
}

void post(const Plan& plan, const notify::Message& message, const Directory& directory, Told& out) {
  notify::Routed routed = notify::route(message, directory, plan.templates);
  for (const notify::RouteTrouble& trouble : routed.troubles) out.troubles.push_back(trouble_text(trouble, message));
  out.way = std::max(out.way, way_of(routed, message));
  out.contacts.insert(message.contacts.begin(), message.contacts.end());
  for (const store::OutboxRow& row : routed.rows) {
    if (row.contact.empty()) out.last_resorts.insert(row.notifier);
  }
  std::ranges::move(routed.rows, std::back_inserter(out.rows));
}

notify::Message message_about(const Plan& plan, const incident::Incident& incident, std::int64_t now_ns) {
  notify::Message message;
  message.incident = incident.id;
  message.group = std::string(incident.group());
  message.level = incident.level;
  message.fields = fields_of(plan, incident, now_ns);
  message.said.emplace_back("current_status", situation_of(incident));
  // what is wrong with a notifier is told by another one
  constexpr std::string_view sink = "ronda/sink/";
  for (auto at = incident.members.lower_bound(sink); at != incident.members.end() && at->first.starts_with(sink); ++at) {
    if (at->second.fires()) message.avoid.push_back(at->first.substr(sink.size()));
  }
  return message;
}

std::string_view why_in_spanish(escalation::Why why) {
  constexpr std::array<std::string_view, 5> names = {"inicio", "repetición", "por el cambio de nivel", "se reanuda", "responsable"};
  return names[static_cast<std::size_t>(why)];
}

Said step_text(const escalation::Due& due) {
  const std::string number = std::to_string(due.step + 1), round = std::to_string(due.round),
                    clock = format_duration(std::chrono::floor<std::chrono::seconds>(due.clock));
  Said out(due.escalation + ", step " + number, due.escalation + ", paso " + number);
  if (due.why == escalation::Why::owner) out = {due.escalation + ", the owner", due.escalation + ", el responsable"};
  if (due.round > 0) out = {out.en + ", repeat " + round, out.es + ", repetición " + round};
  return {out.en + " (" + std::string(escalation::why_name(due.why)) + ", " + clock + " after detection)",
          out.es + " (" + std::string(why_in_spanish(due.why)) + ", " + clock + " tras la detección)"};
}

/// Without what the message is called, which it says already: "raised to p1: The API is down".
std::string shortened(const std::string& reason, std::string_view headline) {
  const std::string_view text = reason;
  if (!text.ends_with(headline)) return reason;
  const std::string_view before = text.substr(0, text.size() - headline.size());
  return before.ends_with(": ") ? std::string(before.substr(0, before.size() - 2)) : reason;
}

/// What it is told for, and by whose command.
void add_reason(notify::Message& message, const incident::Notice& notice) {
  const std::string headline(notify::value_of(message.fields, "title"));
  if (!notice.reason.empty())
    message.said.emplace_back("reason", Said(shortened(notice.reason, headline), shortened(notice.reason_es, headline)));
  if (notice.author.kind != incident::Author::Kind::agent) set(message.fields, "author", notice.author.name);
}

/// Those of the paging step that each ladder has reached, who they are now; nobody where none was.
std::vector<std::string> called_last(const Plan& plan, const incident::Incident& incident, std::int64_t now_ns,
                                     const escalation::Overrides& overrides) {
  const auto answer = escalation::due(plan.policies.of(incident.service), clock_of(incident), escalation::never_asked, now_ns);
  std::map<std::string_view, const escalation::Due*> reached;
  const auto rank = [](const escalation::Due& one) { return std::tuple(one.cycle, one.step); };
  for (const escalation::Due& one : answer.due) {
    if (!one.is_paging || one.level != incident.level) continue;
    const auto [found, is_first] = reached.emplace(one.escalation, &one);
    if (!is_first && rank(one) >= rank(*found->second)) found->second = &one;
  }
  std::vector<std::string> targets;
  for (const auto& [escalation, one] : reached) targets.insert(targets.end(), one->targets.begin(), one->targets.end());
  return contacts_of(plan, targets, overrides, now_ns);
}

/// `called`: those whom this calls; empty: those who were called last are asked for.
void add_contact(const Plan& plan, const incident::Incident& incident, std::vector<std::string> called, std::int64_t now_ns,
                 const escalation::Overrides& overrides, notify::Message& message) {
  const bool is_somebodys = incident.roles.contains("commander") || (incident.ack && incident.ack->author.is_named());
  if (called.empty() && !is_somebodys && incident.is_live()) called = called_last(plan, incident, now_ns, overrides);
  if (called.empty()) called.assign(incident.told.begin(), incident.told.end());
  message.said.emplace_back("contact", contact_of(plan, incident, called));
}

bool is_call(const incident::Notice& notice) {
  return notice.page && notice.contacts.empty();
}

/// By what each heard of it, without what tells him something just now; of who has heard by nothing else nothing is left.
Ways heard_by(const incident::Incident& incident, const Told& already) {
  Ways out = incident.told_by;
  for (const store::OutboxRow& row : already.rows) {
    for (auto& [contact, notifiers] : out) {
      if (("," + row.contact + ",").find("," + contact + ",") != std::string::npos) notifiers.erase(row.notifier);
    }
  }
  return out;
}

}  // namespace

store::IncidentEvent row_of(const incident::Event& event) {
  return {event.incident,
          static_cast<std::int64_t>(event.sequence),
          event.at_ns,
          std::string(event.kind == incident::Kind::other ? event.kind_name : incident::kind_name(event.kind)),
          incident::to_text(event.author),
          event.source,
          incident::to_json(event)};
}

// ---- who ------------------------------------------------------------------------------------

std::vector<notify::Channel> Directory::channels(std::string_view contact, config::Level level) const {
  std::vector<notify::Channel> out = heard_channels(contact, level);
  const people::Contact* found = plan_.people.find_contact(contact);
  if (found == nullptr || !out.empty()) return out;
  for (const people::Channel& channel : found->channels) {
    if (level == config::Level::none || channel.levels.has(level)) out.push_back(channel_of(*found, channel, level));
  }
  return out;
}

notify::Channel Directory::channel_of(const people::Contact& contact, const people::Channel& channel, config::Level level) const {
  const auto& quiet = channel.quiet ? channel.quiet : contact.quiet;
  const auto held = quiet && level != config::Level::none ? people::held_until(*quiet, level, at_ns_) : std::nullopt;
  return {channel.notifier, channel.to, channel.fallback, held.value_or(0)};
}

/// Of the notifiers those addresses that a level which it had leads to. What stood in for others hears the end as they do.
std::vector<notify::Channel> Directory::heard_channels(std::string_view contact, config::Level level) const {
  std::vector<notify::Channel> out;
  const people::Contact* found = plan_.people.find_contact(contact);
  if (heard_by_ == nullptr || incident_ == nullptr || found == nullptr) return out;
  const auto by = heard_by_->find(contact);
  if (by == heard_by_->end()) return out;
  const auto was_used = [&](const people::Channel& channel) {
    return std::ranges::any_of(incident_->history.levels, [&](const incident::History::LevelAt& one) {
      return one.level != config::Level::none && channel.levels.has(one.level);
    });
  };
  for (const people::Channel& channel : found->channels) {
    if (by->second.contains(channel.notifier) && is_usable(channel.notifier) && was_used(channel))
      out.push_back(channel_of(*found, channel, level));
  }
  for (notify::Channel& one : out) {
    const auto is_first = [&](const notify::Channel& other) { return !other.fallback && other.notifier == one.notifier; };
    one.fallback = one.fallback && std::ranges::any_of(out, is_first);
  }
  return out;
}

bool Directory::is_usable(std::string_view notifier) const {
  return std::ranges::binary_search(plan_.people.notifiers, notifier, std::less<>());
}

notify::Markup Directory::markup(std::string_view notifier) const {
  const people::Notifier* found = plan_.find_notifier(notifier);
  return notify::find_markup(found == nullptr ? "" : found->wants.markup);
}

notify::Language Directory::language(std::string_view contact) const {
  return plan_.language_of(contact);
}

/// Also of a channel that is none of the contact's: it stands in for what could not be reached.
bool Directory::is_shared(std::string_view contact, const notify::Channel& channel) const {
  const people::Contact* found = plan_.people.find_contact(contact);
  if (found == nullptr) return true;
  const auto is_it = [&](const people::Channel& one) { return one.notifier == channel.notifier && one.to == channel.to; };
  return std::ranges::none_of(found->channels, [&](const people::Channel& one) { return is_it(one) && !one.shared; });
}

notify::Fields Directory::personal(std::string_view contact, const notify::Channel& channel) const {
  if (incident_ == nullptr) return {};
  return link_fields(plan_.links, *incident_, {contact, is_shared(contact, channel), markup(channel.notifier) == notify::Markup::sms},
                     at_ns_);
}

std::vector<std::string> Directory::last_resort() const {
  return plan_.people.last_resort;
}

std::vector<std::string> Directory::usable() const {
  return plan_.people.notifiers;
}

std::vector<notify::Channel> Directory::everybody(std::string_view notifier, config::Level level) const {
  std::vector<notify::Channel> out;
  // those who heard of it at its worst hear that it is less
  if (heard_by_ != nullptr && incident_ != nullptr) {
    for (const incident::History::LevelAt& one : incident_->history.levels) {
      if (one.level != config::Level::none) level = std::min(level, one.level);
    }
  }
  for (const escalation::Address& one : escalation::addresses_on(plan_.people, notifier, level)) out.push_back({one.notifier, one.to});
  return out;
}

// ---- what -----------------------------------------------------------------------------------

Told tell_by_escalation(const Plan& plan, const incident::Incident& incident, const std::vector<escalation::Due>& due,
                        const std::vector<incident::Notice>& notices, std::int64_t now_ns, const escalation::Overrides& overrides) {
  Told out;
  const auto call = std::ranges::find_if(notices, is_call);
  const escalation::Policy& policy = plan.policies.of(incident.service);
  const bool has_ladder =
      std::ranges::any_of(policy.escalations, [&](const escalation::Escalation& one) { return one.at(incident.level) != nullptr; });
  // a ladder that begins later has its time; where there is none, somebody is told all the same
  if (due.empty() && (call == notices.end() || has_ladder)) return out;
  notify::Message message = message_about(plan, incident, now_ns);
  const Directory directory(plan, now_ns, &incident);
  const escalation::Reach reach = escalation::route(plan.people, policy, incident.level, due, now_ns, overrides);
  std::vector<std::string> called;
  for (const escalation::Recipient& recipient : reach.recipients) {
    message.contacts.push_back(recipient.contact);
    if (!recipient.business) called.push_back(recipient.contact);
  }
  add_contact(plan, incident, std::move(called), now_ns, overrides, message);
  for (const std::string& missed : reach.missed) out.troubles.push_back(incident.id + ": " + missed);
  message.topic = call != notices.end() ? topic_of(call->event) : notify::Topic::escalation;
  if (call == notices.end() && std::ranges::all_of(due, [](const escalation::Due& one) { return one.why == escalation::Why::repeat; }))
    message.topic = notify::Topic::reminder;
  // the same for the same cause, also when the agent was killed before it was committed
  message.key = incident.id + (due.empty() ? "/n" + std::to_string(call->sequence) : "/e" + std::to_string(due.back().at_ns));
  if (!due.empty()) message.said.emplace_back("step", step_text(due.back()));
  // of what has just opened the description says it
  if (call != notices.end() && !call->reason.empty() && call->reason != incident::headline_of(incident)) add_reason(message, *call);
  post(plan, message, directory, out);
  // some were reached and all the same too few: the last resort hears it besides
  const bool is_short = reach.how != escalation::How::people && reach.how != escalation::How::next_step;
  if (is_short && !message.contacts.empty()) {
    message.contacts.clear();
    message.key += "/all";
    post(plan, message, directory, out);
  }
  const auto is_meant = [](const escalation::Due& one) {
    return std::ranges::all_of(one.targets, [](const std::string& target) { return target == escalation::last_resort_target; });
  };
  if (out.way == Way::last_resort && std::ranges::all_of(due, is_meant)) out.way = Way::unknown;
  return out;
}

Told tell_along(const Plan& plan, const incident::Incident& incident, const std::vector<incident::Notice>& notices, const Told& already,
                std::int64_t now_ns, const escalation::Overrides& overrides) {
  Told out;
  const Ways heard = heard_by(incident, already);
  for (const incident::Notice& notice : notices) {
    if (is_call(notice)) continue;
    notify::Message message = message_about(plan, incident, now_ns);
    message.contacts = notice.contacts;
    message.notifiers = notice.notifiers;
    if (message.contacts.empty() && notice.event == incident::notice::reminder)
      message.contacts = called_last(plan, incident, now_ns, overrides);
    if (message.contacts.empty() && message.notifiers.empty()) {
      message.contacts.assign(incident.told.begin(), incident.told.end());
      message.notifiers.assign(incident.last_resorts.begin(), incident.last_resorts.end());
    }
    // for less he is called by other channels than for more: those by which he was called for more say that it is less
    const bool is_end = notice.lowers || notice.event == incident::notice::resolve;
    const Directory directory(plan, now_ns, &incident, is_end ? &heard : nullptr);
    std::erase_if(message.contacts, [&](const std::string& contact) {
      return already.contacts.contains(contact) && directory.heard_channels(contact, message.level).empty();
    });
    std::erase_if(message.notifiers, [&](const std::string& notifier) { return already.last_resorts.contains(notifier); });
    if (message.contacts.empty() && message.notifiers.empty()) continue;  // nobody was told of it, so nobody waits for its end
    add_contact(plan, incident, {}, now_ns, overrides, message);
    message.topic = topic_of(notice.event);
    if (message.topic == notify::Topic::resolve) message.said.emplace_back("pending", pending_text(incident));
    message.key = incident.id + "/n" + std::to_string(notice.sequence);
    add_reason(message, notice);
    post(plan, message, directory, out);
  }
  out.way = Way::unknown;  // whether those who heard of it can be reached still says nothing of those who are to be called
  return out;
}

std::vector<store::OutboxRow> fallbacks_of(const Plan& plan, const store::OutboxRow& failed, const std::vector<store::OutboxRow>& others,
                                           std::int64_t now_ns) {
  return notify::route_fallback(failed, others, Directory(plan, now_ns), plan.templates).rows;
}

}  // namespace ronda::response
