// SPDX-License-Identifier: Apache-2.0
// Gives a fake host the options of a procedure as the agent would: every default of the real manifest, in
// base units. So a test fails when code and manifest disagree.
#pragma once

#include <ronda/testing.hpp>

#include <string>

/// Throws std::runtime_error when the manifest cannot be read or has no such procedure.
void set_defaults(ronda::testing::host& host, const std::string& manifest_path, const std::string& procedure);
