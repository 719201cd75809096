// SPDX-License-Identifier: Apache-2.0
// The rules of lint about the manifest's text.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "plugin/lint.hpp"
#include "plugin/manifest.hpp"

namespace ronda::plugin {

/// Adds what is wrong; nothing where the manifest cannot be used at all.
std::optional<Manifest> lint_manifest(std::string_view text, std::vector<LintFinding>& findings);

}  // namespace ronda::plugin
