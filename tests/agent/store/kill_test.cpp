// SPDX-License-Identifier: Apache-2.0
// kill -9 at random moments: what was acknowledged is there, no slot was given out twice, the file is whole.
#include <random>
#include <set>
#include <sstream>

#include "agent/store/killed.hpp"
#include "agent/store/support.hpp"
#include "catch.hpp"
#include "store/database.hpp"

using namespace ronda;
using namespace ronda::store;
using namespace ronda::store::test;

namespace {

struct Ledger {
  std::set<std::int64_t> events, slots;
  std::int64_t batch = 0;  // the last
  int doubled = 0;

  void take(const std::string& said) {
    std::istringstream lines(said);
    std::string what;
    for (std::int64_t number = 0; lines >> what >> number;) {
      if (what == "event") events.insert(number);
      if (what == "slot" && !slots.insert(number).second) ++doubled;
      if (what == "batch") batch = std::max(batch, number);
    }
  }
};

void check_against(const std::string& state, const Ledger& ledger) {
  {
    const auto store = open_at(state);
    CHECK(store->report().notices.empty());
    CHECK_FALSE(store->report().clean_shutdown);
    std::set<std::int64_t> events, slots;
    for (const JournalEvent& event : journal(*store)) events.insert(std::atoll(event.subject.c_str()));
    for (const Slot& slot : must<std::vector<Slot>>(*store, &Store::load_started_slots)) slots.insert(slot.scheduled);
    CHECK(std::includes(events.begin(), events.end(), ledger.events.begin(), ledger.events.end()));
    CHECK(std::includes(slots.begin(), slots.end(), ledger.slots.begin(), ledger.slots.end()));
    // of a batch of a plugin's state all or nothing, and no older one than the last that was acknowledged
    std::set<std::int64_t> batches;
    const KvContent kept = must<KvContent>(*store, &Store::load_kv, KvSpace{{"task", "dump"}, "batch"});
    for (const KvEntry& entry : kept.entries) batches.insert(std::atoll(entry.value.c_str()));
    CHECK(kept.entries.size() == (ledger.batch == 0 && batches.empty() ? std::size_t{0} : std::size_t{20}));
    CHECK(batches.size() <= 1);
    if (ledger.batch > 0) {
      REQUIRE_FALSE(batches.empty());
      CHECK(*batches.begin() >= ledger.batch);
    }
  }
  auto db = Database::open_unchanging(state + "/ronda.db");
  REQUIRE(db);
  CHECK(db->check(false, nullptr, nullptr).has_value());
  CHECK(*db->check(false, nullptr, nullptr) == "ok");
}

/// `rounds` writers one after the other, each killed within 60 ms of its first acknowledgement. After every
/// `checked_every` of them what was promised is looked up; else the next writer finds what the kill left.
void kill_writers(int rounds, int checked_every) {
  const Scratch scratch;
  const std::string state = scratch / "state";
  std::mt19937 random(std::random_device{}());
  Ledger ledger;
  for (int round = 1; round <= rounds; ++round) {
    Killed writer(RONDA_BINARY_DIR "/tests/agent/store/store_writer", {state, std::to_string(std::int64_t{1'000'000} * round)});
    REQUIRE(writer.read_some());
    const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(random() % 60'000);
    while (std::chrono::steady_clock::now() < end && writer.read_some()) {
    }
    writer.kill();
    const std::size_t before = ledger.events.size();
    ledger.take(writer.said());
    INFO("round " << round);
    REQUIRE(ledger.events.size() > before);
    REQUIRE(ledger.doubled == 0);
    if (round % checked_every == 0) check_against(state, ledger);
  }
  CHECK(ledger.slots.size() > static_cast<std::size_t>(rounds));
}

}  // namespace

TEST_CASE("30 kills of a writing agent lose nothing that was acknowledged, halve no batch and double no slot", "[store]") {
  kill_writers(30, 3);
}

TEST_CASE("1000 kills of a writing agent lose nothing that was acknowledged, halve no batch and double no slot", "[store][.long]") {
  kill_writers(1000, 100);
}
