// SPDX-License-Identifier: Apache-2.0
#include "rule/replay.hpp"

#include <algorithm>
#include <set>

#include "config/task_prefix.hpp"
#include "rule/past.hpp"

namespace ronda::rule {

using measure::Point;

namespace {

/// When something may have changed, besides what the state asks for.
std::vector<std::int64_t> instants_of(const Alert& alert, const measure::View& whole, std::int64_t from, std::int64_t until,
                                      const std::vector<std::int64_t>& more) {
  std::set<std::int64_t> out(more.begin(), more.end());
  out.insert(from);
  for (const auto* names : {&alert.checks, &alert.parents, &alert.tasks}) {
    for (const std::string& name : *names) {
      for (const Point& point : whole.statuses(name, from, until)) {
        if (out.size() <= most_looks) out.insert(point.at_ns);
      }
    }
  }
  // of a task of which no end is kept
  for (const std::string& task : alert.tasks) {
    const std::string_view name = std::string_view(task).substr(config::task_prefix.size());
    for (const auto& at : {whole.task_last_success_ns(name), whole.task_known_since_ns(name)}) {
      if (at && *at > from && *at <= until) out.insert(*at);
    }
  }
  return {out.begin(), out.end()};
}

}  // namespace

Replay replay(const Alert& alert, const Facts& facts, const measure::View& whole, std::int64_t from_ns, std::int64_t until_ns,
              const std::vector<std::int64_t>& more, const std::function<void(std::int64_t, const AlertState&)>& seen) {
  Replay out;
  Past past(whole);
  const std::vector<std::int64_t> instants = instants_of(alert, whole, from_ns, until_ns, more);
  auto next = instants.begin();
  std::int64_t now = from_ns - 1;
  while (true) {
    const bool has_next = next != instants.end();
    const std::int64_t asked = out.state.next_ns > now ? out.state.next_ns : INT64_MAX;
    const std::int64_t at = has_next ? std::min(*next, asked) : asked;
    if (at > until_ns) break;
    if (++out.looks > most_looks) {
      out.is_cut = true;
      break;
    }
    if (has_next && *next <= at) ++next;
    now = at;
    past.move_to(now);
    const Reading reading = observe(alert, out.state, facts, past, now);
    Outcome outcome = advance(alert, std::move(out.state), reading, now);
    out.state = std::move(outcome.state);
    for (Change& change : outcome.changes) out.changes.push_back(std::move(change));
    if (seen) seen(now, out.state);
  }
  return out;
}

std::vector<Point> spread(const measure::Rollup& rollup, bool is_status) {
  std::vector<Point> out;
  const std::uint64_t count = std::min(rollup.count, most_spread);
  for (std::uint64_t i = 0; i < count; ++i) {
    const double share = count == 1 ? 0 : static_cast<double>(i) / static_cast<double>(count - 1);
    const auto offset = static_cast<std::int64_t>(share * static_cast<double>(rollup.last_ns - rollup.first_ns));
    out.push_back({rollup.first_ns + offset, is_status ? rollup.last : rollup.mean()});
  }
  if (out.empty()) return out;
  out.front().value = rollup.first;
  out.back() = {rollup.last_ns, rollup.last};
  // where there is room: what was worst must not be lost in a mean
  if (count > 2 && rollup.max > std::max(rollup.first, rollup.last)) out[1].value = rollup.max;
  if (count > 3 && !is_status && rollup.min < std::min(rollup.first, rollup.last)) out[2].value = rollup.min;
  return out;
}

Backtest counted(Replay replay, std::int64_t from_ns, std::int64_t until_ns) {
  Backtest out;
  out.replay = std::move(replay);
  std::int64_t since = from_ns;
  config::Level level = config::Level::none;
  const auto upto = [&](std::int64_t at) {
    if (level != config::Level::none) out.time_ns[static_cast<std::size_t>(level) - 1] += at - since;
    since = at;
  };
  for (const Change& change : out.replay.changes) {
    if (change.to == level) continue;
    upto(change.at_ns);
    level = change.to;
    if (change.what == Change::What::fired) ++out.fired;
    if (level != config::Level::none) ++out.reached[static_cast<std::size_t>(level) - 1];
  }
  upto(until_ns);
  return out;
}

Backtest backtest(const Alert& alert, const Facts& facts, const measure::View& whole, std::int64_t from_ns, std::int64_t until_ns) {
  return counted(replay(alert, facts, whole, from_ns, until_ns), from_ns, until_ns);
}

}  // namespace ronda::rule
