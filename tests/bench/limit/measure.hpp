// SPDX-License-Identifier: Apache-2.0
// What the limit programs share: clocks, pacing, and the line that each prints at its end.
#pragma once

#include <sys/resource.h>

#include <cstdint>
#include <cstdio>
#include <ctime>
#include <initializer_list>

namespace bench {

inline std::int64_t now_ns(clockid_t clock = CLOCK_BOOTTIME) {
  timespec t{};
  ::clock_gettime(clock, &t);
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

inline timespec to_timespec(std::int64_t ns) {
  return {ns / 1'000'000'000, ns % 1'000'000'000};
}

inline void sleep_until(std::int64_t boottime_ns) {
  const timespec t = to_timespec(boottime_ns);
  ::clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &t, nullptr);
}

/// CPU of this process and of its children that were waited for, in ns.
inline std::int64_t cpu_ns() {
  std::int64_t sum = 0;
  for (const int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage used{};
    ::getrusage(who, &used);
    sum += (std::int64_t{used.ru_utime.tv_sec} + used.ru_stime.tv_sec) * 1'000'000'000;
    sum += (std::int64_t{used.ru_utime.tv_usec} + used.ru_stime.tv_usec) * 1000;
  }
  return sum;
}

/// Counts from its construction to print(): work done, CPU and wall time.
class Meter {
 public:
  void print(std::int64_t runs) const {
    const double wall = static_cast<double>(now_ns() - wall_) / 1e9,
                 cpu = static_cast<double>(cpu_ns() - cpu_) / 1e9;
    std::printf("{\"runs\": %lld, \"wall_s\": %.6f, \"cpu_s\": %.6f}\n", static_cast<long long>(runs), wall,
                cpu);
  }

 private:
  std::int64_t wall_ = now_ns(), cpu_ = cpu_ns();
};

}  // namespace bench
