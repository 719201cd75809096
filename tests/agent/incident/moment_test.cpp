// SPDX-License-Identifier: Apache-2.0
#include "incident/moment.hpp"

#include "catch.hpp"
#include "staffed.hpp"

using namespace ronda;
using namespace ronda::people;

namespace {

std::string in_utc(std::string_view text) {
  const auto at = parse_moment(text, *test::zone("America/Argentina/Buenos_Aires"));
  return at ? moment_text(*at, *test::zone("UTC")) : at.error().message();
}

}  // namespace

TEST_CASE("a time is read by the zone's wall clock, in UTC or by its offset", "[people]") {
  const std::string noon = "Thu 2026-12-24 12:00:00 +0000";
  const char* text = GENERATE("2026-12-24 09:00", "2026-12-24T09:00", "2026-12-24 09:00:00", "2026-12-24T12:00Z", "2026-12-24T12:00:00.999999Z",
                              "2026-12-24T12:00:00+00:00", "2026-12-24T09:00:00-03:00", "2026-12-24T09:00:00-0300",
                              "2026-12-24T17:30:00.5+05:30", "2026-12-25 00:00+12:00");
  INFO(text);
  CHECK(in_utc(text) == noon);
}

TEST_CASE("what is no time is refused with what one looks like", "[people]") {
  const char* text = GENERATE("", "2026-12-24", "2026-12-24 9:00", "2026-12-24 24:00", "2026-02-30 09:00", "2026-12-24 09:00:60",
                              "2026-12-24 09:00:00.", "2026-12-24 09:00.5", "2026-12-24T09:00:00.1234567891Z", "2026-12-24T09:00ZZ",
                              "2026-12-24T09:00:00+3", "2026-12-24T09:00:00+24:00", "2026-12-24T09:00:00+03:60", "2026-12-24T09:00:00+03:00Z",
                              "2026-12-24T09:00:00 -03:00", "2026-12-24T09:00:00~03:00");
  INFO(text);
  CHECK_THAT(in_utc(text), Catch::Contains("is no time like \"2026-12-24 09:00\" or \"2026-12-24T12:00:00Z\""));
}
