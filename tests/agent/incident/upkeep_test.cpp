// SPDX-License-Identifier: Apache-2.0
// What windows owe to people: announcements, their begin and end, what they hide; and overrides of on-call.
#include "incident/upkeep.hpp"

#include "catch.hpp"
#include "config/toml.hpp"

using namespace ronda;
using namespace ronda::incident;
using config::Level;
using What = WindowNotice::What;

namespace {

// Sunday 2026-11-29 05:00 UTC
constexpr std::int64_t opens = 1'795'928'400 * second_ns;

std::vector<Window> sunday(const std::string& more) {
  config::Diagnostics diagnostics;
  config::Sources sources = {
      {"w.toml", "at = \"Sun *-*-* 05:00 UTC\"\nlasts = \"2h\"\nowner = \"dba\"\nreason = \"upkeep\"\n" + more, false}};
  auto table = config::parse_toml(sources[0].text, 0, diagnostics);
  REQUIRE(table);
  const std::vector<config::RawObject> objects = {{"window", "sunday", config::Value(std::move(*table), {0, 1, 1}), {0, 1, 1}}};
  schedule::ZoneDatabase zones;
  auto out = compile_windows(objects, {{}, {}, {"api"}, {}}, zones, *zones.find("UTC"), diagnostics);
  INFO((diagnostics.all().empty() ? "" : diagnostics.all().front().message));
  REQUIRE(out.size() == 1);
  return out;
}

OneOff one_off(std::int64_t now, std::int64_t from, bool until_ok = false, std::vector<std::int64_t> announce = {}) {
  OneOffRequest wanted;
  wanted.what.services = {"api"};
  wanted.owner = {Author::Kind::contact, "cto"};
  wanted.reason = "new disk";
  wanted.from_ns = from;
  wanted.lasts_ns = 2 * hour_ns;
  wanted.until_ok = until_ok;
  wanted.announce_ns = std::move(announce);
  auto made = make_one_off(std::move(wanted), now, 7);
  REQUIRE(made);
  return *std::move(made);
}

const std::vector<Firing> broken = {{"api-down", "api", "api", "INC-20261129-0000000001", Level::p1, {}}};

/// Ticks as a shell would, from wake to wake, with a restart over the rows before each; "-1h0m comes" after `opens`.
struct Life {
  UpkeepBook book;
  std::vector<Window> windows;
  std::map<std::string, std::string> rows;
  std::vector<std::string> told;
  std::set<std::string> keys;

  void store(const UpkeepRow& row) { rows[row.id] = row.data; }
  void restart() {
    book = {};
    for (const auto& [id, data] : rows) REQUIRE(restore_row(book, id, data));
  }
  void look(std::int64_t now, const std::vector<Firing>& firing) {
    const UpkeepChange change = tick(book, windows, firing, now);
    for (const OneOff& one : change.changed) store(row_of(one));
    for (const std::string& name : change.marked) store(row_of(book, name));
    if (change.cursor_moved) store(cursor_row(book));
    constexpr std::array<std::string_view, 5> names = {"comes", "begins", "ends_soon", "hides_p1", "over"};
    for (const WindowNotice& one : change.notices) {
      if (!keys.insert(one.key).second) continue;
      told.push_back(std::to_string((now - opens) / minute_ns) + " " + std::string(names[static_cast<std::size_t>(one.what)]) + " " +
                     one.window);
    }
  }
  void run(std::int64_t from, std::int64_t to, const std::vector<Firing>& firing, bool restarts) {
    for (std::int64_t now = from; now <= to;) {
      if (restarts) restart();
      look(now, firing);
      const auto next = next_wake(book, windows, now);
      if (!next) break;
      CHECK(*next > now);
      now = *next;
    }
  }
};

}  // namespace

