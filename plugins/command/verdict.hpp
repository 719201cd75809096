// SPDX-License-Identifier: Apache-2.0
// What the end of the program means for the message, and what may be told of what it said. Pure.
#pragma once

#include <ronda/plugin.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace command {

constexpr std::int32_t exit_try_again = 75;  ///< EX_TEMPFAIL
constexpr std::size_t max_told_bytes = 500;

/// `secrets` are taken out of what is told, before it is cut.
ronda::delivery judge(const std::string& program, const ronda::exec_result& ended, bool is_cancelled,
                      const std::vector<std::string_view>& secrets);

/// The end of what was written to stderr, on one line; "" of nothing. `is_whole`: nothing of it is missing at the end.
std::string told(std::string_view err, bool is_whole, const std::vector<std::string_view>& secrets);

}  // namespace command
