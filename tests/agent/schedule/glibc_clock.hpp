// SPDX-License-Identifier: Apache-2.0
// The C library's idea of local time in a zone: a witness that shares no code with agent/schedule.
#pragma once

#include <stdlib.h>
#include <time.h>

#include <chrono>
#include <string>

namespace ronda::schedule {

class GlibcClock {
 public:
  explicit GlibcClock(const std::string& zone) {
    ::setenv("TZ", (":" + zone).c_str(), 1);
    ::tzset();
  }
  ~GlibcClock() {
    ::unsetenv("TZ");
    ::tzset();
  }
  GlibcClock(const GlibcClock&) = delete;
  GlibcClock& operator=(const GlibcClock&) = delete;

  std::tm reading(std::chrono::sys_seconds instant) const {
    const time_t t = instant.time_since_epoch().count();
    std::tm out{};
    ::localtime_r(&t, &out);
    return out;
  }
  std::chrono::seconds offset(std::chrono::sys_seconds instant) const {
    return std::chrono::seconds(reading(instant).tm_gmtoff);
  }
};

}  // namespace ronda::schedule