TEST_CASE("a window is announced, tells that it hides a P1 and, only if it hides something, that it ends; once over restarts",
          "[incident]") {
  const bool restarts = GENERATE(false, true);
  Life life;
  life.windows = sunday("announce = [\"1h\", \"10m\"]\nservices = [\"api\"]\n");
  life.run(opens - 3 * hour_ns, opens - 1, {}, restarts);
  CHECK(life.told == std::vector<std::string>{"-60 comes sunday", "-10 comes sunday"});
  life.told.clear();
  life.look(opens + minute_ns, broken);
  life.run(opens + minute_ns, opens + 3 * hour_ns, broken, restarts);
  CHECK(life.told == std::vector<std::string>{"1 hides_p1 sunday", "108 ends_soon sunday"});
  life.told.clear();
  life.keys.clear();
  life.run(opens + 3 * hour_ns, opens + 7 * day_ns + 3 * hour_ns, {}, restarts);
  CHECK(life.told == std::vector<std::string>{"10020 comes sunday", "10070 comes sunday"});
}

TEST_CASE("what was to be announced while no agent ran is announced late, unless the window has begun", "[incident]") {
  Life life;
  life.windows = sunday("announce = [\"1h\"]\n");
  life.look(opens - 2 * hour_ns, {});
  SECTION("before its begin") {
    life.restart();
    life.look(opens - 20 * minute_ns, {});
    CHECK(life.told == std::vector<std::string>{"-20 comes sunday"});
  }
  SECTION("after it") {
    life.restart();
    life.look(opens + minute_ns, {});
    CHECK(life.told.empty());
  }
}

TEST_CASE("what was announced is not announced once more where the clock is set back over a restart, and what was not is", "[incident]") {
  Life life;
  life.windows = sunday("announce = [\"1h\", \"10m\"]\n");
  const OneOff made = one_off(opens - 3 * hour_ns, opens, false, {hour_ns, 5 * minute_ns});
  add(life.book, made);
  life.store(row_of(made));
  life.run(opens - 3 * hour_ns, opens - 7 * minute_ns, {}, false);
  CHECK(life.told == std::vector<std::string>{"-60 comes sunday", "-60 comes " + made.id, "-10 comes sunday"});
  life.told.clear();
  life.keys.clear();
  life.restart();
  life.run(opens - 2 * hour_ns, opens - minute_ns, {}, false);
  CHECK(life.told == std::vector<std::string>{"-5 comes " + made.id});
  // and in the next week all of it is new
  life.run(opens + day_ns, opens + 7 * day_ns - minute_ns, {}, true);
  CHECK(life.told == std::vector<std::string>{"-5 comes " + made.id, "1440 over " + made.id, "10020 comes sunday", "10070 comes sunday"});
}

TEST_CASE("maintenance of a person is announced, begins, warns its owner and is over, once over restarts", "[incident]") {
  const bool restarts = GENERATE(false, true);
  Life life;
  const OneOff made = one_off(opens - 3 * hour_ns, opens, false, {10 * minute_ns, hour_ns});
  add(life.book, made);
  life.store(row_of(made));
  life.run(opens - 3 * hour_ns, opens + 5 * hour_ns, broken, restarts);
  const std::string id = " " + made.id;
  CHECK(life.told == std::vector<std::string>{"-60 comes" + id, "-10 comes" + id, "0 begins" + id, "0 hides_p1" + id, "108 ends_soon" + id,
                                              "120 over" + id});
  CHECK(life.book.one_offs.front().ended_ns == opens + 2 * hour_ns);
  CHECK(drop_ended(life.book, {}, opens + 5 * hour_ns) == std::vector<std::string>{made.id});
  CHECK(life.book.one_offs.empty());
}

TEST_CASE("maintenance until ok ends with the recovery and does not open again, and at its maximum at the latest", "[incident]") {
  Life life;
  const OneOff made = one_off(opens, opens, true);
  REQUIRE(made.at_most_ns == 4 * hour_ns);
  add(life.book, made);
  SECTION("it recovers") {
    life.look(opens + 3 * hour_ns, broken);
    CHECK(life.book.one_offs.front().ended_ns == 0);
    life.look(opens + 3 * hour_ns + minute_ns, {});
    CHECK(life.book.one_offs.front().ended_ns == opens + 3 * hour_ns + minute_ns);
    CHECK_FALSE(active_at(life.book.one_offs.front(), opens + 3 * hour_ns + 2 * minute_ns, broken));
  }
  SECTION("it does not") {
    life.look(opens + 4 * hour_ns + minute_ns, broken);
    CHECK(life.book.one_offs.front().ended_ns == opens + 4 * hour_ns);
    CHECK(life.told.back() == "241 over " + made.id);
  }
}

