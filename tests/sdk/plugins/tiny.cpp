// SPDX-License-Identifier: Apache-2.0
// The smallest check: the file tests look at, not the behaviour.
#include <ronda/plugin.hpp>

#include <sys/statvfs.h>

#include <cerrno>
#include <cstring>
#include <regex>

struct Disk : ronda::check {
  std::string path = ronda::cfg<std::string>("path");
  double warn = ronda::cfg<double>("warn_at"), crit = ronda::cfg<double>("crit_at");
  // brings in the inline statics of libstdc++ that would be STB_GNU_UNIQUE without the build's flags
  std::regex device{"/dev/[a-z]+"};

  ronda::result run(ronda::call& c) override {
    struct statvfs v {};
    if (statvfs(path.c_str(), &v) != 0) return ronda::unknown("statvfs ", path, ": ", std::strerror(errno));
    double used = 1.0 - double(v.f_bavail) / double(v.f_blocks);
    c.metric("used", used, ronda::ratio, warn, crit);
    return ronda::grade(used, warn, crit, path, " is ", ronda::percent(used), " full");
  }
};
RONDA_PLUGIN(Disk)
