// SPDX-License-Identifier: Apache-2.0
#include "base/siphash.hpp"

#include "catch.hpp"

using namespace ronda;

TEST_CASE("SipHash-2-4-128 gives what OpenSSL's gives for bytes 00 01 02 ... under key 00..0f", "[base]") {
  constexpr SipKey key = {0x0706050403020100U, 0x0f0e0d0c0b0a0908U};
  auto [size, expected] =
      GENERATE(table<std::size_t, std::string>({{0, "e6a825ba047f81a3930255c71472f66d"},
                                                {1, "44af996bd8c187da45fc229b11597634"},
                                                {7, "53c1dbd8beebf1a13982f01fa64ab8c0"},
                                                {8, "61f55862baa9623bb49714f364e2830f"},
                                                {9, "abbad90a06994426ed716dbb028b7fc4"},
                                                {15, "11a8b03399e99354d9c3cf970fec087e"},
                                                {16, "bb54b067caa4e26e77052385bf1533fd"},
                                                {63, "4a83502f77d150517cbd3f979a063e50"}}));
  std::string bytes;
  for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(i);
  CHECK(to_hex(siphash128(bytes, key)) == expected);
}
