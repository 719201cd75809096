// SPDX-License-Identifier: Apache-2.0
// Which calendar files are read anew, and when, and what becomes of one that is not good.
#include "incident/calendar_watch.hpp"

#include "catch.hpp"
#include "incident/people_candidate.hpp"
#include "scratch.hpp"
#include "staffed.hpp"

using namespace ronda;
using namespace ronda::people;
using test::at;

namespace {

std::string turn_of(const std::string& who, const std::string& day) {
  return "BEGIN:VEVENT\nSUMMARY:" + who + "\nDTSTART;VALUE=DATE:" + day + "\nEND:VEVENT\n";
}

std::string calendar_of(const std::string& turns) {
  return "BEGIN:VCALENDAR\n" + turns + "END:VCALENDAR\n";
}

/// A rota of two people with a calendar file, and what would take it over.
struct Watching {
  Watching() {
    write(calendar_of(turn_of("ana", "20261201")));
    const std::string text = "[contact.ana]\n[contact.bo]\n[oncall.ops]\nical = '" + path + "'\n";
    staffed = test::staff(config::Sources{{"conf.d/10-a.toml", text}}, {}, now_ns, {{path, bytes}});
    REQUIRE(staffed.people.find_oncall("ops") != nullptr);
  }
  void write(const std::string& text) {
    bytes = text;
    std::ofstream(path, std::ios::trunc) << text;
    // the clock of files is coarse: two of one size within a tick would be the same one
    std::filesystem::last_write_time(path, std::filesystem::file_time_type(std::chrono::seconds(++changes)));
  }
  std::chrono::seconds look() { return watch.look(staffed.people.oncalls); }
  std::string on_call_now() const {
    std::string out;
    for (const Shift& one : on_call(staffed.people.oncalls.front(), now_ns)) out += one.contact;
    return out;
  }

  const std::int64_t now_ns = at("2026-12-01 12:00");
  const test::Scratch scratch;
  const std::string path = scratch / "turns.ics";
  std::string bytes;
  int changes = 0, reads = 0, taken = 0;
  test::Staffed staffed;
  CalendarWatch watch{{[this](const std::string& file) {
                         ++reads;
                         return escalation::read_calendar_file(file, ::geteuid());
                       },
                       [this](const Rota& rota, const std::string& text) -> Status {
                         Input input;
                         input.generation = &staffed.generation;
                         input.zones = &test::zones();
                         input.zone = test::zone("UTC");
                         input.now_ns = now_ns;
                         input.read_file = [&](const std::string&) { return text; };
                         config::Diagnostics diagnostics;
                         auto anew = compile_again(input, staffed.people, rota.name, diagnostics);
                         if (!anew) return Error(Errc::invalid, diagnostics.all().front().message);
                         ++taken;
                         staffed.people.oncalls.front() = *std::move(anew);
                         return done();
                       }}};
};

}  // namespace

TEST_CASE("a calendar file that has changed is taken once it stands still, and one that has not is not read again", "[incident]") {
  Watching w;
  CHECK(w.look() == CalendarWatch::soon);  // the first look knows nothing of it
  CHECK(w.look() == CalendarWatch::usual);
  CHECK(w.reads == 1);
  CHECK(w.look() == CalendarWatch::usual);
  CHECK(w.reads == 1);
  CHECK(w.taken == 0);
  CHECK(w.on_call_now() == "ana");

  w.write(calendar_of(turn_of("bo", "20261201")));
  CHECK(w.look() == CalendarWatch::soon);
  w.write(calendar_of(turn_of("bo", "20261201") + turn_of("ana", "20261202")));  // it was not finished
  CHECK(w.look() == CalendarWatch::soon);
  CHECK(w.taken == 0);
  CHECK(w.look() == CalendarWatch::usual);
  CHECK(w.taken == 1);
  CHECK(w.on_call_now() == "bo");
  CHECK(w.staffed.people.oncalls.front().everybody() == std::vector<std::string>{"bo", "ana"});
  CHECK(w.watch.trouble().empty());

  w.write(w.bytes);  // the same once more, as a task with curl does each hour
  CHECK(w.look() == CalendarWatch::soon);
  CHECK(w.look() == CalendarWatch::usual);
  CHECK(w.taken == 1);
}

TEST_CASE("a calendar file that is no good leaves the turns as they were, and that is known until it is good", "[incident]") {
  Watching w;
  const std::string good = w.bytes;
  const auto settle = [&] {
    CHECK(w.look() == CalendarWatch::soon);
    CHECK(w.look() == CalendarWatch::usual);
  };
  settle();
  const std::string stays = "; its turns from before stay";
  w.write(good.substr(0, good.size() - 15));  // half of it
  settle();
  CHECK(w.watch.trouble() == "oncall ops: `ical`: " + w.path + ": it is cut off: END:VCALENDAR is missing" + stays);
  CHECK(w.on_call_now() == "ana");
  CHECK(w.look() == CalendarWatch::usual);  // it is judged once
  CHECK(w.reads == 2);

  w.write("<html>");
  settle();
  CHECK(w.watch.trouble().find("no iCalendar file") != std::string::npos);
  std::filesystem::remove(w.path);
  settle();
  CHECK(w.watch.trouble().find("No such file or directory" + stays) != std::string::npos);
  CHECK(w.taken == 0);
  CHECK(w.on_call_now() == "ana");

  w.write(good);
  settle();
  CHECK(w.watch.trouble().empty());
  CHECK(w.taken == 0);
  w.write(calendar_of(""));  // nobody has a turn: that is what it says, and gaps are warned of
  settle();
  CHECK(w.taken == 1);
  CHECK(w.on_call_now().empty());
}
