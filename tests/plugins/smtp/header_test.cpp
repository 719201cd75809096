// SPDX-License-Identifier: Apache-2.0
#include "header.hpp"

#include <catch.hpp>
#include <random>
#include <set>

#include "outgoing/shown.hpp"
#include "read_mail.hpp"

using namespace smtp;

namespace {

/// Ends in CRLF, has no other CR or LF than that of a fold, is ASCII and has no long line.
void check_field(const std::string& field) {
  INFO(field);
  REQUIRE(field.size() >= 2);
  REQUIRE(field.substr(field.size() - 2) == "\r\n");
  std::size_t line = 0;
  for (std::size_t i = 0; i + 2 < field.size(); ++i) {
    const auto byte = static_cast<unsigned char>(field[i]);
    if (byte == '\r') {
      REQUIRE(field.substr(i, 3) == "\r\n ");
      REQUIRE(i + 3 < field.size());
      REQUIRE(field[i + 3] != ' ');
      i += 1, line = 0;
      continue;
    }
    REQUIRE((byte >= 0x20 && byte < 0x7f));
    REQUIRE(++line <= 78);
  }
}

std::string read_back(const std::string& field) {
  return read_mail(field + "\r\n").shown("Subject");
}

}  // namespace

TEST_CASE("plain text is a header as it is", "[smtp]") {
  CHECK(unstructured("Subject", "API is down: refused") == "Subject: API is down: refused\r\n");
  CHECK(unstructured("Subject", "") == "Subject:\r\n");
}

TEST_CASE("a long header is folded between words and reads as it was", "[smtp]") {
  std::string text;
  for (int i = 0; i < 30; ++i) text += (i > 0 ? " word" : "word") + std::to_string(i);
  const auto field = unstructured("Subject", text);
  check_field(field);
  CHECK(field.find("\r\n ") != field.npos);
  CHECK(read_back(field) == text);
  const std::string long_word(300, 'x');
  check_field(unstructured("Subject", long_word));
  CHECK(read_back(unstructured("Subject", long_word)) == long_word);
}

TEST_CASE("other letters are encoded words, none of which ends within a letter", "[smtp]") {
  const std::string text = "Caf\xc3\xa9 \xf0\x9f\x9a\xa8 sin conexi\xc3\xb3n";
  CHECK(unstructured("Subject", "\xc3\xa9") == "Subject: =?UTF-8?B?w6k=?=\r\n");
  CHECK(read_back(unstructured("Subject", text)) == text);
  for (std::size_t shift = 0; shift < 4; ++shift) {
    std::string sirens(shift, 'a');
    for (int i = 0; i < 50; ++i) sirens += "\xf0\x9f\x9a\xa8";
    const auto field = unstructured("Subject", sirens);
    check_field(field);
    CHECK(read_back(field) == sirens);
    // each word alone is whole characters
    const auto raw = read_mail(field + "\r\n").raw("Subject");
    for (std::size_t at = 0; (at = raw.find("=?UTF-8?B?", at)) != raw.npos; ++at) {
      const auto word = raw.substr(at, raw.find("?=", at + 10) + 2 - at);
      const auto decoded = read_back("Subject: " + word + "\r\n");
      CHECK(shown::escape(decoded) == decoded);
    }
  }
}

TEST_CASE("text that looks like an encoded word is not taken for one", "[smtp]") {
  const std::string text = "=?UTF-8?B?ZXZpbA==?=";
  CHECK(read_back(unstructured("Subject", text)) == text);
}

TEST_CASE("no text makes a header of its own", "[smtp]") {
  CHECK(unstructured("Subject", "x\r\nBcc: evil@example.com") == "Subject: x Bcc: evil@example.com\r\n");
  CHECK(unstructured("Subject", "x\n\n<html>") == "Subject: x <html>\r\n");
  CHECK(unstructured("Subject", std::string("nul\0!", 5)) == "Subject: nul\\x00!\r\n");
  CHECK(unstructured("Subject", "\x1b[31m\xe2\x80\xae") == "Subject: \\x1b[31m\\xe2\\x80\\xae\r\n");
  std::mt19937 random(26);
  std::vector<std::string> texts;
  for (int byte = 0; byte < 256; ++byte) texts.push_back("a" + std::string(1, static_cast<char>(byte)) + "b");
  for (int i = 0; i < 500; ++i) {
    std::string text(random() % 400, '\0');
    for (char& c : text) c = static_cast<char>(random());
    texts.push_back(text);
  }
  for (const auto& text : texts) {
    const auto field = unstructured("Subject", text);
    check_field(field);
    CHECK(read_back(field) == one_line(text));
    Address address;
    address.name = text, address.address = "ops@example.com";
    check_field(mailbox("To", address));
  }
}

TEST_CASE("a name that means something to mail programs is encoded", "[smtp]") {
  Address address;
  address.address = "ops@example.com";
  CHECK(mailbox("To", address) == "To: ops@example.com\r\n");
  address.name = "On Call";
  CHECK(mailbox("To", address) == "To: On Call <ops@example.com>\r\n");
  address.name = "a, b <evil@x>";
  CHECK(mailbox("To", address) == "To: =?UTF-8?B?YSwgYiA8ZXZpbEB4Pg==?= <ops@example.com>\r\n");
}

TEST_CASE("a part of an id is the same for the same text, other for another, and harmless", "[smtp]") {
  CHECK(id_part("m-1") == "m-1");
  CHECK(id_part("a b") == id_part("a b"));
  std::set<std::string> parts;
  for (const char* text : {"a b", "a-b", "a_b", "a.b", "a\r\nb", "a>b", "a@b", ""}) parts.insert(id_part(text));
  CHECK(parts.size() == 8);
  for (const auto& part : parts) CHECK(part.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-.") == part.npos);
  CHECK(id_part(std::string(1000, 'x')).size() == 64 + 17);
}
