// SPDX-License-Identifier: Apache-2.0
#include "packages.hpp"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "text.hpp"
#include "verdict.hpp"

namespace host {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

bool is_list(std::string_view name) {
  constexpr auto npos = std::string_view::npos;
  return name.ends_with("_InRelease") || name.ends_with("_Release") || name.find("_Packages") != npos;
}

std::string first_names(const std::vector<std::string>& names) {
  constexpr std::size_t most = 5;
  std::string out;
  for (std::size_t i = 0; i < names.size() && i < most; ++i) out += (i == 0 ? "" : " ") + shown(names[i], 64);
  return names.size() > most ? out + " ..." : out;
}

}  // namespace

std::optional<std::int64_t> lists_as_of_s(const std::string& folder) {
  const std::unique_ptr<DIR, CloseDirectory> directory(opendir(folder.c_str()));
  if (!directory) return std::nullopt;
  std::optional<std::int64_t> latest;
  while (const dirent* entry = readdir(directory.get())) {
    struct stat info {};
    if (!is_list(entry->d_name) || fstatat(dirfd(directory.get()), entry->d_name, &info, 0) != 0 || !S_ISREG(info.st_mode)) continue;
    latest = std::max<std::int64_t>(latest.value_or(0), info.st_mtim.tv_sec);
  }
  return latest;
}

ronda::status Packages::status_of_found() {
  return status_named(ronda::cfg<std::string>("found"));
}

ronda::result Packages::run(ronda::call& c) {
  const auto as_of_s = lists_as_of_s(lists_folder);
  if (!as_of_s) return ronda::unknown("there are no package lists in ", shown(lists_folder), ": run apt-get update");
  static const std::vector<std::string> argv = {"/usr/bin/apt-get",
                                                "--simulate",
                                                "-q",
                                                "-o",
                                                "Debug::NoLocking=true",
                                                "-o",
                                                "Dir::Cache::pkgcache=",
                                                "-o",
                                                "Dir::Cache::srcpkgcache=",
                                                "-o",
                                                "APT::Get::Show-User-Simulation-Note=false",
                                                "dist-upgrade"};
  const std::vector<ronda::label> environment = {{"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"}, {"LC_ALL", "C"}};
  ronda::exec_options how;
  how.env = environment;
  how.clear_env = true;
  how.output_limit = 512 << 10;  // the most that there is
  const auto done = exec().run(c, argv, how);
  if (!done) return ronda::unknown("/usr/bin/apt-get: ", done.error(), "; host.packages needs apt");
  if (done->timed_out)
    return ronda::unknown("apt-get did not end within the timeout; give this check a longer one");
  if (done->exit_code != 0) return ronda::unknown("apt-get: ", shown(trim(done->err), 300));
  if (done->out_total > done->out.size())
    return ronda::unknown("apt-get said ", ronda::human_bytes(static_cast<double>(done->out_total)), ", more than is read of a program: so many updates are pending");
  return judge(c, parse_simulation(done->out), *as_of_s);
}

ronda::result Packages::judge(ronda::call& c, const PendingUpdates& updates, std::int64_t as_of_s) {
  c.metric("pending", updates.all);
  c.metric("security", updates.security.size());
  Verdict verdict;
  verdict.add(updates.security.empty() ? ronda::status::ok : found_,
              ronda::text(updates.security.size(), " security updates pending of ", updates.all));
  if (!updates.security.empty()) verdict.text += ": " + first_names(updates.security);

  const bool reboot = access("/run/reboot-required", F_OK) == 0;
  c.metric("reboot_required", reboot ? 1 : 0);
  if (reboot) verdict.add(ronda::status::warning, "a reboot is required");

  const std::int64_t now_s =
      std::chrono::duration_cast<std::chrono::seconds>(clock().wall().time_since_epoch()).count();
  struct stat stamp {};  // touched by apt's own timer, where that is set up, after an update without any failure
  if (stat("/var/lib/apt/periodic/update-success-stamp", &stamp) == 0) as_of_s = std::max<std::int64_t>(as_of_s, stamp.st_mtim.tv_sec);
  const std::int64_t age_s = now_s - as_of_s;
  c.metric("list_age", static_cast<double>(age_s), ronda::seconds);
  if (age_s > max_list_age_.count()) {
    verdict.add(ronda::status::warning, "the package lists are " + span_text(age_s) + " old: apt-get update has not run or not succeeded");
  }
  std::string detail;
  for (const std::string& name : updates.security) detail += shown(name, 64) + "\n";
  return verdict.result().with_detail(detail);
}

}  // namespace host
