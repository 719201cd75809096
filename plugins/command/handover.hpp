// SPDX-License-Identifier: Apache-2.0
// A message as a program gets it: text or JSON on its standard input, values in its environment. Pure.
#pragma once

#include <ronda/plugin.hpp>

#include <string>
#include <utility>
#include <vector>

namespace command {

/// The longest value in the environment, and how many fields are there; the kernel refuses programs with more than 128 KiB
/// in one and with some megabytes in all.
constexpr std::size_t max_value_bytes = 4096;
constexpr std::size_t max_fields = 64;

/// Title, an empty line, body; of one that is empty neither it nor the line. Bytes as they are.
std::string as_text(const ronda::message& message);

/// One object on one line.
std::string as_json(const ronda::message& message);

/// RONDA_MESSAGE_ID, _ATTEMPT, _TO, _TITLE, _LEVEL, _EVENT, _INCIDENT, and RONDA_FIELD_NAME for each field: its name in capitals,
/// with _ for what a variable's name may not hold; of two that become the same the first counts. No value holds a NUL: it ends
/// there.
std::vector<std::pair<std::string, std::string>> as_environment(const ronda::message& message);

}  // namespace command
