// SPDX-License-Identifier: Apache-2.0
#include "state.hpp"

#include "catch.hpp"
#include "rules.hpp"

using namespace heartbeat;

TEST_CASE("a state is read back as it was written", "[heartbeat]") {
  State state;
  state.armed = 1'767'225'600'000'000'001;
  state.signals_start = true;
  state.outcome = Outcome::failed;
  state.code = -7;
  state.last_took = 5;
  state.missed = 3;
  state.tail = "line\ntail\narmed 99\n\xFF";
  const State again = parse_state(format(state));
  CHECK(again.armed == state.armed);
  CHECK(again.signals_start);
  CHECK(again.outcome == Outcome::failed);
  CHECK(again.code == -7);
  CHECK(again.last_took == 5);
  CHECK(again.missed == 3);
  CHECK(again.tail == state.tail);
}

TEST_CASE("a damaged state loses only what is damaged", "[heartbeat]") {
  const State state = parse_state("armed 5\nmissed x\nfuture_member 1\nnonsense\noutcome 200\nruns 7\n");
  CHECK(state.armed == 5);
  CHECK(state.missed == 0);
  CHECK(state.runs == 7);
  CHECK(state.outcome == Outcome::none);
  CHECK(parse_state("").last_took == -1);
}

TEST_CASE("a duration is told from a calendar expression", "[heartbeat]") {
  auto [text, expected] = GENERATE(table<std::string, Nanos>({{"6h", 360 * minute},
                                                              {"1h30m", 90 * minute},
                                                              {"90s", 90 * second},
                                                              {"500ms", second / 2},
                                                              {"1w", 7 * 24 * 60 * minute},
                                                              {"", -1},
                                                              {"6", -1},
                                                              {"1m1h", -1},
                                                              {"-1h", -1},
                                                              {"*-*-* 02:00", -1},
                                                              {"99999999999999999999w", -1},
                                                              {"999999w", -1},
                                                              {"daily", -1}}));
  CHECK(parse_duration(text).value_or(-1) == expected);
}

TEST_CASE("spans and instants are for people", "[heartbeat]") {
  CHECK(span_text(0) == "0s");
  CHECK(span_text(-5) == "0s");
  CHECK(span_text(26 * 60 * minute + 5 * second) == "1d2h");
  CHECK(span_text(60 * minute + 5 * second) == "1h");
  CHECK(instant_text(1'767'225'600 * second) == "2026-01-01T00:00:00Z");
}
