// SPDX-License-Identifier: Apache-2.0
#include "plugin/left_alive.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <iterator>
#include <optional>
#include <string_view>

#include "base/clock.hpp"
#include "base/descriptor.hpp"
#include "base/text.hpp"

namespace ronda::plugin {
namespace {

constexpr std::size_t name_bytes = 64;
constexpr std::size_t most_looks = 1024;   // a few microseconds each
constexpr unsigned long is_exiting = 0x4;  // PF_EXITING of the kernel
constexpr unsigned long kill_bit = 1UL << (SIGKILL - 1);

/// Up to 16 KiB; empty when it cannot be read.
std::string read_proc(const std::string& path) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return {};
  std::string out(std::size_t{16} << 10, '\0');
  std::size_t size = 0;
  for (ssize_t got = 1; got > 0 && size < out.size();) {
    got = ::read(fd.get(), out.data() + size, out.size() - size);
    if (got > 0) size += static_cast<std::size_t>(got);
  }
  out.resize(size);
  return out;
}

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

std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> out;
  std::error_code error;
  // the kernel lists children by the thread that made them
  const std::filesystem::path tasks = "/proc/" + std::to_string(parent) + "/task";
  for (std::filesystem::directory_iterator it(tasks, error), end; !error && it != end; it.increment(error)) {
    const std::string text = read_proc(it->path() / "children");
    std::string_view rest = text;
    while (!rest.empty()) {
      const std::size_t blank = std::min(rest.find(' '), rest.size());
      if (blank > 0) out.push_back(number_of<pid_t>(rest.substr(0, blank)));
      rest.remove_prefix(std::min(blank + 1, rest.size()));
    }
  }
  return out;
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
  if (state == 'Z' || state == 'X' || exits || is_being_killed(read_proc(directory + "/status"))) return {};
  Seen out;
  const auto ticks = number_of<std::int64_t>(word_at(fields, 22 - 3));
  out.started = std::chrono::nanoseconds(ticks * (1'000'000'000 / ::sysconf(_SC_CLK_TCK)));
  out.process.pid = pid;
  out.process.started_wall_ns = (wall_clock() - boottime() + out.started).count();
  out.process.command = escape_controls(repair_utf8(std::string_view(stat).substr(open + 1, close - open - 1), name_bytes));
  return out;
}

}  // namespace

std::vector<LeftAlive> left_alive_below(pid_t keeper, pid_t worker) {
  std::vector<pid_t> open = children_of(keeper);
  std::erase(open, worker);
  std::ranges::copy(children_of(worker), std::back_inserter(open));
  std::vector<LeftAlive> out;
  for (std::size_t i = 0; i < open.size() && i < most_looks && out.size() < left_alive_most; ++i) {
    const pid_t pid = open[i];
    if (auto seen = look_at(pid))
      out.push_back(std::move(seen->process));
    else  // about to end: what it has started comes to the keeper only then
      std::ranges::copy(children_of(pid), std::back_inserter(open));
  }
  return out;
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