TEST_CASE("maintenance, overrides and marks come back from their rows as they were, and a damaged row is refused by name", "[incident]") {
  UpkeepBook book;
  OneOff made = one_off(opens, opens + hour_ns, true, {hour_ns});
  made.notify = {"p1-all"};
  made.p1_told = {"INC-20261129-0000000001"};
  add(book, made);
  OnCallOverride other{{}, "ops", "bo", {Author::Kind::unix, "root"}, "ana is ill", 0, 0, opens + day_ns, 0, {}};
  auto first = make_override(other, opens, 1);
  other.contact = "cy";
  auto second = make_override(other, opens + minute_ns, 2);
  REQUIRE(first);
  REQUIRE(second);
  add(book, *first);
  add(book, *second);
  book.marks["sunday"] = {opens, true, {"INC-20261129-0000000002"}};
  book.announced_ns = opens;
  book.announced = {"window/sunday@1795928400-1h"};
  UpkeepBook back;
  for (const UpkeepRow& row : {row_of(*second), row_of(*first), row_of(made), row_of(book, "sunday"), cursor_row(book)}) {
    CHECK(is_upkeep_row(row.id));
    REQUIRE(restore_row(back, row.id, row.data));
  }
  CHECK(back == book);
  CHECK_FALSE(is_upkeep_row("S-K7Q2M4XD"));
  const auto damaged = restore_row(back, "M-1", "{\"id\":\"M-1\",\"services\":[7]}");
  REQUIRE_FALSE(damaged);
  CHECK(damaged.error().message() == "maintenance: `services` must be a list of texts");
  CHECK_FALSE(restore_row(back, "O-1", "nonsense"));
  CHECK(restore_row(back, "A", "{\"announced_ns\": 7}"));  // of before the keys were kept
}

TEST_CASE("what was told of a window that left the configuration is forgotten when none of its openings can go on", "[incident]") {
  const std::vector<Window> windows = sunday("");
  UpkeepBook book;
  book.marks["sunday"] = book.marks["removed"] = {opens, true, {}};
  CHECK(drop_ended(book, windows, opens + longest_window_ns).empty());
  CHECK(book.marks.contains("removed"));
  CHECK(drop_ended(book, windows, opens + longest_window_ns + 1) == std::vector<std::string>{"W-removed"});
  CHECK(book.marks.size() == 1);
  CHECK(book.marks.contains("sunday"));
}

TEST_CASE("an override needs a reason and an end, and is undone once", "[incident]") {
  OnCallOverride wanted{{}, "ops", "bo", {Author::Kind::contact, "cto"}, "", 0, 0, 0, 0, {}};
  CHECK(make_override(wanted, opens, 1).error().message() == "an override needs a reason: --reason TEXT");
  wanted.reason = "ana is ill";
  CHECK(make_override(wanted, opens, 1).error().message() == "an override needs an end: --for DURATION or --to TIME");
  wanted.until_ns = opens - 1;
  CHECK(make_override(wanted, opens, 1).error().message() == "the override ends before it begins");
  wanted.until_ns = opens + 91 * day_ns;
  CHECK_FALSE(make_override(wanted, opens, 1));
  wanted.until_ns = opens + day_ns;
  wanted.from_ns = opens - 365 * day_ns;
  CHECK(make_override(wanted, opens, 1).error().message() == "the override would begin 52w1d ago; without --from it begins now");
  wanted.from_ns = 0;
  const auto made = make_override(wanted, opens, 1);
  REQUIRE(made);
  CHECK(made->from_ns == opens);
  const auto ended = end_override(*made, {Author::Kind::contact, "bo"}, opens + hour_ns);
  REQUIRE(ended);
  CHECK(end_override(*ended, {}, opens + 2 * hour_ns).error().message() == "override " + made->id + " has ended already, by contact:bo");
}
