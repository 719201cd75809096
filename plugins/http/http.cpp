// SPDX-License-Identifier: Apache-2.0
// The plugin's export. libcurl's global state needs no call of ours: the first client sets it up, and clients are
// made under a lock of the library's own since 7.84.
#include "request.hpp"
#include "scenario.hpp"

RONDA_PLUGIN(http::RequestCheck, http::ScenarioCheck)
