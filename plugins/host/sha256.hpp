// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4), to tell whether a file is the one it was. Pure.
// Own code: linking libcrypto for it would cost every runner of this plugin most of a megabyte.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace host {

class Sha256 {
 public:
  void update(std::string_view bytes);
  /// 64 hexadecimal digits; ends the computation.
  std::string finish();

 private:
  void block(const unsigned char* bytes);

  std::array<std::uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<unsigned char, 64> pending_{};
  std::size_t pending_bytes_ = 0;
  std::uint64_t total_bytes_ = 0;
};

}  // namespace host
