// A check with config, state kept between runs, a log line and two metrics.
#include <ronda/plugin.hpp>

#include <cstdlib>
#include <unistd.h>

struct LoadAverage : ronda::check {
  double warn = ronda::cfg<double>("warn_at"), crit = ronda::cfg<double>("crit_at");
  std::string span = ronda::cfg<std::string>("span");

  ronda::result run(ronda::call& c) override {
    double averages[3];
    if (getloadavg(averages, 3) != 3) return ronda::unknown("the kernel gives no load average");
    double load = averages[span == "1m" ? 0 : span == "5m" ? 1 : 2];
    double per_cpu = load / static_cast<double>(sysconf(_SC_NPROCESSORS_ONLN));
    c.metric("per_cpu", per_cpu, ronda::none, warn, crit);

    // of the last accepted run; a first run has none, and that is no error
    if (auto before = kv().get_f64("per_cpu")) c.metric("change", per_cpu - *before);
    if (!kv().put("per_cpu", per_cpu)) log().warning("the change since the last run will be missing");

    return ronda::grade(per_cpu, warn, crit, span, " load is ", per_cpu, " per processor");
  }
};

RONDA_PLUGIN(LoadAverage)
