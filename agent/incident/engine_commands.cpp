// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "base/units.hpp"
#include "incident/document.hpp"
#include "incident/engine_step.hpp"

namespace ronda::incident {
namespace {

constexpr std::array<std::string_view, 14> verb_names = {"open",     "ack",     "unack", "note",   "update", "raise",  "lower",
                                                         "mitigate", "resolve", "close", "review", "role",   "ticket", "answered"};
constexpr std::int64_t longest_ack_ns = 7 * day_ns;
constexpr std::int64_t longest_update_ns = 30 * day_ns;

/// "cto", "the user root", "the token wallboard"
Said said_person(const Author& author) {
  switch (author.kind) {
    case Author::Kind::agent:
      return {"the agent", "el agente"};
    case Author::Kind::contact:
      return author.name;
    case Author::Kind::unix:
      return {"the user " + author.name, "el usuario " + author.name};
    case Author::Kind::token:
      return {"the token " + author.name, "el token " + author.name};
    case Author::Kind::room:
      return {"somebody at the address of " + author.name, "alguien en la dirección de " + author.name};
  }
  return {};
}

std::string person(const Author& author) {
  return said_person(author).en;
}

/// From the least on, which is the same for all: "1m to 7d".
std::string range_text(std::int64_t most_ns) {
  return format_duration(Nanos(minute_ns)) + " to " + format_duration(Nanos(most_ns));
}

/// What was done, by whom: "taken by cto", "tomado por cto".
Said done_by(const std::string& en, const std::string& es, const Author& author) {
  const Said who = said_person(author);
  return {en + " by " + who.en, es + " por " + who.es};
}

Said followed_by(Said said, std::string_view more) {
  said.en += more;
  said.es += more;
  return said;
}

bool is_state_change(Verb verb) {
  return verb == Verb::ack || verb == Verb::unack || verb == Verb::raise || verb == Verb::lower || verb == Verb::mitigate ||
         verb == Verb::resolve || verb == Verb::close;
}

/// Who takes it where many read says who that is; nothing proves it.
bool is_typed_name(const Command& command) {
  return command.author.kind == Author::Kind::room && !command.text.empty();
}

const Role* role_of(const Incident& incident, const std::string& name) {
  const auto found = incident.roles.find(name);
  return found == incident.roles.end() ? nullptr : &found->second;
}

}  // namespace

std::string_view verb_name(Verb verb) {
  return verb_names[static_cast<std::size_t>(verb)];
}

bool is_conflicting(const Incident& incident, const Command& command) {
  if (command.based_on == 0) return false;
  if (command.verb == Verb::role) {
    const Role* role = role_of(incident, command.role);
    return role != nullptr && role->sequence > command.based_on && !(role->by == command.author);
  }
  return is_state_change(command.verb) && incident.decided_sequence > command.based_on && !(incident.decided_by == command.author);
}

void Stepper::reply(const Incident& incident, std::string text) {
  outcome_.effects.emplace_back(Reply{true, incident.id, incident.sequence, Errc::invalid, std::move(text)});
}

void Stepper::refuse(Errc code, std::string text) {
  outcome_.effects.emplace_back(Reply{false, {}, 0, code, std::move(text)});
}

void Stepper::refuse(Incident& incident, const Command& command, Errc code, std::string text) {
  Event event = make(Kind::refused, command);
  event.subject = verb_name(command.verb);
  event.text = text;
  emit(incident.id, std::move(event));
  outcome_.effects.emplace_back(Reply{false, incident.id, incident.sequence, code, std::move(text)});
}

/// Of two who decide at once, the first one's word holds; both are told, both are on the timeline.
bool Stepper::is_first(Incident& incident, const Command& command) {
  if (!is_conflicting(incident, command)) return true;
  const Role* role = command.verb == Verb::role ? role_of(incident, command.role) : nullptr;
  const Author winner = role != nullptr ? role->by : incident.decided_by;
  const std::string verb(verb_name(command.verb));
  refuse(incident, command, Errc::exists,
         person(winner) + " was first: it is " + std::string(stage_name(incident.stage)) + " at " +
             std::string(config::level_name(incident.level)) + " now; look at it and say `" + verb + "` again if that is still wanted");
  const Said loser = said_person(command.author);
  if (winner.is_named())
    owe(incident, notice::update, false,
        {loser.en + " wanted `" + verb + "` at the same time and was told that you were first",
         loser.es + " pidió `" + verb + "` al mismo tiempo y sabe que usted llegó antes"},
        {winner.name});
  return false;
}

/// What nobody can have seen is a slip, and must not pass as having seen it.
bool Stepper::is_seen(Incident& incident, const Command& command) {
  if (command.based_on <= incident.sequence) return true;
  refuse(incident, command, Errc::invalid,
         "there is no event " + std::to_string(command.based_on) + " to base it on; the last one is " + std::to_string(incident.sequence));
  return false;
}

void Stepper::on(const Command& command) {
  by_ = command.author;
  if (command.verb == Verb::open) return open_by_hand(command);
  Incident* incident = find(command.incident);
  if (incident == nullptr) return refuse(Errc::not_found, "there is no incident `" + repair_utf8(command.incident, 64) + "`");
  if (!is_seen(*incident, command) || !is_first(*incident, command)) return;
  const bool is_over = !incident->is_live();
  if (is_over && is_state_change(command.verb) && command.verb != Verb::close)
    return refuse(*incident, command, Errc::exists, "it is " + std::string(stage_name(incident->stage)) + " already");
  switch (command.verb) {
    case Verb::open:
      return;
    case Verb::ack:
      return ack(*incident, command);
    case Verb::unack:
      return unack(*incident, command);
    case Verb::note:
      return note(*incident, command);
    case Verb::update:
      return update(*incident, command);
    case Verb::raise:
    case Verb::lower:
      return set_level(*incident, command);
    case Verb::mitigate:
      return mitigate(*incident, command);
    case Verb::resolve:
      return resolve(*incident, command);
    case Verb::close:
      return close(*incident, command);
    case Verb::review:
      return review(*incident, command);
    case Verb::role:
      return give_role(*incident, command);
    case Verb::ticket:
      return open_ticket(*incident, command);
    case Verb::answered:
      return answer_ticket(*incident, command);
  }
}

void Stepper::open_by_hand(const Command& command) {
  if (command.level == config::Level::none) return refuse(Errc::invalid, "an incident needs a level: p1, p2, p3 or p4");
  if (trim(command.text).empty()) return refuse(Errc::invalid, "an incident needs a title: say in a few words what is broken");
  const std::string cause = cause_of(command.service, {});
  const Incident* other = cause.empty() ? nullptr : state_.find_cause(cause);
  if (other != nullptr && (other->is_live() || other->any_fires()))
    return refuse(Errc::exists, "service `" + command.service + "` has " + other->id + " already (" +
                                    std::string(stage_name(other->stage)) + "): add a note to it or raise it");
  Event opened = make(Kind::opened, command);
  opened.service = command.service;
  opened.subject = cause;
  set_level_times(opened, command.level);
  Incident& incident = open(std::move(opened));
  follow_mutes(incident);
  if (!incident.is_suppressed()) owe(incident, notice::open, true, command.text);
  reply(incident, incident.is_suppressed() ? "opened; nobody is told: " + incident.suppressed_by : "opened");
}

/// A sign of life of whoever has it: the ack is good for as long again.
void Stepper::renew_ack(const Incident& incident, Event& event) const {
  if (!incident.ack || event.author.kind == Author::Kind::agent) return;
  const LevelTimes& times = settings_.of(incident.level);
  event.until_ns = incident.ack->until_ns;
  if (times.ack_expires_ns != 0) event.until_ns = std::max(event.until_ns, now_ + times.ack_expires_ns);
  const std::int64_t remind = times.ack_remind_ns == 0 ? 0 : now_ + times.ack_remind_ns;
  if (event.until_ns == 0 || remind < event.until_ns) event.remind_ns = remind;
}

/// What those who heard of it should know, without calling them.
void Stepper::tell(Incident& incident, Said reason) {
  if (incident.was_told) owe(incident, notice::update, false, std::move(reason));
}

void Stepper::tell_lowered(Incident& incident, Said reason) {
  if (!incident.was_told) return;
  tell(incident, std::move(reason));
  std::get<Notice>(outcome_.effects.back()).lowers = true;
}

/// Of an acknowledgement that this command makes; 0: it has no end of its own.
std::int64_t Stepper::ack_lasts(const Incident& incident, const Command& command) const {
  return command.for_ns != 0 ? std::clamp<std::int64_t>(command.for_ns, minute_ns, longest_ack_ns)
                             : settings_.of(incident.level).ack_expires_ns;
}

void Stepper::take_acked(Incident& incident, const Command& command) {
  const LevelTimes& times = settings_.of(incident.level);
  Event event = make(Kind::acked, command);
  if (is_typed_name(command)) event.text = "the name given: " + command.text;
  const std::int64_t lasts = ack_lasts(incident, command);
  if (lasts != 0) event.until_ns = now_ + lasts;
  if (times.ack_remind_ns != 0 && (lasts == 0 || times.ack_remind_ns < lasts)) event.remind_ns = now_ + times.ack_remind_ns;
  emit(incident.id, std::move(event));
}

void Stepper::ack(Incident& incident, const Command& command) {
  const bool is_of_other = incident.ack && !(incident.ack->author == command.author);
  const bool saw_it = command.based_on != 0 || command.force;
  if (command.for_ns != 0 && (command.for_ns < minute_ns || command.for_ns > longest_ack_ns))
    return refuse(incident, command, Errc::invalid, "an acknowledgement lasts from " + range_text(longest_ack_ns));
  if (is_of_other && incident.ack->author.is_named() && !saw_it)
    return refuse(incident, command, Errc::exists, person(incident.ack->author) + " has it already; take it over with --force");
  if (is_of_other && incident.ack->author.is_named() && !command.author.is_named())
    return refuse(incident, command, Errc::denied, person(incident.ack->author) + " has it; only a contact of conf.d can take it over");
  const bool was_theirs = incident.is_taken() && incident.ack && incident.ack->author == command.author;
  take_acked(incident, command);
  Said taken = done_by("taken", "tomado", command.author);
  if (is_typed_name(command)) {
    taken.en += " (the name given: " + command.text + ")";
    taken.es += " (nombre indicado: " + command.text + ")";
  }
  if (!was_theirs) tell(incident, std::move(taken));  // that it lasts longer is news to nobody
  const std::int64_t lasts = ack_lasts(incident, command);
  const std::string yours = lasts == 0 ? "it is yours" : "it is yours for " + format_duration(Nanos(lasts));
  reply(incident,
        command.author.is_named() ? yours : "nobody is called any more; the time to respond runs on until a contact of conf.d takes it");
}

void Stepper::unack(Incident& incident, const Command& command) {
  if (!incident.is_taken()) return refuse(incident, command, Errc::exists, "nobody has it");
  emit(incident.id, make(Kind::unacked, command));
  end_pause_of_nobody(incident);
  if (incident.is_paging()) owe(incident, notice::escalation, true, done_by("given back", "devuelto", command.author));
  reply(incident, "given back");
}

void Stepper::note(Incident& incident, const Command& command) {
  if (trim(command.text).empty() && command.subject.empty()) return refuse(Errc::invalid, "a note needs a text");
  if (!command.subject.empty()) {
    Event impact = make(Kind::impact, command);
    impact.subject = command.subject;
    emit(incident.id, std::move(impact));
  }
  if (!trim(command.text).empty()) {
    Event event = make(Kind::note, command);
    renew_ack(incident, event);
    emit(incident.id, std::move(event));
  }
  reply(incident, "noted");
}

void Stepper::update(Incident& incident, const Command& command) {
  if (trim(command.text).empty()) return refuse(Errc::invalid, "an update needs a text: what is known now, and what is being done");
  if (command.for_ns != 0 && (command.for_ns < minute_ns || command.for_ns > longest_update_ns))
    return refuse(Errc::invalid, "the next update is promised within " + range_text(longest_update_ns));
  if (!command.subject.empty()) {
    Event impact = make(Kind::impact, command);
    impact.subject = command.subject;
    impact.text.clear();  // the update says how it stands; what it means for them a note does
    emit(incident.id, std::move(impact));
  }
  Event event = make(Kind::update, command);
  const std::int64_t within = command.for_ns != 0 ? command.for_ns : settings_.of(incident.level).update_every_ns;
  if (within != 0 && incident.is_live()) event.due_ns = now_ + within;
  renew_ack(incident, event);
  emit(incident.id, std::move(event));
  tell(incident, command.text);
  reply(incident, "recorded");
}

void Stepper::set_level(Incident& incident, const Command& command) {
  const bool up = command.verb == Verb::raise;
  if (command.level == config::Level::none) return refuse(Errc::invalid, "say to which level: p1, p2, p3 or p4");
  if (up ? !is_higher(command.level, incident.level) : !is_higher(incident.level, command.level)) {
    return refuse(incident, command, Errc::exists,
                  "it is " + std::string(config::level_name(incident.level)) + ", and " + std::string(config::level_name(command.level)) +
                      " is not " + (up ? "higher" : "lower"));
  }
  if (up) {
    raise(incident, command.level, make(Kind::raised, command));
    return reply(incident, "raised");
  }
  Event event = make(Kind::lowered, command);
  set_level_times(event, command.level);
  emit(incident.id, std::move(event));
  const std::string level(config::level_name(command.level));
  tell_lowered(incident, done_by("lowered to " + level, "bajado a " + level, command.author));
  reply(incident, "lowered");
}

void Stepper::mitigate(Incident& incident, const Command& command) {
  if (incident.stage == Stage::mitigating) return refuse(incident, command, Errc::exists, "it is mitigating already");
  if (!incident.is_taken()) take_acked(incident, command);
  Event event = make(Kind::mitigated, command);
  renew_ack(incident, event);
  emit(incident.id, std::move(event));
  const Said what = trim(command.text).empty() ? said_person(command.author) : Said(command.text);
  tell(incident, {"mitigating: " + what.en, "mitigando: " + what.es});
  reply(incident, "mitigating");
}

/// What 5.3's template says of the end is told as a whole once it is written: the end itself waited for nobody's words.
void Stepper::tell_resolution(Incident& incident, Said reason) {
  if (!incident.is_live() && incident.was_told && !incident.resolution_told) owe(incident, notice::resolve, false, std::move(reason));
}

/// False: refused, and said so.
bool Stepper::record_review(Incident& incident, const Command& command) {
  if (command.fields.empty()) return true;
  const auto parts = check_parts(command.fields);
  if (!parts) {
    refuse(parts.error().code(), parts.error().message());
    return false;
  }
  Event event = make(Kind::reviewed, command);
  event.text.clear();
  event.fields = command.fields;
  emit(incident.id, std::move(event));
  if (missing_parts(incident.review, incident.peak_level).empty())
    tell_resolution(incident, done_by("what is said of its end is complete,", "lo que se dice de su fin está completo,", command.author));
  return true;
}

void Stepper::resolve(Incident& incident, const Command& command) {
  if (incident.any_fires() && !command.force) {
    return refuse(incident, command, Errc::exists,
                  "still firing: " + listed(firing_names(incident)) + "; resolve it with --force and a reason, or wait for the recovery");
  }
  if (command.force && trim(command.text).empty()) return refuse(Errc::invalid, "--force needs a reason");
  if (!record_review(incident, command)) return;
  Event event = make(Kind::resolved, command);
  event.forced = command.force && incident.any_fires();
  resolve(incident, std::move(event),
          followed_by(done_by("resolved", "resuelto", command.author), trim(command.text).empty() ? "" : ": " + command.text));
  reply(incident, "resolved");
}

void Stepper::close(Incident& incident, const Command& command) {
  if (incident.stage == Stage::closed) return refuse(incident, command, Errc::exists, "it is closed already");
  if (incident.is_live())
    return refuse(incident, command, Errc::exists, "it is " + std::string(stage_name(incident.stage)) + ": resolve it first");
  if (incident.any_fires())
    return refuse(incident, command, Errc::exists,
                  "still firing: " + listed(firing_names(incident)) + "; it can be closed once that has ended or is out of conf.d");
  if (!record_review(incident, command)) return;
  const auto complete = check_resolution(incident.review, incident.peak_level, command.force, command.text);
  if (!complete) return refuse(incident, command, complete.error().code(), complete.error().message());
  Event event = make(Kind::closed, command);
  event.forced = command.force && !missing_parts(incident.review, incident.peak_level).empty();
  const bool is_short = event.forced;
  emit(incident.id, std::move(event));
  if (is_short) tell_resolution(incident, followed_by(done_by("closed", "cerrado", command.author), ": " + command.text));
  reply(incident, "closed");
}

void Stepper::review(Incident& incident, const Command& command) {
  if (command.fields.empty()) return refuse(Errc::invalid, "a review needs at least one part, like summary");
  if (record_review(incident, command)) reply(incident, "recorded");
}

void Stepper::give_role(Incident& incident, const Command& command) {
  if (!is_object_name(command.role)) return refuse(Errc::invalid, "a role is a word of small letters, like commander");
  if (!is_object_name(command.subject)) return refuse(Errc::invalid, "say to which contact the role goes");
  Event event = make(Kind::role, command);
  event.role = command.role;
  event.subject = command.subject;
  emit(incident.id, std::move(event));
  const Said who = said_person(command.author);
  owe(incident, notice::update, false, {"you are " + command.role + ", said " + who.en, "usted es " + command.role + ", según " + who.es},
      {command.subject});
  reply(incident, command.subject + " is " + command.role);
}

}  // namespace ronda::incident
