// SPDX-License-Identifier: Apache-2.0
// [agent], [api] and [service.N]: tables that the core reads whole, so that an unknown key is an error.
#pragma once

#include <string>
#include <vector>

#include "config/core_keys.hpp"
#include "config/fields.hpp"

namespace ronda::config {

void read_agent(Scope& scope, const Table& table, AgentSettings& settings, std::vector<Mention>& mentions);
void read_api(Scope& scope, const Table& table, ApiSettings& settings);
Service read_service(Scope& scope, const std::string& name, Place place, const Table& table,
                     std::vector<Mention>& mentions);

}  // namespace ronda::config
