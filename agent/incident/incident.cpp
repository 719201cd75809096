// SPDX-License-Identifier: Apache-2.0
#include "incident/incident.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "incident/document.hpp"
#include "incident/notice.hpp"
#include "incident/times.hpp"

namespace ronda::incident {
namespace {

constexpr std::array<std::string_view, 5> stage_names = {"open", "acknowledged", "mitigating", "resolved", "closed"};
constexpr std::string_view cause_check = "check:";
constexpr std::size_t max_impacts = 64, max_tickets = 64;

/// One list of stretches follows a condition.
void follow(std::vector<Stretch>& stretches, bool holds, std::int64_t at_ns) {
  const bool goes_on = !stretches.empty() && stretches.back().end_ns == 0;
  if (holds == goes_on) return;
  if (holds) return stretches.push_back({at_ns, 0});
  stretches.back().end_ns = std::max(at_ns, stretches.back().begin_ns);
  if (stretches.back().end_ns == stretches.back().begin_ns) stretches.pop_back();
}

/// What was as high as it is is over, and what goes on is less: nobody is called as for that. Not where a person said that it is so
/// high; nor where it came back: it keeps its level for hours then, and somebody has to hear of what goes on.
bool is_past_its_worst(const Incident& incident) {
  const bool is_persons = incident.persons_level != config::Level::none && incident.persons_level <= incident.level;
  const bool came_back = incident.eased_ns != 0 && incident.returned_ns >= incident.eased_ns &&
                         incident.returned_ns - incident.eased_ns < comes_back_within_ns;
  const bool goes_on = incident.any_fires() || !incident.by_hand;  // of one by hand that fires no more only a person knows
  return incident.is_live() && incident.is_below && goes_on && !is_persons && !came_back;
}

/// What runs and stands from `at_ns` on, after anything changed.
void follow(Incident& incident, std::int64_t at_ns) {
  const bool runs = incident.is_live() && !incident.is_suppressed();
  incident.elapsed.set_running(runs, at_ns);
  incident.at_level.set_running(runs, at_ns);
  incident.below.set_running(runs && incident.is_below, at_ns);
  follow(incident.history.suppressed, !runs, at_ns);
  follow(incident.history.held, incident.is_live() && incident.is_taken(), at_ns);
  follow(incident.history.below, is_past_its_worst(incident), at_ns);
  follow(incident.history.flapped, incident.is_live() && incident.is_flapping, at_ns);
}

void take_timers(Incident& incident, const Event& event) {
  if (event.due_ns != 0) {
    incident.update_due_ns = event.due_ns;
    incident.update_overdue = false;
  }
  if (incident.ack && (event.until_ns != 0 || event.remind_ns != 0)) {
    incident.ack->until_ns = event.until_ns;
    incident.ack->remind_ns = event.remind_ns;
  }
}

bool is_as_high(const Incident& incident, const Member& member) {
  return member.fires() && member.level <= incident.level;
}

void follow_below(Incident& incident) {
  incident.is_below = incident.as_high == 0;
  if (!incident.is_below) incident.below = {};
}

bool is_persons(const Event& event) {
  return event.author.kind != Author::Kind::agent && event.root.empty() && event.kind != Kind::reopened;
}

using Named = std::pair<const std::string, Member>;

/// The gravest that fires, of the root first; null: none does. What is graver than the incident is hidden, and no reason for its
/// level, unless a person chose that.
const Named* gravest(const Incident& incident) {
  const bool by_person = incident.level == incident.persons_level;
  const auto rank = [&](const Named& one) {
    const auto& [alert, member] = one;
    return std::tuple(!by_person && member.level < incident.level, member.level, member.check != incident.root);
  };
  const Named* found = nullptr;
  for (const Named& one : incident.members) {
    if (one.second.fires() && (found == nullptr || rank(one) < rank(*found))) found = &one;
  }
  return found;
}

bool has_its_headline(const Incident& incident) {
  const auto found = incident.members.find(incident.headline.alert);
  return found != incident.members.end() && is_as_high(incident, found->second);
}

void put_headline(Incident& incident, const std::string& alert, std::string text) {
  incident.headline = {alert, std::move(text), incident.level};
  const bool is_worse = incident.worst.level == config::Level::none || incident.level < incident.worst.level;
  if (is_worse && has_its_headline(incident)) incident.worst = incident.headline;
}

void take_headline(Incident& incident) {
  if (incident.by_hand) return;
  if (const Named* found = gravest(incident)) put_headline(incident, found->first, found->second.title);
}

/// Where none was as high as it is itself: after it was opened or reopened, whose words are this alert's title then.
void join_headline(Incident& incident, const std::string& alert, const Member& member) {
  if (incident.by_hand || !is_as_high(incident, member) || has_its_headline(incident)) return;
  const bool is_said = incident.headline.alert.empty() && !incident.headline.text.empty();
  put_headline(incident, alert, is_said ? incident.headline.text : member.title);
}

/// The root waits for another check, and an alert of that one fires here: that one is the root.
void follow_root(Incident& incident, const Event& event) {
  const Member& member = incident.members.at(event.alert);
  if (incident.root.empty() || (member.blocked ? member.check != incident.root : !incident.parents.contains(member.check))) return;
  std::string blocker;
  for (const auto& [alert, one] : incident.members) {
    if (one.check == incident.root && one.blocked) blocker = one.blocker;
  }
  if (blocker.empty() || blocker == incident.root) return;
  const auto is_cause = [&](const Named& one) { return one.second.check == blocker && one.second.fires() && !one.second.blocked; };
  if (std::ranges::none_of(incident.members, is_cause)) return;
  incident.former_roots.insert(std::exchange(incident.root, blocker));
  if (incident.headline.level == incident.worst.level) incident.worst = {};
  take_headline(incident);
}

void set_level(Incident& incident, const Event& event) {
  incident.level = event.level;
  incident.below = {};
  incident.as_high =
      static_cast<std::size_t>(std::ranges::count_if(incident.members, [&](const auto& one) { return is_as_high(incident, one.second); }));
  follow_below(incident);
  if (is_persons(event)) incident.persons_level = event.level;
  const bool is_higher = incident.peak_level == config::Level::none || event.level < incident.peak_level;
  if (is_higher && event.level != config::Level::none) incident.peak_level = event.level;
  incident.respond_within_ns = event.within_ns;
  incident.history.levels.push_back({event.at_ns, event.level});
  take_headline(incident);
}

void open(Incident& incident, const Event& event) {
  incident.id = event.incident;
  incident.service = event.service;
  incident.root = event.root;
  incident.title = event.text;
  incident.cause = event.subject;
  if (!event.root.empty()) incident.checks.insert(event.root);
  incident.war_room = event.war_room;
  incident.by_hand = event.author.kind != Author::Kind::agent && event.root.empty();
  incident.detected_ns = incident.free_since_ns = event.at_ns;
  incident.opened_count = 1;
  incident.headline = {{}, event.text, event.level};
  set_level(incident, event);
  take_timers(incident, event);
}

void start_level_anew(Incident& incident, const Event& event) {
  incident.at_level = {0, incident.at_level.since_ns == 0 ? 0 : event.at_ns};
  incident.responded = false;
  incident.response_overdue = false;
}

void raise(Incident& incident, const Event& event) {
  set_level(incident, event);
  if (!is_persons(event)) incident.returned_ns = event.at_ns;
  start_level_anew(incident, event);
  take_timers(incident, event);
}

void lower(Incident& incident, const Event& event) {
  set_level(incident, event);
  // of what comes out of a window for less than it was hidden at, nobody has heard yet
  if (!is_persons(event) && incident.was_told) incident.eased_ns = event.at_ns;
}

void reopen(Incident& incident, const Event& event) {
  incident.persons_level = config::Level::none;
  incident.returned_ns = event.at_ns;
  incident.stage = Stage::open;
  incident.ack.reset();
  incident.free_since_ns = event.at_ns;
  incident.resolved_ns = 0;
  incident.mitigated_ns = 0;
  incident.was_told = incident.resolution_told = false;
  incident.told_by.clear();
  incident.situation.clear();
  ++incident.opened_count;
  incident.headline = {{}, event.text, event.level};
  incident.worst = {};
  set_level(incident, event);
  start_level_anew(incident, event);
  take_timers(incident, event);
}

void respond(Incident& incident, const Event& event) {
  if (!event.author.is_named()) return;
  incident.responded = true;
  if (incident.responded_ns != 0) return;
  incident.responded_ns = event.at_ns;
  incident.responded_by = event.author.name;
}

void acknowledge(Incident& incident, const Event& event) {
  if (incident.stage != Stage::mitigating) incident.stage = Stage::acknowledged;
  ++incident.acks;
  incident.ack = Ack{event.author, event.at_ns, event.remind_ns, event.until_ns};
  respond(incident, event);
  take_timers(incident, event);
}

void end_ack(Incident& incident, const Event& event) {
  if (incident.ack) incident.free_since_ns = event.at_ns;
  incident.ack.reset();
  if (incident.is_live()) incident.stage = Stage::open;
}

void finish(Incident& incident, const Event& event, Stage stage) {
  incident.stage = stage;
  if (incident.resolved_ns == 0) incident.resolved_ns = event.at_ns;
  incident.ack.reset();
  incident.update_due_ns = 0;
  incident.update_overdue = false;
  incident.is_flapping = false;
  incident.suppressed_by.clear();
  incident.joined_untold = 0;
  incident.joined_notice_ns = 0;
  respond(incident, event);
}

/// As it was when it reached its level; that it waits for another check makes it nothing else.
void take_title(Member& member, const Event& event) {
  if (event.kind == Kind::alert_left || event.level == config::Level::none) return;
  if (!event.title.empty())
    member.title = event.title;
  else if (event.level != member.level || member.title.empty())
    member.title = event.alert + (event.text.empty() ? "" : ": " + event.text);
  member.said = named_text(event, said_field);
}

void take_member(Incident& incident, const Event& event) {
  auto [found, is_new] = incident.members.try_emplace(event.alert);
  Member& member = found->second;
  if (is_new) member.joined_ns = event.at_ns;
  const bool fired = member.fires(), was_as_high = is_as_high(incident, member);
  member.check = event.check;
  member.service = event.service;
  incident.checks.insert(event.check);
  if (event.blocked && !event.subject.empty()) {
    incident.checks.insert(event.subject);
    incident.parents.insert(event.subject);
  }
  take_title(member, event);
  member.level = event.kind == Kind::alert_left ? config::Level::none : event.level;
  member.blocked = event.kind != Kind::alert_left && event.blocked;
  member.blocker = member.blocked ? event.subject : std::string();
  member.changed_ns = event.at_ns;
  if (member.fires() != fired) {
    incident.moved_ns = event.at_ns;
    fired ? --incident.firing : ++incident.firing;
  }
  if (const bool as_high = is_as_high(incident, member); as_high != was_as_high) as_high ? ++incident.as_high : --incident.as_high;
  follow_below(incident);
  join_headline(incident, event.alert, member);
  follow_root(incident, event);
  if (is_new && incident.opened_count > 0 && event.due_ns != 0) {  // to be told with others
    ++incident.joined_untold;
    incident.joined_notice_ns = event.due_ns;
  }
}

void take_review(Incident& incident, const Event& event) {
  for (const auto& [name, text] : event.fields) {
    const auto found = std::ranges::find(incident.review, name, &std::pair<std::string, std::string>::first);
    if (found != incident.review.end())
      found->second = text;
    else
      incident.review.emplace_back(name, text);
  }
}

void owe_notice(Incident& incident, const Event& event) {
  if (event.page) incident.was_told = true;
  if (event.subject == notice::resolve && missing_parts(incident.review, incident.peak_level).empty()) incident.resolution_told = true;
  incident.joined_untold = 0;
  incident.joined_notice_ns = 0;
}

void take_way(Incident& incident, const Event& event) {
  if (!event.subject.empty() && !event.channel.empty()) incident.told_by[event.subject].insert(event.channel);
}

void take_impact(Incident& incident, const Event& event) {
  std::vector<History::Impact>& impacts = incident.history.impacts;
  const auto same = std::ranges::find(impacts, event.subject, &History::Impact::tag);
  if (same == impacts.end()) {
    if (impacts.size() < max_impacts) impacts.push_back({event.at_ns, event.subject, event.text});
  } else if (!event.text.empty()) {
    same->text = event.text;
  }
}

void take_suppression(Incident& incident, const Event& event) {
  if (event.kind == Kind::suppressed) {
    incident.suppressed_by = event.subject;
    return;
  }
  incident.suppressed_by.clear();
}

void take_ticket(Incident& incident, const Event& event) {
  if (event.kind == Kind::ticket) {
    if (incident.tickets.size() == max_tickets) incident.tickets.erase(incident.tickets.begin());
    incident.tickets.push_back({event.subject, event.channel, event.text, event.author, event.at_ns, event.until_ns, 0, false});
    return;
  }
  for (Ticket& one : incident.tickets) {
    if (one.vendor != event.subject || !one.waits()) continue;
    if (event.kind == Kind::ticket_answered)
      one.answered_ns = event.at_ns;
    else if (one.owed_ns != 0 && one.owed_ns <= event.at_ns)
      one.overdue = true;
  }
}

void move(std::int64_t& at_ns, std::int64_t by_ns) {
  if (at_ns != 0) at_ns += by_ns;
}

/// All that is dated moves with the clock. An end that is not known yet is 0, as is what has not happened.
void move_all(Incident& incident, std::int64_t by_ns) {
  for (auto* stretches : {&incident.history.suppressed, &incident.history.held, &incident.history.below, &incident.history.flapped}) {
    for (Stretch& one : *stretches) {
      move(one.begin_ns, by_ns);
      move(one.end_ns, by_ns);
    }
  }
  for (History::LevelAt& one : incident.history.levels) move(one.at_ns, by_ns);
  for (History::Impact& one : incident.history.impacts) move(one.at_ns, by_ns);
  for (auto& [alert, member] : incident.members) {
    move(member.joined_ns, by_ns);
    move(member.changed_ns, by_ns);
  }
  for (Ticket& one : incident.tickets) {
    move(one.opened_ns, by_ns);
    move(one.owed_ns, by_ns);
    move(one.answered_ns, by_ns);
  }
  if (incident.ack) {
    move(incident.ack->at_ns, by_ns);
    move(incident.ack->remind_ns, by_ns);
    move(incident.ack->until_ns, by_ns);
  }
  for (Clock* clock : {&incident.elapsed, &incident.at_level, &incident.below}) move(clock->since_ns, by_ns);
  for (std::int64_t* at_ns : {&incident.free_since_ns, &incident.detected_ns, &incident.changed_ns, &incident.moved_ns,
                              &incident.resolved_ns, &incident.mitigated_ns, &incident.responded_ns, &incident.eased_ns,
                              &incident.returned_ns, &incident.update_due_ns, &incident.joined_notice_ns})
    move(*at_ns, by_ns);
}

bool is_decision(Kind kind) {
  return kind == Kind::acked || kind == Kind::unacked || kind == Kind::raised || kind == Kind::lowered || kind == Kind::mitigated ||
         kind == Kind::resolved || kind == Kind::closed;
}

/// By kind; what is not named here is for the record only.
void take(Incident& incident, const Event& event) {
  switch (event.kind) {
    case Kind::opened:
      return open(incident, event);
    case Kind::alert_joined:
    case Kind::alert_changed:
    case Kind::alert_left:
      return take_member(incident, event);
    case Kind::raised:
      return raise(incident, event);
    case Kind::lowered:
      return lower(incident, event);
    case Kind::acked:
      return acknowledge(incident, event);
    case Kind::ack_reminded:
      if (incident.ack) incident.ack->remind_ns = event.remind_ns;
      return;
    case Kind::ack_expired:
    case Kind::unacked:
      return end_ack(incident, event);
    case Kind::note:
      return take_timers(incident, event);
    case Kind::update:
      incident.situation = event.text;
      return take_timers(incident, event);
    case Kind::impact:
      return take_impact(incident, event);
    case Kind::update_overdue:
      incident.update_overdue = true;
      return;
    case Kind::response_overdue:
      incident.response_overdue = true;
      return;
    case Kind::role:
      incident.roles[event.role] = {event.subject, event.sequence, event.author};
      return;
    case Kind::mitigated:
      incident.stage = Stage::mitigating;
      incident.mitigated_ns = event.at_ns;
      if (!event.text.empty()) incident.situation = event.text;
      return take_timers(incident, event);
    case Kind::resolved:
      return finish(incident, event, Stage::resolved);
    case Kind::closed:
      return finish(incident, event, Stage::closed);
    case Kind::reopened:
      return reopen(incident, event);
    case Kind::flapping:
      incident.is_flapping = true;
      return;
    case Kind::settled:
      incident.is_flapping = false;
      return;
    case Kind::suppressed:
    case Kind::unsuppressed:
      return take_suppression(incident, event);
    case Kind::reviewed:
      return take_review(incident, event);
    case Kind::ticket:
    case Kind::ticket_answered:
    case Kind::ticket_overdue:
      return take_ticket(incident, event);
    case Kind::clock_set:
      return move_all(incident, event.at_ns - event.effective_ns);
    case Kind::notice_owed:
      return owe_notice(incident, event);
    case Kind::notice_sent:
      if (!event.subject.empty())
        incident.told.insert(event.subject);
      else if (!event.channel.empty())
        incident.last_resorts.insert(event.channel);
      return take_way(incident, event);
    case Kind::notice_delivered:  // also what stood in for one that was sent
      if (event.subject.empty() && !event.channel.empty()) incident.last_resorts.insert(event.channel);
      return take_way(incident, event);
    default:
      return;
  }
}

}  // namespace

std::string_view stage_name(Stage stage) {
  return stage_names[static_cast<std::size_t>(stage)];
}

bool is_legal_move(Stage from, Stage to) {
  constexpr bool legal[5][5] = {
      // open, acknowledged, mitigating, resolved, closed
      {true, true, false, true, true},     // open
      {true, true, true, true, true},      // acknowledged
      {true, false, true, true, true},     // mitigating
      {true, false, false, true, true},    // resolved
      {false, false, false, false, true},  // closed
  };
  return legal[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)];
}

