// SPDX-License-Identifier: Apache-2.0
// TOML text to plain values with places; the only door to toml++. Reads nothing but the text it is given and
// never throws: what is wrong becomes a diagnostic. Used for conf.d and for the manifests of plugins.
#pragma once

#include <optional>
#include <string_view>

#include "config/diagnostic.hpp"

namespace ronda::config {

constexpr std::size_t max_toml_bytes = 16 << 20;
constexpr std::size_t max_toml_depth = 32;

/// The table of a whole file, or nothing where the text is no TOML. A value that TOML knows and Ronda does
/// not (a date, or one nested too deep) is reported and stands in the table as "nothing" (monostate).
std::optional<Table> parse_toml(std::string_view text, std::uint32_t file, Diagnostics& diagnostics);

}  // namespace ronda::config
