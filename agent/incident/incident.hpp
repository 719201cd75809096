// SPDX-License-Identifier: Apache-2.0
// An incident: what people work on. It is nothing but the fold over its events; no function here decides
// anything (engine.hpp does), reads a clock or asks the configuration.
//
// The clocks follow the instants of events and never go back: where the wall clock was set forward, one event says so and all
// instants move by as much, the ones that are due too (clock_set; decision 0122). `elapsed` is the time since detection during which it was
// live and nothing suppressed it: it stands while a silence or a window covers all of its alerts, while it is resolved, and
// at nothing else. `at_level` is the same since the present level was reached by a raise: the time to respond counts on it.
// What an escalation needs besides (levels, and when somebody had it) is kept as History.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "incident/event.hpp"

namespace ronda::incident {

/// `reopened` is not a state: a resolved incident becomes open.
enum class Stage : std::uint8_t { open, acknowledged, mitigating, resolved, closed };
std::string_view stage_name(Stage stage);
/// Whether an incident may go from one state to the other. Source: requirements 3.1, and `closed` from anywhere for
/// what left the configuration.
bool is_legal_move(Stage from, Stage to);

/// What comes back so soon after the agent lowered it keeps its level for as long.
inline constexpr std::int64_t comes_back_within_ns = std::int64_t{6} * 3600 * 1'000'000'000;

/// A sum of time that runs and stands.
struct Clock {
  std::int64_t spent_ns = 0;
  std::int64_t since_ns = 0;  // runs since then; 0: it stands

  std::int64_t at(std::int64_t now_ns) const { return since_ns == 0 || now_ns < since_ns ? spent_ns : spent_ns + (now_ns - since_ns); }
  void set_running(bool running, std::int64_t at_ns);
  /// The instant at which it will show `value_ns` if nothing stops it; none: it stands or shows more already.
  std::optional<std::int64_t> when(std::int64_t value_ns) const;
  bool operator==(const Clock&) const = default;
};

/// An alert that belongs to it.
struct Member {
  std::string check, service;
  config::Level level = config::Level::none;  // none: it does not fire any more
  bool blocked = false;                       // it waits for a check that is critical: no cause of its own
  std::string blocker;                        // that check
  std::string title;                          // what people call it, as it reached its level
  std::string said;                           // what its check said then, one line; may be empty
  std::int64_t joined_ns = 0;
  std::int64_t changed_ns = 0;

  bool fires() const { return level != config::Level::none; }
  bool operator==(const Member&) const = default;
};

/// What messages call an incident.
struct Headline {
  std::string alert;  // whose title it is; empty: not known yet
  std::string text;
  config::Level level = config::Level::none;  // of the incident then
  bool operator==(const Headline&) const = default;
};

/// [begin, end); end 0: it still goes on.
struct Stretch {
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = 0;
  bool operator==(const Stretch&) const = default;
};

/// What happened to it, as an escalation asks for it; each in order of time, stretches of one list do not overlap.
struct History {
  struct LevelAt {
    std::int64_t at_ns = 0;
    config::Level level = config::Level::none;
    bool operator==(const LevelAt&) const = default;
  };
  struct Impact {
    std::int64_t at_ns = 0;
    std::string tag;
    std::string text = {};  // what it means for them, as was said with it
    bool operator==(const Impact&) const = default;
  };
  std::vector<LevelAt> levels;      // the first is that at detection
  std::vector<Stretch> suppressed;  // by silences and windows, and while it was resolved before it was reopened
  std::vector<Stretch> held;        // somebody had it: nobody is called
  std::vector<Stretch> below;       // nothing of it was as high as it is itself: the ladder of that level stands
  std::vector<Stretch> flapped;     // nor while it flaps; apart, or who takes it after a raise would be called by what the raise ended
  std::vector<Impact> impacts;
  bool operator==(const History&) const = default;
};

/// Who has a role, since which event and by whom.
struct Role {
  std::string contact;
  std::uint64_t sequence = 0;
  Author by;
  bool operator==(const Role&) const = default;
};

struct Ack {
  Author author;
  std::int64_t at_ns = 0;
  std::int64_t remind_ns = 0;  // 0: not, or done; without end it is never done
  std::int64_t until_ns = 0;   // 0: without end
  bool operator==(const Ack&) const = default;
};

/// Help that was asked of a vendor.
struct Ticket {
  std::string vendor, level;
  std::string text;  // what the person said of it: its number there
  Author by;
  std::int64_t opened_ns = 0;
  std::int64_t owed_ns = 0;      // when they must have answered; 0: they promised no time
  std::int64_t answered_ns = 0;  // 0: not yet
  bool overdue = false;          // that was said

