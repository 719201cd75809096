// SPDX-License-Identifier: Apache-2.0
// Where the museum's pieces are: one hall for each released minor of the SDK.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace ronda::test {

inline std::vector<std::filesystem::path> museum_halls() {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(RONDA_SOURCE_DIR "/tests/sdk/museum"))
    if (entry.is_directory()) found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

/// The pieces of one make in all halls: "check-c".
inline std::vector<std::filesystem::path> museum_pieces(const std::string& make) {
  std::vector<std::filesystem::path> found;
  for (const auto& hall : museum_halls()) found.push_back(hall / (make + "-x86_64.so"));
  return found;
}

}  // namespace ronda::test
