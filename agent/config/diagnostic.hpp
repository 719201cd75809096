// SPDX-License-Identifier: Apache-2.0
// What is wrong with files that people wrote: collected, never thrown, shown with place, line and caret.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/value.hpp"

namespace ronda::config {

/// One file as it was read; a Place's `file` is an index into a list of these.
struct Source {
  std::string path;  // as it is shown to people
  std::string text;
};
using Sources = std::vector<Source>;

enum class Severity : std::uint8_t { error, warning };

struct Diagnostic {
  Severity severity = Severity::error;
  Place where;  // line 0: the file as a whole
  std::string message;
};

class Diagnostics {
 public:
  void error(Place where, std::string message) { add(Severity::error, where, std::move(message)); }
  void warning(Place where, std::string message) { add(Severity::warning, where, std::move(message)); }

  bool has_errors() const { return errors_ > 0; }
  std::size_t errors() const { return errors_; }
  std::size_t warnings() const { return all_.size() - errors_; }
  const std::vector<Diagnostic>& all() const { return all_; }

 private:
  void add(Severity severity, Place where, std::string message) {
    if (severity == Severity::error) ++errors_;
    all_.push_back({severity, where, std::move(message)});
  }

  std::vector<Diagnostic> all_;
  std::size_t errors_ = 0;
};

/// "conf.d/10-api.toml:12:9: error: ..." without the source line.
std::string headline(const Diagnostic& diagnostic, const Sources& sources);
/// The headline, the source line (cut to what fits 120 columns, controls escaped) and a caret under the column.
std::string render(const Diagnostic& diagnostic, const Sources& sources);

}  // namespace ronda::config
