// SPDX-License-Identifier: Apache-2.0
#include "incident/document.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "base/text.hpp"
#include "base/units.hpp"
#include "incident/document_words.hpp"

namespace ronda::incident {
namespace {

constexpr std::size_t most_lines = 2000;

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) text.replace(at, what.size(), by);
}

std::string instant(std::int64_t at_ns, const DocumentOptions& options) {
  using namespace std::chrono;
  const auto local = floor<seconds>(sys_time<nanoseconds>(nanoseconds(at_ns))) + seconds(options.offset_s);
  const year_month_day date(floor<days>(local));
  const hh_mm_ss time(local - floor<days>(local));
  char text[32];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u %02d:%02d:%02d", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()));
  return text;
}

/// " -0300", " UTC"
std::string offset_text(const DocumentOptions& options) {
  if (options.zone == "UTC") return " UTC";
  const std::int64_t minutes = std::abs(options.offset_s) / 60;
  char text[16];
  std::snprintf(text, sizeof text, " %c%02d%02d", options.offset_s < 0 ? '-' : '+', static_cast<int>(minutes / 60 % 24),
                static_cast<int>(minutes % 60));
  return text;
}

std::string length(std::int64_t ns) {
  return format_duration(std::chrono::floor<std::chrono::seconds>(Nanos(ns)));
}

std::string who(const Author& author, const Words& w) {
  return author.kind == Author::Kind::agent ? std::string(w.agent) : to_text(author);
}

std::string upper(config::Level level) {
  std::string out(config::level_name(level));
  if (!out.empty()) out[0] = 'P';
  return out;
}

/// Several lines of a person's text, each shown as it is.
std::string paragraph(std::string_view text) {
  std::string out;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = escape_markdown(text.substr(begin, end - begin));
    out += (out.empty() ? "" : "\\\n") + (line.empty() ? std::string("&nbsp;") : line);
    begin = end + 1;
  }
  return out + "\n";
}

/// A block whose fence no line of the text can close.
std::string fenced(std::string_view text) {
  std::size_t longest = 2, run = 0;
  for (const char c : text) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  const std::string fence(longest + 1, '`');
  std::string out = fence + "text\n";
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    out += escape_controls(text.substr(begin, end - begin)) + "\n";
    begin = end + 1;
  }
  return out + fence + "\n";
}

// what begins emphasis, code, a link, a cell, a formula
constexpr std::string_view special = "\\`*_[]~|$";

/// Whether a heading, a list, a rule or an underline would begin with this character.
bool begins_block(std::string_view line, std::size_t i) {
  const std::size_t first = line.find_first_not_of(' ');
  if (first == std::string_view::npos) return false;
  if (i == first) return std::string_view("#+-=").find(line[i]) != std::string_view::npos;
  const std::size_t digits = line.find_first_not_of("0123456789", first);
  return i == digits && i > first && (line[i] == '.' || line[i] == ')');
}

bool ends_with_www(std::string_view text) {
  if (text.size() < 3) return false;
  return std::ranges::all_of(text.substr(text.size() - 3), [](char c) { return c == 'w' || c == 'W'; });
}

bool is_accepted_notice(const Event& event) {
  return event.kind == Kind::notice_delivered && is_only_accepted(event.text);
}

class Writer {
 public:
  Writer(const Incident& incident, std::span<const Event> events, const DocumentOptions& options)
      : incident_(incident), events_(events), options_(options), w_(words(options.language)) {}

  std::string write() {
    out_ = "# " + incident_.id + ": " + escape_markdown(incident_.title) + "\n\n";
    facts();
    review();
    timeline();
    told();
    diagnosis();
    return std::move(out_);
  }

 private:
  void row(std::initializer_list<std::string> cells) {
    for (const std::string& cell : cells) out_ += "| " + cell + " ";
    out_ += "|\n";
  }
  void fact(std::string_view name, const std::string& value) {
    if (!value.empty()) row({std::string(name), value});
  }
  void heading(std::string_view text) { out_ += "\n## " + std::string(text) + "\n\n"; }
  std::string at(std::int64_t at_ns) const { return at_ns == 0 ? std::string() : instant(at_ns, options_); }

  std::string answer() const {
    if (incident_.responded_ns == 0) return std::string(w_.not_answered);
    const bool was_late = std::ranges::any_of(events_, [](const Event& event) { return event.kind == Kind::response_overdue; });
    return at(incident_.responded_ns) + ", " + escape_markdown(incident_.responded_by) + " (" +
           length(incident_.responded_ns - incident_.detected_ns) + (was_late ? "; " + std::string(w_.answered_late) : "") + ")";
  }

