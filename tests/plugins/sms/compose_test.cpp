// SPDX-License-Identifier: Apache-2.0
// Alphabets, parts and cuts.
#include "compose.hpp"
#include "alphabet.hpp"
#include "catch.hpp"

using namespace sms;

namespace {

std::string repeated(const std::string& text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

}  // namespace

TEST_CASE("a text takes as many parts as its alphabet needs", "[sms]") {
  struct Row {
    std::string text;
    Alphabet alphabet;
    std::size_t units, segments;
  };
  const auto row = GENERATE(values<Row>({
      {"", Alphabet::gsm7, 0, 1},
      {repeated("x", 160), Alphabet::gsm7, 160, 1},
      {repeated("x", 161), Alphabet::gsm7, 161, 2},
      {repeated("x", 306), Alphabet::gsm7, 306, 2},
      {repeated("x", 307), Alphabet::gsm7, 307, 3},
      {repeated("€", 80), Alphabet::gsm7, 160, 1},
      {repeated("€", 81), Alphabet::gsm7, 162, 2},
      {repeated("€", 152), Alphabet::gsm7, 304, 2},  // 76 a part: the half of one that would fit is not used
      {repeated("€", 153), Alphabet::gsm7, 306, 3},
      {"ñ¿¡éüÑ@£$_\n{}[]~\\^|", Alphabet::gsm7, 27, 1},
      {repeated("x", 70) + "`", Alphabet::ucs2, 71, 2},
      {repeated("í", 70), Alphabet::ucs2, 70, 1},
      {repeated("í", 71), Alphabet::ucs2, 71, 2},
      {repeated("í", 134), Alphabet::ucs2, 134, 2},
      {repeated("í", 135), Alphabet::ucs2, 135, 3},
      {repeated("😀", 35), Alphabet::ucs2, 70, 1},
      {repeated("😀", 66), Alphabet::ucs2, 132, 2},  // 33 a part
      {repeated("😀", 67), Alphabet::ucs2, 134, 3},
  }));
  INFO(row.text);
  const auto size = size_of(row.text);
  CHECK(size.alphabet == row.alphabet);
  CHECK(size.units == row.units);
  CHECK(size.segments == row.segments);
}

TEST_CASE("typographic characters are replaced, letters of the alphabet are not", "[sms]") {
  CHECK(transliterated("“a” ‘b’ – — … • → ≥ 5\u00a0°") == "\"a\" 'b' - - ... * -> >= 5 deg");
  CHECK(transliterated("canción, época, ñandú, ¿qué?, Ü") == "cancion, época, ñandu, ¿qué?, Ü");
  CHECK(transliterated("привет 😀") == "привет 😀");
}

TEST_CASE("a text is transliterated only where that brings it into the GSM alphabet", "[sms]") {
  CHECK(compose({"caída", "de “api”", ""}, 2, true) == "caida\nde \"api\"");
  CHECK(compose({"caída", "“api” 😀", ""}, 2, true) == "caída\n“api” 😀");
}

TEST_CASE("however long the text, it fits, is cut between characters, and keeps its end", "[sms]") {
  const std::string unit = GENERATE(as<std::string>(), "x", "€", "í", "😀", "x€", "ñ\n");
  for (std::size_t most = 1; most <= 10; ++most) {
    INFO(unit << " " << most);
    const auto text = compose({"title", repeated(unit, 3000), "Reply 4821 to acknowledge."}, most, false);
    CHECK(size_of(text).segments <= most);
    CHECK(text.rfind("...\nReply 4821 to acknowledge.") == text.size() - 30);
    CHECK(text.find("\xef\xbf\xbd") == std::string::npos);
    // and no more is cut off than must be
    const auto cut = text.size() - 30;
    CHECK(size_of(text.substr(0, cut) + repeated(unit, 1) + text.substr(cut)).segments + (unit == "x€" || unit == "ñ\n" ? 1 : 0) > most);
  }
}

TEST_CASE("a text without an end to reply to is whole or ends in dots", "[sms]") {
  CHECK(compose({"title", "body", ""}, 1, true) == "title\nbody");
  CHECK(compose({"title", "", ""}, 1, true) == "title");
  CHECK(compose({"", " \r\n ", ""}, 1, true).empty());
  CHECK(compose({repeated("x", 500), "", ""}, 1, true) == repeated("x", 157) + "...");
  CHECK(compose({"a\x1b[31mb\tc", "", ""}, 1, true) == "a [31mb c");
}

TEST_CASE("numbers are E.164", "[sms]") {
  for (const char* good : {"+15005550006", "+5491155550000", "+1234567", "+123456789012345"}) CHECK(is_e164(good));
  for (const char* bad :
       {"", "+", "15005550006", "+0123456789", "+123456", "+1234567890123456", "+1500555000a", "+1 500 555", "+15005550006\n"})
    CHECK_FALSE(is_e164(bad));
}

TEST_CASE("a code that is none makes no sentence", "[sms]") {
  CHECK(ack_sentence("", "en").empty());
  CHECK(ack_sentence(" \n ", "en").empty());
  CHECK(ack_sentence("12\n34", "en") == "Reply 12 34 to acknowledge.");
}
