// SPDX-License-Identifier: Apache-2.0
// Any bytes as the parts of a message, as each notifier writes them: no text ends a header or adds one, a line of a log or of JSON
// is one line without control characters, a body in JSON can be read again, and what a program gets in its environment ends where
// it should.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <set>

#include "command/handover.hpp"
#include "logfile/line.hpp"
#include "outgoing/json.hpp"
#include "outgoing/shown.hpp"
#include "outgoing/text.hpp"
#include "pagerduty/event.hpp"
#include "smtp/header.hpp"
#include "smtp/mail.hpp"
#include "webhook/payload.hpp"

namespace {

void expect(bool holds) {
  if (!holds) std::abort();
}

const ronda::wall_time sunday{std::chrono::seconds(1795943107)};

bool is_printable_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

bool is_one_harmless_line(std::string_view text) {
  return shown::escape(text) == text;
}

/// Ends each line with CRLF, and none of them otherwise; `each` gets them without.
template <class Each>
void each_line(std::string_view text, Each&& each) {
  while (!text.empty()) {
    const std::size_t end = text.find("\r\n");
    expect(end != text.npos);
    const std::string_view line = text.substr(0, end);
    expect(line.find_first_of("\r\n") == line.npos);
    each(line);
    text.remove_prefix(end + 2);
  }
}

void look_at_header(std::string_view header) {
  static const std::set<std::string_view> known = {"Date",
                                                   "From",
                                                   "To",
                                                   "Subject",
                                                   "Message-ID",
                                                   "In-Reply-To",
                                                   "References",
                                                   "Auto-Submitted",
                                                   "X-Ronda-Level",
                                                   "X-Ronda-Event",
                                                   "X-Ronda-Incident",
                                                   "X-Ronda-Message",
                                                   "MIME-Version",
                                                   "Content-Type",
                                                   "Content-Transfer-Encoding"};
  std::set<std::string_view> seen;
  each_line(header, [&](std::string_view line) {
    expect(is_printable_ascii(line) && line.size() <= 998 && line.find_first_not_of(' ') != line.npos);
    if (line.front() == ' ') return expect(!seen.empty());
    const std::string_view name = line.substr(0, line.find(':'));
    expect(known.count(name) == 1 && seen.insert(name).second);
  });
}

std::string decoded(std::string_view quoted) {
  std::string out;
  const auto digit = [](char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'A' + 10); };
  each_line(quoted, [&](std::string_view line) {
    expect(line.size() <= 76 && std::all_of(line.begin(), line.end(), [](char c) { return c == '\t' || (c >= 0x20 && c < 0x7f); }));
    const bool goes_on = !line.empty() && line.back() == '=';
    if (goes_on) line.remove_suffix(1);
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (line[i] != '=') {
        out += line[i];
        continue;
      }
      expect(i + 2 < line.size());
      out += static_cast<char>(digit(line[i + 1]) * 16 + digit(line[i + 2]));
      i += 2;
    }
    if (!goes_on) out += '\n';
  });
  return out;
}

void mail(const ronda::message& message, std::string_view whom) {
  smtp::Address to{std::string(whom), "ops@example.com"};
  if (const auto parsed = smtp::parse_address(whom)) to = *parsed;
  expect(to.address.find_first_of(std::string_view(" \r\n\0<>,;:\"()", 12)) == to.address.npos);
  const std::string text = smtp::make_mail(message, {"Ronda", "ronda@example.com"}, to, sunday);
  const std::size_t end = text.find("\r\n\r\n");
  expect(end != text.npos);
  look_at_header(std::string_view(text).substr(0, end + 2));
  const auto& said = message.body().empty() ? message.title() : message.body();
  std::string wanted = shown::cut(said, smtp::max_body_bytes);
  if (!wanted.empty() && wanted.back() != '\n') wanted += '\n';
  expect(decoded(std::string_view(text).substr(end + 4)) == wanted);
}

/// JSON on one line, of characters only.
void look_at_json(const std::string& text) {
  expect(outgoing::valid_utf8(text) == text &&
         std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }));
  expect(outgoing::parse_json_object(text).has_value());
}

void all(const ronda::message& message, std::string_view whom) {
  mail(message, whom);
  look_at_json(webhook::ronda_payload(message, {"host", sunday, ""}));
  look_at_json(webhook::alertmanager_payload(message, {"host", sunday, "receiver"}));
  look_at_json(pagerduty::event_of(message, pagerduty::action_of(message), "key", "host", sunday));
  std::size_t key = 0;
  const std::string dedup = pagerduty::dedup_key_of(message);
  for (std::string_view rest = dedup; !rest.empty(); ++key) outgoing::take_character(rest);
  expect(key <= 255);
  std::string json = command::as_json(message);
  expect(!json.empty() && json.back() == '\n');
  json.pop_back();
  look_at_json(json);
  std::set<std::string> names;
  for (const auto& [name, value] : command::as_environment(message)) {
    expect(names.insert(name).second && name.rfind("RONDA_", 0) == 0 && name.find('=') == name.npos && is_printable_ascii(name));
    expect(value.size() <= command::max_value_bytes + 3 && value.find('\0') == value.npos);
  }
  logfile::Reading time;
  time.year = 2026, time.month = 11, time.day = 29, time.zone = "CET";
  for (const auto format : {logfile::Format::alerts, logfile::Format::notifications, logfile::Format::json}) {
    const auto line = logfile::make_line({format, logfile::Text::both, logfile::usual_severities(format)}, message, time);
    expect(is_one_harmless_line(line));
    if (format == logfile::Format::json) look_at_json(line);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  std::array<std::string, 13> parts;  // that a long one is cut is seen too: a letter stands for many
  for (std::string& part : parts) {
    const std::string_view one = rest.substr(0, rest.find('\x1e'));
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    part = one;
    if (!one.empty() && one.back() == '\x1d') part.append(std::size_t{100} * one.size(), one.front());
  }
  std::array<ronda_kv, 3> fields{};
  constexpr std::array<const char*, 3> names = {"state", "incident_url", "opened_at"};
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::string& name = parts[7 + 2 * i];
    fields[i] = {name.empty() ? ronda::to_abi(std::string_view(names[i])) : ronda::to_abi(name), ronda::to_abi(parts[8 + 2 * i])};
  }
  ronda_message raw{};
  raw.size = sizeof raw, raw.attempt = 1;
  raw.title = ronda::to_abi(parts[0]), raw.body = ronda::to_abi(parts[1]), raw.to = ronda::to_abi(parts[2]);
  raw.level = ronda::to_abi(parts[3]), raw.event = ronda::to_abi(parts[4]), raw.incident = ronda::to_abi(parts[5]);
  raw.id = ronda::to_abi(parts[6]), raw.fields = fields.data(), raw.field_count = fields.size();
  all(ronda::message(&raw), parts[2]);
  return 0;
}
