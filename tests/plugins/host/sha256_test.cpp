// SPDX-License-Identifier: Apache-2.0
#include "sha256.hpp"

#include <openssl/sha.h>

#include <random>
#include <vector>

#include "catch.hpp"

using namespace host;

namespace {

std::string sha256(std::string_view text) {
  Sha256 sha;
  sha.update(text);
  return sha.finish();
}

}  // namespace

TEST_CASE("the vectors of FIPS 180-4", "[host]") {
  CHECK(sha256("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256(std::string(1'000'000, 'a')) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("any length in any pieces is what libcrypto says", "[host]") {
  std::mt19937 random(1);
  for (std::size_t length = 0; length < 300; ++length) {
    std::string text(length, '\0');
    for (char& c : text) c = static_cast<char>(random());
    Sha256 sha;
    for (std::size_t at = 0; at < length;) {
      const std::size_t piece = std::min<std::size_t>(1 + random() % 100, length - at);
      sha.update(std::string_view(text).substr(at, piece));
      at += piece;
    }
    std::vector<unsigned char> expected(SHA256_DIGEST_LENGTH);
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), length, expected.data());
    std::string hex;
    for (const unsigned char byte : expected) {
      hex += "0123456789abcdef"[byte >> 4];
      hex += "0123456789abcdef"[byte & 15];
    }
    REQUIRE(sha.finish() == hex);
  }
}
