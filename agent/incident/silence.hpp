// SPDX-License-Identifier: Apache-2.0
// Silences: muted by a person, with an owner, a reason and an end. What is silenced is measured and judged as ever and
// has its incident; only nobody is told, and the incident's clocks stand. Pure: the book is a value, time and random
// bits are parameters; who stores it stores each Silence that a change returns, before the reply leaves.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "incident/event.hpp"
#include "incident/notice.hpp"
#include "incident/times.hpp"

namespace ronda::incident {

/// What a silence or a window may cover.
struct Subject {
  std::string_view alert, check, service;
  config::Level level = config::Level::none;
  std::span<const std::string> tags;  // of the check
};

inline constexpr std::size_t most_matcher_words = 64;

/// Covers what each of its kinds that is not empty covers; of one kind any will do. Nothing given: covers nothing.
struct Matcher {
  std::vector<std::string> alerts, checks, services, tags;
  std::vector<config::Level> levels;

  bool empty() const { return alerts.empty() && checks.empty() && services.empty() && tags.empty() && levels.empty(); }
  bool covers(const Subject& subject) const;
  bool operator==(const Matcher&) const = default;
};
/// `alert=api-down`, `check=disk`, `service=api`, `tag=db`, `level=p3`; several words. Alerts are named as lists of them do:
/// also task.NAME, slo/NAME, inbound/SENDER/WORD and ronda/NAME.
Result<Matcher> parse_matcher(std::span<const std::string> words);
/// "service=api level=p3 level=p4"
std::string to_text(const Matcher& matcher);

/// What somebody outside may have called an alert, or what several of his have in common.
bool is_inbound_name(std::string_view name);

/// Which names there are, for "did you mean": silencing what does not exist silences nothing. Who is outside names as he likes.
struct KnownNames {
  std::vector<std::string> alerts, checks, services, tags;
};
Status check_names(const Matcher& matcher, const KnownNames& known);

struct Silence {
  std::string id;  // "S-K7Q2M4XD"
  std::uint64_t revision = 1;
  Matcher what;
  Author owner;
  std::string reason;
  std::int64_t from_ns = 0;
  std::int64_t until_ns = 0;     // always set: its end, with until_ok the latest
  bool until_ok = false;         // ends when nothing that it covers has fired for `ok_for`
  std::int64_t ok_since_ns = 0;  // until_ok: nothing fires since; 0: something does
  std::int64_t ended_ns = 0;     // 0: not yet
  Author ended_by;
  bool end_told = false;          // its owner was told that it ends soon
  std::set<std::string> p1_told;  // incidents at P1 that it hid, of which its owner was told

  bool is_active(std::int64_t now_ns) const { return ended_ns == 0 && from_ns <= now_ns && now_ns < until_ns; }
  bool operator==(const Silence&) const = default;
};

inline constexpr std::int64_t longest_silence_ns = 30 * day_ns;
inline constexpr std::int64_t longest_until_ok_ns = 7 * day_ns;  // unless the person says less
inline constexpr std::int64_t ok_for_ns = 5 * minute_ns;
inline constexpr std::int64_t tell_end_before_ns = 15 * minute_ns;  // or a tenth of its length, if that is less

/// What a person asks for.
struct SilenceRequest {
  Matcher what;
  Author owner;
  std::string reason;
  std::int64_t from_ns = 0;  // 0: now
  std::int64_t for_ns = 0;   // a duration; 0 only with until_ok
  bool until_ok = false;
};
/// Refuses one without reason, matcher or end, and one that is too long: each with what to write instead.
Result<Silence> make_silence(SilenceRequest request, std::int64_t now_ns, std::uint64_t random);

/// What is planned begins now or later: a date in the past is a mistyped one, and would hide what is wrong now. A clock that is
/// a little ahead, and a time typed to the minute, are no mistake.
Status check_begin(std::string_view what, std::int64_t from_ns, std::int64_t now_ns);

/// What silences may hide now: a firing alert, or an incident that a person opened and in which none fires.
struct Firing {
  std::string alert, check, service, incident;  // alert and check are empty where a person opened it
  config::Level level = config::Level::none;
  std::vector<std::string> tags;
  std::string title = {};  // of the incident, where there is no alert
  const std::string& name() const { return alert.empty() ? title : alert; }
};

/// And of what fires: it may have left the configuration, or stand in a part of it that is unsound.
Status check_names(const Matcher& matcher, const KnownNames& known, std::span<const Firing> firing);

struct SilenceBook {
  std::vector<Silence> silences;  // by id; ended ones until drop_ended

  const Silence* find(std::string_view id) const;
  bool operator==(const SilenceBook&) const = default;
};

struct SilenceChange {
  std::vector<Silence> changed;  // to be stored
  std::vector<Notice> notices;   // to their owners
};

void add(SilenceBook& book, Silence silence);
/// Ends it. `based_on` is the revision that the person saw, 0: whichever. Refused when it has ended or somebody changed it.
Result<Silence> expire(SilenceBook& book, std::string_view id, const Author& author, std::uint64_t based_on, std::int64_t now_ns);
/// What time brings: ends, notices before an end and of a P1 that one hides.
SilenceChange tick(SilenceBook& book, std::span<const Firing> firing, std::int64_t now_ns);
/// When one begins or tick is wanted again, if nothing else happens.
std::optional<std::int64_t> next_wake(const SilenceBook& book, std::int64_t now_ns);
/// What it hides at this moment.
std::vector<Firing> hidden_by(const Silence& silence, std::span<const Firing> firing);
/// Forgets those that ended before.
void drop_ended(SilenceBook& book, std::int64_t before_ns);

/// One line; parse_silence refuses what is none. For the row that it is stored as.
std::string to_json(const Silence& silence);
Result<Silence> parse_silence(std::string_view json);

}  // namespace ronda::incident
