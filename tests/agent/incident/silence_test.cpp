// SPDX-License-Identifier: Apache-2.0
// Silences: what they cover, what they must say, how they end and who hears of it.
#include "incident/silence.hpp"

#include "catch.hpp"
#include "incident/engine.hpp"

using namespace ronda;
using namespace ronda::incident;
using config::Level;

namespace {

constexpr std::int64_t start = 1'796'000'000 * second_ns;

Matcher matcher(std::vector<std::string> words) {
  auto parsed = parse_matcher(words);
  REQUIRE(parsed);
  return *parsed;
}

std::string refusal(std::vector<std::string> words) {
  const auto parsed = parse_matcher(words);
  return parsed ? "read" : parsed.error().message();
}

SilenceRequest request() {
  SilenceRequest out;
  out.what = matcher({"service=api"});
  out.owner = {Author::Kind::contact, "dba"};
  out.reason = "moving the database";
  out.for_ns = 2 * hour_ns;
  return out;
}

std::string why_not(const SilenceRequest& wanted) {
  const auto made = make_silence(wanted, start, 1);
  return made ? "made" : made.error().message();
}

Firing firing_as(std::string alert, Level level = Level::p2) {
  return {alert, "c-" + alert, "api", "INC-20261130-0000000001", level, {"nightly"}};
}

SilenceBook book_of(const SilenceRequest& wanted) {
  SilenceBook book;
  auto made = make_silence(wanted, start, 1);
  REQUIRE(made);
  add(book, *made);
  return book;
}

}  // namespace

TEST_CASE("words of one kind are alternatives, kinds together narrow", "[incident]") {
  const std::vector<std::string> tags = {"nightly"};
  const Subject subject{"api-slow", "api", "shop", Level::p3, tags};
  CHECK(matcher({"alert=api-slow"}).covers(subject));
  CHECK(matcher({"alert=x", "alert=api-slow"}).covers(subject));
  CHECK(matcher({"check=api", "service=shop", "tag=nightly", "level=p3"}).covers(subject));
  CHECK_FALSE(matcher({"service=shop", "level=p1"}).covers(subject));
  CHECK_FALSE(matcher({"tag=daily"}).covers(subject));
  CHECK_FALSE(Matcher{}.covers(subject));
}

TEST_CASE("a word that is no matcher says what would be one", "[incident]") {
  CHECK(refusal({"api"}) == "`api`: say what it is: service=api, check=..., alert=..., tag=... or level=...");
  CHECK(refusal({"servce=api"}) == "`servce=` is not known; did you mean `service=`?");
  CHECK(refusal({"colour=red"}) == "`colour=` is not known; there are alert, check, service, tag and level");
  CHECK(refusal({"level=5"}) == "level=5: a level is p1, p2, p3 or p4");
  CHECK(refusal({"alert=No Name"}) == "alert=No Name: not a name of conf.d, nor task.NAME, slo/NAME, inbound/SENDER/WORD or ronda/NAME");
  CHECK(refusal({"service=slo/x"}) == "service=slo/x: not a name of conf.d");
  CHECK(refusal({"check=a\x1b[2J"}) == "check=a\\x1b[2J: not a name of conf.d");
  CHECK(to_text(matcher({"level=p4", "service=api", "level=p3"})) == "service=api level=p4 level=p3");
  const KnownNames known{{"api-down"}, {"disk"}, {"api", "shop"}, {}};
  CHECK(check_names(matcher({"service=api"}), known));
  CHECK(check_names(matcher({"service=apj"}), known).error().message() == "there is no service `apj`; did you mean `api`?");
}

TEST_CASE("alerts that no [alert.*] makes are silenced by the names that lists give them", "[incident]") {
  const std::vector<std::string> names = {"task.backup", "slo/api-availability", "inbound/prometheus/0a1b", "inbound/unix:ana/door",
                                          "ronda/sink/mail"};
  for (const std::string& name : names) {
    INFO(name);
    const Matcher what = matcher({"alert=" + name});
    CHECK(to_text(what) == "alert=" + name);
    CHECK(what.covers({name, "x", "x", Level::p2, {}}));
    CHECK_FALSE(what.covers({"api-slow", "x", "x", Level::p2, {}}));
  }
  CHECK(matcher({"check=inbound/prometheus/HighLoad@api"})
            .covers({"inbound/prometheus/0a1b", "inbound/prometheus/HighLoad@api", "", Level::p1, {}}));
  CHECK(matcher({"check=task.backup"}).covers({"task.backup", "task.backup", "", Level::p1, {}}));
  // what a row of the store has must be read again, so it is one word of bounded length
  for (const char* wrong : {"inbound/", "inbound/a b", "inbound/a\nb", "inbound/a\x1b", "slo/", "slo/A", "task.", "task.a.b", "ronda/"})
    CHECK(refusal({"alert=" + std::string(wrong)}).starts_with("alert="));
  CHECK(refusal({"alert=inbound/" + std::string(max_name_bytes, 'x')}).starts_with("alert="));
  SilenceRequest wanted = request();
  wanted.what = matcher({"alert=inbound/unix:ana/door", "check=inbound/unix:ana/door", "alert=ronda/sink/mail"});
  const auto made = make_silence(wanted, start, 1);
  REQUIRE(made);
  const auto again = parse_silence(to_json(*made));
  REQUIRE(again);
  CHECK(*again == *made);
}

