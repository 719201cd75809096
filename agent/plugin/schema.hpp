// SPDX-License-Identifier: Apache-2.0
// An object of conf.d against the procedure that it uses: step 5 of the loader. Pure; runs no plugin code.
#pragma once

#include <optional>

#include "plugin/manifest.hpp"
#include "plugin/option_value.hpp"

namespace ronda::plugin {

/// `object` is the whole table of the instance (keys of the core are skipped), `place` its header. Adds every
/// error and warning to `diagnostics`; nothing when there was an error. The result is a table.
std::optional<OptionNode> check_options(const Procedure& procedure, const config::Table& object,
                                        config::Place place, const TextJudges& judges,
                                        config::Diagnostics& diagnostics);

}  // namespace ronda::plugin
