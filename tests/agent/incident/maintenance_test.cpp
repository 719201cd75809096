// SPDX-License-Identifier: Apache-2.0
// Windows: when they are open, what they cover, when they are announced, and what is wrong with a [window.N].
#include "incident/maintenance.hpp"

#include "catch.hpp"
#include "config/toml.hpp"

using namespace ronda;
using namespace ronda::incident;
using config::Level;

namespace {

const KnownNames known{{"api-down"}, {"disk", "pg"}, {"api", "database"}, {"nightly"}};

struct Compiled {
  std::vector<Window> windows;
  config::Diagnostics diagnostics;
  std::string first() const { return diagnostics.all().empty() ? "" : diagnostics.all().front().message; }
};

/// The body of [window.sunday].
Compiled compile(const std::string& body) {
  Compiled out;
  config::Sources sources = {{"w.toml", body, false}};
  auto table = config::parse_toml(sources[0].text, 0, out.diagnostics);
  REQUIRE(table);
  const std::vector<config::RawObject> objects = {{"window", "sunday", config::Value(std::move(*table), {0, 1, 1}), {0, 1, 1}}};
  schedule::ZoneDatabase zones;
  auto zone = zones.find("America/Argentina/Buenos_Aires");
  REQUIRE(zone);
  out.windows = compile_windows(objects, known, zones, *zone, out.diagnostics);
  return out;
}

Window sunday(const std::string& more = "") {
  Compiled out = compile("at = \"Sun *-*-* 02:00\"\nlasts = \"2h\"\nowner = \"dba\"\nreason = \"upkeep\"\n" + more);
  INFO(out.first());
  REQUIRE(out.windows.size() == 1);
  return out.windows[0];
}

// Sunday 2026-11-29 02:00 in Buenos Aires is 05:00 UTC
constexpr std::int64_t opens = 1'795'928'400 * second_ns;

Firing firing(std::string service) {
  return {"a", "c", std::move(service), "INC-20261130-0000000001", Level::p2, {}};
}

}  // namespace

TEST_CASE("a window that never closes is warned of, one that leaves a gap is not", "[incident]") {
  const auto compiled = [](const std::string& when) { return compile(when + "owner = \"dba\"\nreason = \"upkeep\"\n"); };
  const char* open = GENERATE("at = \"daily\"\nlasts = \"1d\"\n", "cron = \"*/10 * * * *\"\nlasts = \"10m\"\n",
                              "at = \"Mon,Thu 00:00\"\nlasts = \"4d\"\n", "at = \"*:*\"\nlasts = \"1m\"\n");
  const Compiled always = compiled(open);
  CHECK(always.windows.size() == 1);
  REQUIRE(always.diagnostics.warnings() == 1);
  CHECK(always.diagnostics.all()[0].message.find("days at least: nobody is told of what it covers") != std::string::npos);
  const char* closes = GENERATE("at = \"daily\"\nlasts = \"23h\"\n", "at = \"Mon..Fri *:00/10\"\nlasts = \"10m\"\n", "at = \"Mon..Sat *:*\"\nlasts = \"1m\"\n",
                                "at = \"2027-03-01 02:00\"\nlasts = \"2h\"\n", "at = \"2020-03-01 02:00\"\nlasts = \"2h\"\n");
  INFO(closes);
  CHECK(compiled(closes).diagnostics.warnings() == 0);
}

TEST_CASE("a window is open from its instant, for as long as it lasts, in its zone", "[incident]") {
  const Window window = sunday();
  CHECK_FALSE(active_at(window, opens - 1));
  REQUIRE(active_at(window, opens));
  CHECK(*active_at(window, opens) == Occurrence{opens, opens + 2 * hour_ns});
  CHECK(active_at(window, opens + 2 * hour_ns - 1));
  CHECK_FALSE(active_at(window, opens + 2 * hour_ns));
  CHECK(active_at(window, opens + 7 * day_ns));
  CHECK(next_boundary(window, opens - hour_ns) == opens);
  CHECK(next_boundary(window, opens) == opens + 2 * hour_ns);
  CHECK(next_boundary(window, opens + 2 * hour_ns) == opens + 7 * day_ns);
}

TEST_CASE("a window until ok stays open while something that it covers fires, up to its maximum", "[incident]") {
  const Window window = sunday("until_ok = true\nat_most = \"6h\"\nservices = [\"api\"]\n");
  const std::vector<Firing> api = {firing("api")}, other = {firing("database")};
  const std::int64_t later = opens + 3 * hour_ns;
  CHECK_FALSE(active_at(window, later));
  CHECK_FALSE(active_at(window, later, other));
  REQUIRE(active_at(window, later, api));
  CHECK(active_at(window, later, api)->end_ns == opens + 6 * hour_ns);
  CHECK_FALSE(active_at(window, opens + 6 * hour_ns, api));
  CHECK(next_boundary(window, later) == opens + 6 * hour_ns);
}