  std::string names_of_alerts() const {
    std::string out;
    for (const auto& [alert, member] : incident_.members) out += (out.empty() ? "" : ", ") + escape_markdown(alert);
    return out;
  }

  std::string names_of_roles() const {
    std::string out;
    for (const auto& [role, holder] : incident_.roles) out += (out.empty() ? "" : ", ") + escape_markdown(role + ": " + holder.contact);
    return out;
  }

  /// The time that silences and windows hid, without what was over in between.
  std::int64_t hidden_ns() const {
    std::int64_t sum = 0, since = 0;
    for (const Event& event : events_) {
      if (event.kind == Kind::suppressed && since == 0) since = event.at_ns;
      if (event.kind == Kind::clock_set && since != 0) since += event.at_ns - event.effective_ns;
      const bool ends = event.kind == Kind::unsuppressed || event.kind == Kind::resolved || event.kind == Kind::closed;
      if (!ends || since == 0) continue;
      sum += event.at_ns - since;
      since = 0;
    }
    return since == 0 ? sum : sum + (incident_.changed_ns - since);
  }

  void facts() {
    row({"", ""});
    row({"---", "---"});
    fact(w_.system, escape_markdown(options_.system));
    fact(w_.severity, upper(incident_.peak_level));
    fact(w_.status, std::string(w_.stages[static_cast<std::size_t>(incident_.stage)]));
    fact(w_.service, escape_markdown(incident_.service));
    fact(w_.cause, escape_markdown(incident_.root));
    fact(w_.alerts, names_of_alerts());
    fact(w_.detected, at(incident_.detected_ns) + " (" + escape_markdown(options_.zone) + ")");
    fact(w_.answered, answer());
    fact(w_.mitigated, at(incident_.mitigated_ns));
    fact(w_.resolved, incident_.resolved_ns == 0 ? std::string(w_.still_open) : at(incident_.resolved_ns));
    fact(w_.duration, length(duration_ns(incident_, incident_.changed_ns)));
    if (const std::int64_t hidden = hidden_ns(); hidden > 0) fact(w_.hidden, length(hidden));
    fact(w_.roles, names_of_roles());
    fact(w_.war_room, escape_markdown(incident_.war_room));
  }

  void review() {
    for (std::size_t i = 0; i < review_parts.size(); ++i) {
      heading(w_.parts[i]);
      const auto found = std::ranges::find(incident_.review, review_parts[i], &std::pair<std::string, std::string>::first);
      const bool written = found != incident_.review.end() && !trim(found->second).empty();
      out_ += written ? paragraph(found->second) : "*" + std::string(w_.not_written) + "*\n";
    }
  }

  void timeline() {
    heading(w_.timeline);
    row({std::string(w_.time), std::string(w_.author), std::string(w_.what)});
    row({"---", "---", "---"});
    std::size_t lines = 0, left = 0;
    for (const Event& event : events_) {
      const bool is_delivery = event.kind == Kind::notice_sent || event.kind == Kind::notice_delivered || event.kind == Kind::notice_owed;
      if (is_delivery) continue;  // in the table below
      if (lines++ >= most_lines) {
        ++left;
        continue;
      }
      row({at(event.at_ns), escape_markdown(who(event.author, w_)), escape_markdown(describe(event, options_))});
    }
    if (left == 0) return;
    std::string rest(w_.cut);
    replace_all(rest, "{n}", std::to_string(left));
    row({"", "", rest});
  }

  struct Message {
    std::int64_t at_ns = 0;
    std::string contact, channel, outcome;
  };

