// SPDX-License-Identifier: Apache-2.0
// The state of an alert over restarts and reloads.
#include "support.hpp"

using namespace ronda;
using namespace ronda::rule;
using namespace ronda::test;

namespace {

AlertState random_state(std::mt19937_64& random) {
  AlertState state;
  const auto instant = [&] { return static_cast<std::int64_t>(random() >> (1 + random() % 40)); };
  state.level = static_cast<Level>(random() % 5);
  state.level_since_ns = instant();
  state.started_ns = instant();
  state.looked_ns = instant();
  state.counted_ns = instant();
  state.frozen_at_ns = instant();
  state.unknown_since_ns = instant();
  state.await_after_ns = instant();
  state.clear_ns = instant();
  state.next_ns = instant();
  state.last_clear = static_cast<Truth>(random() % 3);
  state.no_data = random() % 2 == 0;
  state.flapping = {static_cast<std::uint32_t>(random() % 0x100000),
                    static_cast<std::uint32_t>(random() % 21),
                    static_cast<std::uint32_t>(random() % 21),
                    instant(),
                    instant(),
                    static_cast<Raw>(random() % 6),
                    random() % 2 == 0,
                    random() % 2 == 0};
  state.blocked_by = random() % 2 == 0 ? "" : "network";
  state.reason = "caf\xC3\xA9 \"is\" \\ 5%\n";
  state.value = static_cast<double>(random()) / 7e9;
  for (RungState& rung : state.rungs) {
    rung = {
        random(), static_cast<Truth>(random() % 3), static_cast<Truth>(random() % 3), random() % 2 == 0, instant(), instant(), instant(),
        ""};
    for (std::uint64_t i = pick(random, 0, 1000); i > 0; --i) rung.results += "01?"[random() % 3];
  }
  return state;
}

const std::string errors =
    "[alert.errors]\np1 = \"api.error_rate > 5%\"\np2 = \"api.error_rate > 1%\"\nfor = { p1 = \"1m\", p2 = \"5m\" }\n";

Reading reading(std::initializer_list<Truth> truths, std::int64_t result) {
  Reading out;
  for (const Truth truth : truths) {
    out.levels.emplace_back();
    out.levels.back().when.truth = truth;
    out.levels.back().when.reason = "because";
  }
  out.newest_result_ns = result;
  return out;
}

}  // namespace

TEST_CASE("a state is read back as it was written, and fits its bound", "[rule]") {
  std::mt19937_64 random(1);
  for (int i = 0; i < 500; ++i) {
    const AlertState state = random_state(random);
    const std::string text = encode_state(state);
    REQUIRE(text.size() <= most_state);
    const auto again = decode_state(text);
    REQUIRE(again);
    REQUIRE(*again == state);
  }
}

TEST_CASE("a state that was not written here is refused and says what is wrong with it", "[rule]") {
  const auto why = [](const std::string& text) {
    const auto state = decode_state(text);
    return state ? std::string("read") : state.error().message();
  };
  CHECK(why("") == "the state of an alert is no JSON object");
  CHECK(why("[]") == "the state of an alert is no JSON object");
  CHECK(why("{}") == "the state of an alert: `version` is missing or out of range");
  CHECK(why(std::string(20000, ' ')) == "the state of an alert has 20000 bytes, more than 16384");
  const std::string good = encode_state({});
  REQUIRE(why(good) == "read");
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    return why(text.replace(at, from.size(), to));
  };
  CHECK(with("\"version\":1", "\"version\":2") == "the state of an alert: `version` is missing or out of range");
  CHECK(with("\"level\":0", "\"level\":9") == "the state of an alert: `level` is missing or out of range");
  CHECK(with("\"level\":0", "\"level\":\"p1\"") == "the state of an alert: `level` is missing or out of range");
  CHECK(with("\"looked\":0", "\"looked\":-1") == "the state of an alert: `looked` is missing or out of range");
  CHECK(with("\"changes\":0", "\"changes\":1048576") == "the state of an alert: `changes` is missing or out of range");
  CHECK(with("\"flapping\"", "\"flipping\"") == "the state of an alert: `flapping` is missing or out of range");
  CHECK(with("\"p4\"", "\"p5\"") == "the state of an alert: `p4` is missing or out of range");
  CHECK(with("\"mark\":\"0000000000000000\"", "\"mark\":\"00\"") == "the state of an alert: `mark` is missing or out of range");
}

