// SPDX-License-Identifier: Apache-2.0
// When and where callers are answered, and what closing means.
#include <mutex>

#include "agent/store/support.hpp"
#include "catch.hpp"

using namespace ronda;
using namespace ronda::store;
using namespace ronda::store::test;

namespace {

/// A caller's loop: what was posted waits until it is run, by the thread that runs it.
class Loop {
 public:
  void post(std::function<void()> work) {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(work));
  }
  std::size_t run() {
    std::vector<std::function<void()>> now;
    {
      const std::lock_guard lock(mutex_);
      std::swap(now, posted_);
    }
    for (const auto& work : now) work();
    return now.size();
  }
  bool empty() const {
    const std::lock_guard lock(mutex_);
    return posted_.empty();
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::function<void()>> posted_;
};

std::unique_ptr<Store> open_with(Loop& loop, const std::string& directory) {
  Options options = options_at(directory);
  options.post = [&loop](std::function<void()> work) { loop.post(std::move(work)); };
  auto store = Store::open(std::move(options));
  REQUIRE(store);
  return *std::move(store);
}

}  // namespace

TEST_CASE("each call is answered once, in order, on the thread of the caller's loop", "[store]") {
  const Scratch scratch;
  Loop loop;
  const auto store = open_with(loop, scratch / "state");
  const auto caller = std::this_thread::get_id();
  std::vector<int> answered;
  for (int i = 0; i < 2000; ++i) {
    store->append_journal(event_of(std::to_string(i)), [&, i](Result<Unit> result) {
      CHECK(result);
      CHECK(std::this_thread::get_id() == caller);
      answered.push_back(i);
    });
  }
  CHECK(answered.empty());
  REQUIRE(wait_for([&] {
    loop.run();
    return answered.size() >= 2000;
  }));
  store->close();
  loop.run();
  REQUIRE(answered.size() == 2000);
  CHECK(std::is_sorted(answered.begin(), answered.end()));
}

TEST_CASE("close finishes what is queued; later calls are answered unavailable, and only by post", "[store]") {
  const Scratch scratch;
  Loop loop;
  const auto store = open_with(loop, scratch / "state");
  int good = 0, late = 0;
  for (int i = 0; i < 3000; ++i) store->append_journal(event_of("x"), [&](Result<Unit> result) { good += result ? 1 : 0; });
  store->observe({{"check", "a"}, 0, "", "", 0, 0, 0, 0}, {1, 1, 0, ""});
  store->close();
  CHECK(good == 0);  // answered, and not yet told
  loop.run();
  CHECK(good == 3000);

  const auto is_late = [&](const auto& result) {
    REQUIRE_FALSE(result);
    CHECK(result.error().code() == Errc::unavailable);
    CHECK(result.error().message() == "the store does not work: it is closed");
    ++late;
  };
  store->append_journal(event_of("late"), is_late);
  store->load_instances(is_late);
  store->flush(is_late);
  store->backup(scratch / "copy", is_late);
  store->observe({{"check", "b"}, 0, "", "", 0, 0, 0, 0}, {1, 1, 0, ""});
  CHECK(late == 0);
  loop.run();
  CHECK(late == 4);
  store->close();
  CHECK(loop.empty());

  const auto next = open_at(scratch / "state");
  CHECK(next->report().clean_shutdown);
  CHECK(count_of(journal(*next), "test") == 3000);
  CHECK(must<std::vector<InstanceState>>(*next, &Store::load_instances).size() == 1);
}

TEST_CASE("a call that fails takes nothing of its neighbours in the same transaction with it", "[store]") {
  const Scratch scratch;
  const auto store = open_at(scratch / "state");
  std::atomic<int> good{0}, bad{0};
  for (int i = 0; i < 200; ++i) {
    JournalEvent event = event_of("x");
    if (i % 2 == 1) event.data = "not JSON";
    store->append_journal(event, [&](Result<Unit> result) { ++(result ? good : bad); });
  }
  REQUIRE(wait_for([&] { return good + bad == 200; }));
  CHECK(good == 100);
  CHECK(bad == 100);
  CHECK(count_of(journal(*store), "test") == 100);
  CHECK(store->health().state == HealthState::ok);
}

TEST_CASE("a queue that is too long refuses, and says so by post", "[store]") {
  const Scratch scratch;
  Loop loop;
  const auto store = open_with(loop, scratch / "state");
  const std::string large = "\"" + std::string(journal_data_max - 2, 'x') + "\"";
  int good = 0, refused = 0;
  for (int i = 0; i < 2500; ++i) {  // 160 MiB, over twice what waits at most
    JournalEvent event = event_of("x");
    event.data = large;
    store->append_journal(std::move(event), [&](Result<Unit> result) { ++(result ? good : refused); });
  }
  CHECK(refused == 0);
  store->close();
  loop.run();
  CHECK(good + refused == 2500);
  CHECK(good >= 1000);
  const auto next = open_at(scratch / "state");
  CHECK(count_of(must<std::vector<JournalEvent>>(*next, &Store::load_journal, std::int64_t{3000}), "test") ==
        static_cast<std::size_t>(good));
}
