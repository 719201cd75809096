// SPDX-License-Identifier: Apache-2.0
// kill -9 of a whole agent at random moments, now and then of its sinks or of a process of its own, under a load of alerts from
// outside: nothing that it took is lost, what came twice was on its way at a kill, each incident is told in order. And the eyes
// that say so find each mistake in ledgers that have one.
#include <atomic>
#include <iostream>
#include <random>
#include <thread>
#include <utility>

#include "catch.hpp"
#include "kill_bench.hpp"

using namespace ronda;
using namespace ronda::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t most_open = 12;  // alerts at a time
constexpr int most_runners = 4;        // are killed: with the fifth in ten minutes its plugin were in quarantine
constexpr auto between_posts = 40ms;   // a little more than the notifiers can tell

/// Posts until it ends, each step until the agent took it, as Alertmanager does.
class Poster {
 public:
  Poster(const KillBench& bench, unsigned seed) : bench_(bench), random_(seed), thread_([this] { run(); }) {}
  ~Poster() { finish(); }
  Poster(const Poster&) = delete;
  Poster& operator=(const Poster&) = delete;

  void finish() {
    ends_ = true;
    if (thread_.joinable()) thread_.join();
  }

 private:
  struct Alert {
    std::string name;
    std::size_t step = 0;
  };

  void run() {
    while (!ends_) {
      if (open_.size() < most_open) open_.push_back({"A" + std::to_string(++count_)});
      Alert& one = open_[random_() % open_.size()];
      while (!ends_ && !bench_.post(one.name, one.step)) std::this_thread::sleep_for(5ms);  // there may be no agent just now
      if (++one.step == 3) std::swap(one, open_.back()), open_.pop_back();
      std::this_thread::sleep_for(between_posts);
    }
  }

  const KillBench& bench_;
  std::mt19937 random_;
  std::vector<Alert> open_;
  int count_ = 0;
  std::atomic<bool> ends_{false};
  std::thread thread_;
};

/// "  2 messages on their way: 5 kills", one line each.
std::string histogram_of(const std::vector<std::size_t>& flying) {
  std::map<std::size_t, int> counts;
  for (const std::size_t one : flying) ++counts[one];
  std::string out;
  for (const auto& [messages, kills] : counts)
    out += "\n  " + std::to_string(messages) + " messages on their way: " + std::to_string(kills) + " kills";
  return out;
}

void kill_once(KillBench& bench, std::mt19937& random, int& runners) {
  const auto dice = random() % 100;
  // the moment of the kill; nothing is awaited
  const auto pass = [&](unsigned most_ms) { std::this_thread::sleep_for(std::chrono::milliseconds(random() % most_ms)); };
  if (dice < 15) {
    pass(600);
    bench.kill_sink();
  } else if (dice < 30 && runners < most_runners) {
    ++runners;
    pass(600);
    bench.kill_below(random());
  } else if (dice < 45) {  // while it takes up what it finds
    pass(900);
    bench.kill_agent();
    bench.agent().launch();
    pass(500);
    bench.kill_agent();
    REQUIRE(bench.start());
  } else if (dice < 55) {  // is no kill: what comes twice after it is a mistake
    pass(900);
    bench.stop_agent();
    REQUIRE(bench.start());
  } else {
    pass(900);
    bench.kill_agent();
    REQUIRE(bench.start());
  }
}

bool is_owed(const Ledgers& all, const Receipt& receipt) {
  return std::ranges::any_of(all.accepted, [&](const Promise& one) { return one.alert == receipt.alert && one.event == receipt.event; });
}

/// A receipt of which there is one, and whose message no kill found on its way.
const Receipt& quiet_receipt(const Ledgers& all, std::mt19937& random) {
  std::map<std::string, int> times;
  for (const Receipt& one : all.received) ++times[one.id];
  std::vector<const Receipt*> out;
  for (const Receipt& one : all.received) {
    if (times[one.id] == 1 && !all.in_flight.contains(one.id) && is_owed(all, one)) out.push_back(&one);
  }
  REQUIRE_FALSE(out.empty());
  return *out[random() % out.size()];
}