TEST_CASE("of the names of those alerts there must be one too, but for what comes from outside", "[incident]") {
  const KnownNames known{
      {"api-down", "slo/api-availability", "task.backup", "ronda/store", "ronda/sink/mail"}, {"disk", "task.backup"}, {}, {}};
  CHECK(check_names(matcher({"alert=slo/api-availability", "alert=task.backup", "alert=ronda/sink/mail", "check=task.backup"}), known));
  CHECK(check_names(matcher({"alert=inbound/prometheus/anything", "check=inbound/prometheus/anything"}), known));
  const auto why = [&](const std::string& word) { return check_names(matcher({word}), known).error().message(); };
  CHECK(why("alert=slo/api-availabilty") == "there is no alert `slo/api-availabilty`; did you mean `slo/api-availability`?");
  CHECK(why("alert=task.bakup") == "there is no alert `task.bakup`; did you mean `task.backup`?");
  CHECK(why("alert=ronda/stroe") == "there is no alert `ronda/stroe`; did you mean `ronda/store`?");
}

TEST_CASE("nothing hides that messages are lost", "[incident]") {
  const KnownNames known{{"ronda/store"}, {}, {}, {}};
  for (const char* name : {"ronda/route", "ronda/route/shop", "ronda/route/-"}) {
    INFO(name);
    const Matcher by_name = matcher({std::string("alert=") + name});
    CHECK(check_names(by_name, known).error().message() == "`" + std::string(name) + "` says that messages are lost: nothing hides that");
    const Subject lost{name, "", "ronda", Level::p1, {}};
    CHECK_FALSE(by_name.covers(lost));
    CHECK_FALSE(matcher({"level=p1"}).covers(lost));
    CHECK_FALSE(Mute{"window:all", {}, true, 0}.covers(lost));
  }
  CHECK(matcher({"level=p1"}).covers({"ronda/store", "", "ronda", Level::p1, {}}));
  CHECK(matcher({"level=p1"}).covers({"ronda/router", "", "ronda", Level::p1, {}}));
  CHECK(Mute{"window:all", {}, true, 0}.covers({"route", "", "", Level::p1, {}}));
}

TEST_CASE("owner, reason and end are not optional", "[incident]") {
  CHECK(why_not(request()) == "made");
  SilenceRequest wanted = request();
  wanted.reason = " ";
  CHECK(why_not(wanted) == "a silence needs a reason: --reason TEXT");
  wanted = request();
  wanted.for_ns = 0;
  CHECK(why_not(wanted) == "a silence needs an end: a duration like 2h, or --until-ok");
  wanted.until_ok = true;
  CHECK(why_not(wanted) == "made");
  wanted = request();
  wanted.for_ns = 31 * day_ns;
  CHECK(why_not(wanted) == "a silence lasts at most 4w2d; make it a window, or take the alert out of conf.d");
  wanted = request();
  wanted.from_ns = start - 8 * day_ns;
  CHECK(why_not(wanted) == "the silence would begin 1w1d ago; without --from it begins now");
  wanted.from_ns = start - 30 * second_ns;  // a clock that is behind, or a time to the minute
  CHECK(why_not(wanted) == "made");
  wanted = request();
  wanted.what = {};
  CHECK(why_not(wanted) == "a silence must say what it covers: service=..., check=..., alert=..., tag=... or level=...");
}

TEST_CASE("its owner hears before it ends, once, and at the end only if it hid something", "[incident]") {
  SilenceBook book = book_of(request());
  CHECK(next_wake(book, start) == start + 2 * hour_ns - 12 * minute_ns);
  CHECK(tick(book, {}, start + hour_ns).notices.empty());
  const auto soon = tick(book, {}, start + 2 * hour_ns - 12 * minute_ns);
  REQUIRE(soon.notices.size() == 1);
  CHECK(soon.notices[0].contacts == std::vector<std::string>{"dba"});
  CHECK(soon.notices[0].reason == "your silence " + book.silences[0].id + " (service=api) ends in 12m");
  CHECK(soon.changed.size() == 1);
  CHECK(tick(book, {}, start + 2 * hour_ns - minute_ns).notices.empty());
  const std::vector<Firing> hidden = {firing_as("api-slow")};
  const auto end = tick(book, hidden, start + 3 * hour_ns);
  REQUIRE(end.notices.size() == 1);
  CHECK(end.notices[0].reason == "your silence " + book.silences[0].id + " has ended; it hid api-slow");
  CHECK(book.silences[0].ended_ns == start + 2 * hour_ns);
  CHECK_FALSE(next_wake(book, start + 3 * hour_ns));
  drop_ended(book, start + 3 * hour_ns);
  CHECK(book.silences.empty());
}

