// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "agent/store/support.hpp"
#include "catch.hpp"

using namespace ronda;
using namespace ronda::store;
using namespace ronda::store::test;

namespace {

const InstanceId job{"check", "nightly"}, other{"check", "other"};

Result<std::int64_t> post(Store& store, const std::string& event, const std::string& text) {
  const auto posted = ask<Posted>(store, &Store::post_inbox, job, InboxEvent{0, event, 3, text, 0});
  if (!posted) return posted.error();
  return posted->id;
}
std::vector<InboxEvent> peek(Store& store, std::int64_t limit = 10'000) {
  return must<std::vector<InboxEvent>>(store, &Store::peek_inbox, job, limit);
}

}  // namespace

TEST_CASE("an inbox keeps its order until the events are taken, and gives no id twice", "[store]") {
  const Scratch scratch;
  std::int64_t second = 0;
  {
    const auto store = open_at(scratch / "state");
    const auto first = post(*store, "start", std::string("a\0b", 3));
    REQUIRE(first);
    second = *post(*store, "success", "");
    CHECK(second > *first);
    CHECK(peek(*store, 1).size() == 1);
    REQUIRE(ask<Unit>(*store, &Store::remove_inbox, other, std::vector{*first}));  // not theirs
    CHECK(peek(*store).size() == 2);
    CHECK(must<Ids>(*store, &Store::load_inbox_owners) == Ids{job});
  }
  const auto store = open_at(scratch / "state");
  const auto events = peek(*store);
  REQUIRE(events.size() == 2);
  CHECK(events[0].text == std::string("a\0b", 3));
  CHECK(events[0].event == "start");
  CHECK(events[0].code == 3);
  CHECK(events[0].wall == noon);
  REQUIRE(ask<Unit>(*store, &Store::remove_inbox, job, std::vector{events[0].id, events[1].id, std::int64_t{12345}}));
  CHECK(peek(*store).empty());
  CHECK(must<Ids>(*store, &Store::load_inbox_owners).empty());
  CHECK(*post(*store, "start", "") > second);
}

TEST_CASE("a full inbox gives up its oldest heartbeat first, then its oldest event; a long text is refused", "[store]") {
  const Scratch scratch;
  const auto store = open_at(scratch / "state");
  std::atomic<int> answered{0}, given_up{0};
  const auto post_many = [&](const std::string& event, int count) {
    answered = 0;
    for (int i = 0; i < count; ++i) {
      store->post_inbox(job, {0, event, 0, std::to_string(i), 0}, [&](Result<Posted> posted) {
        if (posted && posted->gave_up_one) ++given_up;
        answered += posted ? 1 : 0;
      });
    }
    return wait_for([&] { return answered == count; });
  };
  REQUIRE(post_many("fail", 400));
  REQUIRE(post_many("heartbeat", 600));
  CHECK(given_up == 0);
  REQUIRE(post_many("log", 601));
  CHECK(given_up == 601);
  const auto events = peek(*store);
  CHECK(events.size() == static_cast<std::size_t>(inbox_events_max));
  std::set<std::string> kinds;
  for (const InboxEvent& event : events) kinds.insert(event.event);
  CHECK(kinds == std::set<std::string>{"fail", "log"});
  CHECK(events.front().text == "1");  // the 601st cost the oldest of all

  const auto refused = post(*store, "log", std::string(inbox_text_max + 1, 'x'));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::range);
  CHECK(refused.error().message() == "inbox of check 'nightly': a text has at most 65536 bytes, this one 65537");
  CHECK(post(*store, "log", std::string(inbox_text_max, 'x')));
}

TEST_CASE("the journal gives every event an id, a host and a time, and takes JSON only", "[store]") {
  const Scratch scratch;
  std::string host;
  {
    const auto store = open_at(scratch / "state");
    host = store->report().host;
    REQUIRE(append(*store, "first"));
    JournalEvent own = event_of("second");
    own.id = "own-id", own.host = "elsewhere", own.wall = 5, own.data = R"({"n":1})";
    REQUIRE(ask<Unit>(*store, &Store::append_journal, own));
    CHECK(ask<Unit>(*store, &Store::append_journal, own));  // once more, as where nobody knew whether it was kept
    CHECK(journal(*store).size() == 2);
    own.id.clear(), own.data = "{";
    CHECK(ask<Unit>(*store, &Store::append_journal, own).error().code() == Errc::invalid);
    own.data = "\"" + std::string(journal_data_max, 'x') + "\"";
    CHECK(ask<Unit>(*store, &Store::append_journal, own).error().code() == Errc::range);
  }
  const auto store = open_at(scratch / "state");
  CHECK(store->report().host == host);
  const auto events = journal(*store);
  REQUIRE(events.size() == 2);
  CHECK(events[0].id == "own-id");
  CHECK(events[0].host == "elsewhere");
  CHECK(events[0].data == R"({"n":1})");
  CHECK(events[1].subject == "first");
  CHECK(events[1].host == host);
  CHECK(events[1].wall == noon);
  CHECK(events[1].id.size() == 36);
  CHECK(must<std::vector<JournalEvent>>(*store, &Store::load_journal, std::int64_t{1}).at(0).subject == "second");
}

TEST_CASE("a quarantine is kept until it is cleared", "[store]") {
  const Scratch scratch;
  {
    const auto store = open_at(scratch / "state");
    REQUIRE(ask<Unit>(*store, &Store::put_quarantine, Quarantine{"plugin/http", "crashed", 1, 2, "f1"}));
    REQUIRE(ask<Unit>(*store, &Store::put_quarantine, Quarantine{"check/api", "hung", 1, 2, "f1"}));
    REQUIRE(ask<Unit>(*store, &Store::put_quarantine, Quarantine{"plugin/http", "crashed 5 times", 1, 9, "f2"}));
    REQUIRE(ask<Unit>(*store, &Store::clear_quarantine, std::string("check/api")));
    REQUIRE(ask<Unit>(*store, &Store::clear_quarantine, std::string("check/api")));
  }
  const auto store = open_at(scratch / "state");
  const auto kept = must<std::vector<Quarantine>>(*store, &Store::load_quarantines);
  REQUIRE(kept.size() == 1);
  CHECK(kept[0].subject == "plugin/http");
  CHECK(kept[0].reason == "crashed 5 times");
  CHECK(kept[0].probe_at == 9);
  CHECK(kept[0].fingerprint == "f2");
}
