// SPDX-License-Identifier: Apache-2.0
#include "measure/load.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <optional>

namespace ronda::measure {
namespace {

using store::SampleLevel;

/// All of one Load, read in pieces.
struct Gathered {
  std::vector<store::LoadedSeries> raw, five_minutes, hours;
};

/// What came is older first, so a series' pieces are appended.
void append(std::vector<store::LoadedSeries>& into, std::vector<store::LoadedSeries> piece) {
  for (store::LoadedSeries& one : piece) {
    const auto known = std::ranges::find_if(into, [&](const auto& other) { return other.key == one.key; });
    if (known == into.end()) {
      into.push_back(std::move(one));
      continue;
    }
    known->points.insert(known->points.end(), one.points.begin(), one.points.end());
    known->rollups.insert(known->rollups.end(), std::make_move_iterator(one.rollups.begin()), std::make_move_iterator(one.rollups.end()));
  }
}

class Loader : public std::enable_shared_from_this<Loader> {
 public:
  Loader(store::Store& store, History& history, std::int64_t now_ns, std::function<void(ronda::Status)> done)
      : store_(store), history_(history), done_(std::move(done)) {
    for (const History::Load& load : history.loads(now_ns)) {
      plan(load, SampleLevel::raw, load.points_after_ns, now_ns, store::day_ns);
      if (load.rollups_after_ns != 0) plan(load, SampleLevel::five_minutes, load.rollups_after_ns, now_ns, store::day_ns);
      if (load.hours_after_ns != 0) plan(load, SampleLevel::hours, load.hours_after_ns, now_ns, 12 * store::day_ns);
      steps_.push_back({{}, true});
    }
  }

  void next() {
    if (steps_.empty()) return done_(std::move(first_error_));
    const Step step = std::move(steps_.front());
    steps_.pop_front();
    if (step.is_last) {
      hand_over();
      return next();
    }
    store_.load_samples(step.query, [self = shared_from_this(), level = step.query.level](Result_of_load loaded) {
      if (loaded)
        append(self->part(level), *std::move(loaded));
      else
        self->fail(loaded.error());
      self->next();
    });
  }

 private:
  using Result_of_load = ronda::Result<std::vector<store::LoadedSeries>>;
  struct Step {
    store::SampleQuery query;
    bool is_last = false;  // of a metric: hand over
  };

  void plan(const History::Load& load, SampleLevel level, std::int64_t after_ns, std::int64_t now_ns, std::int64_t piece) {
    for (std::int64_t from = after_ns; from < now_ns; from += piece)
      steps_.push_back({{load.check, load.metric, level, from, std::min(from + piece, now_ns)}, false});
  }

  std::vector<store::LoadedSeries>& part(SampleLevel level) {
    return level == SampleLevel::raw ? gathered_.raw : level == SampleLevel::hours ? gathered_.hours : gathered_.five_minutes;
  }

  void fail(const Error& error) {
    if (first_error_) first_error_ = error;
    if (error.code() == Errc::unavailable) steps_.clear();  // it would answer so to all of them
  }

  void hand_over() {
    for (const store::LoadedSeries& raw : gathered_.raw) {
      const auto of = [&](const std::vector<store::LoadedSeries>& all) -> std::span<const Rollup> {
        const auto found = std::ranges::find_if(all, [&](const auto& one) { return one.key == raw.key; });
        return found == all.end() ? std::span<const Rollup>() : std::span<const Rollup>(found->rollups);
      };
      history_.restore(raw.key, raw.points, of(gathered_.five_minutes), of(gathered_.hours));
    }
    gathered_ = {};
  }

  store::Store& store_;
  History& history_;
  std::function<void(ronda::Status)> done_;
  std::deque<Step> steps_;
  Gathered gathered_;
  ronda::Status first_error_ = ronda::done();
};

/// A day at a time. Roll-ups are made while this reads: the newest are read first, so that what follows them is no longer there
/// for the older ones to miss; and what is not rolled up yet is read as it came.
class Judgements : public std::enable_shared_from_this<Judgements> {
 public:
  using Loaded = ronda::Result<std::vector<store::LoadedSeries>>;
  using Done = std::function<void(ronda::Result<std::vector<slo::Stretch>>)>;

