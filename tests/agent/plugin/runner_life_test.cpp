// SPDX-License-Identifier: Apache-2.0
#include "plugin/runner_life.hpp"

#include <catch.hpp>
#include <sstream>

using namespace ronda::plugin;
using namespace std::chrono_literals;

namespace {

constexpr std::array<Life, 8> all_states = {Life::starting, Life::serving, Life::wedged, Life::leaving,
                                            Life::ending,   Life::killed,  Life::stuck,  Life::gone};
constexpr std::array<LifeEvent, 9> all_events = {LifeEvent::loaded,  LifeEvent::refused, LifeEvent::overdue,
                                                 LifeEvent::broken,  LifeEvent::hung_up, LifeEvent::retire,
                                                 LifeEvent::drained, LifeEvent::waited,  LifeEvent::exited};

std::string word(Life state, LifeEvent event) {
  constexpr std::array<const char*, 5> actions = {"", "/shut_down", "/terminate", "/kill", "/report"};
  const LifeStep step = next_life(state, event);
  return std::string(name_of(step.next)) + actions[static_cast<std::size_t>(step.action)];
}

}  // namespace

TEST_CASE("the life of a runner, every state and every event", "[plugin]") {
  // loaded refused overdue broken hung_up retire drained waited exited
  const std::array<std::string, 8> wanted = {"serving leaving killed/kill killed/kill ending leaving/shut_down starting killed/kill gone",
                                             "serving leaving wedged killed/kill ending leaving/shut_down serving serving gone",
                                             "wedged wedged wedged killed/kill ending wedged ending/terminate ending/terminate gone",
                                             "leaving leaving ending/terminate killed/kill leaving leaving leaving ending/terminate gone",
                                             "ending ending ending killed/kill ending ending ending killed/kill gone",
                                             "killed killed killed killed killed killed killed stuck/report gone",
                                             "stuck stuck stuck stuck stuck stuck stuck stuck gone",
                                             "gone gone gone gone gone gone gone gone gone"};
  for (std::size_t i = 0; i < all_states.size(); ++i) {
    std::istringstream words(wanted[i]);
    for (const LifeEvent event : all_events) {
      std::string expected;
      words >> expected;
      INFO(name_of(all_states[i]) << ", event " << static_cast<int>(event));
      CHECK(word(all_states[i], event) == expected);
    }
  }
}

TEST_CASE("a runner that says nothing more is gone or reported after bounded time", "[plugin]") {
  for (const Life start : {Life::starting, Life::leaving, Life::ending, Life::killed}) {
    Life state = start;
    std::chrono::nanoseconds total{0};
    while (state != Life::stuck) {
      REQUIRE(life_limit(state) > 0s);
      total += life_limit(state);
      state = next_life(state, LifeEvent::waited).next;
    }
    CHECK(total <= 20s);
  }
  CHECK(life_limit(Life::serving) == 0s);
  CHECK(life_limit(Life::wedged) == 0s);
}

TEST_CASE("the first start after a death is immediate, then one second doubling to five minutes", "[plugin]") {
  RestartPolicy policy;
  Mono now = 1000s;
  CHECK(policy.start_allowed_at() <= now);
  const std::array<std::chrono::seconds, 12> pauses = {0s, 1s, 2s, 4s, 8s, 16s, 32s, 64s, 128s, 256s, 300s, 300s};
  for (const auto pause : pauses) {
    CHECK(policy.on_death(now) == now + pause);
    now += pause;
  }
  for (int i = 0; i < 100; ++i) CHECK(policy.on_death(now) == now + 300s);
  policy.on_healthy();
  CHECK(policy.on_death(now) == now);
}

TEST_CASE("five failures of one instance within ten minutes quarantine it", "[plugin]") {
  RestartPolicy policy;
  using V = RestartPolicy::Verdict;
  for (int i = 0; i < 4; ++i) CHECK(policy.on_failure(7, i * 2min) == V::nothing);
  CHECK(policy.on_failure(7, 8min) == V::quarantine_instance);
  CHECK(policy.is_quarantined(7));
  CHECK_FALSE(policy.is_quarantined(8));
  CHECK(policy.on_failure(7, 8min) == V::nothing);
}