/// What an agent with a mistake would have left in these ledgers of one without; each is found, and nothing else.
void check_plants(const Ledgers& right, std::mt19937& random) {
  REQUIRE(find_wrong(right).empty());
  Ledgers planted;
  const auto check_found = [&](const std::string& plant, std::vector<std::string> expected) {
    INFO(plant);
    std::vector<std::string> found = find_wrong(planted);
    std::ranges::sort(found);
    std::ranges::sort(expected);
    CHECK(found == expected);
    planted = right;
  };
  const auto said = [](const Receipt& one) { return one.notifier + " " + one.alert + " " + one.event; };
  const auto forget = [&](const auto& is_it) { std::erase_if(planted.received, is_it); };
  for (int i = 0; i < 20; ++i) {
    planted = right;
    // it said yes and committed later: a kill in between, and nobody ever hears of it
    const Promise& lost = right.accepted[random() % right.accepted.size()];
    forget([&](const Receipt& one) { return one.alert == lost.alert && one.event == lost.event; });
    std::vector<std::string> expected;
    for (const std::string& notifier : right.notifiers) expected.push_back("lost: " + notifier + " " + lost.alert + " " + lost.event);
    check_found("acknowledged before the commit", expected);

    const Receipt& one = quiet_receipt(right, random);
    forget([&](const Receipt& other) { return other.id == one.id; });
    check_found("forgot a message that waited", {"lost: " + said(one)});
    planted.received.push_back({one.notifier, one.alert, one.event, one.id, one.attempt + 1});
    check_found("sent once more what had arrived", {"too often: " + one.id});
    planted.received.push_back({one.notifier, one.alert, one.event, one.id + "'", 1});
    planted.stored.insert(one.id + "'");
    check_found("sent by a new id", {"told anew: " + said(one) + " as " + one.id + " and " + one.id + "'"});
    planted.stored.erase(one.id);
    check_found("sent before it was stored", {"never stored: " + one.id});
    planted.received.push_back(one);
    check_found("did not count its attempts",
                {"number twice: " + one.id + " attempt " + std::to_string(one.attempt), "too often: " + one.id});
  }
  // of what was on its way at a kill the next life remembers nothing
  const auto flying =
      std::ranges::find_if(right.received, [&](const Receipt& one) { return right.in_flight.contains(one.id) && is_owed(right, one); });
  REQUIRE(flying != right.received.end());
  forget([&](const Receipt& one) { return one.id == flying->id; });
  check_found("forgot what was on its way", {"lost: " + said(*flying)});
  // an end overtakes its beginning
  const auto end =
      std::ranges::find_if(right.received, [&](const Receipt& one) { return one.alert != "-" && one.event == right.events.back(); });
  REQUIRE(end != right.received.end());
  planted.received.insert(planted.received.begin(), *end);
  planted.received.erase(planted.received.begin() + (end - right.received.begin()) + 1);
  const std::vector<std::string> found = find_wrong(planted);
  CHECK_FALSE(found.empty());
  CHECK(std::ranges::all_of(
      found, [&](const std::string& line) { return line.starts_with("out of order: " + end->notifier + " " + end->alert + " "); }));
}

/// So many kills; the limit is only for a machine on which they do not come about.
void check_kills(std::size_t kills, std::chrono::seconds limit, unsigned seed) {
  const auto end = std::chrono::steady_clock::now() + limit;
  INFO("RONDA_TEST_SEED=" << seed);
  std::mt19937 random(seed);
  KillBench bench({"a", "b", "c"}, 20);
  REQUIRE(bench.start());
  int runners = 0;
  {
    Poster poster(bench, seed);
    while (bench.flying().size() < kills && std::chrono::steady_clock::now() < end) kill_once(bench, random, runners);
  }
  CHECK(eventually([&] { return bench.is_drained(); }, 120s));
  CHECK(bench.agent().stop() == 0);
  CHECK(bench.said_wrong() == "");
  const Ledgers all = bench.ledgers();
  const auto hits = std::ranges::count_if(bench.flying(), [](std::size_t messages) { return messages > 0; });
  const std::vector<std::string> wrong = find_wrong(all);
  std::cout << bench.flying().size() << " kills of " << kills << ", " << all.accepted.size() << " steps of alerts accepted, "
            << all.received.size() << " messages received, "
            << std::ranges::count_if(wrong, [](const std::string& line) { return line.starts_with("lost: "); }) << " lost, "
            << count_repeats(all) << " received once more" << histogram_of(bench.flying()) << std::endl;
  CHECK(bench.flying().size() >= kills);
  CHECK(all.accepted.size() > bench.flying().size());
  CHECK(hits * 10 >= std::ssize(bench.flying()) * 3);
  check_plants(bench.last_ledgers(), random);
}

}  // namespace

TEST_CASE("a whole agent that is killed loses no alert that it took, repeats only what was on its way and keeps the order", "[whole]") {
  check_kills(12, 120s, seed_of_run());
}

TEST_CASE("a whole agent that is killed a thousand times loses no alert that it took, repeats only what was on its way", "[.long]") {
  // five stores of 200 kills each: all that was received is kept to be looked at, and copying that takes longer the more it is
  const unsigned seed = seed_of_run();
  for (unsigned i = 0; i < 5; ++i) check_kills(200, 600s, seed + i);
}

TEST_CASE("an agent that forgets at a kill what it took is found out", "[whole]") {
  KillBench bench(std::vector<std::string>{"a"}, 300);
  REQUIRE(bench.start());
  for (const char* alert : {"A1", "A2", "A3", "A4", "A5"}) REQUIRE(bench.post(alert, 0));
  bench.kill_agent();
  std::filesystem::remove_all(bench.agent().state_directory());  // the plant
  std::filesystem::create_directory(bench.agent().state_directory());
  std::filesystem::permissions(bench.agent().state_directory(), std::filesystem::perms(0700));
  REQUIRE(bench.start());
  CHECK_FALSE(bench.is_told());
  CHECK(bench.agent().stop() == 0);
  CHECK(bench.said_wrong().find("lost: a A5 open:p2\n") != std::string::npos);
}

