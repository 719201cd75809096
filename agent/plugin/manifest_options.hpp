// SPDX-License-Identifier: Apache-2.0
// The options of a manifest: [provides.config] and the `keys` of tables inside it.
#pragma once

#include <vector>

#include "plugin/manifest_reader.hpp"
#include "plugin/option.hpp"

namespace ronda::plugin {

/// `first_level`: keys of the core may not be declared here. `depth` counts tables inside tables.
std::vector<Option> parse_options(const config::Table& table, bool first_level, std::size_t depth,
                                  config::Diagnostics& diagnostics);

/// A value as TOML writes it on one line; for documents and example files.
std::string toml_text(const config::Value& value);

}  // namespace ronda::plugin
