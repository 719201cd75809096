// SPDX-License-Identifier: Apache-2.0
#include "timers.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "text.hpp"

namespace host {
namespace {

namespace fs = std::filesystem;

/// The names in a folder in order; a folder that is not there has none.
std::vector<std::string> names_in(const std::string& folder, FoundJobs& found) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  if (error && error != std::errc::no_such_file_or_directory && error != std::errc::not_a_directory) {
    found.unreadable.push_back(shown(folder) + ": " + error.message());
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// cron and run-parts take names of these characters only: no editor's back-ups.
bool is_plain_name(const std::string& name) {
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

void add_crontab(const std::string& root, const std::string& path, bool has_user, FoundJobs& found) {
  const Contents contents = read_file(root + path);
  if (contents.error == EACCES) found.unreadable.push_back(shown(path) + ": " + std::strerror(EACCES));
  for (ScheduledJob& job : parse_crontab(contents.text, path, has_user)) {
    // these lines only start the folders below, which are listed one by one
    const bool starts_folder = job.command.find("run-parts") != std::string::npos &&
                               job.command.find("/etc/cron.") != std::string::npos;
    if (!starts_folder) found.jobs.push_back(std::move(job));
  }
}

void add_folder_jobs(const std::string& root, FoundJobs& found) {
  struct Folder {
    const char* path;
    const char* every;
  };
  for (const Folder& folder : {Folder{"/etc/cron.hourly", "1h"}, Folder{"/etc/cron.daily", "1d"},
                               Folder{"/etc/cron.weekly", "1w"}, Folder{"/etc/cron.monthly", "31d"}}) {
    for (const std::string& name : names_in(root + folder.path, found)) {
      const std::string path = std::string(folder.path) + "/" + name;
      if (!is_plain_name(name) || access((root + path).c_str(), X_OK) != 0) continue;
      found.jobs.push_back({folder.path, path, folder.every, {}});
    }
  }
}

/// A timer is enabled when something wants it: a link NAME.timer in a folder *.wants.
void add_timers(const std::string& root, const std::string& folder, FoundJobs& found,
                std::vector<std::string>& seen) {
  for (const std::string& wants : names_in(root + folder, found)) {
    if (wants.size() < 7 || wants.compare(wants.size() - 6, 6, ".wants") != 0) continue;
    for (const std::string& name : names_in(root + folder + "/" + wants, found)) {
      if (name.size() < 7 || name.compare(name.size() - 6, 6, ".timer") != 0) continue;
      if (std::find(seen.begin(), seen.end(), name) != seen.end()) continue;
      seen.push_back(name);
      for (const char* place : {"/etc/systemd/system/", "/run/systemd/system/", "/usr/lib/systemd/system/"}) {
        const Contents contents = read_file(root + place + name);
        if (contents.error != 0) continue;
        auto jobs = parse_timer(contents.text, place + name);
        found.jobs.insert(found.jobs.end(), jobs.begin(), jobs.end());
        break;
      }
    }
  }
}

}  // namespace

FoundJobs find_jobs(const std::string& root) {
  FoundJobs found;
  add_crontab(root, "/etc/crontab", true, found);
  for (const std::string& name : names_in(root + "/etc/cron.d", found)) {
    if (is_plain_name(name)) add_crontab(root, "/etc/cron.d/" + name, true, found);
  }
  for (const std::string& name : names_in(root + "/var/spool/cron/crontabs", found)) {
    add_crontab(root, "/var/spool/cron/crontabs/" + name, false, found);
  }
  add_folder_jobs(root, found);
  std::vector<std::string> seen;
  for (const char* folder : {"/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system"}) {
    add_timers(root, folder, found, seen);
  }
  return found;
}

ronda::result Timers::run(ronda::call& c) {
  FoundJobs found = find_jobs("");
  const auto ignored = [&](const ScheduledJob& job) {
    return std::any_of(ignore_.begin(), ignore_.end(), [&](const std::string& text) {
      return job.source.find(text) != std::string::npos || job.command.find(text) != std::string::npos;
    });
  };
  found.jobs.erase(std::remove_if(found.jobs.begin(), found.jobs.end(), ignored), found.jobs.end());
  c.metric("jobs", found.jobs.size());
  std::string summary =
      ronda::text(found.jobs.size(), found.jobs.size() == 1 ? " job is" : " jobs are",
                  " run by cron and systemd; a heartbeat check for each is proposed in the detail");
  for (const std::string& problem : found.unreadable) summary += "; not read: " + problem;
  return ronda::ok(summary).with_detail(propose(found.jobs));
}

}  // namespace host