TEST_CASE("what an agent does wrong with what waited or was on its way at a kill is found out", "[whole]") {
  struct Row {
    std::string mistake, statement, found;
  };
  const auto row = GENERATE(values<Row>({
      {"it forgets what waited", "DELETE FROM outbox WHERE state = 0", "lost: a A"},
      {"it forgets that it had told", "UPDATE outbox SET state = 0, attempts = 0 WHERE state = 2", "too often: "},
      {"it goes on by another id", "UPDATE outbox SET id = 'new-' || id WHERE state = 1", "told anew: a A"},
      {"it counts no attempt", "UPDATE outbox SET attempts = 0 WHERE state = 1", "number twice: "},
  }));
  INFO(row.mistake);
  KillBench bench(std::vector<std::string>{"a"}, 300);
  REQUIRE(bench.start());
  for (const char* alert : {"A1", "A2", "A3", "A4", "A5"}) REQUIRE(bench.post(alert, 0));
  const auto received = [&] { return bench.ledgers().received.size(); };
  // one has arrived and is known to have, and the next is on its way: it is in the ledger and has no answer yet
  REQUIRE(eventually([&] {
    const json::value rows = bench.agent().get("/v1/outbox?limit=500");
    const auto delivered = !rows.is_array() ? 0 : std::ranges::count_if(rows.as_array(), [](const json::value& one) {
      return one.at("state").as_string() == "delivered";
    });
    return delivered > 0 && std::cmp_less(delivered, received());
  }));
  bench.kill_agent();
  REQUIRE(bench.plant(row.statement) >= 1);
  REQUIRE(bench.start());
  const std::size_t by_then = received();
  eventually([&] { return bench.is_drained() && received() > by_then; }, row.found == "lost: a A" ? 3s : 30s);
  CHECK(bench.agent().stop() == 0);
  CHECK(bench.said_wrong().find(row.found) != std::string::npos);
}

TEST_CASE("ledgers with a mistake are found out, each with its own", "[whole]") {
  Ledgers right;
  right.notifiers = {"a", "b"};
  right.events = {"open:p2", "resolve:p2"};
  right.accepted = {{"A1", "open:p2"}, {"A1", "resolve:p2"}, {"A2", "open:p2"}};
  right.received = {{"a", "A1", "open:p2", "i1/a", 1}, {"b", "A1", "open:p2", "i1/b", 1},    {"a", "A2", "open:p2", "i2/a", 1},
                    {"a", "A2", "open:p2", "i2/a", 2}, {"a", "A1", "resolve:p2", "e1/a", 1}, {"b", "A2", "open:p2", "i2/b", 1},
                    {"b", "-", "open:p3", "x/b", 1},   {"b", "A1", "resolve:p2", "e1/b", 1}};
  right.in_flight = {{"i2/a", 1}, {"i1/b", 1}};
  right.stored = {"i1/a", "i1/b", "i2/a", "i2/b", "e1/a", "e1/b", "x/b"};
  CHECK(find_wrong(right).empty());
  CHECK(count_repeats(right) == 1);

  Ledgers planted = right;
  const auto is_found = [&](const std::string& what) { return find_wrong(planted) == std::vector<std::string>{what}; };
  SECTION("one sink of two did not get it") {
    planted.received.erase(planted.received.begin() + 5);
    CHECK(is_found("lost: b A2 open:p2"));
  }
  SECTION("one was received twice and was not on its way at a kill") {
    planted.received.push_back({"b", "A2", "open:p2", "i2/b", 2});
    CHECK(is_found("too often: i2/b"));
  }
  SECTION("one was received more often than kills found it on its way") {
    planted.received.push_back({"a", "A2", "open:p2", "i2/a", 3});
    CHECK(is_found("too often: i2/a"));
  }
  SECTION("one came again by the same number") {
    planted.received[3].attempt = 1;
    CHECK(is_found("number twice: i2/a attempt 1"));
  }
  SECTION("one came again under another id") {
    planted.received.push_back({"a", "A1", "open:p2", "i3/a", 1});
    planted.stored.insert("i3/a");
    CHECK(is_found("told anew: a A1 open:p2 as i1/a and i3/a"));
  }
  SECTION("one came without its text") {
    planted.received.back().alert = "?";
    CHECK(find_wrong(planted) == std::vector<std::string>{"lost: b A1 resolve:p2", "without its text: e1/b"});
  }
  SECTION("one was sent and is not in the store") {
    planted.stored.erase("e1/b");
    CHECK(is_found("never stored: e1/b"));
  }
  SECTION("the end came before the beginning") {
    std::swap(planted.received[0], planted.received[4]);
    CHECK(is_found("out of order: a A1 resolve:p2"));
  }
}
