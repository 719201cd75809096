// SPDX-License-Identifier: Apache-2.0
// The ladder against a slow judge that knows nothing of states: at each look it goes through all that was seen
// from the beginning. Both must say the same level.
#include "support.hpp"

using namespace ronda;
using namespace ronda::rule;
using namespace ronda::test;

namespace {

struct Look {
  std::int64_t now = 0;
  std::int64_t asked_ns = 0;  // until when the state of the look before wanted to be left alone
  Reading reading;
};

/// Says everything anew from the whole list of looks.
class Judge {
 public:
  Judge(const Alert& alert, const std::vector<Look>& looks) : alert_(alert), looks_(looks) {}

  Level level_after(std::size_t last) {
    Level level = Level::none;
    std::vector<bool> active(alert_.rungs.size());
    for (std::size_t i = 0; i <= last; ++i) level = step(i, level, active);
    return level;
  }

 private:
  std::int64_t passed(std::size_t i) const {  // since the look before
    return i == 0 ? 0
                  : std::clamp<std::int64_t>(looks_[i].now - looks_[i - 1].now, 0,
                                             std::max(alert_.patience_ns, looks_[i].asked_ns - looks_[i - 1].now));
  }
  bool is_fresh(std::size_t i) const { return i == 0 || looks_[i].reading.newest_result_ns != looks_[i - 1].reading.newest_result_ns; }

  bool is_unknown(std::size_t i) const {
    bool any = false, unknown = false;
    for (const auto& level : looks_[i].reading.levels) {
      any = any || level.when.truth == Truth::yes;
      unknown = unknown || level.when.truth == Truth::unknown;
    }
    return unknown && !any;
  }
  Truth now(std::size_t i, std::size_t rung) const {
    const Truth truth = looks_[i].reading.levels[rung].when.truth;
    if (!is_unknown(i)) return truth;
    if (alert_.no_data.level == alert_.rungs[rung].level) return Truth::yes;
    return alert_.no_data.is_ok && truth == Truth::unknown ? Truth::no : truth;
  }
  bool by_no_data(std::size_t i, std::size_t rung) const { return is_unknown(i) && alert_.no_data.level == alert_.rungs[rung].level; }

  /// How long it was `yes` up to look i, back to the last `no`.
  template <class Ask>
  std::int64_t time_of(std::size_t i, Ask&& ask) const {
    std::int64_t sum = 0;
    if (ask(i) == Truth::no) return 0;
    for (; i > 0 && ask(i - 1) != Truth::no; --i) {
      if (ask(i - 1) == Truth::yes) sum += passed(i);
    }
    return sum;
  }

  Truth held(std::size_t i, std::size_t rung, bool was_active) const {
    const config::Hold& hold = alert_.rungs[rung].hold;
    const Truth truth = now(i, rung);
    if (hold.of == 0 || by_no_data(i, rung)) {
      const bool enough = hold.of > 0 || time_of(i, [&](std::size_t at) { return now(at, rung); }) >= hold.time.count();
      return truth == Truth::yes && !enough ? Truth::no : truth;
    }
    std::size_t yes = 0, maybe = 0, seen = 0;
    for (std::size_t at = i + 1; at-- > 0 && seen < hold.of;) {
      if (!is_fresh(at) || by_no_data(at, rung)) continue;
      ++seen;
      yes += now(at, rung) == Truth::yes;
      maybe += now(at, rung) == Truth::unknown;
    }
    if (was_active) maybe += hold.of - seen;
    if (yes >= hold.need) return truth == Truth::unknown ? Truth::unknown : Truth::yes;
    return yes + maybe >= hold.need ? Truth::unknown : Truth::no;
  }

  Level step(std::size_t i, Level before, std::vector<bool>& active) {
    std::vector<Truth> leave_now;
    history_.resize(i);
    std::vector<Truth> helds;
    for (std::size_t rung = 0; rung < active.size(); ++rung) {
      const Truth h = held(i, rung, active[rung]);
      helds.push_back(h);
      const Truth holds = alert_.rungs[rung].hold.of > 0 ? h : now(i, rung);
      Truth leave = !holds;
      if (alert_.rungs[rung].clear && holds != Truth::yes) {
        leave = looks_[i].reading.levels[rung].clear.truth;
        if (alert_.no_data.is_ok && is_unknown(i) && leave == Truth::unknown) leave = Truth::yes;
      }
      leave_now.push_back(leave);
    }
    history_.push_back(leave_now);
    std::vector<bool> ended;
    for (std::size_t rung = 0; rung < active.size(); ++rung) {
      const auto leaves = [&](std::size_t at) { return history_[at][rung]; };
      ended.push_back(leaves(i) == Truth::yes && time_of(i, leaves) >= alert_.keep_firing_ns);
      if (helds[rung] == Truth::yes) active[rung] = true;
    }
    bool any = false;
    for (std::size_t rung = 0; rung < active.size(); ++rung) any = any || now(i, rung) == Truth::yes || helds[rung] == Truth::yes;
    Truth ends = looks_[i].reading.clear.truth;
    if (alert_.no_data.is_ok && is_unknown(i) && ends == Truth::unknown) ends = Truth::yes;
    ends_.resize(i);
    ends_.push_back(any ? Truth::no : ends);
    Level level = Level::none;
    for (std::size_t rung = active.size(); rung-- > 0;) {
      if (active[rung] && !ended[rung]) level = alert_.rungs[rung].level;
    }
    const bool over =
        !alert_.clear || (ends_[i] == Truth::yes && time_of(i, [&](std::size_t at) { return ends_[at]; }) >= alert_.keep_firing_ns);
    const bool latched = level == Level::none && before != Level::none && !over;
    for (std::size_t rung = 0; rung < active.size(); ++rung) {
      if (ended[rung] && !(latched && alert_.rungs[rung].level == before)) active[rung] = false;
    }
    return latched ? before : level;
  }