TEST_CASE("its owner hears of each P1 that it hides, once", "[incident]") {
  SilenceBook book = book_of(request());
  const std::vector<Firing> hidden = {firing_as("api-slow", Level::p2), firing_as("api-down", Level::p1)};
  const auto told = tick(book, hidden, start + minute_ns);
  REQUIRE(told.notices.size() == 1);
  CHECK(told.notices[0].level == Level::p1);
  CHECK(told.notices[0].reason == "your silence " + book.silences[0].id + " (service=api) hides a P1: api-down in INC-20261130-0000000001");
  CHECK(tick(book, hidden, start + 2 * minute_ns).notices.empty());
  CHECK(hidden_by(book.silences[0], hidden).size() == 2);
  const std::vector<Firing> by_hand = {{"", "", "api", "INC-20261130-0000000002", Level::p1, {}, "the till burns"}};
  const auto told_of_it = tick(book, by_hand, start + 3 * minute_ns);
  REQUIRE(told_of_it.notices.size() == 1);
  CHECK(told_of_it.notices[0].reason ==
        "your silence " + book.silences[0].id + " (service=api) hides a P1: the till burns in INC-20261130-0000000002");
}

TEST_CASE("a silence until ok ends when what it covers has been well for five minutes, at the latest at its maximum", "[incident]") {
  SilenceRequest wanted = request();
  wanted.until_ok = true;
  wanted.for_ns = day_ns;
  SilenceBook book = book_of(wanted);
  const std::vector<Firing> hidden = {firing_as("api-slow")};
  tick(book, hidden, start + hour_ns);
  tick(book, {}, start + 2 * hour_ns);
  tick(book, hidden, start + 2 * hour_ns + 3 * minute_ns);
  tick(book, {}, start + 3 * hour_ns);
  CHECK(book.silences[0].is_active(start + 3 * hour_ns + 4 * minute_ns));
  CHECK(next_wake(book, start + 3 * hour_ns) == start + 3 * hour_ns + 5 * minute_ns);
  tick(book, {}, start + 3 * hour_ns + 5 * minute_ns);
  CHECK(book.silences[0].ended_ns == start + 3 * hour_ns + 5 * minute_ns);

  // what a person opened ends by a person, who must hear of it
  SilenceBook by_hand = book_of(wanted);
  const std::vector<Firing> opened = {{"", "", "api", "INC-20261130-0000000002", Level::p2, {}, "the till burns"}};
  tick(by_hand, opened, start + hour_ns);
  tick(by_hand, opened, start + hour_ns + 5 * minute_ns);
  CHECK_FALSE(by_hand.silences[0].is_active(start + hour_ns + 5 * minute_ns));

  SilenceBook broken = book_of(wanted);
  tick(broken, hidden, start + 25 * hour_ns);
  CHECK(broken.silences[0].ended_ns == start + day_ns);
}

TEST_CASE("of two who end a silence the second hears that it has ended, and who was based on an older one is refused", "[incident]") {
  SilenceBook book = book_of(request());
  const std::string id = book.silences[0].id;
  CHECK(expire(book, id, {Author::Kind::contact, "cto"}, 7, start).error().message() ==
        "silence " + id + " was changed meanwhile; look at it again");
  REQUIRE(expire(book, id, {Author::Kind::contact, "cto"}, 1, start + minute_ns));
  CHECK_FALSE(book.silences[0].is_active(start + 2 * minute_ns));
  CHECK(expire(book, id, {Author::Kind::contact, "dba"}, 1, start + minute_ns).error().message() ==
        "silence " + id + " has ended already, by contact:cto");
  CHECK(expire(book, "S-1", {}, 0, start).error().message() == "there is no silence `S-1`; see `ronda silence list`");
}

TEST_CASE("a silence is read back as it was written, and what is none is refused by name", "[incident]") {
  SilenceRequest wanted = request();
  wanted.what = matcher({"service=api", "tag=nightly", "level=p3"});
  SilenceBook book = book_of(wanted);
  const std::vector<Firing> hidden = {firing_as("api-down", Level::p3)};
  tick(book, hidden, start + minute_ns);
  book.silences[0].p1_told = {"INC-1", "INC-2"};
  const std::string json = to_json(book.silences[0]);
  const auto back = parse_silence(json);
  REQUIRE(back);
  CHECK(*back == book.silences[0]);
  CHECK(parse_silence("{}").error().message() == "silence: `id` must be a text of 1 to 256 bytes");
  CHECK(parse_silence("[").error().message() == "silence: not a JSON object");
  for (std::size_t i = 0; i < json.size(); ++i) CHECK_FALSE(parse_silence(json.substr(0, i)));
}
