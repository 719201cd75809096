// SPDX-License-Identifier: Apache-2.0
// What an author should correct in a plugin, found in the file alone: everything that the loader would
// refuse, and what makes a plugin hard to live with. Runs nothing of it. All findings in one pass; rule names
// are stable.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ronda::plugin {

enum class LintSeverity : std::uint8_t { error, warning };
std::string_view to_string(LintSeverity severity);

struct LintFinding {
  LintSeverity severity = LintSeverity::error;
  std::string rule;  // "stray_export"; where the loader refuses for the same cause, its LoadReason's name
  std::string message;
  std::string remedy;
};

/// `library_directories`: where the dynamic linker of this host looks.
std::vector<LintFinding> lint(std::span<const std::uint8_t> file,
                              const std::vector<std::string>& library_directories);

}  // namespace ronda::plugin