  bool waits() const { return answered_ns == 0; }
  bool is_late(std::int64_t now_ns) const { return owed_ns != 0 && (waits() ? now_ns : answered_ns) > owed_ns; }
  bool operator==(const Ticket&) const = default;
};

struct Incident {
  std::string id;
  std::uint64_t sequence = 0;  // of its last event: what a person's command is based on
  Stage stage = Stage::open;
  config::Level level = config::Level::none;          // lowered by a person, by silences, by the agent when the worst is over
  config::Level persons_level = config::Level::none;  // that a person set last; none: none since it was opened
  config::Level peak_level = config::Level::none;     // the highest it ever had
  std::string service;                                // empty: none
  std::string root;                                   // the check that is the cause, as far as is known; empty when a person opened it
  std::string cause;                                  // cause_of() that it was opened for; empty: a person's without a service
  std::string title;                                  // the first event's text; what it is about now: headline_of()
  std::string war_room;
  bool by_hand = false;  // opened by a person: only a person resolves it

  std::map<std::string, Member, std::less<>> members;  // by alert; those that left stay, with level none
  std::size_t firing = 0;                              // how many of them do
  std::size_t as_high = 0;                             // of these, those that are as high as it is itself
  std::set<std::string, std::less<>> checks;           // it was ever about: root, members', and those that members waited for
  std::set<std::string, std::less<>> parents;          // of these, those that members waited for
  std::set<std::string, std::less<>> former_roots;     // of these, those that were the root until it waited for another
  Headline headline;                                   // since its level changed last
  Headline worst;                                      // at its highest level since it was opened or reopened
  std::optional<Ack> ack;
  std::uint32_t acks = 0;                          // how often it was taken
  std::int64_t free_since_ns = 0;                  // while nobody has it: since when
  std::map<std::string, Role, std::less<>> roles;  // "commander" -> who
  std::vector<Ticket> tickets;                     // as they were opened; the latest 64
  std::set<std::string, std::less<>> told;         // contacts that a notice was sent to
  /// By contact: the notifiers by which, since it was opened or reopened. Who was called by one hears the end by it.
  std::map<std::string, std::set<std::string, std::less<>>, std::less<>> told_by;
  std::set<std::string, std::less<>> last_resorts;  // notifiers that one was sent to for want of a contact
  std::vector<std::pair<std::string, std::string>> review;
  std::string situation;      // as a person said it last since it was opened: an update, or what mitigates it
  std::string suppressed_by;  // "silence:S-..." or "window:sunday"; empty: nothing does

  std::int64_t detected_ns = 0;
  std::int64_t changed_ns = 0;   // the last event
  std::int64_t moved_ns = 0;     // an alert of it began or ceased to fire
  std::int64_t resolved_ns = 0;  // 0: not
  std::int64_t mitigated_ns = 0;
  std::int64_t responded_ns = 0;  // the first time that a named person took it, at any level
  std::string responded_by;
  bool responded = false;         // at the present level
  bool response_overdue = false;  // at the present level
  std::int64_t respond_within_ns = 0;
  Clock elapsed, at_level;
  bool is_below = false;         // no alert of it is as high as it is itself
  Clock below;                   // for so long, as `elapsed` counts
  std::int64_t eased_ns = 0;     // the agent lowered it last; 0: never
  std::int64_t returned_ns = 0;  // and an alert raised it last
  History history;

  std::int64_t update_due_ns = 0;  // 0: none wanted
  bool update_overdue = false;
  std::uint32_t opened_count = 0;  // 1, and one more each time it was reopened
  bool is_flapping = false;
  bool was_told = false;            // a page was owed since it was opened: 5.3's "open" has gone out
  bool resolution_told = false;     // since then 5.3's "resolved" has, with all that it must say
  std::uint32_t joined_untold = 0;  // alerts that came since the last notice
  std::int64_t joined_notice_ns = 0;

  std::uint64_t decided_sequence = 0;  // the last event that a person's command may conflict with, and who did it
  Author decided_by;

  bool is_live() const { return stage != Stage::resolved && stage != Stage::closed; }
  bool is_suppressed() const { return !suppressed_by.empty(); }
  /// Somebody has it: nobody is called.
  bool is_taken() const { return stage == Stage::acknowledged || stage == Stage::mitigating; }
  /// Whether calls go on: it is live, nobody has it, nothing suppresses it and it does not flap.
  bool is_paging() const { return is_live() && !is_taken() && !is_suppressed() && !is_flapping; }
  bool any_fires() const { return firing != 0; }
  /// When a named person must have taken it; none: has been, the clock stands, or it is over.
  std::optional<std::int64_t> respond_by_ns() const;
  bool is_root(std::string_view check) const { return root == check || former_roots.contains(check); }
  /// From the incident's names: the service, else the check that it was opened for, else its id.
  std::string_view group() const;

  bool operator==(const Incident&) const = default;
};

/// The cause that it stands for: at most one live incident of each. "service:api", "check:disk"; empty: a person's,
/// which no alert finds by itself.
std::string cause_of(std::string_view service, std::string_view check);

/// What it is about, for messages: the title of the gravest alert that fires, of the root first; once it is over, that of
/// the time when it was worst. What a person called it stays.
std::string headline_of(const Incident& incident);

/// How long it took or has taken: from detection to its end, or to now.
std::int64_t duration_ns(const Incident& incident, std::int64_t now_ns);

/// Takes one event in. Total: an event that does not fit (a later version's, a damaged row) changes as little as it can.
void apply(Incident& incident, const Event& event);

}  // namespace ronda::incident
