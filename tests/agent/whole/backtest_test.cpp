// SPDX-License-Identifier: Apache-2.0
// Rules over what a store of weeks has: what was usual, and how old a task was.
#include <unistd.h>

#include "agent/store/support.hpp"
#include "catch.hpp"
#include "whole_agent.hpp"

using namespace ronda;
using namespace ronda::test;
using namespace std::chrono_literals;
using ronda::store::test::ask;
using ronda::store::test::must;

namespace {

constexpr std::int64_t second = 1'000'000'000, minute = 60 * second, hour = 60 * minute, day = 24 * hour, week = 7 * day;

constexpr std::string_view configuration = R"toml([check.shop]
use = "exec.nagios"
every = "1h"
command = ["/bin/sh", "-c", "echo fine"]
[task.dump]
use = "exec.command"
at = "*-*-* 03:00:00"
command = ["/bin/true"]
[task.never]
use = "exec.command"
at = "*-*-* 03:00:00"
command = ["/bin/true"]
[alert.few-orders]
p2 = "ratio(shop.orders, baseline(shop.orders)) < 50%"
[alert.few-visits]
p2 = "shop.visits < baseline(shop.visits)"
[alert.dump-is-old]
p2 = "age(task.dump) > 26h"
[alert.never-ran]
p2 = "age(task.never) > 400d"
)toml";

store::SeriesRef series(const std::string& check, const std::string& metric, const std::string& unit = "") {
  return std::make_shared<const store::SeriesKey>(store::SeriesKey{check, metric, {}, unit, store::Shape::gauge});
}

/// Three weeks of a store, as an agent would have written it: 100 orders, and 40 from an hour before `now` on; visits since three
/// hours before it, so that the store has a whole hour of them whatever the minute; a task that ended well 30 hours before `now`
/// and failed 6 hours before.
void fill_store(const std::string& directory, std::int64_t now) {
  const auto clock = std::make_shared<std::atomic<std::int64_t>>(now - 3 * week);
  store::Options options = store::test::options_at(directory);
  options.wall_ns = [clock] { return clock->load(); };
  options.flush_after = 0ms;
  const auto opened = store::Store::open(std::move(options));
  INFO((opened ? "" : opened.error().message()));
  REQUIRE(opened);
  store::Store& store = **opened;
  const auto status = series("shop", "status"), orders = series("shop", "orders"), duration = series("shop", "duration", "s");
  const auto dump = series("task.dump", "status"), visits = series("shop", "visits");
  std::vector<store::Sampled> batch;
  for (std::int64_t at = now - 3 * week; at <= now; at += 10 * minute) {
    const double few = at > now - hour ? 40 : 100;
    batch.push_back({at, {{status, 0}, {duration, 0.1}, {orders, few}}});
    if (at > now - 3 * hour) batch.back().values.emplace_back(visits, 1);
    if (at == now - 30 * hour || at == now - 6 * hour) batch.push_back({at + second, {{dump, at == now - 6 * hour ? 2.0 : 0.0}}});
    if (((at - now) / (10 * minute)) % 18 != 0) continue;
    store.observe({}, std::exchange(batch, {}));  // before the clock goes on: after it they would be too late
    *clock = at + 20 * second;
    REQUIRE(ask<Unit>(store, &store::Store::flush));
  }
  // time goes by faster here than it is rolled up
  REQUIRE(store::test::wait_for([&] {
    const store::SampleQuery last{"shop", "visits", store::SampleLevel::hours, now - 4 * hour, now};
    const auto rolled = must<std::vector<store::LoadedSeries>>(store, &store::Store::load_samples, last);
    return !rolled.empty() && !rolled[0].rollups.empty();
  }));
}

const json::object& of(const json::value& tested, std::string_view name) {
  for (const json::value& one : tested.at("alerts").as_array()) {
    if (one.at("name").as_string() == name) return one.as_object();
  }
  FAIL("there is no " << name);
  throw std::logic_error("not reached");
}

}  // namespace

TEST_CASE("baselines and the age of a task are judged as they were, and what cannot be known is said", "[whole]") {
  WholeAgent agent;
  const std::int64_t now = store::floor_to(wall_clock().count(), 10 * minute);
  fill_store(agent.state_directory(), now);
  if (::geteuid() == 0) {
    agent.become_nobody();
    for (const auto& made : std::filesystem::recursive_directory_iterator(agent.state_directory()))
      REQUIRE(::chown(made.path().c_str(), 65534, 65534) == 0);
  }
  agent.configure("10.toml", configuration);
  REQUIRE(agent.start());
  std::vector<std::string> words = {ronda_program()};
  for (const std::string& option : agent.options()) words.push_back(option);
  words.insert(words.end(), {"rules", "backtest", "--since", "1d"});
  const Finished shown = agent.run_as_agent(words);
  INFO(shown.out << shown.err);
  CHECK(shown.code == 0);
  CHECK(shown.out.find("not known here: what was usual of shop.visits before ") != std::string::npos);
  words.insert(words.end(), {"--output", "json"});
  const Finished finished = agent.run_as_agent(words);
  INFO(finished.out << finished.err);
  REQUIRE(finished.code == 0);
  const json::value tested = json::parse(finished.out);
  const json::object& orders = of(tested, "few-orders");
  CHECK(orders.at("fired").as_int64() == 1);
  CHECK(orders.at("not_known").as_array().empty());
  CHECK(orders.at("time_s").at("p2").to_number<double>() >= 50 * 60);
  const json::object& dump = of(tested, "dump-is-old");
  CHECK(dump.at("fired").as_int64() == 1);
  CHECK(dump.at("not_known").as_array().empty());
  CHECK(dump.at("time_s").at("p2").to_number<double>() == Approx(4 * 3600).margin(20 * 60));  // from 26 h to 30 h after its success
  const json::object& visits = of(tested, "few-visits");
  CHECK(visits.at("fired").as_int64() == 0);
  CHECK(visits.at("not_known").as_array().size() == 1);
  // the agent has known of this one only since it began
  const json::object& never = of(tested, "never-ran");
  CHECK(never.at("fired").as_int64() == 0);
  REQUIRE(never.at("not_known").as_array().size() == 1);
  CHECK(std::string(never.at("not_known").at(0).as_string()).find("when task.never had succeeded last before ") == 0);
  CHECK(agent.stop() == 0);
}
