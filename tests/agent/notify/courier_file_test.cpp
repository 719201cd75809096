// SPDX-License-Identifier: Apache-2.0
// The store's file has what was refused, or has no more what was promised.
#include <algorithm>

#include "agent/notify/courier_support.hpp"
#include "agent/store/faulty_vfs.hpp"
#include "catch.hpp"

using namespace ronda;
using namespace ronda::notify;
using namespace ronda::notify::test;
using store::OutboxState;
using store::test::FaultyVfs;
using store::test::Scratch;

TEST_CASE("a message that is delivered before the store, whose sync failed, finds its decision in the file after all, is delivered", "[notify]") {
  const Scratch scratch;
  FaultyVfs vfs;
  Post post(scratch / "state", vfs.name());
  REQUIRE(post.start());
  REQUIRE(post.send({envelope("before", "mail")}));  // the WAL has its header: what fails is the sync of the commit
  vfs.fail_sync(1);
  REQUIRE_FALSE(post.send({envelope("a")}));
  REQUIRE(vfs.failed());
  REQUIRE(post.client.parcels.size() == 2);
  post.courier->on_result("a", 1, delivered());
  REQUIRE(post.loop.run_until([&] {
    post.client.now += second_ns;
    post.courier->tick();
    return post.courier->is_durable();
  }));
  CHECK(post.stored({"a"}).at(0).state == OutboxState::delivered);
}

TEST_CASE("a message whose text only a damaged store had is told with what is known of it, and holds nothing up", "[notify]") {
  const Scratch scratch;
  store::OutboxRow later = envelope("a");
  later.next_at = noon + 2 * 3600 * second_ns;  // quiet hours
  {
    Post post(scratch / "state");
    REQUIRE(post.start());
    REQUIRE(post.send({later}));
  }
  {
    Post post(scratch / "state");
    REQUIRE(post.start());
    post.wait_stored();
    REQUIRE(post.client.parcels.empty());
    store::test::write_bytes(scratch / "state/ronda.db", std::string(20'000, 'x'));
    const bool is_fresh = store::test::wait_for([&] {
      post.store->append_journal(store::test::event_of("looks"), [](auto) {});
      post.wait_stored();
      return post.store->health().state != store::HealthState::failed && post.stored({"a"}).empty();
    });
    REQUIRE(is_fresh);
    post.client.now = later.next_at + second_ns;
    post.courier->tick();
    REQUIRE(post.loop.run_until([&] { return post.client.parcels.size() == 1; }));
    const Parcel parcel = post.client.parcels[0];
    CHECK(parcel.id == "a");
    CHECK(parcel.text.title == "title of a");
    CHECK(parcel.text.body.find("was lost with a damaged store") != std::string::npos);
    post.courier->on_result(parcel.id, parcel.number, retry());
    post.wait_stored();
    REQUIRE(post.stored({"a"}).size() == 1);
    CHECK(post.stored({"a"})[0].state == OutboxState::queued);  // and the next life knows of it
    CHECK(post.stored({"a"})[0].text.body == parcel.text.body);
    REQUIRE(post.send({envelope("b")}));
    post.next();
    CHECK(post.client.parcels.size() == 2);
  }
}
