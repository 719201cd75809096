// SPDX-License-Identifier: Apache-2.0
// The part of zone.hpp that reads files.
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/descriptor.hpp"
#include "base/text.hpp"
#include "schedule/tzif.hpp"
#include "schedule/zone.hpp"

namespace ronda::schedule {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t max_file_bytes = 64 * 1024;  // the largest of tzdata has 4 KiB

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_zone_char(char c) {
  return is_upper(c) || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '_';
}

/// Opens a file beneath the directory; a link that leads out of it is refused by the kernel.
int open_beneath(int directory, const std::string& name) {
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  const auto fd = static_cast<int>(::syscall(SYS_openat2, directory, name.c_str(), &how, sizeof how));
  // seccomp filters of some containers do not know openat2; the name's grammar still holds
  if (fd < 0 && (errno == ENOSYS || errno == EPERM))
    return ::openat(directory, name.c_str(), O_RDONLY | O_CLOEXEC);
  return fd;
}

Result<std::string> read_beneath(const std::string& directory, const std::string& name) {
  const Descriptor root(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return system_error("open " + directory, errno);
  const Descriptor file(open_beneath(root.get(), name));
  if (!file) return system_error("open " + directory + "/" + name, errno);
  std::string bytes(max_file_bytes + 1, '\0');
  std::size_t used = 0;
  while (used < bytes.size()) {
    const ssize_t got = ::read(file.get(), bytes.data() + used, bytes.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("read " + directory + "/" + name, errno);
    if (got == 0) break;
    used += static_cast<std::size_t>(got);
  }
  if (used > max_file_bytes) return Error(Errc::range, directory + "/" + name + " is too large for tzdata");
  bytes.resize(used);
  return bytes;
}

std::vector<std::string> list_names(const std::string& directory) {
  std::vector<std::string> out;
  std::error_code error;
  fs::recursive_directory_iterator it(directory, fs::directory_options::skip_permission_denied, error);
  for (; !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    std::string name = it->path().lexically_relative(directory).string();
    if (is_zone_name(name) && it->is_regular_file(error)) out.push_back(std::move(name));
    if (out.size() > 5'000) break;
  }
  std::ranges::sort(out);
  return out;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

/// " did you mean ...": the same in another case, the same city without its continent, else the nearest.
std::string suggestion(std::string_view wrong, const std::string& directory) {
  const std::vector<std::string> names = list_names(directory);
  const std::string wanted = lower(wrong);
  std::string best;
  for (const std::string& name : names) {
    const std::string known = lower(name);
    if (known == wanted) return name;
    if (best.empty() && known.ends_with("/" + wanted)) best = name;
  }
  if (!best.empty()) return best;
  const std::vector<std::string_view> views(names.begin(), names.end());
  return std::string(nearest(wrong, views));
}

Error unknown_zone(std::string_view name, const std::string& directory) {
  std::string message = "unknown time zone \"" + std::string(name) + "\"";
  if (const std::string near = suggestion(name, directory); !near.empty()) {
    message += "; did you mean \"" + near + "\"?";
  } else {
    message += "; zones are named like \"Europe/Berlin\", as in " + directory;
  }
  return {Errc::not_found, std::move(message)};
}

Result<ZonePtr> load(const std::string& directory, const std::string& name) {
  auto bytes = read_beneath(directory, name);
  if (!bytes) return std::move(bytes).error();
  RONDA_TRY(Zone zone, parse_tzif(name, *bytes));
  return std::make_shared<const Zone>(std::move(zone));
}

}  // namespace

bool is_zone_name(std::string_view name) {
  if (name.empty() || name.size() > 64 || !is_upper(name[0]) || name.back() == '/') return false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (!is_zone_char(name[i]) && !(name[i] == '/' && name[i - 1] != '/')) return false;
  }
  return true;
}

Result<ZonePtr> ZoneDatabase::find(std::string_view name) {
  if (const auto known = zones_.find(name); known != zones_.end()) return known->second;
  const std::string shown = escape_controls(name.substr(0, 64));
  if (!is_zone_name(name)) {
    if (const std::string near = suggestion(name.substr(0, 64), directory_); !near.empty()) {
      return Error(Errc::not_found, "unknown time zone \"" + shown + "\"; did you mean \"" + near + "\"?");
    }
    return Error(Errc::invalid, "\"" + shown + "\" is no time zone; zones are named like \"Europe/Berlin\"");
  }
  auto zone = load(directory_, std::string(name));
  if (!zone && name == "UTC")
    zone = std::make_shared<const Zone>("UTC", seconds(0), std::vector<Transition>());
  if (!zone && zone.error().code() == Errc::not_found) return unknown_zone(shown, directory_);
  if (zone) zones_.emplace(name, *zone);
  return zone;
}

Result<ZonePtr> ZoneDatabase::find_local(const std::string& link) {
  std::error_code error;
  const std::string target = fs::read_symlink(link, error).string();
  const std::size_t mark = target.find("zoneinfo/");
  if (error || mark == std::string::npos) {
    return Error(Errc::not_found, link + " does not tell this host's time zone; set tz in [agent]");
  }
  return find(std::string_view(target).substr(mark + 9));
}

ZoneDatabase::Refresh ZoneDatabase::refresh() {
  Refresh out;
  for (auto& [name, zone] : zones_) {
    auto fresh = load(directory_, name);
    if (!fresh) {
      if (name != "UTC") out.kept_old.push_back(name);  // which needs no file
    } else if (!(*fresh)->same_rules(*zone)) {
      zone = *std::move(fresh);
      out.changed.push_back(name);
    }
  }
  return out;
}

}  // namespace ronda::schedule