  void told() {
    heading(w_.told);
    std::vector<Message> messages;
    std::map<std::string, std::size_t> known;
    for (const Event& event : events_) {
      if (event.kind != Kind::notice_sent && event.kind != Kind::notice_delivered && event.kind != Kind::notice_failed) continue;
      const auto [found, is_new] = known.try_emplace(event.message + "\n" + event.subject + "\n" + event.channel, messages.size());
      if (is_new) messages.push_back({event.at_ns, event.subject, event.channel, std::string(w_.sent)});
      if (event.kind == Kind::notice_sent) continue;
      const bool failed = event.kind == Kind::notice_failed, accepted = is_accepted_notice(event);
      messages[found->second].outcome = std::string(failed     ? w_.failed
                                                    : accepted ? w_.accepted
                                                               : w_.delivered) +
                                        ", " + at(event.at_ns) +
                                        ((failed || accepted) && !event.text.empty() ? ": " + escape_markdown(event.text) : "");
    }
    if (messages.empty()) {
      out_ += std::string(w_.nobody_told) + "\n";
      return;
    }
    row({std::string(w_.time), std::string(w_.contact), std::string(w_.channel), std::string(w_.outcome)});
    row({"---", "---", "---", "---"});
    for (const Message& message : messages)
      row({at(message.at_ns), escape_markdown(message.contact), escape_markdown(message.channel), message.outcome});
  }

  void diagnosis() {
    bool first = true;
    for (const Event& event : events_) {
      if (event.kind != Kind::diagnosis) continue;
      if (first) heading(w_.diagnosis);
      first = false;
      out_ += escape_markdown(event.subject) + ", " + at(event.at_ns) + "\n\n" + fenced(event.text) + "\n";
    }
  }

  const Incident& incident_;
  std::span<const Event> events_;
  const DocumentOptions& options_;
  const Words& w_;
  std::string out_;
};

}  // namespace

bool is_only_accepted(std::string_view words) {
  return words.starts_with("accepted");
}

std::string escape_markdown(std::string_view text) {
  std::string flat = repair_utf8(text, 3 * text.size());
  std::ranges::replace(flat, '\n', ' ');
  const std::string line = escape_controls(flat);
  std::string out;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const std::string_view rest = std::string_view(line).substr(i);
    if (line[i] == '<')
      out += "&lt;";
    else if (line[i] == '>')
      out += "&gt;";
    else if (line[i] == '&')
      out += "&amp;";
    else if (line[i] == '@')
      out += "&#64;";  // neither a mention nor an address
    else if (rest.starts_with("://"))
      out += "&#58;";
    else if (line[i] == '.' && ends_with_www(out))
      out += "&#46;";
    else if (special.find(line[i]) != std::string_view::npos || begins_block(line, i))
      out += std::string("\\") + line[i];
    else
      out += line[i];
  }
  return out;
}

namespace {

/// Who or what it is about; a message without a contact is one to the last resort.
std::string subject_of(const Event& event, const Words& w) {
  if (event.kind == Kind::other) return event.kind_name;
  const bool is_message = event.kind == Kind::notice_sent || event.kind == Kind::notice_delivered || event.kind == Kind::notice_failed;
  return is_message && event.subject.empty() ? std::string(w.last_resort) : event.subject;
}

}  // namespace

std::string describe(const Event& event, const DocumentOptions& options) {
  const Words& w = words(options.language);
  const bool only_waits = event.kind == Kind::alert_joined && event.blocked && event.level == config::Level::none;
  const std::string out(only_waits ? w.waits : is_accepted_notice(event) ? w.accepted_for : phrase(event.kind, options.language));
  // the agent's own place holders only: what is put in is not looked at again
  const std::array<std::pair<std::string_view, std::string>, 7> values = {
      {{"{who}", who(event.author, w)},
       {"{level}", upper(event.level)},
       {"{alert}", event.alert},
       {"{subject}", subject_of(event, w)},
       {"{role}", event.role},
       {"{channel}", event.channel},
       {"{owed}", event.until_ns == 0
                      ? std::string(w.owed_never)
                      : std::string(w.owed_until) + instant(event.until_ns, options) + offset_text(options)}}};
  std::string filled;
  for (std::size_t i = 0; i < out.size();) {
    const auto found =
        std::ranges::find_if(values, [&](const auto& value) { return out.compare(i, value.first.size(), value.first) == 0; });
    filled += found == values.end() ? std::string(1, out[i]) : found->second;
    i += found == values.end() ? 1 : found->first.size();
  }
  if (event.kind != Kind::diagnosis && !trim(event.text).empty()) filled += ": " + event.text;
  if (const std::string_view said = named_text(event, said_field); !said.empty()) filled.append(" - ").append(said);
  return filled;
}

std::string describe(const Event& event, Language language) {
  DocumentOptions options;
  options.language = language;
  return describe(event, options);
}

std::string to_markdown(const Incident& incident, std::span<const Event> events, const DocumentOptions& options) {
  return Writer(incident, events, options).write();
}

}  // namespace ronda::incident
