// SPDX-License-Identifier: Apache-2.0
// What the store has of one check in a piece of time: for `ronda rules backtest`, which judges it in its own process.
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
constexpr std::int64_t longest_raw_ns = store::hour_ns, longest_rolled_ns = 4 * day_ns;

bool read_instant(const Request& request, std::string_view name, std::int64_t& out) {
  const std::string_view text = request.parameter(name);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() && out >= 0;
}

/// Points are [ns, value]; stretches [from_ns, count, first_ns, first, last_ns, last, min, max, mean].
json::array series_json(const std::vector<store::LoadedSeries>& loaded) {
  json::array out;
  for (const store::LoadedSeries& one : loaded) {
    json::object labels;
    for (const auto& [name, value] : one.key.labels) labels[name] = value;
    json::array points;
    for (const store::Point& point : one.points) points.push_back(json::array{point.at_ns, point.value});
    for (const store::Rollup& rollup : one.rollups) {
      points.push_back(json::array{rollup.from_ns, rollup.count, rollup.first_ns, rollup.first, rollup.last_ns, rollup.last, rollup.min,
                                   rollup.max, rollup.mean()});
    }
    out.push_back(json::object{{"metric", one.key.metric},
                               {"labels", std::move(labels)},
                               {"unit", one.key.unit},
                               {"counter", one.key.shape == store::Shape::counter},
                               {"points", std::move(points)}});
  }
  return out;
}

void get_samples(Context& c) {
  store::SampleQuery query;
  query.check = c.request.parameter("check");
  query.metric = c.request.parameter("metric");
  const std::string_view level = c.request.parameter("level");
  if (level != "raw" && level != "five_minutes") return c.respond(error_response(400, "level is raw or five_minutes"));
  query.level = level == "raw" ? store::SampleLevel::raw : store::SampleLevel::five_minutes;
  const std::int64_t longest = level == "raw" ? longest_raw_ns : longest_rolled_ns;
  if (query.check.empty() || query.metric.empty()) return c.respond(error_response(400, "a check and a metric are needed"));
  if (!read_instant(c.request, "after_ns", query.after_ns) || !read_instant(c.request, "until_ns", query.until_ns) ||
      query.until_ns < query.after_ns || query.until_ns - query.after_ns > longest) {
    return c.respond(error_response(400, "after_ns and until_ns are nanoseconds since 1970, at most an hour apart, or four days of five_minutes"));
  }
  query.most_points = most_points;
  c.agent.store().load_samples(std::move(query), [respond = c.respond](const Result<std::vector<store::LoadedSeries>>& loaded) {
    loaded ? respond(json_response(json::object{{"series", series_json(*loaded)}})) : respond(error_of(loaded.error()));
  });
}

constexpr std::array table = {Route{"GET", "/v1/samples", "", false, Role::viewer, get_samples}};

}  // namespace

std::span<const Route> sample_routes() {
  return table;
}

}  // namespace ronda::api
