// SPDX-License-Identifier: Apache-2.0
#include "agent/store/support.hpp"
#include "catch.hpp"

using namespace ronda;
using namespace ronda::store;
using namespace ronda::store::test;

namespace {

const InstanceId web{"check", "web"};
const KvSpace space{web, "http"};

std::string value(std::size_t size) {
  return std::string(size, 'v');
}

Result<Unit> write(Store& store, std::vector<KvWrite> writes, std::uint32_t version = 1) {
  return ask<Unit>(store, &Store::write_kv, space, version, std::move(writes));
}
KvContent content(Store& store, const KvSpace& of = space) {
  return must<KvContent>(store, &Store::load_kv, of);
}

}  // namespace

TEST_CASE("what a plugin keeps comes back byte for byte, in key order, of its own instance and plugin only", "[store]") {
  const Scratch scratch;
  {
    const auto store = open_at(scratch / "state");
    REQUIRE(write(*store, {{"b", "2", 0}, {std::string("a\0\xff", 3), std::string("\0\x80\n", 3), 0}, {"gone", "x", 0}}, 3));
    REQUIRE(write(*store, {{"gone", {}, 0}, {"never was", {}, 0}, {"empty", "", 0}}, 4));
    REQUIRE(ask<Unit>(*store, &Store::write_kv, KvSpace{web, "other"}, std::uint32_t{1}, std::vector<KvWrite>{{"b", "theirs", 0}}));
  }
  const auto store = open_at(scratch / "state");
  const KvContent kept = content(*store);
  CHECK(kept.state_version == 4);
  REQUIRE(kept.entries.size() == 3);
  CHECK(kept.entries[0].key == std::string("a\0\xff", 3));
  CHECK(kept.entries[0].value == std::string("\0\x80\n", 3));
  CHECK(kept.entries[1].value == "2");
  CHECK(kept.entries[2].key == "empty");
  CHECK(content(*store, {web, "other"}).entries.at(0).value == "theirs");
  CHECK(content(*store, {{"check", "web2"}, "http"}).entries.empty());
}

TEST_CASE("a write over a limit is refused whole", "[store]") {
  const Scratch scratch;
  const auto store = open_at(scratch / "state");
  REQUIRE(write(*store, {{"kept", "1", 0}}));
  std::vector<KvWrite> too_much;
  for (int i = 0; i < 17; ++i) too_much.push_back({"k" + std::to_string(i), value(kv_value_max), 0});
  const auto refused = GENERATE_COPY(table<std::vector<KvWrite>, std::string>(
      {{{{"kept", "2", 0}, {"", "x", 0}}, "state of check 'web': a key has 1 to 256 bytes, this one 0"},
       {{{"kept", "2", 0}, {std::string(257, 'k'), "x", 0}}, "state of check 'web': a key has 1 to 256 bytes, this one 257"},
       {{{"kept", "2", 0}, {"k", value(kv_value_max + 1), 0}}, "state of check 'web': a value has at most 65536 bytes, this one 65537"},
       {too_much, "state of check 'web': at most 1 MiB an instance, this would be 1114158 bytes"}}));
  const auto result = write(*store, std::get<0>(refused));
  REQUIRE_FALSE(result);
  CHECK(result.error().code() == Errc::range);
  CHECK(result.error().message() == std::get<1>(refused));
  REQUIRE(content(*store).entries.size() == 1);
  CHECK(content(*store).entries[0].value == "1");
}

TEST_CASE("the quota counts what is there: replaced, deleted and expired entries give their room back", "[store]") {
  const Scratch scratch;
  std::atomic<std::int64_t> now{noon};
  Options options = options_at(scratch / "state");
  options.wall_ns = [&] { return now.load(); };
  auto opened = Store::open(std::move(options));
  REQUIRE(opened);
  Store& store = **opened;
  std::vector<KvWrite> full;
  for (int i = 0; i < 15; ++i) full.push_back({"k" + std::to_string(i), value(kv_value_max), i == 0 ? noon + minute : 0});
  for (int round = 0; round < 5; ++round) REQUIRE(write(store, full));
  const KvWrite two_more[] = {{"x", value(kv_value_max), 0}, {"y", value(kv_value_max), 0}};
  CHECK_FALSE(write(store, {two_more[0], two_more[1]}));
  CHECK(write(store, {two_more[0], two_more[1], {"k1", {}, 0}, {"k2", {}, 0}}));
  now = noon + minute;
  CHECK(content(store).entries.size() == 14);  // of the 15 that are there, one is past its time
  CHECK(write(store, {{"z", value(kv_value_max), 0}}));
  CHECK(content(store).entries.size() == 15);
  CHECK_FALSE(write(store, {{"zz", value(kv_value_max), 0}}));
}

TEST_CASE("an accepted call is applied together or not at all, and repeats without its kv", "[store]") {
  const Scratch scratch;
  const auto store = open_at(scratch / "state");
  REQUIRE(claim(*store, web, noon));
  const auto letter = must<Posted>(*store, &Store::post_inbox, web, InboxEvent{0, "start", 0, "hello", 0}).id;
  CallEffects effects{web, "http", 2, {{"k", value(kv_value_max + 1), 0}}, {letter}, noon, "ok", {event_of("called")}};

  const auto refused = ask<Unit>(*store, &Store::accept_call, effects);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::range);
  CHECK(must<std::vector<Slot>>(*store, &Store::load_started_slots).size() == 1);
  CHECK(must<std::vector<InboxEvent>>(*store, &Store::peek_inbox, web, std::int64_t{9}).size() == 1);
  CHECK(count_of(journal(*store), "test") == 0);

  effects.kv.clear();
  REQUIRE(ask<Unit>(*store, &Store::accept_call, effects));
  CHECK(must<std::vector<Slot>>(*store, &Store::load_started_slots).empty());
  CHECK(must<std::vector<InboxEvent>>(*store, &Store::peek_inbox, web, std::int64_t{9}).empty());
  CHECK(count_of(journal(*store), "test") == 1);

  effects.kv = {{"k", "late", 0}};
  const auto twice = ask<Unit>(*store, &Store::accept_call, effects);
  REQUIRE_FALSE(twice);
  CHECK(twice.error().code() == Errc::not_found);
  CHECK(content(*store).entries.empty());
  CHECK(count_of(journal(*store), "test") == 1);
}
