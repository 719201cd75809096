// SPDX-License-Identifier: Apache-2.0
#include "incident/calendar_watch.hpp"

#include <sys/stat.h>

#include <algorithm>

namespace ronda::people {

CalendarWatch::Facts CalendarWatch::facts_of(const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return {};
  return {found.st_dev, found.st_ino, found.st_size, std::int64_t{found.st_ctim.tv_sec} * 1'000'000'000 + found.st_ctim.tv_nsec};
}

/// False: it is to be looked at again soon.
bool CalendarWatch::look(const Rota& rota, File& file) {
  const Facts facts = facts_of(rota.calendar_path);
  if (file.path != rota.calendar_path || file.facts != facts) {
    file.path = rota.calendar_path;
    file.facts = facts;
    file.is_read = false;
    return false;
  }
  if (file.is_read) return true;
  const auto bytes = ports_.read(rota.calendar_path);
  if (!bytes && bytes.error().code() == Errc::unavailable) return false;  // it changed under the reader
  file.is_read = bytes.has_value();  // what keeps it from being read may be elsewhere, and end
  file.trouble.clear();
  if (bytes && siphash128(*bytes) == rota.calendar_hash) return true;
  const Status taken = bytes ? ports_.take(rota, *bytes) : Status(bytes.error());
  if (!taken) file.trouble = "oncall " + rota.name + ": " + taken.error().message() + "; its turns from before stay";
  return true;
}

std::chrono::seconds CalendarWatch::look(std::span<const Rota> rotas) {
  std::erase_if(files_, [&](const auto& file) { return std::ranges::find(rotas, file.first, &Rota::name) == rotas.end(); });
  std::chrono::seconds next = usual;
  for (const Rota& rota : rotas) {
    if (!rota.calendar_path.empty() && !look(rota, files_[rota.name])) next = soon;
  }
  return next;
}

std::string CalendarWatch::trouble() const {
  std::string out;
  for (const auto& [rota, file] : files_) {
    if (!file.trouble.empty()) out += (out.empty() ? "" : "; ") + file.trouble;
  }
  return out;
}

}  // namespace ronda::people
