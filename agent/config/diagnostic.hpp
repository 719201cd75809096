// SPDX-License-Identifier: Apache-2.0
// What is wrong with files that people wrote: collected, never thrown, shown with place, line and caret, or
// as JSON and SARIF. Holds the text of the files only by reference; prints nothing itself.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/value.hpp"

namespace ronda::config {

/// One file as it was read; a Place's `file` is an index into a list of these.
struct Source {
  std::string path;      // as it is shown to people
  std::string text;      // empty where the file was refused: no byte of such a file is ever shown
  bool refused = false;  // could not be opened, or must not be trusted
};
using Sources = std::vector<Source>;

/// The file index of what is about the set of files and not about one of them.
constexpr std::uint32_t no_file = UINT32_MAX;

enum class Severity : std::uint8_t { error, warning };

struct Diagnostic {
  Severity severity = Severity::error;
  Place where;  // line 0: the file as a whole
  std::string message;
  std::optional<Place> first;  // where the same thing stands already
};

class Diagnostics {
 public:
  /// More than this are counted, not kept; warnings never take the place of errors.
  static constexpr std::size_t max_errors_kept = 1000;
  static constexpr std::size_t max_warnings_kept = 200;

  void error(Place where, std::string message, std::optional<Place> first = {}) {
    add({Severity::error, where, std::move(message), first});
  }
  void warning(Place where, std::string message) { add({Severity::warning, where, std::move(message), {}}); }
  void add(Diagnostic diagnostic) {
    const bool is_error = diagnostic.severity == Severity::error;
    const bool room = is_error ? errors_ < max_errors_kept : warnings_ < max_warnings_kept;
    ++(is_error ? errors_ : warnings_);
    if (room) all_.push_back(std::move(diagnostic));
  }

  bool has_errors() const { return errors_ > 0; }
  std::size_t errors() const { return errors_; }
  std::size_t warnings() const { return warnings_; }
  std::size_t not_kept() const { return errors_ + warnings_ - all_.size(); }
  const std::vector<Diagnostic>& all() const { return all_; }
  /// For a list that came from elsewhere: how many there were before it was cut.
  void count_not_kept(std::size_t errors, std::size_t warnings) {
    errors_ = std::max(errors_, errors);
    warnings_ = std::max(warnings_, warnings);
  }
  /// By file, line and column: the order in which people want to correct them.
  void sort();

 private:
  std::vector<Diagnostic> all_;
  std::size_t errors_ = 0;
  std::size_t warnings_ = 0;
};

/// "conf.d/10-api.toml:12:9"; empty for no_file
std::string place_text(Place place, const Sources& sources);
/// "conf.d/10-api.toml:12:9: ..." for where the severity is said otherwise.
std::string place_and_message(const Diagnostic& diagnostic, const Sources& sources);
/// "conf.d/10-api.toml:12:9: error: ..." without the source line.
std::string headline(const Diagnostic& diagnostic, const Sources& sources);
/// The headline, the source line (cut to what fits 120 columns, controls escaped) and a caret under the
/// column.
std::string render(const Diagnostic& diagnostic, const Sources& sources);
/// All of them rendered, with a last line when some were not kept.
std::string render_all(const Diagnostics& diagnostics, const Sources& sources);

/// [{"file", "line", "column", "severity", "message"}, ...]; file, line and column are absent where unknown.
std::string to_json(const Diagnostics& diagnostics, const Sources& sources);
/// A whole SARIF 2.1.0 log of one run.
std::string to_sarif(const Diagnostics& diagnostics, const Sources& sources, std::string_view version);

}  // namespace ronda::config
