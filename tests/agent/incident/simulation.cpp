// SPDX-License-Identifier: Apache-2.0
#include "simulation.hpp"

#include <algorithm>
#include <random>
#include <set>

namespace ronda::incident {
namespace {

using config::Level;

constexpr std::int64_t start = 1'796'000'000 * second_ns;
constexpr const char* move_names[] = {"alert", "command", "mute", "restart", "remove", "clock_back"};

Author author_of(std::uint32_t number) {
  switch (number % 4) {
    case 0:
      return {Author::Kind::contact, "cto"};
    case 1:
      return {Author::Kind::contact, "dba"};
    case 2:
      return {Author::Kind::unix, "root"};
    default:
      return {Author::Kind::token, "wall"};
  }
}

Mute mute_of(std::size_t number) {
  Matcher what;
  switch (number) {
    case 0:
      what.services = {"api"};
      return {"window:api", {what}, false, 0};
    case 1:
      what.alerts = {"api-0"};
      return {"silence:S-1", {what}, false, 0};
    case 2:
      what.levels = {Level::p4, Level::p3};
      return {"silence:S-2", {what}, false, 0};
    default:
      return {"window:all", {}, true, 0};
  }
}

Stage stage_before(const State& state, const Event& event) {
  const Incident* known = state.find(event.incident);
  return known == nullptr ? Stage::open : known->stage;
}

}  // namespace

std::string to_text(const Move& move) {
  return std::string(move_names[static_cast<std::size_t>(move.what)]) + " after " + std::to_string(move.after_ns / second_ns) + "s (" +
         std::to_string(move.a) + ", " + std::to_string(move.b) + ", " + std::to_string(move.c) + ")";
}

std::vector<Move> random_moves(std::uint64_t seed, std::size_t count, std::int64_t mean_gap_ns) {
  std::mt19937_64 random(seed);
  std::exponential_distribution<double> gap(1.0 / static_cast<double>(mean_gap_ns));
  std::vector<Move> out;
  for (std::size_t i = 0; i < count; ++i) {
    Move move;
    const auto dice = random() % 1000;
    move.what = dice < 600   ? Move::What::alert
                : dice < 930 ? Move::What::command
                : dice < 965 ? Move::What::mute
                : dice < 990 ? Move::What::restart
                : dice < 997 ? Move::What::remove
                             : Move::What::clock_back;
    move.after_ns = random() % 4 == 0 ? 0 : static_cast<std::int64_t>(gap(random));
    move.a = static_cast<std::uint32_t>(random());
    move.b = static_cast<std::uint32_t>(random());
    move.c = static_cast<std::uint32_t>(random());
    out.push_back(move);
  }
  return out;
}

Simulation::Simulation(Fault fault) : fault_(fault), muted_(4), now_(start) {
  settings_.host = "sim";
  for (int i = 0; i < 4; ++i) alerts_.push_back({"api-" + std::to_string(i), "c-api", "api", "c-net"});
  for (int i = 0; i < 3; ++i) alerts_.push_back({"db-" + std::to_string(i), "c-db-" + std::to_string(i), "db", "c-net"});
  alerts_.push_back({"net", "c-net", "infra", ""});
  alerts_.push_back({"disk", "c-disk", "", ""});
  alerts_.push_back({"load", "c-load", "", "c-disk"});
}

void Simulation::fail(std::string what) {
  if (!broken_) broken_ = std::move(what);
}

std::optional<std::string> Simulation::run(const std::vector<Move>& moves) {
  std::size_t number = 0;
  for (const Move& move : moves) {
    pass(move.after_ns);
    make(move);
    check();
    if (++number % 500 == 0) {
      if (!(shadow_ == state_)) fail("the state is not the fold over the events");
      drop_closed(state_, now_ - day_ns);
      drop_closed(shadow_, now_ - day_ns);
      std::erase_if(stored_, [&](const Event& event) { return state_.find(event.incident) == nullptr; });
    }
    if (broken_) return *broken_ + ", after move " + std::to_string(number) + ": " + to_text(move);
  }
  return std::nullopt;
}

void Simulation::pass(std::int64_t ns) {
  const std::int64_t until = now_ + ns;
  for (auto wake = next_wake(state_, settings_); wake && *wake <= until && !broken_; wake = next_wake(state_, settings_)) {
    now_ = std::max(now_, *wake);
    give(Tick{});
    const auto next = next_wake(state_, settings_);
    if (next && *next <= now_) fail("a tick leaves the next one in the past");
    check();
  }
  now_ = until;
}

void Simulation::make(const Move& move) {
  switch (move.what) {
    case Move::What::alert:
      return change_alert(move);
    case Move::What::command:
      return say(move);
    case Move::What::mute:
      return switch_mute(move);
    case Move::What::restart:
      return restart();
    case Move::What::remove:
      return remove(move);
    case Move::What::clock_back:
      return set_clock_back(move);
  }
}

Simulation::Alert* Simulation::find_alert(const std::string& name) {
  const auto found = std::ranges::find(alerts_, name, &Alert::name);
  return found == alerts_.end() ? nullptr : &*found;
}

/// As the ladder tells it: what waits for a critical parent is blocked, its level none; then it is judged anew.
void Simulation::change_alert(const Move& move) {
  using What = rule::Change::What;
  Alert& alert = alerts_[move.a % alerts_.size()];
  const bool parent_fails =
      std::ranges::any_of(alerts_, [&](const Alert& other) { return other.check == alert.parent && other.level != Level::none; });
  rule::Change change;
  change.alert = alert.name;
  change.check = alert.check;
  change.service = alert.service;
  change.from = alert.blocked ? Level::none : alert.level;
  change.reason = "limit";
  if (!alert.parent.empty() && !alert.blocked && (parent_fails || move.b % 16 == 3)) {
    alert.blocked = true;
    change.what = What::blocked;
    change.blocked_by = alert.parent;
    return give(change);
  }
  if (alert.blocked) {
    if (parent_fails && move.b % 4 != 0) return;
    alert.blocked = false;
    alert.level = Level::none;
    change.what = What::unblocked;
    return give(change);
  }
  if (move.b % 32 == 5) {
    change.what = What::no_data;
    change.to = alert.level;
    return give(change);
  }
  const bool ends = alert.level != Level::none && move.b % 3 != 0;
  change.to = ends ? Level::none : static_cast<Level>(1 + move.c % 4);
  change.what = ends ? What::resolved : What::fired;
  alert.level = change.to;
  give(change);
}

void Simulation::say(const Move& move) {
  Command command;
  command.verb = static_cast<Verb>(move.a % 14);
  command.author = author_of(move.b);
  command.source = "cli";
  command.text = move.b % 8 == 0 ? "" : "text";
  command.level = static_cast<Level>(1 + move.c % 4);
  command.role = "commander";
  command.subject = "cto";
  command.force = move.c % 5 == 0;
  if (command.verb == Verb::open) command.service = move.c % 2 == 0 ? "db" : "";
  if (command.verb == Verb::ticket) command.for_ns = move.c % 2 * hour_ns;
  if (command.verb == Verb::review) command.fields = {{"summary", "x"}};
  if (!state_.incidents.empty()) {
    auto chosen = state_.incidents.begin();
    std::advance(chosen, static_cast<std::ptrdiff_t>(move.b / 16 % state_.incidents.size()));
    // people look at what is live more often
    for (auto other = state_.incidents.begin(); other != state_.incidents.end() && move.c % 3 != 0; ++other) {
      if (other->second.is_live()) chosen = other;
    }
    command.incident = chosen->first;
    const std::uint64_t seen = chosen->second.sequence;
    command.based_on = move.c % 4 == 0 ? 0 : move.c % 4 == 1 ? seen : seen - std::min<std::uint64_t>(seen - 1, move.c / 8 % 6);
  }
  give(command);
}

void Simulation::switch_mute(const Move& move) {
  muted_[move.a % muted_.size()] = !muted_[move.a % muted_.size()];
  MutesNow now;
  for (std::size_t i = 0; i < muted_.size(); ++i) {
    if (muted_[i]) now.mutes.push_back(mute_of(i));
  }
  give(now);
}

void Simulation::remove(const Move& move) {
  Alert& alert = alerts_[move.a % alerts_.size()];
  alert.level = Level::none;
  alert.blocked = false;
  give(Removed{alert.name});
}

void Simulation::restart() {
  State fresh = restore(stored_, state_.mutes);
  if (!(fresh == state_)) fail("the fold over all events is not the state");
  state_ = std::move(fresh);
}

/// While no agent ran: the next one does not begin before what is stored.
void Simulation::set_clock_back(const Move& move) {
  restart();
  now_ = std::max(now_ - move.a % (2 * 3600) * second_ns, last_change_ns(state_));
  for (const auto& [id, incident] : state_.incidents) elapsed_[id] = incident.elapsed.at(now_);
}

void Simulation::give(const Input& input) {
  ++entropy_;
  const Outcome outcome = step(state_, settings_, input, now_, {entropy_ * 0x9E3779B97F4A7C15ULL, entropy_});
  for (const Event& event : outcome.events) take(event);
  shadow_.mutes = state_.mutes;
  to_deliver_.clear();
  for (const Effect& effect : outcome.effects) {
    if (const auto* notice = std::get_if<Notice>(&effect)) take(*notice);
  }
  if (std::holds_alternative<Delivery>(input)) return;
  const std::vector<Notice> owed = to_deliver_;
  for (const Notice& notice : owed) deliver(notice);
}

void Simulation::take(const Event& event) {
  ++events_seen_;
  ++kinds_[std::string(kind_name(event.kind))];
  const auto back = parse_event(to_json(event));
  if (!back || !(*back == event)) return fail("an event is not read back as it was written");
  if (fault_ == Fault::lost_event && event.kind == Kind::unacked) return;
  const Incident* known = shadow_.find(event.incident);
  if (event.sequence != (known == nullptr ? 1 : known->sequence + 1)) fail("a gap in the sequence of " + event.incident);
  if (known != nullptr && event.at_ns < known->changed_ns) fail("an event before the one before it");
  const Stage before = stage_before(shadow_, event);
  apply(shadow_, *back);
  const Incident* after = shadow_.find(event.incident);
  if (after == nullptr) return fail("an event of no incident");
  if (!is_legal_move(before, after->stage))
    fail("from " + std::string(stage_name(before)) + " to " + std::string(stage_name(after->stage)));
  if (event.kind == Kind::opened) ++opened_;
  judge_level(*back);
  stored_.push_back(*back);
  touched_.insert(event.incident);
}

/// How bad a person said that it is holds until it is opened anew; the agent lowers it to what still fires.
void Simulation::judge_level(const Event& event) {
  const bool is_agents = event.author.kind == Author::Kind::agent;
  if (event.kind == Kind::reopened) persons_.erase(event.incident);
  if (!is_agents && (event.kind == Kind::raised || event.kind == Kind::lowered || event.kind == Kind::opened))
    persons_[event.incident] = event.level;
  if (!is_agents || event.kind != Kind::lowered) return;
  const auto said = persons_.find(event.incident);
  if (said != persons_.end() && said->second < event.level) fail(event.incident + " is lowered by itself under what a person said");
  if (!event.text.starts_with("nothing of it has been")) return;  // what is hidden does not count there
  for (const auto& [alert, member] : shadow_.find(event.incident)->members) {
    if (member.fires() && member.level < event.level) fail(event.incident + " is lowered under its " + alert);
  }
}

void Simulation::take(const Notice& notice) {
  to_deliver_.push_back(notice);
  const Incident* incident = state_.find(notice.incident);
  if (incident == nullptr) return fail("a notice of no incident");
  if (!notice.page) return;
  ++pages_;
  const bool is_taken = incident->is_taken() || (fault_ == Fault::page_after_ack && incident->by_hand);
  if (is_taken) fail("a page for what somebody has");
  if (incident->is_suppressed()) fail("a page for what is hidden");
  if (!incident->is_live()) fail("a page for what is over");
}

void Simulation::deliver(const Notice& notice) {
  std::vector<std::string> contacts = notice.contacts;
  if (contacts.empty() && notice.page) contacts = {"cto", "dba"};
  for (const std::string& contact : contacts) {
    const std::string message = "m" + std::to_string(++messages_);
    give(Delivery{notice.incident, contact, "mail", message, "", Delivery::What::sent});
    give(Delivery{notice.incident, contact, "mail", message, "", messages_ % 5 == 0 ? Delivery::What::failed : Delivery::What::delivered});
  }
}

void Simulation::check() {
  std::set<std::string> causes;
  for (const auto& [id, incident] : state_.incidents) {
    if (!incident.is_live()) continue;
    check_incident(incident);
    if (!incident.cause.empty() && !causes.insert(incident.cause).second) fail("two live incidents for " + incident.cause);
  }
  for (const std::string& id : touched_) {
    const Incident* incident = state_.find(id);
    const Incident* shadow = shadow_.find(id);
    if (incident == nullptr || shadow == nullptr || !(*incident == *shadow))
      fail("the state of " + id + " is not the fold over its events");
    else
      check_incident(*incident);
  }
  touched_.clear();
  check_alerts();
}

void Simulation::check_incident(const Incident& incident) {
  const std::int64_t elapsed = incident.elapsed.at(now_);
  std::int64_t& before = elapsed_[incident.id];
  if (elapsed < before) fail("the clock of " + incident.id + " goes back");
  before = elapsed;
  if (elapsed > now_ - incident.detected_ns) fail("the clock of " + incident.id + " is ahead of time");
  if (incident.is_taken() != incident.ack.has_value()) fail("taken by nobody, or somebody has what is not taken");
  if (incident.is_paging() && !incident.was_told && (incident.any_fires() || incident.by_hand)) fail("nobody is told of " + incident.id);
  if (incident.is_live() && !incident.any_fires() && !incident.by_hand && !incident.is_flapping)
    fail("live without a cause: " + incident.id);
  if (incident.responded && incident.responded_by.empty()) fail("a response of nobody named");
  const auto goes_on = [](const std::vector<Stretch>& stretches) { return !stretches.empty() && stretches.back().end_ns == 0; };
  const History& history = incident.history;
  if (goes_on(history.held) != (incident.is_live() && incident.is_taken())) fail("the held stretches do not follow the stage");
  if (goes_on(history.flapped) != (incident.is_live() && incident.is_flapping)) fail("the flapped stretches do not follow the flapping");
}

void Simulation::check_alerts() {
  for (const Alert& alert : alerts_) {
    const auto found = state_.by_alert.find(alert.name);
    if ((found != state_.by_alert.end()) != (alert.level != Level::none)) {
      fail("alert " + alert.name + " fires and is in no incident, or the other way round");
      continue;
    }
    if (found == state_.by_alert.end()) continue;
    const Incident& incident = *state_.find(found->second);
    if (incident.members.at(alert.name).level != alert.level) fail("alert " + alert.name + " has another level in its incident");
    if (!incident.is_live() && now_ - incident.resolved_ns > settings_.still_firing_ns + 3 * hour_ns)
      fail("a firing alert was left in what is over");
    if (++checks_ % 16 != 0) continue;
    std::size_t in = 0;
    for (const auto& [id, other] : state_.incidents) {
      const auto member = other.members.find(alert.name);
      if (member != other.members.end() && member->second.fires()) ++in;
    }
    if (in != 1) fail("alert " + alert.name + " fires in " + std::to_string(in) + " incidents");
  }
}

}  // namespace ronda::incident
