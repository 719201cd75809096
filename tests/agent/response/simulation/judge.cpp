// SPDX-License-Identifier: Apache-2.0
#include "judge.hpp"

#include <algorithm>
#include <utility>

#include "virtual_time.hpp"

namespace ronda::sim {

using incident::Incident;
using store::OutboxRow;
using store::OutboxState;

namespace {

/// Both configurations call for a P1 that nobody has at least so often.
constexpr std::int64_t slowest_pace = 21 * minute_ns;
/// An agent that is stopped looks no more and is there for a while yet.
constexpr std::int64_t stopping_takes = 30 * second_ns;

/// What it is about, as its words were chosen: the event that a notifier sees is coarser.
std::string topic_of(const OutboxRow& row) {
  return std::string(notify::value_of(notify::fields_from_json(row.text.fields), "topic"));
}

bool is_call(const OutboxRow& row) {
  const std::string topic = topic_of(row);
  return row.id == "planted" || topic == "open" || topic == "escalation";
}

bool is_higher(config::Level a, config::Level b) {
  return a != config::Level::none && (b == config::Level::none || a < b);
}

/// Decision 0068, said once more: so long nothing may be known of an alert before that is told.
std::int64_t may_be_unknown(const rule::Alert& rule) {
  std::int64_t out = rule.patience_ns;
  for (const rule::Rung& rung : rule.rungs) out = std::max<std::int64_t>(out, rung.hold.time.count());
  return out;
}

/// So late a busy host may be. A clock that leaps by more than that, and than a check may be late, is a time in which nobody watched; by
/// less, nobody can tell. Decision 0122, said once more: such a leap is less than a minute, or moves all that is dated.
constexpr std::int64_t busy = 10 * second_ns, least_step = 60 * second_ns, least_proof = 10 * second_ns;

constexpr std::string_view waits_prefix = "waits: ";

/// One level below its highest, and p3 and p4 as they are.
config::Level level_of_unknown(const rule::Alert& rule) {
  using config::Level;
  Level highest = Level::none;
  for (const rule::Rung& rung : rule.rungs) highest = is_higher(rung.level, highest) ? rung.level : highest;
  return highest == Level::p1 ? Level::p2 : highest == Level::p2 ? Level::p3 : highest;
}

/// Of all conditions of these worlds enough comes as soon as something does, and their checks run by an interval.
bool is_unknown(const rule::AlertState& alert) {
  return alert.level == config::Level::none && alert.blocked_by.empty() && alert.no_data && alert.unknown_since_ns != 0;
}

/// Decision 0079, said once more.
constexpr std::int64_t eased_after = 15 * minute_ns, comes_back_within = 360 * minute_ns;

bool is_eased(const incident::Event& event) {
  return event.kind == incident::Kind::lowered && event.author.kind == incident::Author::Kind::agent &&
         event.text.starts_with("nothing of it has been ");
}

config::Level highest_of(const Incident& incident) {
  config::Level out = config::Level::none;
  for (const auto& [alert, member] : incident.members) out = is_higher(member.level, out) ? member.level : out;
  return out;
}

/// Since when its ladder stands, by its own word; 0: it does not.
std::int64_t below_ns(const Incident& incident) {
  const auto& all = incident.history.below;
  return all.empty() || all.back().end_ns != 0 ? 0 : all.back().begin_ns;
}

bool is_for(const OutboxRow& row, const std::string& contact) {
  return ("," + row.contact + ",").find("," + contact + ",") != std::string::npos;
}

std::string lane_of(const OutboxRow& row) {
  return row.notifier + "|" + row.to + "|" + (row.group.empty() ? row.incident.empty() ? row.id : row.incident : row.group);
}

}  // namespace

void Judge::fail(std::string what) {
  if (!broken_) broken_ = std::move(what);
}

void Judge::note(std::int64_t passed_ns, const std::string& what) {
  diary_.push_back(std::to_string(passed_ns / second_ns) + "s " + what);
}

void Judge::watch(response::Response* response, std::int64_t) {
  response_ = response;
  in_flight_.clear();
  told_delivered_.clear();
  told_end_.clear();
  before_.clear();
  untold_.clear();
  watched_.clear();
  below_.clear();
  persons_.clear();
  called_.clear();
  decided_.clear();
  fired_.clear();  // that an alert had a level may have been in memory only
  lead_ns_.reset();
  forget_pace();
  if (response == nullptr) return;
  // what was only in memory is gone with the life before, and is decided anew
  std::erase_if(rows_, [&](const std::string& id) { return !disk_.outbox.contains(id); });
  touched_.clear();
  for (const auto& [id, events] : disk_.events) {
    if (std::ranges::any_of(events, [](const auto& event) { return event.kind == "lowered" && event.author != "agent"; }))
      lowered_.insert(id);
    for (const store::IncidentEvent& row : events) {
      const auto event = incident::parse_event(row.data);
      if (!event) continue;
      note_level(*event);
      const auto message = disk_.outbox.find(event->message);
      note_called(*event, message == disk_.outbox.end() ? nullptr : &message->second);
    }
  }
}

void Judge::forget_pace() {
  pace_.clear();
}

void Judge::on_clock_set(std::int64_t passed_ns) {
  clock_was_set_ = true;
  clock_set_at_ns_ = passed_ns;
  follow_clock(passed_ns);
}

/// What the agent's own clock does: it never goes back, by less than a step it leaps at once, and by more only where the wall clock has
/// stood for a while.
void Judge::follow_clock(std::int64_t passed_ns) {
  if (response_ == nullptr || broken_) return;
  const std::int64_t lead = response_->now_ns() - passed_ns, leap = lead_ns_ ? lead - *lead_ns_ : 0;
  lead_ns_ = lead;
  if (leap < 0) return fail("the agent's clock went back by " + std::to_string(-leap / second_ns) + " seconds");
  if (leap >= least_step && passed_ns - clock_set_at_ns_ < least_proof) return fail("a step of the clock was believed at once");
  if (leap > 0 && leap < least_step) forgive(leap, passed_ns);
}

/// That is time.
void Judge::forgive(std::int64_t leap_ns, std::int64_t passed_ns) {
  untold_.clear();  // they may get their time anew
  for (auto& [name, watched] : watched_) {
    const rule::Alert* rule = response_->desk().plan().rules.find(name);
    watched.leapt += leap_ns;
    if (rule != nullptr && leap_ns > rule->patience_ns + busy) watched = {passed_ns, 0};
  }
  for (auto& [id, below] : below_) {
    below.lately = passed_ns;
    below.leapt += leap_ns;
  }
}

// ---- what was decided -----------------------------------------------------------------------

void Judge::on_decide(const store::Decision& decision, std::int64_t passed_ns) {
  std::set<std::string> noted, changed, lowered;
  std::map<std::string, Ways> owed;
  std::int64_t set_by = 0;
  for (const store::IncidentEvent& row : decision.events) {
    const auto event = incident::parse_event(row.data);
    if (!event) return fail("an event that cannot be read: " + row.data);
    if (event->kind == incident::Kind::notice_sent) noted.insert(event->message);
    if (event->kind == incident::Kind::lowered && event->author.kind != incident::Author::Kind::agent) lowered_.insert(row.incident);
    if (decided_.emplace(event->incident, event->sequence).second) {  // else it was refused, and is given once more
      note_level(*event);
      if (event->kind == incident::Kind::clock_set) set_by = event->at_ns - event->effective_ns;  // the same for all
      if (is_eased(*event)) judge_eased(*event, passed_ns);
      if (event->kind == incident::Kind::lowered) lowered.insert(row.incident);
      const bool is_less = event->subject == "resolve" || (event->subject == "update" && lowered.contains(row.incident));
      if (event->kind == incident::Kind::notice_owed && is_less) owed[row.incident] = called_[row.incident];
      const auto message = std::ranges::find(decision.outbox, event->message, &OutboxRow::id);
      note_called(*event, message == decision.outbox.end() ? nullptr : &*message);
    }
    changed.insert(row.incident);
    note(passed_ns, row.incident + " " + std::to_string(row.seq) + " " + row.kind + " " + event->subject + " " + event->alert + " " +
                        std::string(config::level_name(event->level)) + " " + event->text);
  }
  move_known(set_by);
  for (const OutboxRow& row : decision.outbox) {
    if (!rows_.insert(row.id).second) continue;  // it was refused, and is given once more
    note(passed_ns, "decided " + row.id + " " + topic_of(row) + " " + row.level + " to " + row.contact + " by " + row.notifier);
    if (row.incident.empty()) continue;
    if (is_call(row) || topic_of(row) == "reminder") pace_[row.incident].called = passed_ns;
    if (noted.contains(row.id)) judge_row(row);
  }
  if (response_ == nullptr) return;
  for (const auto& [id, ways] : owed) check_told(id, ways, decision);
  for (const std::string& id : changed) take_before(id);
}

/// What is known by an instant is known by that of the clock as it is now too.
void Judge::move_known(std::int64_t by_ns) {
  if (by_ns == 0) return;
  for (auto& [alert, changed_ns] : fired_) changed_ns += by_ns;
  for (const auto& [alert, changed_ns] : std::set(was_unknown_)) was_unknown_.emplace(alert, changed_ns + by_ns);
  for (auto& [id, was] : before_) {
    if (was.acked_ns != 0) was.acked_ns += by_ns;
    if (was.below_ns != 0) was.below_ns += by_ns;
  }
}

void Judge::note_called(const incident::Event& event, const OutboxRow* message) {
  if (event.kind == incident::Kind::reopened) called_.erase(event.incident);
  if (event.kind == incident::Kind::notice_sent && message != nullptr && is_call(*message) && !event.subject.empty())
    called_[event.incident].emplace(event.subject, event.channel);
}

/// Who was called by a channel hears by it that it is less, or over, as long as it leads to him.
void Judge::check_told(const std::string& id, const Ways& owed, const store::Decision& decision) {
  const Incident* is = state().find(id);
  for (const auto& [name, notifier] : owed) {
    const people::Contact* contact = response_->desk().plan().people.find_contact(name);
    const bool leads =
        contact != nullptr && std::ranges::find(contact->channels, notifier, &people::Channel::notifier) != contact->channels.end();
    const bool is_avoided = is != nullptr && is->members.contains("ronda/sink/" + notifier);  // it is what that is about
    const bool is_told = std::ranges::any_of(decision.outbox, [&, to = name, by = notifier](const OutboxRow& row) {
      return row.incident == id && row.notifier == by && is_for(row, to);
    });
    if (leads && !is_avoided && !is_told)
      fail(name + " was called by " + notifier + " and does not hear by it that it is less or over: " + id);
  }
}

void Judge::judge_row(const OutboxRow& row) {
  if (response_ == nullptr) return;
  const Incident* is = state().find(row.incident);
  if (is == nullptr) return fail("a message about no incident: " + row.id);
  if (!is_call(row)) return;
  const auto found = before_.find(row.incident);
  const Before was = found == before_.end() ? Before() : found->second;
  const bool is_same_ack = was.taken && is->is_taken() && is->ack && is->ack->at_ns == was.acked_ns;
  if (is_same_ack) fail("a page for what somebody has: " + row.id);
  if (!is->suppressed_by.empty() && (is->suppressed_by == was.suppressed_by || found == before_.end()))
    fail("a page for what is hidden: " + row.id);
  if (!is->is_live() && !was.live && found != before_.end()) fail("a page for what is over: " + row.id);
  if (was.below_ns != 0 && was.below_ns == below_ns(*is)) fail("a page as for " + row.level + ", and nothing of it is any more: " + row.id);
}

/// What a person said of it holds until it is opened anew.
void Judge::note_level(const incident::Event& event) {
  using incident::Kind;
  const bool is_persons = event.author.kind != incident::Author::Kind::agent;
  if (event.kind == Kind::reopened) persons_.erase(event.incident);
  if (is_persons && (event.kind == Kind::raised || event.kind == Kind::lowered || (event.kind == Kind::opened && event.root.empty())))
    persons_[event.incident] = event.level;
}

void Judge::judge_eased(const incident::Event& event, std::int64_t passed_ns) {
  const std::string& id = event.incident;
  const auto said = persons_.find(id);
  if (said != persons_.end() && is_higher(said->second, event.level)) fail("lowered by itself under what a person said: " + id);
  was_eased_.insert(id);
  const Below& below = below_[id];
  const std::int64_t spent = below.spent + (below.since < 0 ? 0 : passed_ns - below.since) + below.leapt;
  if (spent < eased_after - second_ns) fail("lowered too early, after " + std::to_string(spent / second_ns) + " seconds: " + id);
  if (!is_higher(below.level, event.level)) fail("lowered by itself to what it was: " + id);
}

void Judge::take_before(const std::string& id) {
  const Incident* is = state().find(id);
  if (is == nullptr) return;
  before_[id] = {is->is_live(), is->is_taken(), is->ack ? is->ack->at_ns : 0, is->suppressed_by, below_ns(*is)};
}

// ---- what is on the disk --------------------------------------------------------------------

void Judge::on_event(const store::IncidentEvent& row) {
  const auto event = incident::parse_event(row.data);
  if (!event) return fail("an event that cannot be read: " + row.data);
  if (incident::to_json(*event) != row.data) fail("an event is not read as it was written: " + row.data);
  ++kinds_[row.kind];
  const Incident* known = shadow_.find(row.incident);
  const std::uint64_t last = known == nullptr ? 0 : known->sequence;
  if (event->sequence != last + 1)
    fail("on the disk, event " + std::to_string(event->sequence) + " of " + row.incident + " follows " + std::to_string(last));
  if (known != nullptr && event->at_ns < known->changed_ns) fail("an event of " + row.incident + " lies before the one before it");
  const incident::Stage before = known == nullptr ? incident::Stage::open : known->stage;
  incident::apply(shadow_, *event);
  const Incident* after = shadow_.find(row.incident);
  if (after == nullptr) return fail("an event of no incident: " + row.data);
  if (known != nullptr && !incident::is_legal_move(before, after->stage))
    fail(row.incident + " goes from " + std::string(incident::stage_name(before)) + " to " +
         std::string(incident::stage_name(after->stage)));
  touched_.insert(row.incident);
  if (event->kind == incident::Kind::clock_set && event->at_ns - event->effective_ns < least_step)
    fail("a leap of the clock by less than a step is an event of " + row.incident);
  const bool is_agents = event->author.kind == incident::Author::Kind::agent;
  Eased& eased = eased_[row.incident];
  if (event->kind == incident::Kind::clock_set && eased.at != 0) eased.at += event->at_ns - event->effective_ns;
  if (is_eased(*event) && eased.returned && event->at_ns - eased.at < comes_back_within)
    fail("lowered again though it had come back soon: " + row.incident);
  // of what nobody was called for the next rise is the first call
  if (event->kind == incident::Kind::lowered && is_agents && after->was_told) eased = {event->at_ns, false};
  if (event->kind == incident::Kind::reopened || (event->kind == incident::Kind::raised && is_agents)) eased.returned = eased.at != 0;
}

void Judge::on_change(const store::OutboxChange& change) {
  if (change.state == OutboxState::delivered && !told_delivered_.contains(change.id) && !told_delivered_.contains(change.carrier) &&
      !was_refused_.contains(change.id) && !confirmed_.contains(change.id))
    fail("called delivered, and no notifier said so: " + change.id);
}

void Judge::on_written(const store::Decision& decision) {
  for (const store::OutboxChange& change : decision.changes) {
    if (change.state == OutboxState::delivered) confirmed_.insert(change.id);
  }
}

void Judge::on_reply(const incident::Reply& reply) {
  if (!reply.done || reply.incident.empty()) return;
  const auto found = disk_.events.find(reply.incident);
  const bool is_there = found != disk_.events.end() && std::ranges::any_of(found->second, [&](const store::IncidentEvent& event) {
                          return event.seq == static_cast<std::int64_t>(reply.sequence);
                        });
  if (!is_there) fail("a person was told `" + reply.text + "` before it was on the disk: " + reply.incident);
}

// ---- messages -------------------------------------------------------------------------------

void Judge::on_handed(const std::string& notifier, const wire::Message& message) {
  ++handed_[message.id];
  if (!rows_.contains(message.id)) fail("handed over and never decided: " + message.id);
  if (!in_flight_.emplace(notifier, message.id).second) fail("two messages at once to " + notifier);
  // of a window that comes once more, because the clock was set back and the agent began anew, is told once more
  const bool may_come_again = clock_was_set_ && message.incident.empty();
  if (confirmed_.contains(message.id) && !may_come_again)
    fail("sent once more after it was delivered and that was on the disk: " + message.id);
  if (told_delivered_.contains(message.id) && !may_come_again) fail("sent once more after it was delivered: " + message.id);
  std::int64_t& number = number_[message.id];
  const auto found = disk_.outbox.find(message.id);
  const bool is_stored =
      found != disk_.outbox.end() && found->second.state == OutboxState::sending && found->second.attempts == message.attempt;
  if (!is_stored) {
    if (is_stored_in_time() && !may_come_again && !was_refused_.contains(message.id))
      fail("handed over before it was on the disk: " + message.id);
    was_refused_.insert(message.id);
  }
  if (!may_come_again && !was_refused_.contains(message.id) && message.attempt <= number)
    fail("an attempt has the number of the one before: " + message.id);
  number = message.attempt;
  if (found == disk_.outbox.end() || may_come_again || disk_.revived.contains(message.id) || was_refused_.contains(message.id)) return;
  std::int64_t& last = lane_[lane_of(found->second)];
  if (found->second.order < last) fail("out of its order: " + message.id);
  last = std::max(last, found->second.order);
}

void Judge::on_ended(const std::string& notifier, const std::string& id, schedule::DeliveryEnd::What what) {
  in_flight_.erase(notifier);
  if (what == schedule::DeliveryEnd::What::delivered) {
    told_delivered_.insert(id);
    if (!received_.contains(id)) fail("called delivered, and " + notifier + " does not have it: " + id);
  }
  if (what != schedule::DeliveryEnd::What::retry) told_end_.insert(id);
}

void Judge::on_received(const std::string& notifier, const std::string& id) {
  if (++received_[id] > handed_[id]) fail(notifier + " got it more often than it was handed over: " + id);
}

// ---- what the desk holds --------------------------------------------------------------------

void Judge::check(std::int64_t passed_ns) {
  if (response_ == nullptr || broken_) return;
  follow_clock(passed_ns);
  std::set<std::string> causes;
  for (const auto& [id, one] : state().incidents) {
    check_incident(one, passed_ns);
    if (one.is_live() && !one.cause.empty() && !causes.insert(one.cause).second) fail("two live incidents for " + one.cause);
  }
  check_alerts(passed_ns);
  if (disk_.is_idle() && is_stored_in_time()) check_stored();
}

void Judge::check_incident(const Incident& incident, std::int64_t passed_ns) {
  const std::string& id = incident.id;
  if (incident.is_taken() != incident.ack.has_value()) fail(id + " is taken by nobody, or somebody has what is not taken");
  if (incident.responded && incident.responded_by.empty()) fail(id + " has a response of nobody named");
  if (!incident.is_live()) {
    if (incident.any_fires() && incident.stage == incident::Stage::closed) fail("what is closed has open alerts: " + id);
    if (incident.any_fires() && incident.decided_by.kind == incident::Author::Kind::agent)
      fail("resolved by itself with open alerts: " + id);
    pace_.erase(id);
    below_.erase(id);
    return;
  }
  if (!incident.any_fires() && !incident.by_hand && !incident.is_flapping) fail("live without a cause: " + id);
  if (incident.is_paging() && !incident.was_told && (incident.any_fires() || incident.by_hand)) fail("nobody is told of " + id);
  check_level(incident);
  check_below(incident, passed_ns);
  check_pace(incident, passed_ns);
}

/// As high as the worst that can be heard of it, unless a person said otherwise.
void Judge::check_level(const Incident& incident) {
  bool is_lower = false;
  for (const auto& [alert, member] : incident.members) {
    if (!member.fires() || !is_higher(member.level, incident.level)) continue;
    const incident::Subject subject{alert, member.check, member.service, member.level, {}};
    const bool is_muted = std::ranges::any_of(state().mutes, [&](const incident::Mute& mute) { return mute.covers(subject); });
    if (is_muted) continue;
    is_lower = true;
    if (!lowered_.contains(incident.id))
      fail(incident.id + " is " + std::string(config::level_name(incident.level)) + ", and its " + alert + " is " +
           std::string(config::level_name(member.level)));
  }
  if (!is_lower) lowered_.erase(incident.id);
  if (is_higher(incident.level, incident.peak_level)) fail(incident.id + " is higher than it ever was");
}

/// Once the worst is over for long enough its ladder calls nobody any more, unless a person said how bad it is.
void Judge::check_below(const Incident& incident, std::int64_t passed_ns) {
  const config::Level fires = highest_of(incident);
  const bool is_below = is_higher(incident.level, fires), runs = is_below && incident.suppressed_by.empty();
  Below& below = below_[incident.id];
  if (!is_below || below.level != incident.level) below = {incident.level, -1, 0, 0, passed_ns};
  if (!runs && below.since >= 0) below.spent += passed_ns - std::exchange(below.since, -1);
  if (runs && below.since < 0) below.since = passed_ns;
  const auto said = persons_.find(incident.id);
  const config::Level least = said != persons_.end() && is_higher(said->second, fires) ? said->second : fires;
  // where something fires again long after, it is lowered to that at once, but by the next step and not by this one
  if (!runs || incident.is_flapping || least == config::Level::none || !is_higher(incident.level, least)) return void(below.due = -1);
  if (below.due < 0) below.due = passed_ns;
  const auto eased = eased_.find(incident.id);
  const bool may_have_returned = (eased != eased_.end() && eased->second.at != 0) || was_eased_.contains(incident.id);
  const std::int64_t most = may_have_returned ? comes_back_within : eased_after;
  if (passed_ns - std::max(below.since, below.lately) > most + stopping_takes && passed_ns > below.due)
    fail("still " + std::string(config::level_name(incident.level)) + ", and nothing of it is any more: " + incident.id);
}

/// A P1 that nobody has and that nothing hides is called again and again; one of any level is owed something.
void Judge::check_pace(const Incident& incident, std::int64_t passed_ns) {
  if (incident.is_paging() && !is_higher(config::Level::p2, incident.level)) {
    // what a full disk refused counts too: it leaves all the same, and is in memory only
    const std::string of = incident.id + "/";
    const auto decided = rows_.lower_bound(of);
    const bool is_owed = response_->desk().next_wake().has_value() || (decided != rows_.end() && decided->starts_with(of));
    if (!is_owed) fail("nothing is owed for " + incident.id);
  }
  const bool calls = incident.is_paging() && incident.level == config::Level::p1 && below_ns(incident) == 0;
  if (!calls) return void(pace_.erase(incident.id));
  const auto [pace, fresh] = pace_.try_emplace(incident.id, Pace{passed_ns, 0});
  if (!fresh && pace->second.since == 0) pace->second.since = passed_ns;
  const std::int64_t quiet = passed_ns - std::max(pace->second.since, pace->second.called);
  if (quiet > slowest_pace)
    fail("a P1 that nobody has, and nobody was called for " + std::to_string(quiet / minute_ns) + " minutes: " + incident.id);
}

void Judge::check_alerts(std::int64_t passed_ns) {
  const response::Desk& desk = response_->desk();
  // what a reload took away is not waited for, and begins anew where it comes back
  const auto is_gone = [&](const auto& one) {
    return desk.plan().rules.find(one.first.starts_with(waits_prefix) ? one.first.substr(waits_prefix.size()) : one.first) == nullptr;
  };
  std::erase_if(untold_, is_gone);
  std::erase_if(watched_, is_gone);
  for (const rule::Alert& rule : desk.plan().rules.alerts) {
    const rule::AlertState* alert = desk.alert(rule.name);
    const auto found = state().by_alert.find(rule.name);
    const bool fires = alert != nullptr && alert->level != config::Level::none && alert->blocked_by.empty();
    if (fires && found == state().by_alert.end())
      fail(rule.name + " fires and is in no incident: " + std::string(config::level_name(alert->level)) + " " + alert->reason);
    check_untold(rule, alert, passed_ns);
    check_waiting(rule, alert, passed_ns);
    if (alert != nullptr && alert->unknown_since_ns != 0)  // also while its first result may yet come
      watched_.try_emplace(rule.name, Watched{passed_ns, 0});
    else
      watched_.erase(rule.name);
    if (found == state().by_alert.end()) continue;
    const Incident* one = state().find(found->second);
    if (one == nullptr || !one->members.contains(rule.name)) {
      fail(rule.name + " is in an incident that does not have it");
      continue;
    }
    const incident::Member& member = one->members.at(rule.name);
    if (fires && member.level != alert->level) fail(rule.name + " has another level in its incident");
    if (fires) fired_[rule.name] = member.changed_ns;
    if (alert == nullptr)
      fail(rule.name + " is over, and goes on in " + found->second);
    else if (!fires && alert->blocked_by.empty())
      check_unknown(rule, *alert, found->second, member, passed_ns);
  }
}

/// It has no level and is in an incident: because nothing was known of it for long enough (decision 0068), and until it is known
/// again and well. What had a level and lost it is over.
void Judge::check_unknown(const rule::Alert& rule, const rule::AlertState& alert, const std::string& id, const incident::Member& member,
                          std::int64_t passed_ns) {
  const auto fired = fired_.find(rule.name);
  const bool had_level = fired != fired_.end() && fired->second == member.changed_ns;
  const bool counts = std::ranges::any_of(alert.rungs, [](const rule::RungState& rung) { return rung.since_ns != 0; });
  if (member.blocked) {  // what waited is judged before it is over
    const bool awaits = alert.await_after_ns != 0 && alert.looked_ns - alert.await_after_ns <= may_be_unknown(rule);
    if (!awaits && alert.unknown_since_ns == 0 && !counts) fail(rule.name + " waits no more and is well, and goes on in " + id);
    return;
  }
  if (had_level || (alert.unknown_since_ns == 0 && !counts)) return fail(rule.name + " is over, and goes on in " + id);
  if (!was_unknown_.emplace(rule.name, member.changed_ns).second) return;
  if (!is_unknown(alert)) return fail(rule.name + " came into " + id + ", and something is known of it");
  if (member.level != level_of_unknown(rule))
    fail("nothing is known of " + rule.name + ", and in its incident it is " + std::string(config::level_name(member.level)));
  const Watched& watched = watched_.at(rule.name);
  const bool is_early = passed_ns - watched.since + watched.leapt < may_be_unknown(rule);
  if (is_early || alert.looked_ns - alert.unknown_since_ns < may_be_unknown(rule))
    fail("nothing is known of " + rule.name + ", and it was told too early");
}

/// Who watches nothing must not look as if all were well.
void Judge::check_untold(const rule::Alert& rule, const rule::AlertState* alert, std::int64_t passed_ns) {
  if (alert == nullptr || !is_unknown(*alert) || state().by_alert.contains(rule.name)) return void(untold_.erase(rule.name));
  const std::int64_t since = untold_.try_emplace(rule.name, passed_ns).first->second;
  if (passed_ns - since > may_be_unknown(rule) + stopping_takes) fail("nothing is known of " + rule.name + ", and it is in no incident");
}

/// Decision 0101, said once more: what waits for a check is told when nothing that judges that one is, or is about to be.
void Judge::check_waiting(const rule::Alert& rule, const rule::AlertState* alert, std::int64_t passed_ns) {
  const std::string key = std::string(waits_prefix) + rule.name;
  const auto tells = [&](const rule::Alert& other) {
    if (std::ranges::find(other.checks, alert->blocked_by) == other.checks.end()) return false;
    const rule::AlertState* one = response_->desk().alert(other.name);
    const auto holds = [](const rule::RungState& rung) { return rung.last == rule::Truth::yes; };
    return state().by_alert.contains(other.name) ||
           (one != nullptr && (one->level != config::Level::none || std::ranges::any_of(one->rungs, holds)));
  };
  const bool waits = alert != nullptr && !alert->blocked_by.empty() && !state().by_alert.contains(rule.name);
  if (!waits || std::ranges::any_of(response_->desk().plan().rules.alerts, tells)) return void(untold_.erase(key));
  const std::int64_t since = untold_.try_emplace(key, passed_ns).first->second;
  // it is looked at again once it may be late
  if (passed_ns - since > 2 * may_be_unknown(rule) + stopping_takes)
    fail(rule.name + " waits for " + alert->blocked_by + ", and nobody was told of either");
}

/// What the desk holds is the fold over what is on the disk.
void Judge::check_stored() {
  for (const std::string& id : touched_) {
    const Incident* kept = shadow_.find(id);
    const Incident* held = state().find(id);
    if (held == nullptr && kept != nullptr && kept->stage == incident::Stage::closed) continue;
    if (kept == nullptr || held == nullptr || !(*kept == *held)) fail("what is on the disk of " + id + " is not what the agent holds");
  }
  touched_.clear();
}

void Judge::check_still(std::int64_t now_ns) {
  if (response_ == nullptr || broken_) return;
  const auto wake = response_->desk().next_wake();
  if (wake && *wake < now_ns - second_ns) fail("a wake-up that was not served");
}

void Judge::check_calm() {
  if (broken_) return;
  if (response_->courier().ring().size() != 0) fail("decisions are kept in memory though the disk is well");
  if (!disk_.is_idle()) fail("the disk is not idle");
  for (const auto& [id, row] : disk_.outbox) {
    if (row.state == OutboxState::queued || row.state == OutboxState::sending) fail("still owed after a long time: " + id);
    const std::string& carrier = row.carrier.empty() ? id : row.carrier;
    if (row.state == OutboxState::delivered && !received_.contains(carrier)) fail("delivered, and nobody has it: " + id);
  }
  for (const auto& [id, one] : state().incidents) {
    if (!one.is_paging() || one.level != config::Level::p1) continue;
    const bool is_heard = std::ranges::any_of(
        disk_.outbox, [&, of = id](const auto& row) { return row.second.incident == of && row.second.state == OutboxState::delivered; });
    if (!is_heard) fail("a P1 of which nobody has heard: " + id);
  }
}

void Judge::check_well() {
  if (broken_) return;
  for (const auto& [id, one] : state().incidents) {
    // that a notifier refused a message is over with the next one that it takes, which nobody may send
    const bool waits_for_message = std::ranges::any_of(
        one.members, [](const auto& member) { return member.first.starts_with("ronda/sink/") && member.second.fires(); });
    if (one.is_live() && !one.by_hand && !waits_for_message)
      fail("still " + std::string(incident::stage_name(one.stage)) + " though all is well: " + id);
  }
}

}  // namespace ronda::sim