TEST_CASE("a window covers what stands in any of its lists, without a list everything", "[incident]") {
  const Window window = sunday("services = [\"api\"]\nchecks = [\"disk\"]\ntags = [\"nightly\"]\n");
  const std::vector<std::string> tags = {"nightly"};
  CHECK(window.what.covers({"a", "x", "api", Level::p1, {}}));
  CHECK(window.what.covers({"a", "disk", "", Level::p1, {}}));
  CHECK(window.what.covers({"a", "x", "", Level::p1, tags}));
  CHECK_FALSE(window.what.covers({"a", "pg", "database", Level::p1, {}}));
  CHECK(sunday().what.covers({"a", "pg", "database", Level::p1, {}}));
}

TEST_CASE("a window covers checks of others by the names that those gave them, and what has lost its messages never", "[incident]") {
  Coverage what;
  what.checks = {"inbound/prometheus/HighLoad"};
  CHECK(check_names(what, known));
  CHECK(what.covers({"inbound/prometheus/0a1b", "inbound/prometheus/HighLoad", "", Level::p1, {}}));
  what.checks = {"outbound/x"};
  CHECK(check_names(what, known).error().message() == "there is no check `outbound/x`");
  CHECK(sunday("checks = [\"inbound/prometheus/HighLoad\"]\n").what.checks == std::vector<std::string>{"inbound/prometheus/HighLoad"});
  CHECK(Coverage{}.covers({"ronda/store", "", "ronda", Level::p1, {}}));
  CHECK_FALSE(Coverage{}.covers({"ronda/route/shop", "", "ronda", Level::p1, {}}));
}

TEST_CASE("the mutes of a moment are those of windows, one-off maintenance and silences", "[incident]") {
  const std::vector<Window> windows = {sunday("services = [\"api\"]\nchecks = [\"disk\"]\n")};
  OneOffRequest wanted;
  wanted.reason = "new disk";
  wanted.lasts_ns = hour_ns;
  const auto one_off = make_one_off(wanted, opens, 5);
  REQUIRE(one_off);
  SilenceBook book;
  SilenceRequest silence;
  silence.what.alerts = {"api-down"};
  silence.reason = "known";
  silence.for_ns = hour_ns;
  add(book, *make_silence(silence, opens, 6));
  const std::vector<OneOff> one_offs = {*one_off};
  const auto mutes = mutes_at(windows, one_offs, book, {}, opens + minute_ns);
  REQUIRE(mutes.size() == 3);
  CHECK(mutes[0].name == "silence:" + book.silences[0].id);
  CHECK(mutes[1].name == "window:" + one_off->id);
  CHECK(mutes[1].all);
  CHECK(mutes[2].name == "window:sunday");
  CHECK(mutes[2].covers({"x", "disk", "", Level::p1, {}}));
  CHECK(mutes[2].covers({"x", "x", "api", Level::p1, {}}));
  CHECK_FALSE(mutes[2].covers({"x", "x", "", Level::p1, {}}));
  CHECK(mutes_at(windows, one_offs, book, {}, opens + 3 * hour_ns).empty());
}

TEST_CASE("a window is announced as long before as it says, once each, and not when it has begun", "[incident]") {
  const std::vector<Window> windows = {sunday("title = \"Sunday\"\nannounce = [\"15m\", \"1h\"]\n")};
  CHECK(next_announcement(windows, opens - 2 * hour_ns) == opens - hour_ns);
  const auto hour = announcements(windows, opens - 2 * hour_ns, opens - hour_ns);
  REQUIRE(hour.size() == 1);
  CHECK(hour[0].title == "Sunday");
  CHECK(hour[0].when.begin_ns == opens);
  CHECK(hour[0].key() == "sunday@1795928400-1h");
  CHECK(announcements(windows, opens - hour_ns, opens - 20 * minute_ns).empty());
  CHECK(announcements(windows, opens - hour_ns, opens - 10 * minute_ns).size() == 1);
  CHECK(announcements(windows, opens - 2 * hour_ns, opens).empty());
  CHECK(announcements(windows, opens - 2 * hour_ns, opens - 1).size() == 2);
}

TEST_CASE("announcements asked for in small steps are those of one large step, over a change of the clock", "[incident]") {
  Compiled out = compile(
      "at = \"*-*-* 02:30\"\ntz = \"Europe/Berlin\"\nlasts = \"1h\"\nowner = \"dba\"\nreason = \"upkeep\"\nannounce = [\"1h\", \"30m\"]\n");
  REQUIRE(out.windows.size() == 1);
  const std::int64_t from = 1'790'000'000 * second_ns, to = from + 60 * day_ns;
  std::size_t small = 0;
  for (std::int64_t at = from; at < to; at += 7 * minute_ns)
    small += announcements(out.windows, at, std::min(at + 7 * minute_ns, to)).size();
  CHECK(small == 120);
}