TEST_CASE("cut and changed bytes of a state are read or refused, never a fault", "[rule]") {
  std::mt19937_64 random(2);
  for (int i = 0; i < 3000; ++i) {
    std::string text = encode_state(random_state(random));
    if (random() % 2 == 0)
      text.resize(random() % text.size());
    else
      for (int j = 0; j < 3; ++j) text[random() % text.size()] = static_cast<char>(random());
    if (const auto state = decode_state(text)) CHECK(encode_state(*state).size() <= most_state);
  }
}

TEST_CASE("a restart loses nothing: with the state over the store each change comes at the same instant", "[rule]") {
  const Rules rules(check("api") + errors);
  AlertState kept;
  std::vector<Change> through, restarted;
  AlertState state;
  for (int i = 0; i < 20; ++i) {
    const std::int64_t now = monday + i * 30 * second;
    const Reading seen = reading({i >= 8 ? Truth::yes : Truth::no, i >= 2 ? Truth::yes : Truth::no}, now);
    Outcome a = advance(rules["errors"], state, seen, now);
    state = a.state;
    through.insert(through.end(), a.changes.begin(), a.changes.end());
    Outcome b = advance(rules["errors"], *decode_state(encode_state(kept)), seen, now);
    kept = b.state;
    restarted.insert(restarted.end(), b.changes.begin(), b.changes.end());
  }
  CHECK(through == restarted);
  CHECK(told(through, monday) == std::vector<std::string>{"5m fired p1"});
}

TEST_CASE("a reload keeps the level and what is counted for conditions that are the same", "[rule]") {
  const Rules before(check("api") + errors);
  AlertState state = advance(before["errors"], {}, reading({Truth::yes, Truth::yes}, monday), monday).state;
  state = advance(before["errors"], state, reading({Truth::yes, Truth::yes}, monday + 30 * second), monday + 30 * second).state;
  SECTION("nothing new but a title: nothing is lost") {
    const Rules after(check("api") + errors + "title = \"Errors\"\n");
    CHECK(adopt(after["errors"], state) == state);
  }
  SECTION("another condition of p1 begins anew, p2 goes on") {
    const Rules after(check("api") +
                      "[alert.errors]\np1 = \"api.error_rate > 9%\"\np2 = \"api.error_rate > 1%\"\nfor = { p1 = \"1m\", p2 = \"5m\" }\n");
    const AlertState now = adopt(after["errors"], state);
    CHECK(now.rungs[0].held_ns == 0);
    CHECK(now.rungs[0].since_ns == 0);
    CHECK(now.rungs[1].held_ns == 30 * second);
    CHECK(now.flapping == Flapping());
  }
  SECTION("another `for` begins anew as well") {
    const Rules after(check("api") +
                      "[alert.errors]\np1 = \"api.error_rate > 5%\"\np2 = \"api.error_rate > 1%\"\nfor = { p1 = \"2m\", p2 = \"5m\" }\n");
    CHECK(adopt(after["errors"], state).rungs[0].held_ns == 0);
  }
}

TEST_CASE("an alert that fires stays on its level over a reload that changes its condition, until that says no", "[rule]") {
  const Rules before(check("api") + "[alert.errors]\np1 = \"api.error_rate > 5%\"\n");
  AlertState state = advance(before["errors"], {}, reading({Truth::yes}, monday), monday).state;
  REQUIRE(state.level == Level::p1);
  const Rules after(check("api") + "[alert.errors]\np1 = \"api.error_rate > 9%\"\nfor = \"5m\"\n");
  Outcome out = advance(after["errors"], state, reading({Truth::unknown}, monday + 10 * second), monday + 10 * second);
  CHECK(out.state.level == Level::p1);
  out = advance(after["errors"], out.state, reading({Truth::yes}, monday + 20 * second), monday + 20 * second);
  CHECK(out.state.level == Level::p1);
  out = advance(after["errors"], out.state, reading({Truth::no}, monday + 30 * second), monday + 30 * second);
  CHECK(out.changes.at(0).what == What::resolved);
}

