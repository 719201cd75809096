// SPDX-License-Identifier: Apache-2.0
// A status that grows with its reasons: the worst of what was added, and every reason in one line.
#pragma once

#include <ronda/result.hpp>

#include <string>

namespace host {

struct Verdict {
  ronda::status level = ronda::status::ok;
  std::string text;

  void add(ronda::status with, const std::string& reason) {
    level = ronda::worst(level, with);
    if (!text.empty()) text += ", ";
    text += reason;
  }
  ronda::result result() const { return {level, text}; }
};

/// An option of type enum with the choices ok, warning, critical, unknown.
inline ronda::status status_named(const std::string& name) {
  if (name == "critical") return ronda::status::critical;
  if (name == "warning") return ronda::status::warning;
  return name == "ok" ? ronda::status::ok : ronda::status::unknown;
}

/// Past a limit, not on it: as a Nagios range is.
inline ronda::status above(double value, double warn_at, double crit_at) {
  if (value > crit_at) return ronda::status::critical;
  return value > warn_at ? ronda::status::warning : ronda::status::ok;
}
inline ronda::status below(double value, double warn_at, double crit_at) {
  if (value < crit_at) return ronda::status::critical;
  return value < warn_at ? ronda::status::warning : ronda::status::ok;
}

}  // namespace host
