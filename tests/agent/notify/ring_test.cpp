// SPDX-License-Identifier: Apache-2.0
#include "notify/ring.hpp"

#include "agent/notify/support.hpp"
#include "catch.hpp"

using namespace ronda;
using namespace ronda::notify;
using namespace ronda::notify::test;

namespace {

store::Decision decision_of(const std::string& id) {
  store::Decision decision;
  decision.outbox.push_back(envelope(id));
  return decision;
}

}  // namespace

TEST_CASE("the ring keeps the newest decisions and counts what it lost", "[notify]") {
  Ring ring(3, 1'000'000);
  for (const char* id : {"a", "b", "c", "d", "e"}) ring.push(decision_of(id));
  CHECK(ring.size() == 3);
  CHECK(ring.lost() == 2);
  const auto held = ring.take();
  REQUIRE(held.size() == 3);
  CHECK(held[0].outbox[0].id == "c");
  CHECK(held[2].outbox[0].id == "e");
  CHECK(ring.size() == 0);
  CHECK(ring.bytes() == 0);
}

TEST_CASE("the ring is bounded in bytes, and one decision always has room", "[notify]") {
  Ring ring(1000, 10'000);
  for (int i = 0; i < 100; ++i) ring.push(decision_of(std::to_string(i)));
  CHECK(ring.bytes() <= 10'000);
  CHECK(ring.size() + ring.lost() == 100);
  store::Decision large = decision_of("large");
  large.outbox[0].text.body = std::string(100'000, 'x');
  ring.push(large);
  CHECK(ring.size() == 1);
}

TEST_CASE("what became of a row is told in the decision that the ring holds", "[notify]") {
  Ring ring(2, 1'000'000);
  ring.push(decision_of("a"));
  store::OutboxChange change{"a", store::OutboxState::delivered, "", 2, 0, 5, "", {}};
  CHECK(ring.change(change));
  CHECK_FALSE(ring.change({"b", store::OutboxState::dead, "", 1, 0, 0, "", {}}));
  ring.push(decision_of("b"));
  ring.push(decision_of("c"));
  CHECK_FALSE(ring.change(change));  // it is out
  CHECK(ring.change({"b", store::OutboxState::dead, "", 1, 0, 0, "", {}}));
  CHECK(ring.take()[0].outbox[0].state == store::OutboxState::dead);
}

TEST_CASE("a change that is refused after its row stands in the row, and undoes nothing that is newer", "[notify]") {
  Ring ring(10, 1'000'000);
  const auto sending = [](const std::string& id) {
    store::Decision decision;
    decision.changes.push_back({id, store::OutboxState::sending, "", 1, 0, 5, "", {}});
    return decision;
  };
  ring.push(decision_of("a"));
  ring.push(decision_of("b"));
  CHECK(ring.change({"b", store::OutboxState::dead, "", 1, 0, 5, "gone", {}}));
  ring.push(sending("a"));
  ring.push(sending("b"));
  ring.push(sending("stored"));  // its row is not in here
  const auto held = ring.take();
  REQUIRE(held.size() == 3);
  CHECK(held[0].outbox[0].state == store::OutboxState::sending);
  CHECK(held[0].outbox[0].attempts == 1);
  CHECK(held[1].outbox[0].state == store::OutboxState::dead);
  REQUIRE(held[2].changes.size() == 1);
  CHECK(held[2].changes[0].id == "stored");
}

TEST_CASE("the ring gives in the order of decision what came in another one", "[notify]") {
  Ring ring(10, 1'000'000);
  for (const int number : {3, 1, 2}) {
    store::Decision decision = decision_of(std::to_string(number));
    decision.number = number;
    ring.push(decision);
  }
  const auto held = ring.take();
  REQUIRE(held.size() == 3);
  CHECK(held[0].outbox[0].id == "1");
  CHECK(held[2].outbox[0].id == "3");
}
