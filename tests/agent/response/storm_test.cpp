// SPDX-License-Identifier: Apache-2.0
// Very many alerts at once, through the desk: what they cost grows with their number and not with its square, and what is
// said of them has room in a message.
#include <ctime>

#include "agent/response/desk.hpp"
#include "notify/template.hpp"
#include "response/inbound.hpp"

using namespace ronda;
using namespace ronda::test;

namespace {

const std::string staffed_toml = R"(
[contact.cto]
channels = [{ notifier = "log" }]
[escalation.default.p1]
steps = [{ from = "0m", notify = ["cto"] }]
[escalation.default.p2]
steps = [{ from = "0m", notify = ["cto"] }]
)";

std::string name_of(int number) {
  return "c" + std::to_string(number);
}

/// `count` checks, all of one service or each for itself.
std::string checks_toml(int count, bool of_one_service) {
  std::string out = staffed_toml;
  if (of_one_service) out += "[service.shop]\ntitle = \"The shop\"\n";
  for (int i = 0; i < count; ++i) {
    out += "[check." + name_of(i) + "]\nuse = \"a.b\"\nevery = \"30s\"\ntimeout = \"10s\"\nseverity = \"p1\"\n";
    if (of_one_service) out += "service = \"shop\"\n";
  }
  return out;
}

double cpu_s() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

void settle_all(World& world, int count, Seen status) {
  for (int i = 0; i < count; ++i) {
    world.now += second / count;
    world.result(name_of(i), status);
  }
}

/// CPU of a storm in which all of them fail within a second, and of the second in which all recover.
double storm_s(int count, bool of_one_service) {
  World world(checks_toml(count, of_one_service));
  settle_all(world, count, Seen::ok);
  world.now += 30 * second;
  const double before = cpu_s();
  settle_all(world, count, Seen::critical);
  world.run_to(2 * minute);
  settle_all(world, count, Seen::ok);
  const double spent = cpu_s() - before;
  CHECK(world.desk().incidents().incidents.size() == static_cast<std::size_t>(of_one_service ? 1 : count));
  CHECK(world.desk().incidents().by_alert.empty());
  return spent;
}

/// How much dearer four times as many are: about 4 where the cost of one does not depend on the others, 16 where it is theirs too.
double growth(bool of_one_service) {
  double few = 1e9, many = 1e9;  // the least of three: whatever else the machine does only adds
  for (int i = 0; i < 3; ++i) {
    few = std::min(few, storm_s(2500, of_one_service));
    many = std::min(many, storm_s(10'000, of_one_service));
  }
  UNSCOPED_INFO("2,500 take " << few << " s, 10,000 take " << many << " s");
  return many / few;
}

}  // namespace

TEST_CASE("ten thousand checks of one service that fail within a second cost as much each as a few do", "[response]") {
  CHECK(growth(true) < 9);
}

TEST_CASE("ten thousand checks of no service that fail within a second cost as much each as a few do", "[response]") {
  CHECK(growth(false) < 9);
}

TEST_CASE("ten thousand checks that fail are one message at once and one with their count", "[response]") {
  World world(checks_toml(10'000, true));
  settle_all(world, 10'000, Seen::ok);
  world.now = monday + 30 * second;
  settle_all(world, 10'000, Seen::critical);
  CHECK(world.told == std::vector<std::string>{"30s open p1 cto log"});
  world.run_to(65 * second);
  REQUIRE(world.told == std::vector<std::string>{"30s open p1 cto log", "1m update p1 cto log"});
}

TEST_CASE("a message about ten thousand alerts names the worst of them, counts the rest and stays small", "[response]") {
  World world(staffed_toml +
              "[service.shop]\ntitle = \"The shop\"\n[token.prometheus]\nrole = \"reporter\"\ninbox = [\"@alertmanager\"]\n" +
              "sha256 = \"c1f3e0c1a47d0f5b9a7e2c86f0d3b4a5968778695a4b3c2d1e0f9182736455e6\"\n");
  response::InboundBatch batch{"alertmanager", "token:prometheus", {}};
  for (int i = 0; i < 10'000; ++i) {
    const std::string key = std::to_string(100'000 + i) + std::string(50, 'x');
    const Level level = i == 5'000 ? Level::p1 : Level::p2;
    batch.alerts.push_back({"inbound/prometheus/" + key, "inbound/prometheus/Word", "shop", level, "it is bad", 0});
  }
  world.take(world.desk().on_inbound(batch, world.now));
  REQUIRE(world.only().members.size() == 10'000);
  world.run_to(35 * second);
  REQUIRE(world.held.outbox.size() == 2);
  for (const auto& [id, row] : world.held.outbox) {
    CHECK(row.text.title.size() + row.text.body.size() + row.text.fields.size() < 32 * 1024);
    const auto fields = notify::fields_from_json(row.text.fields);
    const std::string status(notify::value_of(fields, "current_status"));
    CHECK(status.starts_with("P1 inbound/prometheus/105000"));
    CHECK(status.ends_with("\nand others: 9980"));
  }
}
