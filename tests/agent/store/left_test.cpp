// SPDX-License-Identifier: Apache-2.0
#include <catch.hpp>

#include "store/schema.hpp"
#include "support.hpp"

using namespace ronda;
using namespace ronda::store;
using namespace ronda::store::test;

namespace {

const InstanceId stays{"check", "stays"}, goes{"check", "goes"};

/// The store with a wall clock and a monotonic clock of the test's: each `pass` is so many days of upkeep.
struct Clocks {
  std::atomic<std::int64_t> wall{noon}, mono{1};
};

std::unique_ptr<Store> open_with(const std::string& directory, Clocks& clocks) {
  Options options = options_at(directory);
  options.wall_ns = [&clocks] { return clocks.wall.load(); };
  options.mono_ns = [&clocks] { return clocks.mono.load(); };
  auto store = Store::open(std::move(options));
  if (!store) throw std::runtime_error(store.error().message());
  return *std::move(store);
}

void pass(Store& store, Clocks& clocks, std::int64_t days) {
  clocks.wall += days * day;
  clocks.mono += 2 * 60 * minute;  // the upkeep is due once an hour
  for (int i = 0; i < 3; ++i)
    must<std::vector<JournalEvent>>(store, &Store::load_journal, std::int64_t{1});  // it is awake, before and after
}

void keep_something(Store& store, const InstanceId& id) {
  must<Unit>(store, &Store::write_kv, KvSpace{id, "plugin"}, std::uint32_t{1}, std::vector<KvWrite>{{"key", "value"}});
  must<Posted>(store, &Store::post_inbox, id, InboxEvent{0, "start", 0, "", 1});
  store.observe({id, 0, "fine", "", noon, noon, noon, 0}, {noon, 1, 0, "fine"});
  must<Unit>(store, &Store::flush);
}

std::size_t kept(Store& store, const InstanceId& id) {
  std::size_t count = must<KvContent>(store, &Store::load_kv, KvSpace{id, "plugin"}).entries.size();
  count += must<std::vector<InboxEvent>>(store, &Store::peek_inbox, id, std::int64_t{10}).size();
  for (const InstanceState& state : must<std::vector<InstanceState>>(store, &Store::load_instances)) count += state.id == id ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("what left the configuration is kept for 30 days and then dropped", "[store]") {
  const Scratch scratch;
  Clocks clocks;
  auto store = open_with(scratch.path(), clocks);
  keep_something(*store, stays);
  keep_something(*store, goes);
  must<Unit>(*store, &Store::mark_configured, Ids{stays, goes});
  pass(*store, clocks, 40);
  CHECK(kept(*store, goes) == 3);  // long, but configured
  must<Unit>(*store, &Store::mark_configured, Ids{stays});
  pass(*store, clocks, 29);
  CHECK(kept(*store, goes) == 3);

  SECTION("gone for longer") {
    must<Unit>(*store, &Store::mark_configured, Ids{stays});  // a later reload does not begin the time anew
    pass(*store, clocks, 2);
    CHECK(wait_for([&] { return kept(*store, goes) == 0; }));
    CHECK(kept(*store, stays) == 3);
  }
  SECTION("back in time") {
    must<Unit>(*store, &Store::mark_configured, Ids{stays, goes});
    pass(*store, clocks, 2);
    pass(*store, clocks, 40);
    CHECK(kept(*store, goes) == 3);
  }
  SECTION("also over a restart") {
    store->close();
    store = open_with(scratch.path(), clocks);
    clocks.mono += 2 * minute;
    pass(*store, clocks, 2);
    CHECK(wait_for([&] { return kept(*store, goes) == 0; }));
    CHECK(kept(*store, stays) == 3);
  }
}
