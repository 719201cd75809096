// SPDX-License-Identifier: Apache-2.0
#include "line.hpp"

#include <boost/json.hpp>
#include <catch.hpp>
#include <random>

#include "outgoing/shown.hpp"

using namespace logfile;
using shown::cut, shown::escape;

namespace {

/// Sunday, 29 November 2026, 09:05:07 in Berlin.
Reading sunday() {
  Reading t;
  t.year = 2026, t.month = 11, t.day = 29, t.hour = 9, t.minute = 5, t.second = 7, t.weekday = 0;
  t.offset = std::chrono::hours(1), t.zone = "CET";
  return t;
}

struct Parts {
  std::string id = "m-1", to, title = "API is not responding", body = "connection refused", level = "p1", event = "open", incident = "I-7";
  std::vector<std::pair<std::string, std::string>> fields = {};
};

std::string line_of(Format format, const Parts& parts, Text text = Text::title) {
  std::vector<ronda_kv> fields;
  for (const auto& [name, value] : parts.fields) fields.push_back({ronda::to_abi(name), ronda::to_abi(value)});
  const ronda_message raw{sizeof raw,
                          1,
                          ronda::to_abi(parts.id),
                          ronda::to_abi(parts.to),
                          ronda::to_abi(parts.title),
                          ronda::to_abi(parts.body),
                          ronda::to_abi(parts.level),
                          ronda::to_abi(parts.event),
                          ronda::to_abi(parts.incident),
                          fields.data(),
                          fields.size()};
  return make_line({format, text, usual_severities(format)}, ronda::message(&raw), sunday());
}

Parts titled(std::string title) {
  Parts parts;
  parts.title = std::move(title);
  return parts;
}

/// What may not stand in a line: C0, DEL, C1, bidirectional marks, separators, as UTF-8.
bool is_one_harmless_line(const std::string& line) {
  for (std::size_t i = 0; i < line.size(); ++i) {
    const auto byte = static_cast<unsigned char>(line[i]);
    const auto two = line.substr(i, 2), three = line.substr(i, 3);
    if (byte < 0x20 || byte == 0x7f) return false;
    if (byte == 0xc2 && two.size() == 2 && static_cast<unsigned char>(two[1]) < 0xa0) return false;
    if (three >= "\xe2\x80\xa8" && three <= "\xe2\x80\xae") return false;
    if (three >= "\xe2\x81\xa6" && three <= "\xe2\x81\xa9") return false;
    if (three == "\xe2\x80\x8e" || three == "\xe2\x80\x8f" || two == "\xd8\x9c") return false;
  }
  return true;
}

}  // namespace

TEST_CASE("the lines are those that the runbook's scripts wrote", "[logfile]") {
  CHECK(line_of(Format::alerts, {}) == "[2026-11-29 09:05:07] [CRITICAL] API is not responding");
  CHECK(line_of(Format::notifications, {}) == "Sun Nov 29 09:05:07 CET 2026: [P1] API is not responding");
  Parts high;
  high.level = "p2";
  CHECK(line_of(Format::alerts, high) == "[2026-11-29 09:05:07] [HIGH] API is not responding");
  CHECK(line_of(Format::notifications, high) == "Sun Nov 29 09:05:07 CET 2026: [P2] API is not responding");
  high.level = "p9";
  CHECK(line_of(Format::alerts, high) == "[2026-11-29 09:05:07] [p9] API is not responding");
}

TEST_CASE("a day below ten is padded as date does it", "[logfile]") {
  const ronda_message raw{sizeof raw, 1, {}, {}, ronda::to_abi("x"), {}, ronda::to_abi("p4"), {}, {}, nullptr, 0};
  auto time = sunday();
  time.day = 3;
  CHECK(make_line({Format::notifications, Text::title, usual_severities(Format::notifications)}, ronda::message(&raw), time) ==
        "Sun Nov  3 09:05:07 CET 2026: [P4] x");
  CHECK(make_line({Format::alerts, Text::title, usual_severities(Format::alerts)}, ronda::message(&raw), time) ==
        "[2026-11-03 09:05:07] [LOW] x");
}

TEST_CASE("the text is the title, the body or both, and of an empty one the other", "[logfile]") {
  const auto text_of = [](const Parts& parts, Text text) { return line_of(Format::alerts, parts, text).substr(33); };
  CHECK(text_of({}, Text::title) == "API is not responding");
  CHECK(text_of({}, Text::body) == "connection refused");
  CHECK(text_of({}, Text::both) == "API is not responding: connection refused");
  Parts parts;
  parts.body = "";
  CHECK(text_of(parts, Text::body) == "API is not responding");
  CHECK(text_of(parts, Text::both) == "API is not responding");
  parts.body = "b", parts.title = "";
  CHECK(text_of(parts, Text::title) == "b");
  CHECK(text_of(parts, Text::both) == "b");
}

