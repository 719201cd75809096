// SPDX-License-Identifier: Apache-2.0
#include "sample.hpp"

#include <algorithm>
#include <charconv>

namespace postgresql {
namespace {

constexpr std::size_t piece_limit = 60 * 1024;  // kv takes 64 KiB a value
constexpr std::string_view magic = "pg1";

std::string_view take_until(std::string_view& text, char end) {
  const std::size_t at = std::min(text.find(end), text.size());
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return part;
}

std::optional<std::int64_t> parse(std::string_view digits) {
  std::int64_t value = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, problem] = std::from_chars(digits.data(), end, value);
  if (problem != std::errc() || stop != end) return std::nullopt;
  return value;
}

std::string piece_name(std::size_t index) { return "sample." + std::to_string(index); }

/// What was counted, or nothing for a row that began anew.
std::optional<Counters> between(const Counters& before, const Counters& now) {
  if (before.size() != now.size()) return std::nullopt;
  Counters delta(now.size());
  for (std::size_t i = 0; i < now.size(); ++i) {
    if (now[i] < before[i]) return std::nullopt;
    delta[i] = now[i] - before[i];
  }
  return delta;
}

}  // namespace

Difference difference(const std::optional<Sample>& before, const Sample& now) {
  Difference diff;
  diff.first = !before;
  if (!before) return diff;
  diff.seconds = static_cast<double>(now.wall_ns - before->wall_ns) / 1e9;
  diff.reset = before->epoch != now.epoch || diff.seconds <= 0;
  if (diff.reset) return diff;
  std::size_t went_back = 0;
  for (const auto& [key, counters] : now.rows) {
    const auto earlier = before->rows.find(key);
    if (earlier == before->rows.end()) {
      // All that it counts happened in between, if the earlier list would have had it.
      if (before->complete) diff.rows.emplace(key, counters);
      continue;
    }
    if (auto delta = between(earlier->second, counters)) diff.rows.emplace(key, *std::move(delta));
    else ++went_back;
  }
  // A crash empties the statistics and leaves no mark but counters that went back.
  diff.reset = went_back > 0 && went_back * 2 >= now.rows.size();
  if (diff.reset) diff.rows.clear();
  return diff;
}

std::vector<std::string> encode(const Sample& sample, std::size_t piece_bytes) {
  std::vector<std::string> pieces(1);
  pieces[0] = ronda::text(magic, " ", sample.wall_ns, " ", sample.complete ? 1 : 0, " ", sample.epoch, "\n");
  for (const auto& [key, counters] : sample.rows) {
    std::string line = key;
    for (const std::int64_t counter : counters) line += ronda::text(" ", counter);
    line += '\n';
    if (pieces.back().size() + line.size() > piece_bytes) pieces.emplace_back();
    pieces.back() += line;
  }
  return pieces;
}

std::optional<Sample> decode(std::string_view text) {
  Sample sample;
  std::string_view head = take_until(text, '\n');
  if (take_until(head, ' ') != magic) return std::nullopt;
  const auto wall = parse(take_until(head, ' '));
  const auto complete = parse(take_until(head, ' '));
  if (!wall || !complete) return std::nullopt;
  sample.wall_ns = *wall;
  sample.complete = *complete != 0;
  sample.epoch = head;
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    const std::string_view key = take_until(line, ' ');
    Counters counters;
    while (!line.empty()) {
      const auto counter = parse(take_until(line, ' '));
      if (!counter) return std::nullopt;
      counters.push_back(*counter);
    }
    sample.rows.emplace(key, std::move(counters));
  }
  return sample;
}

std::optional<Sample> load_sample(const ronda::kv_service& kv) {
  const auto pieces = kv.get_i64("samples");
  if (!pieces) return std::nullopt;
  std::string text;
  for (std::int64_t i = 0; i < *pieces; ++i) {
    const auto piece = kv.get(piece_name(static_cast<std::size_t>(i)));
    if (!piece) return std::nullopt;
    text += *piece;
  }
  return decode(text);
}

void save_sample(const ronda::kv_service& kv, const Sample& sample) {
  const auto before = kv.get_i64("samples").value_or(0);
  const auto pieces = encode(sample, piece_limit);
  for (std::size_t i = 0; i < pieces.size(); ++i) kv.put(piece_name(i), pieces[i]);
  for (auto i = pieces.size(); i < static_cast<std::size_t>(before); ++i) kv.del(piece_name(i));
  kv.put("samples", pieces.size());
}

std::optional<std::string> no_difference(const Difference& diff) {
  if (diff.first) return "first sample taken: there is something to compare with from the next run on";
  if (diff.reset) return "the server's statistics began anew since the last run: compared from the next run on";
  return std::nullopt;
}

}  // namespace postgresql
