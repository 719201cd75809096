// SPDX-License-Identifier: Apache-2.0
// What the store has of one check in a piece of time: for `ronda rules backtest`, which judges it in its own process.
#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <charconv>

#include "api/json.hpp"
#include "api/route.hpp"

namespace ronda::api {
namespace json = boost::json;

namespace {

constexpr std::int64_t day_ns = 24 * store::hour_ns;
constexpr std::size_t most_points = 1'000'000;  // some 100 MB while they are written
/// The store does nothing else meanwhile: a piece takes it some milliseconds.
constexpr std::int64_t longest_raw_ns = store::hour_ns, longest_rolled_ns = 4 * day_ns, longest_hours_ns = 12 * day_ns;

struct Level {
  std::string_view name;
  store::SampleLevel level;
  std::int64_t longest_ns;
};
constexpr std::array levels = {Level{"raw", store::SampleLevel::raw, longest_raw_ns},
                               Level{"five_minutes", store::SampleLevel::five_minutes, longest_rolled_ns},
                               Level{"hours", store::SampleLevel::hours, longest_hours_ns}};

bool read_instant(const Request& request, std::string_view name, std::int64_t& out) {
  const std::string_view text = request.parameter(name);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() && out >= 0;
}

/// Points are [ns, value]; stretches [from_ns, count, first_ns, first, last_ns, last, min, max, mean, increase].
json::array series_json(const std::vector<store::LoadedSeries>& loaded) {
  json::array out;
  for (const store::LoadedSeries& one : loaded) {
    json::object labels;
    for (const auto& [name, value] : one.key.labels) labels[name] = value;
    json::array points;
    for (const store::Point& point : one.points) points.push_back(json::array{point.at_ns, point.value});
    for (const store::Rollup& rollup : one.rollups) {
      points.push_back(json::array{rollup.from_ns, rollup.count, rollup.first_ns, rollup.first, rollup.last_ns, rollup.last, rollup.min,
                                   rollup.max, rollup.mean(), rollup.increase});
    }
    out.push_back(json::object{{"metric", one.key.metric},
                               {"labels", std::move(labels)},
                               {"unit", one.key.unit},
                               {"counter", one.key.shape == store::Shape::counter},
                               {"points", std::move(points)}});
  }
  return out;
}

/// Of "task.NAME" what the agent remembers beyond all samples: when it succeeded last, or since when it is known without.
json::value task_json(AgentView& agent, std::string_view check) {
  if (!check.starts_with(rule::task_prefix)) return nullptr;
  const measure::History& history = agent.response().desk().history();
  const auto success = history.task_last_success_ns(check.substr(rule::task_prefix.size()));
  const auto known_since = history.task_known_since_ns(check.substr(rule::task_prefix.size()));
  return json::object{{"last_success_ns", success ? json::value(*success) : nullptr},
                      {"known_since_ns", known_since ? json::value(*known_since) : nullptr}};
}

void get_samples(Context& c) {
  store::SampleQuery query;
  query.check = c.request.parameter("check");
  query.metric = c.request.parameter("metric");
  const auto level = std::ranges::find(levels, c.request.parameter("level"), &Level::name);
  if (level == levels.end()) return c.respond(error_response(400, "level is raw, five_minutes or hours"));
  query.level = level->level;
  if (query.check.empty() || query.metric.empty()) return c.respond(error_response(400, "a check and a metric are needed"));
  if (!read_instant(c.request, "after_ns", query.after_ns) || !read_instant(c.request, "until_ns", query.until_ns) ||
      query.until_ns < query.after_ns || query.until_ns - query.after_ns > level->longest_ns) {
    return c.respond(
        error_response(400,
                       "after_ns and until_ns are nanoseconds since 1970, at most an hour apart, or four days of five_minutes, or "
                       "twelve of hours"));
  }
  query.most_points = most_points;
  json::value task = task_json(c.agent, query.check);
  c.agent.store().load_samples(std::move(query),
                               [respond = c.respond, task = std::move(task)](const Result<std::vector<store::LoadedSeries>>& loaded) {
                                 if (!loaded) return respond(error_of(loaded.error()));
                                 respond(json_response(json::object{{"series", series_json(*loaded)}, {"task", task}}));
                               });
}

constexpr std::array sample_table = {Route{"GET", "/v1/samples", "", false, Role::viewer, get_samples}};

}  // namespace

std::span<const Route> sample_routes() {
  return sample_table;
}

}  // namespace ronda::api
