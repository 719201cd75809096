// SPDX-License-Identifier: Apache-2.0
#include "incident/ical.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <set>
#include <tuple>

#include "base/text.hpp"
#include "incident/ical_lines.hpp"
#include "incident/ical_rule.hpp"

namespace ronda::people {
namespace {

using namespace std::chrono;
using schedule::local_seconds;
using schedule::sys_seconds;

constexpr std::size_t max_warnings = 100;
constexpr std::size_t max_exdates = 2000;          // of one event
constexpr std::size_t days_looked_at = 2'000'000;  // of all events together
constexpr std::size_t max_name_bytes = 200;

/// Properties of an event that do not change when it is or whose it is.
constexpr std::array<std::string_view, 22> idle_properties = {
    "ATTACH",      "ATTENDEE",       "CATEGORIES", "CLASS",  "COLOR",         "COMMENT",   "CONTACT",   "CREATED",
    "DESCRIPTION", "DTSTAMP",        "GEO",        "IMAGE",  "LAST-MODIFIED", "LOCATION",  "ORGANIZER", "PRIORITY",
    "RELATED-TO",  "REQUEST-STATUS", "RESOURCES",  "TRANSP", "URL",           "CONFERENCE"};

/// What stands between BEGIN:VEVENT and END:VEVENT.
struct Event {
  std::uint32_t line = 0;
  std::optional<ContentLine> uid, start, end, duration, rule, summary;
  std::optional<ContentLine> instance;  // RECURRENCE-ID: it is for one instance of a series
  std::vector<ContentLine> exdates;
  std::string trouble;  // why it is left out
  std::uint32_t sequence = 0;
  bool is_cancelled = false;
};

/// What the event with RECURRENCE-ID that counts does to an instance.
struct Change {
  const Event* event = nullptr;
  bool is_read = false;  // else the instance stands as the series has it
  bool is_met = false;   // the series has this instance
};

/// The events of one UID.
struct Series {
  std::vector<const Event*> wholes;  // without RECURRENCE-ID, of the greatest SEQUENCE; more than one is against RFC 5545, and all stand
  std::optional<CalendarTime> start;
  std::map<sys_seconds, Change> changes;  // by when the instance begins in the series
  bool is_cancelled = false;
  bool is_unread = false;  // left out whole
};

class Reader {
 public:
  Reader(std::int64_t from_ns, std::int64_t to_ns, schedule::ZoneDatabase& zones, schedule::ZonePtr floating, const CalendarLimits& limits)
      : from_(floor<seconds>(sys_time<nanoseconds>(nanoseconds(from_ns)))),
        to_(ceil<seconds>(sys_time<nanoseconds>(nanoseconds(to_ns)))),
        zones_(zones),
        floating_(std::move(floating)),
        utc_(*zones.find("UTC")),
        limits_(limits) {}

  Result<CalendarFile> run(std::string_view text);

 private:
  void begin(const ContentLine& line);
  void end(const ContentLine& line);
  void property(const ContentLine& line);
  void add_events();
  std::map<std::string, Series> all_series();
  void add_change(const Event& event, Series& series);
  void add_series(Series& series);
  void leave_out(const Event& event, std::string_view what, const Error& why);
  Result<CalendarTime> time_of(const ContentLine& line, std::string_view value);
  Result<Unit> add(const Event& event, Series* series);
  Result<std::vector<CalendarTime>> exclusions(const Event& event, bool is_date);
  Result<Unit> add_occurrences(const Event& event, Series* series, const CalendarTime& start, const CalendarDuration& length,
                               const std::string& who);
  bool add_shift(sys_seconds begin, sys_seconds end, const std::string& who);
  void warn(std::uint32_t line, std::string text);
  void warn_once(std::uint32_t line, const std::string& text) {
    if (told_.insert(text).second) warn(line, text);
  }

