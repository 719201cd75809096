// SPDX-License-Identifier: Apache-2.0
#include "memory.hpp"

#include <catch.hpp>
#include <ronda/testing.hpp>

using namespace logfile;
using ronda::testing::host;

TEST_CASE("what is about to be written is known before the call ends, as a crash would need it", "[logfile]") {
  host h;
  h.enter(host::frame::call);
  const ronda::kv_service kv(h.inst());
  Memory memory(kv, "m-1");
  CHECK_FALSE(memory.begun());
  memory.begin({1, 2, 3, 4, 5});
  REQUIRE(h.kept().size() == 1);
  CHECK(h.kept().begin()->second == "1 2 3 4 5");
  const auto trace = memory.begun();
  REQUIRE(trace);
  CHECK(trace->inode == 2);
  CHECK(trace->hash == 5);
  CHECK_FALSE(Memory(kv, "m-2").begun());
  memory.end();
  CHECK_FALSE(memory.begun());
  CHECK(memory.is_written());
  CHECK_FALSE(Memory(kv, "m-2").is_written());
  h.leave(RONDA_OK, "");
}

TEST_CASE("of a message without an id nothing is remembered", "[logfile]") {
  host h;
  h.enter(host::frame::call);
  const ronda::kv_service kv(h.inst());
  Memory memory(kv, "");
  memory.begin({1, 2, 3, 4, 5});
  memory.end();
  CHECK_FALSE(memory.begun());
  CHECK_FALSE(memory.is_written());
  CHECK(h.kept().empty());
  h.leave(RONDA_OK, "");
}
