// SPDX-License-Identifier: Apache-2.0
// The timetable in a world with a virtual clock: random instances, runs, reloads, stalls, suspends and steps
// of the wall clock; after each look what must always hold is checked against a book kept beside.
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>

#include "schedule/spread.hpp"
#include "schedule/timetable.hpp"
#include "support.hpp"

using namespace ronda;
using namespace ronda::schedule;
using namespace std::chrono_literals;

namespace {

/// What must hold and did not.
struct Broken : std::runtime_error {
  using std::runtime_error::runtime_error;
};

template <class... Parts>
[[noreturn]] void broken(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  throw Broken(out.str());
}

/// What may be planted between the timetable and the book, to see that it is found.
enum class Fault : std::uint8_t { none, lost_slot, doubled_slot, lost_turn, doubled_turn };

struct Book {
  Spec spec;
  Nanos next_turn{};                     // every: the turn that must be told next
  std::set<sys_seconds> told;            // slots: run or skipped
  std::optional<sys_seconds> accounted;  // slots: without steps, all up to here were told
  bool running = false;
  Nanos ends{};
};

class Simulation {
 public:
  Simulation(std::uint64_t seed, bool steps, Fault fault = Fault::none)
      : random_(seed), steps_(steps), fault_(fault), table_({20ms, utc("2026-01-01 00:00:00")}) {
    now_ = Nanos(pick(random_, 1, 1'000'000'000'000));
    wall_ = (utc("2027-03-27 00:00:00") + seconds(pick(random_, 0, 86'400 * 300))).time_since_epoch();
    table_.set_wall(now_, wall_);
  }

  void run(int events) {
    for (int i = 0; i < 40; ++i) add();
    for (int i = 0; i < events; ++i) {
      move();
      look();
      if (pick(random_, 0, 19) == 0) change();
    }
  }
  std::size_t runs() const { return runs_; }
  std::size_t early() const { return early_; }
  std::size_t catch_ups() const { return catch_ups_; }

 private:
  Nanos random_interval() {
    static const Nanos intervals[] = {100ms, 1s, 5s, 10s, 30s, 60s, 5min, 1h};
    return intervals[random_() % std::size(intervals)];
  }

  Spec random_spec() {
    if (random_() % 3 != 0) {
      const Nanos interval = random_interval();
      return Every{Group(random_() % 4), interval, phase_of(random_(), interval), random_() % 5 == 0};
    }
    static const char* const texts[] = {
        "*:*", "*:0/5", "hourly", "*-*-* 0..23:30", "*:*:0/15", "*-*-* 02:00,15,30,45"};
    static const char* const zones[] = {"Europe/Berlin", "Australia/Lord_Howe", "UTC"};
    ZoneDatabase database;
    auto calendar = parse_calendar(texts[random_() % std::size(texts)], database,
                                   zone(zones[random_() % std::size(zones)]));
    return Slots{
        Group(random_() % 4), *calendar, {0s, Nanos(1s) * pick(random_, 0, 30), std::nullopt}, std::nullopt};
  }

  void open(Id id, const Spec& spec) {
    Book& book = books_[id];
    // chance may draw the calendar that it has: then the plan is kept, also what a clock that ran ahead had run
    const auto* before = std::get_if<Slots>(&book.spec);
    const auto* slots = std::get_if<Slots>(&spec);
    const bool keeps_plan = before != nullptr && slots != nullptr && before->calendar == slots->calendar;
    book.spec = spec;
    if (keeps_plan) return;
    if (const auto* every = std::get_if<Every>(&spec))
      book.next_turn = grid_after(now_, every->interval, every->phase);
    book.told.clear();
    book.accounted.reset();
    if (slots != nullptr) book.accounted = wall_second();
  }

  void add() {
    Id id = 0;
    while (books_.contains(id)) ++id;
    const Spec spec = random_spec();
    table_.add(id, spec, now_);
    open(id, spec);
  }

  Id any() {
    auto it = books_.begin();
    std::advance(it, pick(random_, 0, std::int64_t(books_.size()) - 1));
    return it->first;
  }

  void change() {
    if (books_.size() > 20) {
      const Id gone = any();
      books_.erase(gone);
      table_.remove(gone);
    }
    const Id kept = any();  // the same schedule again, in another group: nothing may change
    Spec same = books_[kept].spec;
    std::visit([&](auto& spec) { spec.group = Group(random_() % 4); }, same);
    books_[kept].spec = same;
    table_.replace(kept, same, now_);
    const Id id = any();
    if (id != kept) {
      const Spec spec = random_spec();
      open(id, spec);
      table_.replace(id, spec, now_);
    }
    if (books_.size() < 60) add();
  }

  void move() {
    Nanos until = table_.next_due().value_or(now_ + 1s);
    for (const auto& [id, book] : books_) {
      if (book.running) until = std::min(until, book.ends);
    }
    Nanos by = std::max(until - now_, 0ns);
    late_ = Nanos(pick(random_, 0, 3'000'000));
    const std::int64_t dice = pick(random_, 0, 999);
    if (dice == 0) late_ = 1h * pick(random_, 1, 30);   // suspended
    if (dice == 1) late_ = 1s * pick(random_, 1, 100);  // stood still
    by += late_;
    now_ += by;
    wall_ += by;
    if (steps_ && dice >= 990) step();
    table_.set_wall(now_, wall_);
    for (auto& [id, book] : books_) {
      if (!book.running || book.ends > now_) continue;
      book.running = false;
      table_.finished(id);
    }
  }

  void step() {
    static const Nanos steps[] = {1s, -1s, 2s, -2s, 1h, -1h, 24h, -24h};
    wall_ += steps[random_() % std::size(steps)];
    for (auto& [id, book] : books_) book.accounted.reset();
  }

  sys_seconds wall_second() const { return std::chrono::floor<seconds>(sys_seconds() + wall_); }

  void look() {
    Batch batch;
    table_.take_due(now_, batch);
    if (fault_ != Fault::none) plant(batch);
    for (const Missed& missed : batch.missed) note_missed(missed);
    for (const Skipped& skipped : batch.skipped) note_skipped(skipped);
    for (const Due& due : batch.due) note_due(due);
    if (!std::is_sorted(batch.due.begin(), batch.due.end(),
                        [](auto& a, auto& b) { return a.group < b.group; })) {
      broken("not grouped");
    }
    if (table_.next_due() && *table_.next_due() <= now_) broken("still due after take_due");
    for (const auto& [id, book] : books_) check_accounted(id, book);
  }

  /// As a timetable would that has the fault: a run of fifty is handed to nobody, or handed out once more.
  void plant(Batch& batch) {
    const bool of_slot = fault_ == Fault::lost_slot || fault_ == Fault::doubled_slot;
    const bool lost = fault_ == Fault::lost_slot || fault_ == Fault::lost_turn;
    if (!lost && again_ && books_.contains(again_->id) && !books_.at(again_->id).running &&
        std::ranges::find(batch.due, again_->id, &Due::id) == batch.due.end()) {
      again_->group = std::visit([](const auto& spec) { return spec.group; }, books_.at(again_->id).spec);
      batch.due.insert(std::ranges::upper_bound(batch.due, again_->group, {}, &Due::group), *again_);
      again_.reset();
    }
    const auto chosen = std::ranges::find_if(batch.due, [&](const Due& due) {
      return due.slot.has_value() == of_slot && due.why == (of_slot ? Why::slot : Why::grid) && random_() % 50 == 0;
    });
    if (chosen == batch.due.end()) return;
    if (!lost) {
      again_ = *chosen;
      return;
    }
    table_.finished(chosen->id);
    batch.due.erase(chosen);
  }

  void note_turn(const Book& book, Nanos due, std::uint64_t passed_over) {
    const auto& every = std::get<Every>(book.spec);
    if (due != book.next_turn) broken("turn ", due.count(), ", expected ", book.next_turn.count());
    if (now_ - due >= every.interval * std::int64_t(passed_over + 1)) broken("turns lost");
    const Nanos early = due - now_;
    if (early > std::min<Nanos>(20ms, every.interval / 100) || (every.exact && early > 0ns))
      broken("too early");
  }

  void note_skipped(const Skipped& skipped) {
    Book& book = books_.at(skipped.id);
    if (!book.running) broken("skipped but not running");
    if (skipped.slot) return note_slot(book, *skipped.slot);
    note_turn(book, skipped.due, skipped.passed_over);
    book.next_turn += std::get<Every>(book.spec).interval * std::int64_t(skipped.passed_over + 1);
  }

  void note_due(const Due& due) {
    Book& book = books_.at(due.id);
    ++runs_;
    if (book.running) broken("running twice");
    book.running = true;
    book.ends = now_ + Nanos(pick(random_, 0, random_() % 10 == 0 ? 90'000'000'000 : 50'000'000));
    if (random_() % 50 == 0)
      table_.make_due(due.id, now_ + Nanos(pick(random_, 0, 10'000'000'000)), Why::again);
    if (due.why == Why::catch_up) ++catch_ups_;
    if (due.slot) return note_slot(book, *due.slot);
    if (due.why != Why::grid) return;
    if (due.due > now_) ++early_;
    note_turn(book, due.due, due.passed_over);
    book.next_turn += std::get<Every>(book.spec).interval * std::int64_t(due.passed_over + 1);
  }

  void note_slot(Book& book, sys_seconds slot) {
    const auto* slots = std::get_if<Slots>(&book.spec);
    if (slots == nullptr) return;  // what the schedule before the last reload still owed
    if (slot > wall_second()) broken("a slot too early: ", show_utc(slot));
    if (!book.told.insert(slot).second) broken("a slot twice: ", show_utc(slot));
    if (slots->calendar.previous(slot) != slot) {
      book.told.erase(slot);
      return;  // the same, from another calendar
    }
    if (book.accounted && slot > *book.accounted) {
      if (slots->calendar.next(*book.accounted) != slot)
        broken("a slot was passed over before ", show_utc(slot));
      book.accounted = slot;
    }
  }

  void note_missed(const Missed& missed) {
    Book& book = books_.at(missed.id);
    const auto* slots = std::get_if<Slots>(&book.spec);
    if (slots == nullptr || !book.accounted || missed.slots.last <= *book.accounted) return;
    // a slot that waited to be caught up when its calendar was replaced may have to give way too
    const bool owed_by_another = missed.slots.first <= *book.accounted;
    const auto count = owed_by_another ? slots->calendar.count(*book.accounted, missed.slots.last) + 1
                                       : slots->calendar.count(missed.slots.first - 1s, missed.slots.last);
    // after a step some of the range may have been run before, on the clock as it was
    if (missed.slots.count > count || (missed.slots.count < count && !steps_))
      broken("missed ", missed.slots.count, ", there are ", count);
    book.accounted = missed.slots.last;
  }

  /// Without a step nothing that was due is untold, except a catch-up that waits.
  void check_accounted(Id id, const Book& book) {
    const auto* slots = std::get_if<Slots>(&book.spec);
    if (slots != nullptr && book.accounted) {
      const auto owed = slots->calendar.count(*book.accounted, wall_second());
      if (owed > 1) broken("untold slots: ", owed, " after ", show_utc(*book.accounted));
    }
    if (const auto* every = std::get_if<Every>(&book.spec); every != nullptr && book.next_turn <= now_) {
      broken("an untold turn of ", id);
    }
  }

  Random random_;
  bool steps_;
  Fault fault_;
  std::optional<Due> again_;  // of a doubled fault
  Timetable table_;
  Nanos now_{};
  Nanos wall_{};
  Nanos late_{};
  std::map<Id, Book> books_;
  std::size_t runs_ = 0;
  std::size_t early_ = 0;
  std::size_t catch_ups_ = 0;
};

void simulate(std::uint64_t first_seed, int worlds, int events, bool steps) {
  std::size_t runs = 0, early = 0, catch_ups = 0;
  for (int i = 0; i < worlds; ++i) {
    const std::uint64_t seed = first_seed + std::uint64_t(i);
    INFO("RONDA_TEST_SEED=" << seed);
    Simulation simulation(seed, steps);
    try {
      simulation.run(events);
    } catch (const Broken& what) {
      FAIL(what.what());
    }
    runs += simulation.runs();
    early += simulation.early();
    catch_ups += simulation.catch_ups();
  }
  // a world in which nothing happens proves nothing
  CHECK(runs > std::size_t(worlds) * std::size_t(events) / 5);
  CHECK(early > 0);
  CHECK(catch_ups > 0);
}

/// What is found first in one of ten worlds with that fault; "" when nothing is.
std::string found(Fault fault, bool steps) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    try {
      Simulation(seed, steps, fault).run(3'000);
    } catch (const Broken& what) {
      return what.what();
    }
  }
  return {};
}

}  // namespace

TEST_CASE("worlds with reloads, stalls and suspends: every turn and slot is told exactly once",
          "[schedule]") {
  simulate(test_seed(1000), 60, 3'000, false);
}

TEST_CASE("worlds whose wall clock steps: no slot is early or twice, no turn is lost", "[schedule]") {
  simulate(test_seed(5000), 60, 3'000, true);
}

TEST_CASE("a slot or turn that is lost or told twice is found", "[schedule]") {
  using Catch::StartsWith;
  CHECK_THAT(found(Fault::lost_slot, false), StartsWith("a slot was passed over") || StartsWith("untold slots"));
  CHECK_THAT(found(Fault::doubled_slot, false), StartsWith("a slot twice"));
  CHECK_THAT(found(Fault::doubled_slot, true), StartsWith("a slot twice"));
  for (const bool steps : {false, true}) {
    CHECK_THAT(found(Fault::lost_turn, steps), StartsWith("an untold turn") || StartsWith("turn "));
    CHECK_THAT(found(Fault::doubled_turn, steps), StartsWith("turn "));
  }
}

TEST_CASE("many more worlds", "[.long][schedule]") {
  simulate(test_seed(100'000), 2'000, 5'000, false);
  simulate(test_seed(200'000), 2'000, 5'000, true);
}