TEST_CASE("maintenance by a person needs a reason and a length, and ends when somebody says so", "[incident]") {
  OneOffRequest wanted;
  wanted.lasts_ns = 2 * hour_ns;
  const auto refusal = [&] { return make_one_off(wanted, opens, 1).error().message(); };
  CHECK(refusal() == "maintenance needs a reason: --reason TEXT");
  wanted.reason = "new disk";
  wanted.lasts_ns = 0;
  CHECK(refusal() == "maintenance needs a length, like 2h");
  wanted.lasts_ns = 8 * day_ns;
  CHECK(refusal() == "maintenance lasts at most 1w");
  wanted.lasts_ns = 2 * hour_ns;
  wanted.from_ns = opens - 2 * hour_ns;
  CHECK(refusal() == "the maintenance would begin 2h ago; without --from it begins now");
  wanted.from_ns = 0;
  wanted.at_most_ns = 3 * hour_ns;
  CHECK(refusal() == "--at-most is the end of maintenance that lasts --until-ok; without that its length is its end");
  wanted.at_most_ns = 0;
  const auto made = make_one_off(wanted, opens, 1);
  REQUIRE(made);
  CHECK(next_boundary(*made, opens) == opens + 2 * hour_ns);
  const auto ended = end_one_off(*made, {Author::Kind::contact, "cto"}, opens + hour_ns);
  REQUIRE(ended);
  CHECK_FALSE(active_at(*ended, opens + hour_ns));
  CHECK(end_one_off(*ended, {}, opens + hour_ns).error().message() == "maintenance " + made->id + " has ended already, by contact:cto");
  CHECK(end_one_off(*made, {}, opens + 3 * hour_ns).error().message() == "maintenance " + made->id + " has ended already");
}

TEST_CASE("what is wrong with a window is said at its place, with what was meant", "[incident]") {
  const std::string nobodys = "at = \"Sun *-*-* 02:00\"\nlasts = \"2h\"\n", good = nobodys + "owner = \"dba\"\nreason = \"upkeep\"\n";
  const auto says = [](const std::string& body) { return compile(body).first(); };
  CHECK(says(good).empty());
  CHECK(says("lasts = \"2h\"\n") == "window `sunday` needs one of `at` and `cron`; a single one is begun with `ronda maintenance start`");
  CHECK(says(good + "cron = \"0 2 * * 0\"\n") ==
        "window `sunday` needs one of `at` and `cron`; a single one is begun with `ronda maintenance start`");
  CHECK(says("at = \"Sun *-*-* 02:00\"\n") == "window `sunday` lacks `lasts`");
  CHECK(says(good + "anounce = [\"1h\"]\n") == "unknown key `anounce`; did you mean `announce`?");
  CHECK(says(good + "services = [\"apj\"]\n") == "there is no service `apj`; did you mean `api`?");
  CHECK(says(good + "services = []\n") == "`services` is empty; leave it out to cover everything");
  CHECK(says(good + "announce = [3]\n") == "`announce` must be a duration like \"30s\", got an integer; did you mean \"3s\"?");
  CHECK(says(good + "announce = [\"8d\"]\n") == "`announce` may be at most 1w ahead");
  CHECK(says(good + "at_most = \"3h\"\n") == "`at_most` has a meaning with `until_ok = true` only");
  CHECK(says(good + "until_ok = true\nat_most = \"1h\"\n") == "`at_most` is shorter than `lasts`");
  CHECK(says("at = \"Sun *-*-* 02:00\"\nlasts = \"8d\"\n") == "`lasts` may be at most 1w");
  CHECK(says(good + "tz = \"Europe/Berlim\"\n").starts_with("`tz`: "));
  CHECK(says("at = \"Sun *-02-31 02:00\"\nlasts = \"2h\"\n") == "`at`: no such day ever comes");
  const Compiled wrong = compile(good + "servces = [\"api\"]\n");
  CHECK(wrong.windows.empty());
  CHECK(wrong.diagnostics.all()[0].where.line == 5);
  CHECK(says(nobodys + "owner = \"dba\"\n") == "window `sunday` lacks `reason`: reason = \"TEXT\", why nobody is told meanwhile");
  CHECK(says(nobodys + "reason = \"x\"\n") == "window `sunday` lacks `owner`: owner = \"CONTACT, GROUP or ONCALL\", who answers for it");
  const Compiled empty = compile(nobodys + "owner = \"dba\"\nreason = \" \"\n");
  CHECK(empty.first() == "`reason` is empty: reason = \"TEXT\", why nobody is told meanwhile");
  CHECK(empty.diagnostics.all()[0].where.line == 4);
  CHECK(empty.windows.empty());
}