TEST_CASE("failures that are far apart are forgotten", "[plugin]") {
  RestartPolicy policy;
  for (int i = 0; i < 50; ++i) CHECK(policy.on_failure(7, i * 151s) == RestartPolicy::Verdict::nothing);
  CHECK_FALSE(policy.is_quarantined(7));
}

TEST_CASE("failures of several instances quarantine the plugin", "[plugin]") {
  RestartPolicy policy;
  for (std::uint32_t i = 1; i < 5; ++i) CHECK(policy.on_failure(i, 1s) == RestartPolicy::Verdict::nothing);
  CHECK(policy.on_failure(5, 2s) == RestartPolicy::Verdict::quarantine_plugin);
  CHECK(policy.is_quarantined(1234));
  policy.clear_all();
  CHECK_FALSE(policy.is_quarantined(1234));
  CHECK(policy.start_allowed_at() == Mono{0});
}

TEST_CASE("with the quarantine of a plugin its back-off ends too, and that of its instances stays", "[plugin]") {
  RestartPolicy policy;
  for (int i = 0; i < 5; ++i) policy.on_failure(9, 1s);
  for (std::uint32_t i = 1; i < 6; ++i) {
    policy.on_failure(i, 2s);
    policy.on_death(2s);
  }
  REQUIRE(policy.holds(RestartPolicy::whole_plugin));
  REQUIRE(policy.start_allowed_at() > Mono{2s});
  policy.clear_plugin();
  CHECK_FALSE(policy.is_quarantined(1));
  CHECK(policy.is_quarantined(9));
  CHECK(policy.deaths() == 0);
  CHECK(policy.start_allowed_at() == Mono{0});
  // who is left is started at once, and once more at once after a first death
  CHECK(policy.on_death(3s) == Mono{3s});
  CHECK(policy.on_failure(1, 3s) == RestartPolicy::Verdict::nothing);
}

TEST_CASE("whose failures count against the plugin is known, each once", "[plugin]") {
  RestartPolicy policy;
  CHECK(policy.culprits().empty());
  for (int i = 0; i < 5; ++i) policy.on_failure(9, 1s);  // is held itself
  for (const std::uint32_t id : {3U, 1U, 3U, RestartPolicy::whole_plugin}) policy.on_failure(id, 2s);
  CHECK(policy.on_failure(2, 3s) == RestartPolicy::Verdict::quarantine_plugin);
  CHECK(policy.culprits() == std::vector<std::uint32_t>{3, 1, 2});
  policy.clear_plugin();
  CHECK(policy.culprits().empty());
}

TEST_CASE("a plugin that does not load is quarantined as a whole", "[plugin]") {
  RestartPolicy policy;
  for (int i = 0; i < 4; ++i) policy.on_failure(RestartPolicy::whole_plugin, 1s);
  CHECK(policy.on_failure(RestartPolicy::whole_plugin, 1s) == RestartPolicy::Verdict::quarantine_plugin);
}

TEST_CASE("what a quarantined instance did is not held against the others", "[plugin]") {
  RestartPolicy policy;
  using V = RestartPolicy::Verdict;
  for (int i = 0; i < 5; ++i) policy.on_failure(7, 1s);
  for (int i = 0; i < 4; ++i) CHECK(policy.on_failure(8, 2s) == V::nothing);
  CHECK(policy.on_failure(8, 3s) == V::quarantine_instance);
  CHECK_FALSE(policy.is_quarantined(9));
}

TEST_CASE("a quarantine is tried again every ten minutes and ends when it is cleared", "[plugin]") {
  RestartPolicy policy;
  for (int i = 0; i < 5; ++i) policy.on_failure(7, 0s);
  CHECK_FALSE(policy.probe_due(7, 9min));
  CHECK(policy.probe_due(7, 10min));
  policy.on_probe(7, 10min);
  CHECK_FALSE(policy.probe_due(7, 19min));
  CHECK(policy.probe_due(7, 20min));
  CHECK_FALSE(policy.probe_due(8, 20min));
  policy.clear(7);
  CHECK_FALSE(policy.is_quarantined(7));
  CHECK(policy.on_failure(7, 20min) == RestartPolicy::Verdict::nothing);
}
