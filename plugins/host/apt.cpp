// SPDX-License-Identifier: Apache-2.0
#include "apt.hpp"

#include "text.hpp"

namespace host {
namespace {

/// Debian-Security:12/stable-security, Ubuntu:22.04/jammy-security
bool from_security(std::string_view origins) {
  return origins.find("-security") != std::string_view::npos ||
         origins.find("Debian-Security:") != std::string_view::npos;
}

}  // namespace

PendingUpdates parse_simulation(std::string_view text) {
  PendingUpdates out;
  std::string_view line;
  while (next_line(text, line)) {
    if (line.substr(0, 5) != "Inst ") continue;
    const auto all = fields(line, 3);
    if (all.size() < 3) continue;
    ++out.all;
    const std::size_t origins = all[2].find('(');
    if (origins != std::string_view::npos && from_security(all[2].substr(origins)))
      out.security.emplace_back(all[1]);
  }
  return out;
}

}  // namespace host
