// SPDX-License-Identifier: Apache-2.0
#include "schedule/preview.hpp"

#include "support.hpp"

using namespace ronda;
using namespace ronda::schedule;
using namespace std::chrono_literals;

namespace {

PreviewItem item(const std::string& name, const std::string& text, std::optional<Nanos> lasts = std::nullopt,
                 std::vector<std::string> shares = {}) {
  ZoneDatabase zones;
  auto calendar = parse_calendar(text, zones, zone("Europe/Berlin"));
  REQUIRE(calendar);
  return {name, *calendar, 0ns, lasts, std::move(shares)};
}

PreviewItem every(const std::string& name, Nanos interval) {
  return {name, std::nullopt, interval, std::nullopt, {}};
}

std::string shown(const std::vector<PreviewItem>& items, const std::string& from, unsigned days) {
  return print(make_preview(items, utc(from), days), items, *zone("Europe/Berlin"));
}

}  // namespace

TEST_CASE("the preview lists what runs when, on the local clock, over a clock change", "[schedule]") {
  CHECK(shown({item("task dump", "02:30", 40min), item("task rotate", "Sun 04:00"), every("check api", 30s),
               item("task sync", "*:0/5")},
              "2027-03-27 00:00:00", 2) ==
        "Sat 2027-03-27 02:30:00 +0100  task dump (40m)\n"
        "Sun 2027-03-28 03:00:00 +0200  task dump (40m)\n"
        "Sun 2027-03-28 04:00:00 +0200  task rotate\n"
        "often: check api every 30s, 5760 times\n"
        "often: task sync *-*-* *:00/5:00 Europe/Berlin, 576 times\n");
}

TEST_CASE("a run that starts in a window it shares a service with is a conflict", "[schedule]") {
  CHECK(shown({item("window sunday", "Sun 02:00", 2h, {"database", "api"}),
               item("task dump", "03:00", 40min, {"api", "database"}),
               item("task report", "03:00", 40min, {"mail"}),
               item("task after", "Sun 04:00", 1h, {"database"})},
              "2027-06-01 00:00:00", 14)
            .find("conflict: task dump starts while window sunday goes on, 2 times, first Sun 2027-06-06 "
                  "03:00:00 +0200 "
                  "(both use \"api\")\n") != std::string::npos);
}

TEST_CASE("what only touches, or shares nothing, is no conflict; the same moment is one", "[schedule]") {
  const auto conflicts = [](const std::vector<PreviewItem>& items) {
    return make_preview(items, utc("2027-06-01 00:00:00"), 1).conflicts.size();
  };
  CHECK(conflicts({item("a", "02:00", 1h, {"x"}), item("b", "03:00", 1h, {"x"})}) == 0);
  CHECK(conflicts({item("a", "02:00", 2h, {"x"}), item("b", "03:00", 1h, {"y"})}) == 0);
  CHECK(conflicts({item("a", "02:00", std::nullopt, {"x"}), item("b", "02:00", std::nullopt, {"x"})}) == 1);
  CHECK(conflicts({item("a", "*:0", 2h, {"x"})}) == 0);
}

TEST_CASE("a preview of very much is cut and says so", "[schedule]") {
  std::vector<PreviewItem> items(300, item("check x", "hourly"));
  const Preview preview = make_preview(items, utc("2027-06-01 00:00:00"), 14);
  CHECK(preview.occurrences.size() == max_occurrences);
  CHECK(preview.is_cut);
}
