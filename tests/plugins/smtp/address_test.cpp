// SPDX-License-Identifier: Apache-2.0
#include "address.hpp"

#include <catch.hpp>

using namespace smtp;

TEST_CASE("an address stands alone or behind a name", "[smtp]") {
  const auto plain = parse_address(" ops@example.com ");
  REQUIRE(plain);
  CHECK(plain->address == "ops@example.com");
  CHECK(plain->name.empty());
  CHECK(plain->host() == "example.com");
  const auto named = parse_address(
      "Guardia T\xc3\xa9"
      "cnica <ops+p1@shop.example.com>");
  REQUIRE(named);
  CHECK(named->name ==
        "Guardia T\xc3\xa9"
        "cnica");
  CHECK(named->address == "ops+p1@shop.example.com");
  CHECK(parse_address("\"On call, nights\" <a@b>")->name == "On call, nights");
}

TEST_CASE("what means something in an envelope or a header is in no address", "[smtp]") {
  for (const char* text : {"",
                           "ops",
                           "@example.com",
                           "ops@",
                           "a b@example.com",
                           "a@b c",
                           "a@b>",
                           "<a@b> x",
                           "a@b\r\nRCPT TO:<c@d>",
                           "a@b\nX: y",
                           "a\"b@c",
                           "a(b)@c",
                           "a@b,c",
                           "a@b;c",
                           "a:b@c",
                           "<<a@b>>",
                           "a@[1.2.3.4]",
                           "\xc3\xa9@b",
                           "a@m\xc3\xbcnchen.de",
                           "a\\b@c",
                           "a<b@c"}) {
    INFO(text);
    CHECK_FALSE(parse_address(text));
  }
  CHECK_FALSE(parse_address(std::string("a\0@b", 4)));
  CHECK_FALSE(parse_address(std::string(251, 'a') + "@b.c"));
  CHECK(parse_address("ops example.com").error() == "\"ops example.com\" is no mail address: there is no @ in it");
  CHECK(parse_address("x\r\n@b").error() == "\"x\\x0d\\x0a@b\" is no mail address: there are control characters in it");
  CHECK(parse_address("a@m\xc3\xbcnchen.de").error() ==
        "\"a@m\xc3\xbcnchen.de\" is no mail address: it may hold letters, digits and !#$%&'*+-/=?^_`{|}~. only; give a host with other "
        "letters "
        "in its xn-- form");
}

TEST_CASE("several addresses stand with commas between, and a wrong one spoils no other", "[smtp]") {
  CHECK(parse_addresses("").empty());
  CHECK(parse_addresses("  ").empty());
  const auto three = parse_addresses("a@b.c, wrong ,Name <d@e.f>,");
  REQUIRE(three.size() == 3);
  CHECK(three[0]->address == "a@b.c");
  CHECK(three[1].error() == "\"wrong\" is no mail address: there is no @ in it");
  CHECK(three[2]->address == "d@e.f");
  CHECK(parse_addresses("a@b.c,,d@e.f").size() == 3);
}
