// SPDX-License-Identifier: Apache-2.0
#include "rules.hpp"

#include <array>
#include <charconv>
#include <ctime>

namespace heartbeat {
namespace {

struct Unit {
  std::string_view name;
  Nanos size;
};

// longest names first: "m" is also the beginning of "ms"
constexpr std::array<Unit, 6> units = {{{"ms", 1'000'000},
                                        {"w", 7 * 24 * 60 * minute},
                                        {"d", 24 * 60 * minute},
                                        {"h", 60 * minute},
                                        {"m", minute},
                                        {"s", second}}};

const Unit* take_unit(std::string_view& text) {
  for (const Unit& unit : units) {
    if (text.substr(0, unit.name.size()) != unit.name) continue;
    text.remove_prefix(unit.name.size());
    return &unit;
  }
  return nullptr;
}

}  // namespace

std::optional<Nanos> parse_duration(std::string_view text) {
  constexpr Nanos longest = 3650 * 24 * 60 * minute;
  if (text.empty()) return std::nullopt;
  Nanos sum = 0;
  Nanos last_unit = longest;
  while (!text.empty()) {
    std::int64_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc() || count < 0) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    const Unit* unit = take_unit(text);
    if (unit == nullptr || unit->size >= last_unit || count > longest / unit->size) return std::nullopt;
    last_unit = unit->size;
    sum += count * unit->size;
    if (sum > longest) return std::nullopt;
  }
  return sum;
}

std::string span_text(Nanos span) {
  static constexpr std::array<Unit, 4> shown = {
      {{"d", 24 * 60 * minute}, {"h", 60 * minute}, {"m", minute}, {"s", second}}};
  Nanos left = span < 0 ? 0 : span;
  std::string out;
  int pieces = 0;
  for (const Unit& unit : shown) {
    const Nanos count = left / unit.size;
    left -= count * unit.size;
    if (pieces == 0 && count == 0) continue;
    if (++pieces > 2) break;
    if (count > 0) out += std::to_string(count) + std::string(unit.name);
  }
  return out.empty() ? "0s" : out;
}

std::string instant_text(Nanos at) {
  const std::time_t seconds = at / second;
  std::tm parts{};
  if (gmtime_r(&seconds, &parts) == nullptr) return "?";
  std::array<char, 32> out;
  return {out.data(), std::strftime(out.data(), out.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

}  // namespace heartbeat
