// SPDX-License-Identifier: Apache-2.0
// What a courier says of the others of a message when one of it failed for good: from memory, from the store of a life before, and
// while there is no store.
#include <algorithm>
#include <map>

#include "agent/notify/courier_support.hpp"
#include "agent/store/faulty_vfs.hpp"
#include "catch.hpp"

using namespace ronda;
using namespace ronda::notify;
using namespace ronda::notify::test;
using store::OutboxState;
using store::test::FaultyVfs;
using store::test::Scratch;

namespace {

std::vector<store::OutboxRow> call(const std::string& name = "INC/n1") {
  return {envelope(name + "/mail", "mail"), envelope(name + "/sms", "sms"), envelope(name + "/slack", "slack"),
          envelope(name + "/all/log", "log")};  // another message, though its name begins so
}

void end(Post& post, const std::string& id, const Delivery& delivery) {
  const auto found = std::ranges::find(post.client.parcels, id, &Parcel::id);
  REQUIRE(found != post.client.parcels.end());
  post.client.others.clear();
  const Parcel parcel = *found;
  post.client.parcels.erase(found);
  post.end(parcel, delivery);
}

using Known = std::map<std::string, OutboxState>;
Known known(const Post& post) {
  Known out;
  for (const store::OutboxRow& row : post.client.others) {
    CHECK(row.contact == "cto");
    CHECK(row.text.body.empty());
    out[row.id + " by " + row.notifier] = row.state;
  }
  return out;
}

}  // namespace

TEST_CASE("with what failed for good the others of its message are named, also those that ended in a life before", "[notify]") {
  const bool restarts = GENERATE(false, true);
  const bool arrives = GENERATE(false, true);
  CAPTURE(restarts, arrives);
  const Scratch scratch;
  auto post = std::make_unique<Post>(scratch / "state");
  REQUIRE(post->start());
  REQUIRE(post->send(call()));
  end(*post, "INC/n1/mail", arrives ? delivered() : dropped());
  if (!arrives) CHECK(known(*post) == Known{{"INC/n1/slack by slack", OutboxState::queued}, {"INC/n1/sms by sms", OutboxState::queued}});
  if (restarts) {
    post.reset();
    post = std::make_unique<Post>(scratch / "state");
    post->client.now += minute_ns;
    REQUIRE(post->start());
    post->wait_stored();
  }
  const OutboxState mail = arrives ? OutboxState::delivered : OutboxState::dead;
  end(*post, "INC/n1/sms", dropped());
  CHECK(known(*post) == Known{{"INC/n1/slack by slack", OutboxState::queued}, {"INC/n1/mail by mail", mail}});
  end(*post, "INC/n1/slack", dropped());
  CHECK(known(*post) == Known{{"INC/n1/sms by sms", OutboxState::dead}, {"INC/n1/mail by mail", mail}});
  // nothing of it is owed any more, and a person sends one of them again
  bool revived = false;
  post->courier->revive("INC/n1/sms", [&](const Result<Unit>& result) { revived = result.has_value(); });
  post->wait_stored();
  REQUIRE(revived);
  post->next();
  end(*post, "INC/n1/sms", dropped());
  CHECK(known(*post) == Known{{"INC/n1/slack by slack", OutboxState::dead}, {"INC/n1/mail by mail", mail}});
}

TEST_CASE("what took the place of one is one of the others from then on, over a restart too", "[notify]") {
  const bool restarts = GENERATE(false, true);
  CAPTURE(restarts);
  const Scratch scratch;
  auto post = std::make_unique<Post>(scratch / "state");
  REQUIRE(post->start());
  REQUIRE(post->send({envelope("INC/n1/mail", "mail"), envelope("INC/n1/sms", "sms")}));
  post->client.fallback = [](const store::OutboxRow& failed) {
    return failed.notifier == "mail" ? std::vector{envelope("INC/n1/pager", "pager")} : std::vector<store::OutboxRow>();
  };
  end(*post, "INC/n1/mail", dropped());
  end(*post, "INC/n1/pager", delivered());
  if (restarts) {
    post.reset();
    post = std::make_unique<Post>(scratch / "state");
    post->client.now += minute_ns;
    REQUIRE(post->start());
    post->wait_stored();
  }
  end(*post, "INC/n1/sms", dropped());
  CHECK(known(*post) == Known{{"INC/n1/mail by mail", OutboxState::dead}, {"INC/n1/pager by pager", OutboxState::delivered}});
}

TEST_CASE("while the store takes nothing the others are known as this life saw them", "[notify]") {
  const Scratch scratch;
  FaultyVfs vfs;
  Post post(scratch / "state", vfs.name());
  REQUIRE(post.start());
  vfs.fail_writes(1, 1'000'000, SQLITE_IOERR_WRITE);
  std::ignore = post.send(call());
  end(post, "INC/n1/mail", delivered());
  end(post, "INC/n1/slack", dropped());
  CHECK(known(post) == Known{{"INC/n1/sms by sms", OutboxState::queued}, {"INC/n1/mail by mail", OutboxState::delivered}});
  end(post, "INC/n1/sms", dropped());
  CHECK(known(post) == Known{{"INC/n1/slack by slack", OutboxState::dead}, {"INC/n1/mail by mail", OutboxState::delivered}});
  vfs.fail_writes(0, 0, 0);
}
