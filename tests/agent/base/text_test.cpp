// SPDX-License-Identifier: Apache-2.0
#include "base/text.hpp"

#include <array>

#include "base/counted.hpp"
#include "catch.hpp"

using namespace ronda;

TEST_CASE("the nearest name is within distance 2, or one that the word begins", "[base]") {
  const std::array<std::string_view, 4> names = {"warn", "crit", "timeout", "every"};
  CHECK(nearest("wran", names) == "warn");
  CHECK(nearest("timeot", names) == "timeout");
  CHECK(nearest("tim", names) == "timeout");
  CHECK(nearest("zzzz", names).empty());
}

TEST_CASE("of a short name a word is near that is one slip away", "[base]") {
  const std::array<std::string_view, 4> names = {"web", "api", "mail", "queue"};
  CHECK(nearest("wbe", names) == "web");
  CHECK(nearest("webb", names) == "web");
  CHECK(nearest("mial", names) == "mail");
  CHECK(nearest("mil", names) == "mail");
  CHECK(nearest("qeue", names) == "queue");
  CHECK(nearest("db", names).empty());
  CHECK(nearest("app", names) == "api");
  CHECK(nearest("cpu", names).empty());
  CHECK(nearest("male", names).empty());
  CHECK(nearest("nai", names).empty());
}

TEST_CASE("edit distance stops at its limit", "[base]") {
  CHECK(edit_distance("kitten", "sitting", 5) == 3);
  CHECK(edit_distance("kitten", "sitting", 2) == 3);
  CHECK(edit_distance("", "abc", 9) == 3);
  CHECK(edit_distance("abc", std::string(1000, 'x'), 2) == 3);
}

TEST_CASE("broken UTF-8 becomes U+FFFD and nothing is cut inside a character", "[base]") {
  CHECK(repair_utf8("a\xFFz", 100) == "a\xEF\xBF\xBDz");
  CHECK(repair_utf8("\xC3\xA9\xC3\xA9", 3) == "\xC3\xA9");
  CHECK(repair_utf8("\xED\xA0\x80", 100) == "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  CHECK(repair_utf8("\xC0\x80", 100).size() == 6);
}

TEST_CASE("control, bidi and line-separator characters are shown, never sent", "[base]") {
  CHECK(escape_controls("a\nb\x1B[31m") == "a\\x0ab\\x1b[31m");
  CHECK(escape_controls("\xE2\x80\xAE") == "\\xe2\\x80\\xae");
  CHECK(escape_controls("\xC2\x85") == "\\xc2\\x85");
  CHECK(escape_controls("Ca\xC3\xB1"
                        "a") ==
        "Ca\xC3\xB1"
        "a");
}

TEST_CASE("object names are lower case, digits, dash and underscore", "[base]") {
  CHECK(is_object_name("api-status_2"));
  CHECK_FALSE(is_object_name(""));
  CHECK_FALSE(is_object_name("-x"));
  CHECK_FALSE(is_object_name("Api"));
  CHECK_FALSE(is_object_name(std::string(129, 'a')));
}

TEST_CASE("one of a thing is told without an s", "[base]") {
  CHECK(counted(0, "error") == "0 errors");
  CHECK(counted(1, "error") == "1 error");
  CHECK(counted(21, "error") == "21 errors");
}
