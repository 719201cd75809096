// SPDX-License-Identifier: Apache-2.0
#include "plugin/left_alive.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "base/clock.hpp"
#include "base/proc_files.hpp"
#include "base/text.hpp"

namespace ronda::plugin {
namespace {

constexpr std::size_t name_bytes = 64;
constexpr std::size_t status_bytes = std::size_t{64} << 10;  // signals stand behind the groups, of which there may be many
// the event loop waits for all of this: some 20 us a look and 100 ns a child
constexpr std::size_t most_looks = 512;
constexpr std::size_t most_children = 4096;  // of one process
constexpr int most_rounds = 8;
constexpr unsigned long is_exiting = 0x4;  // PF_EXITING of the kernel
constexpr unsigned long kill_bit = 1UL << (SIGKILL - 1);

template <class Number>
Number number_of(std::string_view text, int base = 10) {
  Number out{};
  std::from_chars(text.data(), text.data() + text.size(), out, base);
  return out;
}

/// The word at `index`, of words between single blanks.
std::string_view word_at(std::string_view text, std::size_t index) {
  for (; index > 0 && !text.empty(); --index) text.remove_prefix(std::min(text.size(), text.find(' ') + 1));
  return text.substr(0, text.find(' '));
}

/// Whether SIGKILL has been sent and not been met yet.
bool is_being_killed(const std::string& status) {
  const auto has = [&](std::string_view key) {
    const std::size_t at = status.find(key);
    return at != std::string::npos && (number_of<unsigned long>(std::string_view(status).substr(at + key.size()), 16) & kill_bit) != 0;
  };
  return has("\nSigPnd:\t") || has("\nShdPnd:\t");
}

struct Seen {
  LeftAlive process;
  std::chrono::nanoseconds started{0};  // on the clock of boottime()
};

/// Nothing of one that has ended or is about to.
std::optional<Seen> look_at(pid_t pid) {
  const std::string directory = "/proc/" + std::to_string(pid);
  const std::string stat = read_proc(directory + "/stat");
  // the name may hold anything and ends with the last parenthesis; behind it the state is field 3, and one blank between fields
  const std::size_t open = stat.find('('), close = stat.rfind(')');
  if (open == std::string::npos || close == std::string::npos || close + 2 >= stat.size()) return {};
  const std::string_view fields = std::string_view(stat).substr(close + 2);
  const char state = fields.front();
  const bool exits = (number_of<unsigned long>(word_at(fields, 9 - 3)) & is_exiting) != 0;
  if (state == 'Z' || state == 'X' || exits || is_being_killed(read_proc(directory + "/status", status_bytes))) return {};
  Seen out;
  const auto ticks = number_of<std::int64_t>(word_at(fields, 22 - 3));
  out.started = std::chrono::nanoseconds(ticks * (1'000'000'000 / ::sysconf(_SC_CLK_TCK)));
  out.process.pid = pid;
  out.process.started_wall_ns = (wall_clock() - boottime() + out.started).count();
  out.process.command = escape_controls(repair_utf8(std::string_view(stat).substr(open + 1, close - open - 1), name_bytes));
  return out;
}

/// One look at all of them. Between a look at a list and one at who stands there, that one may end and hand on its children.
struct Round {
  std::vector<std::pair<pid_t, bool>> seen;  // who, and whether alive
  std::vector<LeftAlive> alive;
  bool whole = true;  // nobody left that there was no look for
};

Round look_below(pid_t keeper, pid_t worker, std::size_t& looks) {
  // the worker's first: who ends meanwhile hands on to the keeper
  std::vector<pid_t> open = children_of(worker, most_children);
  for (const pid_t pid : children_of(keeper, most_children)) {
    if (pid != worker) open.push_back(pid);
  }
  Round out;
  for (std::size_t i = 0; i < open.size() && out.alive.size() < left_alive_most; ++i, ++looks) {
    if (looks == most_looks) {
      out.whole = false;
      break;
    }
    const pid_t pid = open[i];
    auto found = look_at(pid);
    out.seen.emplace_back(pid, found.has_value());
    if (found) {
      out.alive.push_back(std::move(found->process));
      continue;
    }
    // about to end: what it has started comes to the keeper only then
    for (const pid_t child : children_of(pid, most_children)) open.push_back(child);
  }
  return out;
}

}  // namespace

std::vector<LeftAlive> left_alive_below(pid_t keeper, pid_t worker) {
  std::size_t looks = 0;
  Round last;
  for (int rounds = 0; rounds < most_rounds && looks < most_looks; ++rounds) {
    Round next = look_below(keeper, worker, looks);
    if (!next.whole && rounds > 0) break;  // the round before saw more
    const bool agree = rounds > 0 && next.seen == last.seen;
    // who is gone in the last of all rounds has handed on to somebody, whom it is too late to name
    if (!next.alive.empty() || agree) last.alive = std::move(next.alive);
    last.seen = std::move(next.seen);
    if (agree || last.alive.size() >= left_alive_most) break;
  }
  return last.alive;
}

std::vector<LeftAlive> left_alive_of(std::span<const pid_t> pids, std::chrono::nanoseconds since) {
  std::vector<LeftAlive> out;
  for (const pid_t pid : pids) {
    if (out.size() == left_alive_most) break;
    if (pid <= 1) continue;
    if (auto seen = look_at(pid); seen && seen->started >= since) out.push_back(std::move(seen->process));
  }
  return out;
}

std::string text_of(const std::vector<LeftAlive>& left) {
  std::string out;
  for (const LeftAlive& one : left) out += (out.empty() ? "" : ", ") + one.command + " (pid " + std::to_string(one.pid) + ")";
  return out;
}

}  // namespace ronda::plugin
