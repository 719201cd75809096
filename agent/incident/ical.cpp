// SPDX-License-Identifier: Apache-2.0
#include "incident/ical.hpp"

#include <algorithm>
#include <array>
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
constexpr std::array<std::string_view, 24> idle_properties = {
    "ATTACH",      "ATTENDEE",       "CATEGORIES", "CLASS",    "COLOR",         "COMMENT",  "CONTACT",   "CREATED",
    "DESCRIPTION", "DTSTAMP",        "GEO",        "IMAGE",    "LAST-MODIFIED", "LOCATION", "ORGANIZER", "PRIORITY",
    "RELATED-TO",  "REQUEST-STATUS", "RESOURCES",  "SEQUENCE", "TRANSP",        "UID",      "URL",       "CONFERENCE"};

/// What stands between BEGIN:VEVENT and END:VEVENT.
struct Event {
  std::uint32_t line = 0;
  std::optional<ContentLine> start, end, duration, rule, summary;
  std::vector<ContentLine> exdates;
  std::string trouble;  // why it is left out
  bool is_cancelled = false;
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
  void finish_event();
  Result<CalendarTime> time_of(const ContentLine& line, std::string_view value);
  Result<Unit> add(const Event& event);
  Result<std::vector<CalendarTime>> exclusions(const Event& event, bool is_date);
  Result<Unit> add_occurrences(const Event& event, const CalendarTime& start, const CalendarDuration& length, const std::string& who);
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
  std::size_t events_ = 0;
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
    if (++events_ > limits_.max_events) too_much_ = "more than " + std::to_string(limits_.max_events) + " events";
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
  if (event_ && open_.size() == 1) finish_event();
}

void Reader::property(const ContentLine& line) {
  if (!event_ || open_.size() != 2) return;  // of the calendar, of a zone, of an alarm
  const auto take = [&](std::optional<ContentLine>& out) {
    if (out && event_->trouble.empty()) event_->trouble = line.name + " stands twice";
    out = line;
  };
  if (line.name == "DTSTART") return take(event_->start);
  if (line.name == "DTEND") return take(event_->end);
  if (line.name == "DURATION") return take(event_->duration);
  if (line.name == "RRULE") return take(event_->rule);
  if (line.name == "SUMMARY") return take(event_->summary);
  if (line.name == "EXDATE") {
    event_->exdates.push_back(line);
  } else if (line.name == "STATUS") {
    event_->is_cancelled = line.value == "CANCELLED";
  } else if (line.name == "RDATE" || line.name == "EXRULE" || line.name == "RECURRENCE-ID") {
    if (event_->trouble.empty()) event_->trouble = line.name + " is not read";
  } else if (!line.name.starts_with("X-") && std::ranges::find(idle_properties, line.name) == idle_properties.end()) {
    warn_once(line.number, "\"" + escape_controls(line.name.substr(0, 64)) + "\" is not read");
  }
}

void Reader::finish_event() {
  const Event event = *std::move(event_);
  event_.reset();
  if (event.is_cancelled) return;
  Result<Unit> added = event.trouble.empty() ? add(event) : Error(Errc::invalid, event.trouble);
  if (added) return;
  const std::string name = event.summary ? "\"" + escape_controls(repair_utf8(event.summary->value, 64)) + "\"" : "without SUMMARY";
  warn(event.line, "the event " + name + " is left out: " + added.error().message());
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

Result<Unit> Reader::add_occurrences(const Event& event, const CalendarTime& start, const CalendarDuration& length,
                                     const std::string& who) {
  const auto end_of = [&](local_seconds reading) { return start.instant_at(reading + length.days) + length.exact; };
  if (!event.rule) {
    add_shift(start.instant(), end_of(start.reading), who);
    return done();
  }
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
    return without.contains(begin) || add_shift(begin, end_of(reading), who);
  });
  if (!enough) too_much_ = "rules that are too long to go through";
  return done();
}

Result<Unit> Reader::add(const Event& event) {
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
  return add_occurrences(event, start, length, who);
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
  std::ranges::sort(out_.shifts, {}, [](const CalendarShift& one) { return std::tie(one.begin_ns, one.who, one.end_ns); });
  return std::move(out_);
}

}  // namespace

Result<CalendarFile> read_icalendar(std::string_view text, std::int64_t from_ns, std::int64_t to_ns, schedule::ZoneDatabase& zones,
                                    const schedule::ZonePtr& floating, const CalendarLimits& limits) {
  return Reader(from_ns, to_ns, zones, floating, limits).run(text);
}

}  // namespace ronda::people
