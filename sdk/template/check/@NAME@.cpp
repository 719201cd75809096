// One class, one check: the config in member initialisers, the work in run().
#include <ronda/plugin.hpp>

#include <sys/statvfs.h>

#include <cerrno>
#include <cstring>

struct @CLASS@ : ronda::check {
  std::string path = ronda::cfg<std::string>("path");
  double warn = ronda::cfg<double>("warn_at"), crit = ronda::cfg<double>("crit_at");

  ronda::result run(ronda::call& c) override {
    struct statvfs fs {};
    if (statvfs(path.c_str(), &fs) != 0) return ronda::unknown("statvfs ", path, ": ", std::strerror(errno));
    auto occupied = static_cast<double>(fs.f_blocks - fs.f_bfree);
    auto usable = occupied + static_cast<double>(fs.f_bavail);
    double used = usable > 0 ? occupied / usable : 0;
    c.metric("used", used, ronda::ratio, warn, crit);
    return ronda::grade(used, warn, crit, path, " is ", ronda::percent(used), " full");
  }
};

RONDA_PLUGIN(@CLASS@)