void Clock::set_running(bool running, std::int64_t at_ns) {
  if (running == (since_ns != 0)) return;
  if (running) {
    since_ns = at_ns;
    return;
  }
  spent_ns = std::min(at(at_ns), latest_ns);
  since_ns = 0;
}

std::optional<std::int64_t> Clock::when(std::int64_t value_ns) const {
  if (since_ns == 0 || value_ns < spent_ns) return std::nullopt;
  return since_ns + (value_ns - spent_ns);
}

std::optional<std::int64_t> Incident::respond_by_ns() const {
  if (responded || respond_within_ns == 0 || !is_live()) return std::nullopt;
  return at_level.when(respond_within_ns);
}

std::string_view Incident::group() const {
  if (!service.empty()) return service;
  if (cause.starts_with(cause_check)) return std::string_view(cause).substr(cause_check.size());
  return root.empty() ? std::string_view(id) : std::string_view(root);
}

std::string cause_of(std::string_view service, std::string_view check) {
  if (!service.empty()) return "service:" + std::string(service);
  return check.empty() ? std::string() : std::string(cause_check) + std::string(check);
}

std::string headline_of(const Incident& incident) {
  if (incident.by_hand) return incident.title;
  const Headline& own = incident.is_live() || incident.worst.text.empty() ? incident.headline : incident.worst;
  const Named* now = incident.is_live() && !has_its_headline(incident) ? gravest(incident) : nullptr;
  if (now != nullptr) return now->second.title;
  return own.text.empty() ? incident.title : own.text;
}

std::int64_t duration_ns(const Incident& incident, std::int64_t now_ns) {
  const std::int64_t end = incident.resolved_ns != 0 ? incident.resolved_ns : std::max(now_ns, incident.changed_ns);
  return end - incident.detected_ns;
}

void apply(Incident& incident, const Event& event) {
  take(incident, event);
  std::int64_t from = event.at_ns;
  if (event.kind == Kind::unsuppressed && event.effective_ns != 0 && !incident.history.suppressed.empty())
    from = std::clamp(event.effective_ns, std::min(incident.history.suppressed.back().begin_ns, event.at_ns), event.at_ns);
  follow(incident, from);
  incident.sequence = std::max(incident.sequence, event.sequence);
  incident.changed_ns = std::max(incident.changed_ns, event.at_ns);
  if (event.author.kind != Author::Kind::agent && is_decision(event.kind)) {
    incident.decided_sequence = event.sequence;
    incident.decided_by = event.author;
  }
}

}  // namespace ronda::incident
