// SPDX-License-Identifier: Apache-2.0
#include "runner/kv_pending.hpp"

#include <catch.hpp>
#include <chrono>

using namespace ronda;
using ronda::runner::KvPending;

TEST_CASE("of several writes to one key the last counts, and only that", "[plugin]") {
  KvPending pending;
  CHECK(pending.add({"a", "123456789", 0, false}, 20));
  CHECK(pending.add({"b", "123456789", 5, false}, 20));
  CHECK_FALSE(pending.add({"c", "", 0, true}, 20));
  CHECK(pending.find("c") == nullptr);
  CHECK_FALSE(pending.add({"a", "1234567890", 0, false}, 20));
  REQUIRE(pending.find("a") != nullptr);
  CHECK(pending.find("a")->value == "123456789");  // what is refused changes nothing
  CHECK(pending.add({"a", {}, 0, true}, 20));
  CHECK(pending.add({"c", "1234567", 0, false}, 20));
  REQUIRE(pending.all().size() == 3);
  CHECK(pending.all()[0].erase);
  CHECK(pending.all()[1].ttl_ns == 5);
  pending.clear();
  CHECK(pending.all().empty());
  CHECK(pending.add({"a", std::string(19, 'x'), 0, false}, 20));
}

TEST_CASE("many writes of one call cost no more each than few", "[plugin]") {
  KvPending pending;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 200'000; ++i) REQUIRE(pending.add({std::to_string(i), "x", 0, false}, 10'000'000));
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));  // by a sum over all it would be minutes
}
