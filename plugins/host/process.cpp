// SPDX-License-Identifier: Apache-2.0
#include "process.hpp"

#include <unistd.h>

#include <array>
#include <stdexcept>

#include "restarts.hpp"
#include "text.hpp"

namespace host {
namespace {

std::string full_unit(const std::string& unit) {
  return unit.find('.') == std::string::npos ? unit + ".service" : unit;
}

/// A unit that nobody defined is a slip in conf.d, not a service that is down.
bool is_defined(const std::string& unit) {
  static constexpr std::array<const char*, 5> folders = {
      "/etc/systemd/system/", "/run/systemd/system/", "/run/systemd/generator/",
      "/usr/local/lib/systemd/system/", "/usr/lib/systemd/system/"};
  const std::size_t at = unit.find('@');
  const std::size_t dot = unit.rfind('.');
  const std::string pattern = at == std::string::npos ? unit : unit.substr(0, at + 1) + unit.substr(dot);
  for (const char* folder : folders) {
    if (access((folder + unit).c_str(), F_OK) == 0 || access((folder + pattern).c_str(), F_OK) == 0)
      return true;
  }
  return false;
}

ronda::status count_status(std::size_t count, std::uint64_t low, std::optional<std::uint64_t> high) {
  if (count < low) return ronda::status::critical;
  return high && count > *high ? ronda::status::warning : ronda::status::ok;
}

}  // namespace

ProcessCheck::ProcessCheck() {
  if (!name_ || name_->find('/') == std::string::npos) return;
  throw std::invalid_argument("name = \"" + shown(*name_) + "\" can never match: give the name of the file alone, \"" +
                              shown(name_->substr(name_->rfind('/') + 1)) + "\"");
}

ronda::result ProcessCheck::run(ronda::call& c) {
  return name_ ? judge(c, collect_named("/proc", *name_)) : run_unit(c);
}

ronda::result ProcessCheck::run_unit(ronda::call& c) {
  if (access("/run/systemd/system", F_OK) != 0) {
    return ronda::unknown("unit ", shown(unit_), ": this host was not booted with systemd (there is no ",
                          "/run/systemd/system); watch the process with name = \"...\"");
  }
  const std::string unit = full_unit(unit_);
  const auto cgroup = find_unit("/sys/fs/cgroup", unit);
  if (!cgroup && !is_defined(unit))
    return ronda::unknown("no unit is called ", shown(unit), "; see systemctl list-units");
  return judge(c, cgroup ? collect_pids("/proc", pids_below(*cgroup)) : std::vector<Process>{});
}

ronda::result ProcessCheck::judge(ronda::call& c, const std::vector<Process>& processes) {
  std::uint64_t rss = 0;
  std::uint64_t threads = 0;
  std::optional<std::uint64_t> open_files;
  for (const Process& process : processes) {
    rss += process.rss_bytes;
    threads += process.threads;
    if (process.open_files) open_files = open_files.value_or(0) + *process.open_files;
  }
  c.metric("count", processes.size());
  c.metric("rss", rss, ronda::bytes);
  c.metric("threads", threads);
  if (open_files) c.metric("open_files", *open_files);
  Verdict verdict;
  const std::string who = shown(name_ ? *name_ : unit_);
  verdict.add(count_status(processes.size(), min_count_, max_count_),
              processes.empty() ? who + " is not running"
                                : ronda::text(who, ": ", processes.size(),
                                              processes.size() == 1 ? " process, " : " processes, ",
                                              ronda::human_bytes(static_cast<double>(rss))));
  if (!processes.empty() && processes.size() < min_count_) {
    verdict.add(ronda::status::critical, ronda::text("at least ", min_count_, " expected"));
  }
  if (max_count_ && processes.size() > *max_count_) {
    verdict.add(ronda::status::warning, ronda::text("at most ", *max_count_, " expected"));
  }
  judge_restarts(c, processes, verdict);
  return verdict.result();
}

void ProcessCheck::judge_restarts(ronda::call& c, const std::vector<Process>& processes, Verdict& verdict) {
  Restarts restarts = parse_restarts(kv().get("restarts").value_or(""));
  const std::int64_t now_s =
      std::chrono::duration_cast<std::chrono::seconds>(clock().wall().time_since_epoch()).count();
  const std::string boot = read_file("/proc/sys/kernel/random/boot_id", 64).text;
  look(restarts, trim(boot), roots(processes), now_s);
  kv().put("restarts", format(restarts));
  c.metric("restarts", restarts.total, ronda::counter);
  const std::uint64_t recent = within(restarts, now_s, restart_span_.count());
  if (recent > max_restarts_) {
    verdict.add(ronda::status::warning,
                ronda::text("restarted ", recent, " times within ", span_text(restart_span_.count())));
  }
}

}  // namespace host
