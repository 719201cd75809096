// SPDX-License-Identifier: Apache-2.0
// Reads known keys out of one table of a manifest and reports wrong types, what is missing and what is unknown.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostic.hpp"

namespace ronda::plugin {

class ManifestReader {
 public:
  /// `name` is what people read: "[plugin]", "'warn_at'".
  ManifestReader(const config::Table& table, config::Place place, std::string name,
                 config::Diagnostics& diagnostics)
      : table_(table), place_(place), name_(std::move(name)), diagnostics_(diagnostics) {}

  /// Null when absent; every key that was asked for counts as known.
  const config::Value* find(std::string_view key);
  std::optional<std::string> text(std::string_view key);
  std::string text_or(std::string_view key, std::string_view fallback);
  /// Reports when it is absent or empty.
  std::string required_text(std::string_view key);
  bool flag(std::string_view key);
  std::optional<std::int64_t> integer(std::string_view key, std::int64_t least, std::int64_t most);
  std::vector<std::string> texts(std::string_view key);
  const config::Table* table(std::string_view key);

  /// Warns about keys that nobody asked for.
  void finish();

  void error(config::Place place, const std::string& message) {
    diagnostics_.error(place, name_ + ": " + message);
  }
  config::Place place() const { return place_; }
  const std::string& name() const { return name_; }
  config::Diagnostics& diagnostics() { return diagnostics_; }

 private:
  const config::Table& table_;
  config::Place place_;
  std::string name_;
  config::Diagnostics& diagnostics_;
  std::vector<std::string_view> known_;
};

}  // namespace ronda::plugin
