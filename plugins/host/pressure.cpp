// SPDX-License-Identifier: Apache-2.0
#include "pressure.hpp"

#include "text.hpp"

namespace host {
namespace {

/// "avg10=1.50" as 0.015.
std::optional<double> average(std::string_view field, std::string_view name) {
  if (field.substr(0, name.size()) != name) return std::nullopt;
  const auto percent = to_f64(field.substr(name.size()));
  if (!percent) return std::nullopt;
  return *percent / 100;
}

std::optional<Stall> parse_stall(const std::vector<std::string_view>& all) {
  if (all.size() < 4) return std::nullopt;
  const auto avg10 = average(all[1], "avg10=");
  const auto avg60 = average(all[2], "avg60=");
  const auto avg300 = average(all[3], "avg300=");
  if (!avg10 || !avg60 || !avg300) return std::nullopt;
  return Stall{*avg10, *avg60, *avg300};
}

}  // namespace

std::optional<Pressure> parse_pressure(std::string_view text) {
  std::optional<Stall> some;
  std::optional<Stall> full;
  std::string_view line;
  while (next_line(text, line)) {
    const auto all = fields(line);
    if (all.empty()) continue;
    if (all[0] == "some") some = parse_stall(all);
    if (all[0] == "full") full = parse_stall(all);
  }
  if (!some) return std::nullopt;
  return Pressure{*some, full};
}

std::optional<MemoryUse> parse_meminfo(std::string_view text) {
  const auto bytes = [&](std::string_view name) -> std::optional<double> {
    const auto kib = keyed_value(text, name);
    if (!kib) return std::nullopt;
    return static_cast<double>(*kib) * 1024;
  };
  const auto total = bytes("MemTotal:");
  const auto available = bytes("MemAvailable:");
  if (!total || !available || *total <= 0) return std::nullopt;
  return MemoryUse{*total, *available, bytes("SwapTotal:").value_or(0), bytes("SwapFree:").value_or(0)};
}

std::optional<std::uint64_t> keyed_value(std::string_view text, std::string_view name) {
  std::string_view line;
  while (next_line(text, line)) {
    if (line.substr(0, name.size()) != name) continue;
    const auto all = fields(line);
    if (all.size() >= 2 && all[0] == name) return to_u64(all[1]);
  }
  return std::nullopt;
}

std::optional<LoadAverage> parse_loadavg(std::string_view text) {
  const auto all = fields(text);
  if (all.size() < 3) return std::nullopt;
  const auto load1 = to_f64(all[0]);
  const auto load5 = to_f64(all[1]);
  const auto load15 = to_f64(all[2]);
  if (!load1 || !load5 || !load15) return std::nullopt;
  return LoadAverage{*load1, *load5, *load15};
}

std::uint32_t count_cpus(std::string_view text) {
  text = trim(text);
  std::uint64_t count = 0;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view range = text.substr(0, comma);
    const std::size_t dash = range.find('-');
    const auto first = to_u64(range.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : to_u64(range.substr(dash + 1));
    if (!first || !last || *last < *first || *last > 65536) return 0;
    count += *last - *first + 1;
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  return static_cast<std::uint32_t>(count);
}

}  // namespace host
