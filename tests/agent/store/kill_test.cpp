// SPDX-License-Identifier: Apache-2.0
// kill -9 at random moments: what was acknowledged is there, no slot was given out twice, the file is whole.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <random>
#include <set>
#include <sstream>

#include "agent/store/support.hpp"
#include "catch.hpp"
#include "store/database.hpp"

using namespace ronda;
using namespace ronda::store;
using namespace ronda::store::test;

namespace {

/// A writer as a process of its own, and all that it said.
class Writer {
 public:
  Writer(const std::string& state, std::int64_t first) {
    int ends[2] = {-1, -1};
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const std::string program = RONDA_BINARY_DIR "/tests/agent/store/store_writer", number = std::to_string(first);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(ends[1], STDOUT_FILENO);
      ::execl(program.c_str(), "store_writer", state.c_str(), number.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(ends[1]);
    out_ = ends[0];
  }
  ~Writer() {
    if (pid_ > 0) kill();
    ::close(out_);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  /// Reads what there is; false at the end of the output.
  bool read_some() {
    char buffer[65536];
    const ssize_t size = ::read(out_, buffer, sizeof buffer);
    if (size <= 0) return false;
    said_.append(buffer, static_cast<std::size_t>(size));
    return true;
  }
  void kill() {
    ::kill(pid_, SIGKILL);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    CHECK(WIFSIGNALED(status));
    while (read_some()) {
    }
  }
  const std::string& said() const { return said_; }

 private:
  pid_t pid_ = -1;
  int out_ = -1;
  std::string said_;
};

struct Ledger {
  std::set<std::int64_t> events, slots;
  int doubled = 0;

  void take(const std::string& said) {
    std::istringstream lines(said);
    std::string what;
    for (std::int64_t number = 0; lines >> what >> number;) {
      if (what == "event") events.insert(number);
      if (what == "slot" && !slots.insert(number).second) ++doubled;
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
    Writer writer(state, std::int64_t{1'000'000} * round);
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

TEST_CASE("30 kills of a writing agent lose nothing that was acknowledged and double no slot", "[store]") {
  kill_writers(30, 3);
}

TEST_CASE("1000 kills of a writing agent lose nothing that was acknowledged and double no slot", "[store][.long]") {
  kill_writers(1000, 100);
}
