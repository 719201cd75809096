// SPDX-License-Identifier: Apache-2.0
// Files of NAME=VALUE lines as systemd's EnvironmentFile= reads them: # or ; starts a comment line, values
// may stand in single or double quotes. Pure: text in, variables out; its content is never quoted in a
// message.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace ronda::config {

using Variables = std::map<std::string, std::string, std::less<>>;

/// True for [A-Za-z_][A-Za-z0-9_]*.
bool is_variable_name(std::string_view name);

/// Adds the variables of `text`, over those that are there. A line that is wrong is an error with `path` and the line, and
/// takes nothing from the others: all that is wrong is known after one look. Reading ends at quotes that do not match, since what
/// follows may be the rest of a secret, and after ten that are wrong.
std::vector<Error> read_env_file(std::string_view text, const std::string& path, Variables& variables);

}  // namespace ronda::config
