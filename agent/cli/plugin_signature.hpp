// SPDX-License-Identifier: Apache-2.0
// The detached signature of a plugin, judged by the program that trust.toml names: Ronda has no keys and no
// cryptography of its own for it. What is judged are the bytes in memory, sealed, not the file they came from.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>

#include "base/result.hpp"
#include "plugin/trust.hpp"

namespace ronda::cli {

inline constexpr std::chrono::seconds verify_limit{30};
inline constexpr std::uint64_t max_signature_bytes = 64U << 10U;

struct SignedFile {
  std::string path;  // for messages
  std::span<const std::uint8_t> bytes;
  std::string signature;  // a path
};

/// Good only when the program exits with 0 in time. The error has place, cause, what the program said, and a remedy.
/// `policy` is where trust.toml asks for it.
Status verify_signature(const plugin::InstallTrust& trust, const std::string& policy, const SignedFile& file,
                        std::chrono::milliseconds limit = verify_limit);

}  // namespace ronda::cli