TEST_CASE("`3 of 5` of an alert that fires keeps its level while its results are counted anew", "[rule]") {
  const Rules before(check("api") + "[alert.errors]\np1 = \"api.error_rate > 5%\"\n");
  AlertState state = advance(before["errors"], {}, reading({Truth::yes}, monday), monday).state;
  const Rules after(check("api") + "[alert.errors]\np1 = \"api.error_rate > 5%\"\nfor = \"3 of 5\"\n");
  const auto look = [&](Truth truth, int i) {
    const std::int64_t now = monday + i * 30 * second;
    state = advance(after["errors"], state, reading({truth}, now), now).state;
    return state.level;
  };
  CHECK(look(Truth::no, 1) == Level::p1);
  CHECK(look(Truth::no, 2) == Level::p1);
  CHECK(look(Truth::no, 3) == Level::none);
}

TEST_CASE("a level that left the configuration is left at the next look", "[rule]") {
  const Rules before(check("api") + errors);
  AlertState state;
  for (int i = 0; i < 3; ++i)
    state = advance(before["errors"], state, reading({Truth::yes, Truth::yes}, monday + i), monday + i * 30 * second).state;
  REQUIRE(state.level == Level::p1);
  const Rules after(check("api") + "[alert.errors]\np2 = \"api.error_rate > 1%\"\nfor = \"5m\"\n");
  const Outcome out = advance(after["errors"], state, reading({Truth::yes}, monday + 5), monday + 2 * minute);
  REQUIRE(out.changes.size() == 1);
  CHECK(out.changes[0].what == What::resolved);
  CHECK(out.changes[0].reason == "the level is not configured any more");
}

TEST_CASE("an alert that left the configuration is resolved with that reason, if it fired", "[rule]") {
  AlertState state;
  CHECK(retire("errors", state, monday).empty());
  state.level = Level::p2;
  state.started_ns = monday;
  const auto changes = retire("errors", state, monday + hour);
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].what == What::resolved);
  CHECK(changes[0].reason == "the alert is not configured any more");
  CHECK(changes[0].since_ns == monday);
}

TEST_CASE("a clock that is set moves every instant of a state by as much, and none into the future", "[rule]") {
  AlertState state;
  std::int64_t next = monday;
  std::vector<std::int64_t*> instants = {&state.level_since_ns, &state.started_ns,          &state.looked_ns,
                                         &state.counted_ns,     &state.frozen_at_ns,        &state.unknown_since_ns,
                                         &state.await_after_ns, &state.flapping.changed_ns, &state.flapping.fell_ns};
  for (RungState& rung : state.rungs) {
    instants.push_back(&rung.since_ns);
    rung.held_ns = rung.left_ns = minute;  // durations
  }
  state.clear_ns = minute;
  for (std::int64_t* at_ns : instants) *at_ns = next += second;
  state.next_ns = next + hour;
  const AlertState before = state;
  const auto moved_by = [&](std::int64_t by_ns, std::int64_t now_ns) {
    std::vector<std::int64_t> out;
    state = before;
    move(state, by_ns, now_ns);
    for (const std::int64_t* at_ns : instants) out.push_back(*at_ns);
    return out;
  };
  const auto were = moved_by(0, next), are = moved_by(hour, next + hour);
  for (std::size_t i = 0; i < instants.size(); ++i) CHECK(are[i] - were[i] == hour);
  CHECK(state.next_ns == before.next_ns + hour);
  CHECK(state.clear_ns == minute);
  CHECK(state.rungs[0].held_ns == minute);
  CHECK(decode_state(encode_state(state)));
  // the clock was behind it: it has been all the same
  for (const std::int64_t at_ns : moved_by(hour, monday)) CHECK(at_ns == monday);
}