  sys_seconds from_, to_;
  schedule::ZoneDatabase& zones_;
  schedule::ZonePtr floating_, utc_;
  CalendarLimits limits_;
  CalendarFile out_;
  std::vector<std::string> open_;  // components
  std::optional<Event> event_;
  std::vector<Event> events_;
  std::size_t budget_ = days_looked_at;
  std::set<std::string> told_;
  std::string too_much_;  // why reading ended
  bool any_calendar_ = false;
};

void Reader::warn(std::uint32_t line, std::string text) {
  if (out_.warnings.size() < max_warnings) out_.warnings.push_back({line, std::move(text)});
}

void Reader::begin(const ContentLine& line) {
  if (open_.size() >= 8) {
    too_much_ = "components nested deeper than 8";
    return;
  }
  open_.push_back(line.value);
  if (line.value == "VCALENDAR") any_calendar_ = true;
  if (line.value == "VEVENT" && open_.size() == 2) {
    event_.emplace().line = line.number;
    if (events_.size() == limits_.max_events) too_much_ = "more than " + std::to_string(limits_.max_events) + " events";
  } else if (open_.size() == 2 && line.value != "VTIMEZONE") {
    warn_once(line.number, "\"" + escape_controls(line.value.substr(0, 64)) + "\" is not read");
  }
}

void Reader::end(const ContentLine& line) {
  if (open_.empty() || open_.back() != line.value) {
    too_much_ = "line " + std::to_string(line.number) + ": END:" + escape_controls(line.value.substr(0, 64)) + " ends nothing";
    return;
  }
  open_.pop_back();
  if (!event_ || open_.size() != 1) return;
  events_.push_back(*std::move(event_));
  event_.reset();
}

void Reader::property(const ContentLine& line) {
  if (!event_ || open_.size() != 2) return;  // of the calendar, of a zone, of an alarm
  const auto take = [&](std::optional<ContentLine>& out) {
    if (out && event_->trouble.empty()) event_->trouble = line.name + " stands twice";
    out = line;
  };
  if (line.name == "UID") return take(event_->uid);
  if (line.name == "RECURRENCE-ID") return take(event_->instance);
  if (line.name == "DTSTART") return take(event_->start);
  if (line.name == "DTEND") return take(event_->end);
  if (line.name == "DURATION") return take(event_->duration);
  if (line.name == "RRULE") return take(event_->rule);
  if (line.name == "SUMMARY") return take(event_->summary);
  if (line.name == "EXDATE") {
    event_->exdates.push_back(line);
  } else if (line.name == "STATUS") {
    event_->is_cancelled = upper_case(trim(line.value)) == "CANCELLED";
  } else if (line.name == "SEQUENCE") {
    std::from_chars(line.value.data(), line.value.data() + line.value.size(), event_->sequence);
  } else if (line.name == "RDATE" || line.name == "EXRULE") {
    if (event_->trouble.empty()) event_->trouble = line.name + " is not read";
  } else if (!line.name.starts_with("X-") && std::ranges::find(idle_properties, line.name) == idle_properties.end()) {
    warn_once(line.number, "\"" + escape_controls(line.name.substr(0, 64)) + "\" is not read");
  }
}

std::string name_of(const Event& event) {
  return "the event " + (event.summary ? "\"" + escape_controls(repair_utf8(event.summary->value, 64)) + "\"" : "without SUMMARY");
}

void Reader::leave_out(const Event& event, std::string_view what, const Error& why) {
  warn(event.line, name_of(event) + " is left out" + std::string(what) + ": " + why.message());
}

std::map<std::string, Series> Reader::all_series() {
  std::map<std::string, Series> out;
  for (Event& event : events_) {
    // one without UID belongs to nothing; no UID has a line's end
    if (!event.uid || event.uid->value.empty()) event.uid.emplace().value = "\n" + std::to_string(event.line);
    Series& series = out[event.uid->value];
    if (event.instance) continue;
    if (!series.wholes.empty() && series.wholes.front()->sequence < event.sequence) series = {};
    if (!series.wholes.empty() && series.wholes.front()->sequence > event.sequence) continue;
    series.wholes.push_back(&event);
    series.is_cancelled = series.is_cancelled || event.is_cancelled;
    if (series.start || !event.start) continue;
    if (auto start = time_of(*event.start, event.start->value)) series.start = *std::move(start);
  }
  return out;
}

/// Of several events for one instance the greatest SEQUENCE counts, then the last.
void Reader::add_change(const Event& event, Series& series) {
  if (!event.instance->parameter("RANGE").empty()) {
    leave_out(event, ", and its series with it", {Errc::invalid, "RECURRENCE-ID with RANGE is not read"});
    series.is_unread = true;
    return;
  }
  const auto time = time_of(*event.instance, event.instance->value);
  if (!time) return leave_out(event, series.wholes.empty() ? "" : ", and the series' own turn stands", time.error());
  sys_seconds at = time->instant();
  if (time->is_date && series.start)
    at = series.start->instant_at(time->reading + (series.start->reading - floor<days>(series.start->reading)));
  Change& change = series.changes[at];
  if (change.event == nullptr || change.event->sequence <= event.sequence) change.event = &event;
}

void Reader::add_series(Series& series) {
  for (auto& [at, change] : series.changes) {
    const Event& event = *change.event;
    if (event.is_cancelled && event.trouble.empty()) {
      change.is_read = true;
      continue;
    }
    Result<Unit> added = event.trouble.empty() ? add(event, nullptr) : Error(Errc::invalid, event.trouble);
    if (!added) leave_out(event, series.wholes.empty() ? "" : ", and the series' own turn stands", added.error());
    change.is_read = added.has_value();
  }
  bool is_whole = true;
  for (const Event* event : series.wholes) {
    Result<Unit> added = event->trouble.empty() ? add(*event, &series) : Error(Errc::invalid, event->trouble);
    if (!added) leave_out(*event, "", added.error());
    is_whole = is_whole && added.has_value();
  }
  for (const auto& [at, change] : series.changes) {
    // what is far away is not gone through, and moves nobody's turn
    if (!is_whole || change.is_met || !change.is_read || at < from_ || at >= to_) continue;
    if (series.wholes.empty() && change.event->is_cancelled) continue;
    warn(change.event->line,
         name_of(*change.event) + (change.event->is_cancelled ? ", cancelled, takes nothing away: " : " stands by itself: ") +
             (series.wholes.empty() ? "no series has its UID" : "its series has nothing at " + change.event->instance->value));
  }
}

void Reader::add_events() {
  std::map<std::string, Series> all = all_series();
  for (const Event& event : events_) {
    Series& series = all.at(event.uid->value);
    if (event.instance && !series.is_cancelled) add_change(event, series);
  }
  for (auto& [uid, series] : all) {
    if (!series.is_cancelled && !series.is_unread && too_much_.empty()) add_series(series);
  }
}

Result<CalendarTime> Reader::time_of(const ContentLine& line, std::string_view value) {
  schedule::ZonePtr zone = floating_;
  if (const std::string_view name = line.parameter("TZID"); !name.empty()) {
    auto found = zones_.find(name);
    if (!found) return Error(Errc::invalid, "TZID: " + found.error().message());
    zone = *found;
  }
  RONDA_TRY(CalendarTime time, parse_calendar_time(value, zone, utc_));
  if ((line.parameter("VALUE") == "DATE") != time.is_date)
    return Error(Errc::invalid, line.name + ": a DATE is written with VALUE=DATE, and only a DATE is");
  return time;
}

/// How long the event is: by DTEND exactly, by DURATION with days of the wall clock, a DATE alone is its day.
Result<CalendarDuration> length_of(const Event& event, const CalendarTime& start, const std::optional<CalendarTime>& end) {
  if (event.end && event.duration) return Error(Errc::invalid, "DTEND together with DURATION");
  if (event.duration) return parse_calendar_duration(event.duration->value);
  CalendarDuration out;
  if (end) {
    if (end->is_date != start.is_date) return Error(Errc::invalid, "of DTSTART and DTEND one is a DATE");
    if (start.is_date) {
      out.days = floor<days>(end->reading) - floor<days>(start.reading);
    } else {
      out.exact = end->instant() - start.instant();
    }
    if (out.days < days(0) || out.exact < seconds(0)) return Error(Errc::invalid, "it ends before it begins");
    if (out.days > days(366) || out.exact > days(366)) return Error(Errc::invalid, "it is longer than 366 days");
  } else if (start.is_date) {
    out.days = days(1);
  }
  return out;
}

Result<std::vector<CalendarTime>> Reader::exclusions(const Event& event, bool is_date) {
  std::vector<CalendarTime> out;
  for (const ContentLine& line : event.exdates) {
    std::string_view rest = line.value;
    while (!rest.empty()) {
      const std::size_t comma = rest.find(',');
      RONDA_TRY(CalendarTime time, time_of(line, rest.substr(0, comma)));
      if (time.is_date != is_date) return Error(Errc::invalid, "of DTSTART and EXDATE one is a DATE");
      if (out.size() == max_exdates) return Error(Errc::range, "more than " + std::to_string(max_exdates) + " EXDATE");
      out.push_back(std::move(time));
      rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    }
  }
  return out;
}

bool Reader::add_shift(sys_seconds begin, sys_seconds end, const std::string& who) {
  if (end <= from_ || begin >= to_) return true;
  if (out_.shifts.size() == limits_.max_shifts) {
    too_much_ = "more than " + std::to_string(limits_.max_shifts) + " occurrences";
    return false;
  }
  const auto ns = [](sys_seconds at) { return nanoseconds(at.time_since_epoch()).count(); };
  out_.shifts.push_back({ns(begin), ns(end), who});
  return true;
}

Result<Unit> Reader::add_occurrences(const Event& event, Series* series, const CalendarTime& start, const CalendarDuration& length,
                                     const std::string& who) {
  const auto end_of = [&](local_seconds reading) { return start.instant_at(reading + length.days) + length.exact; };
  const auto is_changed = [&](sys_seconds begin) {
    if (series == nullptr) return false;
    const auto found = series->changes.find(begin);
    if (found == series->changes.end()) return false;
    found->second.is_met = true;
    return found->second.is_read;
  };
  if (!event.rule) {
    if (const sys_seconds begin = start.instant(); !is_changed(begin)) add_shift(begin, end_of(start.reading), who);
    return done();
  }
  if (event.instance) return Error(Errc::invalid, "RECURRENCE-ID together with RRULE");
  RONDA_TRY(const Recurrence rule, parse_recurrence(event.rule->value, start.zone, utc_));
  RONDA_TRY(const std::vector<CalendarTime> excluded, exclusions(event, start.is_date));
  const std::set<sys_seconds> without = [&] {
    std::set<sys_seconds> instants;
    for (const CalendarTime& one : excluded) instants.insert(one.is_date ? start.instant_at(one.reading) : one.instant());
    return instants;
  }();
  // readings that may still be of interest: the event's length and the largest offset before
  const seconds before = length.days + length.exact + schedule::Zone::max_offset;
  const local_seconds from = start.zone->to_local(from_) - before;
  const local_seconds upto = start.zone->to_local(to_) + schedule::Zone::max_offset;
  const bool enough = recur(rule, start, from, upto, budget_, [&](local_seconds reading) {
    const sys_seconds begin = start.instant_at(reading);
    return is_changed(begin) || without.contains(begin) || add_shift(begin, end_of(reading), who);
  });
  if (!enough) too_much_ = "rules that are too long to go through";
  return done();
}

Result<Unit> Reader::add(const Event& event, Series* series) {
  if (!event.start) return Error(Errc::invalid, "it has no DTSTART");
  const std::string who = event.summary ? repair_utf8(trim(unescape_text(event.summary->value)), max_name_bytes) : std::string();
  if (who.empty()) return Error(Errc::invalid, "it has no SUMMARY, which says whose it is");
  RONDA_TRY(const CalendarTime start, time_of(*event.start, event.start->value));
  std::optional<CalendarTime> end;
  if (event.end) {
    RONDA_TRY(CalendarTime time, time_of(*event.end, event.end->value));
    end = std::move(time);
  }
  RONDA_TRY(const CalendarDuration length, length_of(event, start, end));
  if (length.days == days(0) && length.exact == seconds(0))
    return Error(Errc::invalid, "it has neither DTEND nor DURATION, or is over at once");
  return add_occurrences(event, series, start, length, who);
}

Result<CalendarFile> Reader::run(std::string_view text) {
  if (text.size() > limits_.max_bytes) return Error(Errc::range, "larger than " + std::to_string(limits_.max_bytes) + " bytes");
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  LineReader lines(text);
  while (const auto line = lines.next()) {
    if (line->name == "BEGIN") {
      begin(*line);
    } else if (line->name == "END") {
      end(*line);
    } else {
      property(*line);
    }
    if (!too_much_.empty()) return Error(Errc::range, too_much_);
    if (!any_calendar_) break;
  }
  if (!any_calendar_) return Error(Errc::invalid, "no iCalendar file: it does not begin with BEGIN:VCALENDAR");
  if (!open_.empty()) return Error(Errc::invalid, "it is cut off: END:" + escape_controls(open_.back().substr(0, 64)) + " is missing");
  add_events();
  if (!too_much_.empty()) return Error(Errc::range, too_much_);
  std::stable_sort(out_.warnings.begin(), out_.warnings.end(), [](const auto& a, const auto& b) { return a.line < b.line; });
  std::ranges::sort(out_.shifts, {}, [](const CalendarShift& one) { return std::tie(one.begin_ns, one.who, one.end_ns); });
  return std::move(out_);
}

}  // namespace

Result<CalendarFile> read_icalendar(std::string_view text, std::int64_t from_ns, std::int64_t to_ns, schedule::ZoneDatabase& zones,
                                    const schedule::ZonePtr& floating, const CalendarLimits& limits) {
  return Reader(from_ns, to_ns, zones, floating, limits).run(text);
}

}  // namespace ronda::people
