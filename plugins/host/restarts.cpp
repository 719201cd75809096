// SPDX-License-Identifier: Apache-2.0
#include "restarts.hpp"

#include <algorithm>

#include "text.hpp"

namespace host {
namespace {

constexpr std::size_t most_times = 64;
constexpr std::size_t most_roots = 1024;

std::size_t missing_from(const std::vector<std::string>& these, const std::vector<std::string>& those) {
  return static_cast<std::size_t>(std::count_if(these.begin(), these.end(), [&](const std::string& id) {
    return std::find(those.begin(), those.end(), id) == those.end();
  }));
}

}  // namespace

Restarts parse_restarts(std::string_view text) {
  Restarts out;
  std::string_view line;
  while (next_line(text, line)) {
    const auto all = fields(line, most_roots + 1);
    if (all.size() < 2) continue;
    if (all[0] == "boot") out.boot = all[1];
    if (all[0] == "total") out.total = to_u64(all[1]).value_or(0);
    for (std::size_t i = 1; i < all.size(); ++i) {
      if (all[0] == "roots") out.last.emplace_back(all[i]);
      if (all[0] == "times") out.times_s.push_back(to_i64(all[i]).value_or(0));
    }
  }
  return out;
}

std::string format(const Restarts& restarts) {
  std::string out = "boot " + restarts.boot + "\ntotal " + std::to_string(restarts.total) + "\nroots";
  for (const std::string& id : restarts.last) out += " " + id;
  out += "\ntimes";
  for (const std::int64_t time : restarts.times_s) out += " " + std::to_string(time);
  return out + "\n";
}

void look(Restarts& restarts, std::string_view boot, const std::vector<Process>& roots, std::int64_t now_s) {
  if (restarts.boot != boot) {
    restarts.boot = boot;
    restarts.last.clear();
  }
  std::vector<std::string> now;
  for (const Process& root : roots) {
    if (now.size() < most_roots)
      now.push_back(std::to_string(root.pid) + ":" + std::to_string(root.start_ticks));
  }
  if (now.empty()) return;  // down: what we knew stays, so that its return counts
  const std::size_t count = std::min(missing_from(now, restarts.last), missing_from(restarts.last, now));
  restarts.total += count;
  restarts.times_s.insert(restarts.times_s.end(), std::min(count, most_times), now_s);
  if (restarts.times_s.size() > most_times) {
    restarts.times_s.erase(restarts.times_s.begin(), restarts.times_s.end() - most_times);
  }
  restarts.last = std::move(now);
}

std::uint64_t within(const Restarts& restarts, std::int64_t now_s, std::int64_t window_s) {
  const auto recent = [&](std::int64_t time) { return time > now_s - window_s && time <= now_s; };
  return static_cast<std::uint64_t>(std::count_if(restarts.times_s.begin(), restarts.times_s.end(), recent));
}

}  // namespace host