  Judgements(store::Store& store, const slo::Objective& objective, std::int64_t now_ns, Done done)
      : store_(store),
        query_{judgements_of(objective), objective.counts ? std::string() : std::string(judgement_metric), SampleLevel::five_minutes, 0,
               now_ns - 1},
        counts_(objective.counts),
        labels_(judgement_labels(objective)),
        begin_ns_(now_ns - objective.window_ns),
        now_ns_(now_ns),
        done_(std::move(done)) {}

  void ask_rolled() {
    query_.after_ns = std::max(query_.until_ns - store::day_ns, begin_ns_);
    store_.load_samples(query_, [self = shared_from_this()](Loaded loaded) { self->take_rolled(std::move(loaded)); });
  }

 private:
  /// Time is what one series judged; requests are the sums of two.
  bool is_asked(const store::LoadedSeries& one) const {
    if (one.key.labels != labels_) return false;
    return counts_ ? one.key.metric == good_requests_metric || one.key.metric == bad_requests_metric : one.key.metric == judgement_metric;
  }

  void put(const store::LoadedSeries& one, const Rollup& rollup, std::int64_t length_ns) {
    slo::Stretch& into = stretches_[rollup.from_ns];
    if (!counts_) {
      into = slo::stretch_of(rollup, length_ns);
      return;
    }
    into.from_ns = rollup.from_ns;
    into.until_ns = rollup.from_ns + length_ns;
    (one.key.metric == good_requests_metric ? into.good : into.bad) += rollup.sum;
  }

  void take_rolled(Loaded loaded) {
    if (!loaded) return done_(loaded.error());
    for (const store::LoadedSeries& one : *loaded) {
      if (!is_asked(one)) continue;
      for (const Rollup& rollup : one.rollups) put(one, rollup, store::five_minutes_ns);
    }
    query_.until_ns = query_.after_ns;
    if (query_.until_ns > begin_ns_) return ask_rolled();
    query_.level = SampleLevel::raw;
    query_.after_ns = stretches_.empty() ? begin_ns_ : stretches_.rbegin()->second.until_ns - 1;
    ask_open();
  }

  void ask_open() {
    if (query_.after_ns >= now_ns_ - 1) return finish();
    query_.until_ns = std::min(query_.after_ns + store::day_ns, now_ns_ - 1);
    store_.load_samples(query_, [self = shared_from_this()](Loaded loaded) { self->take_open(std::move(loaded)); });
  }

  void take_open(Loaded loaded) {
    if (!loaded) return done_(loaded.error());
    for (store::LoadedSeries& one : *loaded) {
      if (!is_asked(one)) continue;
      std::map<std::int64_t, Rollup>& open = open_[one.key.metric];
      for (const Point& point : one.points) {
        const std::int64_t from = store::floor_to(point.at_ns, store::five_minutes_ns);
        Rollup& into = open[from];
        into.from_ns = from;
        store::add(into, point, Shape::gauge);
      }
    }
    query_.after_ns = query_.until_ns;
    ask_open();
  }

  void finish() {
    store::LoadedSeries of;
    for (const auto& [metric, open] : open_) {
      of.key.metric = metric;
      for (const auto& [from, rollup] : open) put(of, rollup, std::min(store::five_minutes_ns, now_ns_ - from));
    }
    std::vector<slo::Stretch> out;
    for (const auto& [from, stretch] : stretches_) out.push_back(stretch);
    done_(std::move(out));
  }

  store::Store& store_;
  store::SampleQuery query_;
  const bool counts_;
  const Labels labels_;
  const std::int64_t begin_ns_, now_ns_;
  Done done_;
  std::map<std::int64_t, slo::Stretch> stretches_;              // by from
  std::map<std::string, std::map<std::int64_t, Rollup>> open_;  // by metric and from: what the store will make of what it has not rolled up
};

}  // namespace

std::string judgements_of(const slo::Objective& objective) {
  return "slo:" + objective.name;
}

Labels judgement_labels(const slo::Objective& objective) {
  if (objective.judged_by.empty()) return {};
  return {{"judged_by", objective.judged_by}};
}

void load_judgements(store::Store& store, const slo::Objective& objective, std::int64_t now_ns,
                     std::function<void(ronda::Result<std::vector<slo::Stretch>>)> done) {
  std::make_shared<Judgements>(store, objective, now_ns, std::move(done))->ask_rolled();
}

void load_history(store::Store& store, History& history, std::int64_t now_ns, std::function<void(ronda::Status)> done) {
  std::make_shared<Loader>(store, history, now_ns, std::move(done))->next();
}

}  // namespace ronda::measure
