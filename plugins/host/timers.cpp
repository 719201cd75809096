// SPDX-License-Identifier: Apache-2.0
#include "timers.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <set>

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
    const bool starts_folder = job.command.find("run-parts") != std::string::npos && job.command.find("/etc/cron.") != std::string::npos;
    if (!starts_folder) found.jobs.push_back(std::move(job));
  }
}

void add_folder_jobs(const std::string& root, FoundJobs& found) {
  struct Folder {
    const char* path;
    const char* every;
  };
  for (const Folder& folder : {Folder{"/etc/cron.hourly", "1h"}, Folder{"/etc/cron.daily", "1d"}, Folder{"/etc/cron.weekly", "1w"},
                               Folder{"/etc/cron.monthly", "31d"}}) {
    for (const std::string& name : names_in(root + folder.path, found)) {
      const std::string path = std::string(folder.path) + "/" + name;
      if (!is_plain_name(name) || access((root + path).c_str(), X_OK) != 0) continue;
      found.jobs.push_back({folder.path, path, folder.every, {}});
    }
  }
}

/// Where systemd looks for a unit and its drop-ins; what stands earlier hides what stands later.
constexpr const char* unit_folders[] = {"/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system",
                                        "/usr/lib/systemd/system"};

/// How systemd writes "not this one, wherever else it is".
bool is_masked(const std::string& file) {
  std::error_code error;
  return fs::read_symlink(file, error) == "/dev/null";
}

bool ends_with(const std::string& text, std::string_view end) {
  return text.size() > end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

/// The folders of drop-ins of a timer, the most special first: of itself, of its template, of each beginning up to a
/// dash, of all timers.
std::vector<std::string> drop_in_names(const std::string& name) {
  std::vector<std::string> out{name + ".d"};
  const std::string stem = name.substr(0, name.rfind('.'));
  const std::size_t at = stem.find('@');
  if (at != std::string::npos && at + 1 < stem.size()) out.push_back(stem.substr(0, at + 1) + ".timer.d");
  for (std::size_t dash = stem.rfind('-'); dash != std::string::npos && dash > 0; dash = stem.rfind('-', dash - 1))
    if (dash + 1 < stem.size()) out.push_back(stem.substr(0, dash + 1) + ".timer.d");
  out.push_back("timer.d");
  return out;
}

/// The drop-ins that hold, by their file names, which is the order in which systemd reads them.
std::map<std::string, std::string> drop_ins(const std::string& root, const std::string& name, FoundJobs& found) {
  std::map<std::string, std::string> out;
  for (const std::string& folder : drop_in_names(name)) {
    for (const char* place : unit_folders) {
      const std::string path = std::string(place) + "/" + folder;
      for (const std::string& file : names_in(root + path, found))
        if (ends_with(file, ".conf")) out.emplace(file, path + "/" + file);
    }
  }
  return out;
}

/// The unit file that holds; empty when there is none or it is masked.
std::string unit_file(const std::string& root, const std::string& name, Contents& contents) {
  const std::size_t at = name.find('@');
  for (const std::string& file : {name, at == std::string::npos ? name : name.substr(0, at + 1) + ".timer"}) {
    for (const char* place : unit_folders) {
      const std::string path = std::string(place) + "/" + file;
      if (is_masked(root + path)) return {};
      contents = read_file(root + path);
      if (contents.error == 0) return contents.text.empty() ? std::string() : path;  // an empty file masks, too
    }
  }
  return {};
}

void add_timer(const std::string& root, const std::string& name, FoundJobs& found) {
  Contents unit;
  const std::string path = unit_file(root, name, unit);
  if (path.empty()) return;
  std::string changed;
  for (const auto& [file, drop_in] : drop_ins(root, name, found)) {
    if (is_masked(root + drop_in)) continue;
    const Contents more = read_file(root + drop_in);
    if (more.error == EACCES) found.unreadable.push_back(shown(drop_in) + ": " + std::strerror(EACCES));
    if (more.error != 0 || more.text.empty()) continue;
    unit.text += "\n" + more.text;
    changed += (changed.empty() ? " with " : ", ") + drop_in;
  }
  // by the name that is wanted: a template's file has another
  for (ScheduledJob& job : parse_timer(unit.text, name)) {
    job.source = path + changed;
    found.jobs.push_back(std::move(job));
  }
}

/// A timer is enabled when something wants it: a link NAME.timer in a folder *.wants. Links as well are hidden by those
/// of the same name in an earlier folder, and masked there.
void add_timers(const std::string& root, FoundJobs& found) {
  std::map<std::string, bool> links;  // "timers.target.wants/NAME.timer": masked
  for (const char* place : unit_folders) {
    for (const std::string& wants : names_in(root + place, found)) {
      if (!ends_with(wants, ".wants")) continue;
      const std::string folder = root + place + "/" + wants;
      for (const std::string& name : names_in(folder, found))
        if (ends_with(name, ".timer")) links.emplace(wants + "/" + name, is_masked(folder + "/" + name));
    }
  }
  std::set<std::string> wanted;
  for (const auto& [link, masked] : links)
    if (!masked) wanted.insert(link.substr(link.find('/') + 1));
  for (const std::string& name : wanted) add_timer(root, name, found);
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
  add_timers(root, found);
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
  std::string summary = ronda::text(found.jobs.size(), found.jobs.size() == 1 ? " job is" : " jobs are",
                                    " run by cron and systemd; a heartbeat check for each is proposed in the detail");
  for (const std::string& problem : found.unreadable) summary += "; not read: " + problem;
  return ronda::ok(summary).with_detail(propose(found.jobs));
}

}  // namespace host