  const Alert& alert_;
  const std::vector<Look>& looks_;
  std::vector<std::vector<Truth>> history_;
  std::vector<Truth> ends_;
};

std::string random_alert(std::mt19937_64& random) {
  std::string out = "[alert.x]\n";
  const std::vector<std::string> holds = {"0s", "30s", "1m", "2m30s", "3 of 5", "2 of 3", "1 of 4"};
  std::string hold, clear;
  for (const char* level : {"p1", "p2", "p4"}) {
    if (random() % 3 == 0 && out.size() > 12) continue;
    out += std::string(level) + " = \"api.status == critical\"\n";
    hold += (hold.empty() ? "" : ", ") + std::string(level) + " = \"" + holds[random() % holds.size()] + "\"";
    if (random() % 2 == 0) clear += (clear.empty() ? "" : ", ") + std::string(level) + " = \"api.status == ok\"";
  }
  out += "for = { " + hold + " }\n";
  const std::uint64_t kind = random() % 3;
  if (kind == 1) out += "clear = \"api.status == ok\"\n";
  if (kind == 2 && !clear.empty()) out += "clear = { " + clear + " }\n";
  if (random() % 2 == 0) out += "keep_firing_for = \"1m30s\"\n";
  const std::vector<std::string> no_data = {"unknown", "ok", "p1", "p3"};
  return out + "no_data = \"" + no_data[random() % no_data.size()] + "\"\n";
}

Truth random_truth(std::mt19937_64& random, Truth before) {
  if (random() % 3 != 0) return before;
  const std::uint64_t roll = random() % 5;
  return roll < 2 ? Truth::no : roll < 4 ? Truth::yes : Truth::unknown;
}

std::vector<Look> random_looks(std::mt19937_64& random, std::size_t rungs, std::size_t count) {
  std::vector<Look> out;
  Look look;
  look.now = monday;
  look.reading.newest_result_ns = monday;
  look.reading.levels.resize(rungs);
  for (std::size_t i = 0; i < count; ++i) {
    look.now += static_cast<std::int64_t>(pick(random, 1, 70)) * second;
    if (random() % 50 == 0) look.now -= 100 * second;
    if (random() % 4 != 0) look.reading.newest_result_ns = look.now + static_cast<std::int64_t>(i);
    for (auto& level : look.reading.levels) {
      level.when.truth = random_truth(random, level.when.truth);
      level.clear.truth = random_truth(random, level.clear.truth);
    }
    look.reading.clear.truth = random_truth(random, look.reading.clear.truth);
    out.push_back(look);
  }
  return out;
}

/// Flapping holds levels, which the slow judge does not know: it is tested elsewhere, and taken out of the state here.
void run(std::uint64_t seed, std::size_t count) {
  std::mt19937_64 random(seed);
  const std::string text = random_alert(random);
  INFO("seed " << seed << "\n" << text);
  const Rules rules(check("api") + text);
  const Alert& alert = rules["x"];
  auto looks = random_looks(random, alert.rungs.size(), count);
  Judge judge(alert, looks);
  AlertState state;
  for (std::size_t i = 0; i < looks.size(); ++i) {
    state.flapping = {};
    looks[i].asked_ns = state.next_ns;
    const Level before = state.level;
    const Outcome out = advance(alert, state, looks[i].reading, looks[i].now);
    // over the store and back: nothing that counts is lost
    const auto again = decode_state(encode_state(out.state));
    REQUIRE(again);
    REQUIRE(*again == out.state);
    state = *again;
    INFO("look " << i);
    REQUIRE(config::level_name(state.level) == config::level_name(judge.level_after(i)));
    std::size_t moves = 0;
    for (const Change& change : out.changes) {
      if (change.from == change.to) continue;
      ++moves;
      REQUIRE(change.from == before);
      REQUIRE(change.to == state.level);
    }
    REQUIRE(moves == (before == state.level ? 0 : 1));
  }
}

}  // namespace

TEST_CASE("the ladder agrees with a judge that starts from the beginning at every look, over the store and back", "[rule]") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) run(seed, 60);
}

TEST_CASE("the ladder agrees with that judge in many more worlds", "[.long][rule]") {
  for (std::uint64_t seed = 1000; seed <= 6000; ++seed) run(seed, 120);
}