TEST_CASE("what has no level is called by what it is, and the end of the text's last line is none of a line's", "[logfile]") {
  Parts parts;
  parts.level = "", parts.event = "test", parts.body = "nothing is wrong\n";
  CHECK(line_of(Format::alerts, parts, Text::both) == "[2026-11-29 09:05:07] [TEST] API is not responding: nothing is wrong");
}

TEST_CASE("what breaks a line or hides in it is written byte by byte", "[logfile]") {
  CHECK(escape("a\nb\r\tc") == "a\\x0ab\\x0d\\x09c");
  CHECK(escape("\x1b[2Jgone\x07") == "\\x1b[2Jgone\\x07");
  CHECK(escape(std::string_view("nul\0!", 5)) == "nul\\x00!");
  CHECK(escape("del\x7f") == "del\\x7f");
  CHECK(escape("next line\xc2\x85") == "next line\\xc2\\x85");
  CHECK(escape("separators\xe2\x80\xa8\xe2\x80\xa9") == "separators\\xe2\\x80\\xa8\\xe2\\x80\\xa9");
  CHECK(escape("to\xe2\x80\xaethe left") == "to\\xe2\\x80\\xaethe left");
  CHECK(escape("isolate\xe2\x81\xa6 mark\xe2\x80\x8f \xd8\x9c") == "isolate\\xe2\\x81\\xa6 mark\\xe2\\x80\\x8f \\xd8\\x9c");
  CHECK(escape("\xff\xc3(\xed\xa0\x80\xc0\x80") == "\\xff\\xc3(\\xed\\xa0\\x80\\xc0\\x80");
  CHECK(escape("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x9a\xa8 \\") == "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x9a\xa8 \\");
  CHECK(escape("cut\xe2\x82") == "cut\\xe2\\x82");
}

TEST_CASE("no bytes whatever make two lines of one message", "[logfile]") {
  std::mt19937 random(20261129);
  const auto bytes = [&](std::size_t size) {
    std::string text(size, '\0');
    for (char& c : text) c = static_cast<char>(random());
    return text;
  };
  std::vector<std::string> texts;
  for (int byte = 0; byte < 256; ++byte) texts.push_back("a" + std::string(1, static_cast<char>(byte)) + "b");
  for (int i = 0; i < 300; ++i) texts.push_back(bytes(random() % 60));
  for (const auto& text : texts) {
    Parts parts;
    parts.id = parts.to = parts.title = parts.body = parts.event = parts.incident = parts.level = text;
    parts.fields = {{text, text}};
    for (const auto format : {Format::alerts, Format::notifications, Format::json}) {
      const auto line = line_of(format, parts, Text::both);
      INFO(line);
      CHECK(is_one_harmless_line(line));
      if (format == Format::json) CHECK_NOTHROW(boost::json::parse(line));
    }
  }
}

TEST_CASE("json has all of a message, and reads back as it was", "[logfile]") {
  Parts parts;
  parts.title = "quote \" and \\ and\nline, caf\xc3\xa9 \xf0\x9f\x9a\xa8";
  parts.fields = {{"service", "shop"}, {"value", "2.1 s"}};
  const auto line = line_of(Format::json, parts);
  const auto read = boost::json::parse(line).as_object();
  CHECK(read.at("time").as_string() == "2026-11-29T09:05:07+01:00");
  CHECK(read.at("id").as_string() == "m-1");
  CHECK(read.at("level").as_string() == "p1");
  CHECK(read.at("severity").as_string() == "P1");
  CHECK(read.at("event").as_string() == "open");
  CHECK(read.at("incident").as_string() == "I-7");
  CHECK(read.at("title").as_string() == parts.title);
  CHECK(read.at("body").as_string() == "connection refused");
  CHECK(read.at("fields").as_object().at("value").as_string() == "2.1 s");
}

TEST_CASE("an offset west of Greenwich, and one of half an hour, are written as RFC 3339 wants them", "[logfile]") {
  const ronda_message raw{sizeof raw, 1, {}, {}, {}, {}, {}, {}, {}, nullptr, 0};
  auto time = sunday();
  time.offset = -std::chrono::minutes(210);
  const auto line = make_line({Format::json, Text::title, usual_severities(Format::json)}, ronda::message(&raw), time);
  CHECK(line.substr(0, 37) == "{\"time\":\"2026-11-29T09:05:07-03:30\",\"");
}

TEST_CASE("a text that is too long is cut between characters, and says so", "[logfile]") {
  CHECK(cut("short", 5) == "short");
  CHECK(cut("longer", 5) == "longe...");
  CHECK(cut("1234\xe2\x82\xac", 5) == "1234...");
  CHECK(cut("1234\xe2\x82\xac", 7) == "1234\xe2\x82\xac");
  CHECK(cut(std::string(9, '\x80'), 5) == std::string(2, '\x80') + "...");
  CHECK(line_of(Format::alerts, titled(std::string(1 << 20, 'x'))).size() == 33 + max_title_bytes + 3);
}
