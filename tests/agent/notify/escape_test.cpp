// SPDX-License-Identifier: Apache-2.0
#include "notify/escape.hpp"

#include <array>
#include <random>

#include "base/text.hpp"
#include "catch.hpp"

using namespace ronda;
using namespace ronda::notify;

namespace {

constexpr std::array all_markups = {Markup::plain, Markup::mrkdwn, Markup::html, Markup::sms};

bool has_control(std::string_view text) {
  return escape_controls(text) != text;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) text.replace(at, from.size(), to);
  return text;
}

/// Every `&` begins an entity that this markup makes, and nothing else is left that has a meaning.
bool is_inert(std::string text, Markup markup) {
  if (markup != Markup::mrkdwn && markup != Markup::html) return true;
  for (const char* entity : {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"}) text = replaced(text, entity, "");
  return text.find_first_of(markup == Markup::html ? "<>&\"'" : "<>&") == std::string::npos;
}

void check_line(std::string_view value) {
  for (const Markup markup : all_markups) {
    const std::string line = escape_line(value, markup);
    CHECK(repair_utf8(line, SIZE_MAX) == line);
    CHECK_FALSE(has_control(line));
    CHECK(is_inert(line, markup));
    const std::string lines = escape_lines(value, markup);
    CHECK(repair_utf8(lines, SIZE_MAX) == lines);
    CHECK_FALSE(has_control(replaced(lines, "\n", "")));
    CHECK(is_inert(lines, markup));
    if (markup == Markup::sms) CHECK(lines.find('\n') == std::string::npos);
  }
}

std::string random_text(std::mt19937& random) {
  constexpr std::array pieces = {
      "<!channel>",       "<@U1|x>",  "&amp;", "\r\n.\r\n",    "\xE2\x80\xAE", "\xC2\x85", "\xE2\x80\xA8", "\x1B[31m",
      "\xF0\x9F\x9A\xA8", "\xCC\x81", "a",     "\xED\xA0\x80", "\xFF",         "\"'",      "{{x}}",        "\n"};
  std::string text;
  for (std::size_t n = random() % 12; n > 0; --n) {
    if (random() % 3 == 0)
      text += static_cast<char>(random() % 256);
    else
      text += pieces[random() % pieces.size()];
  }
  return text;
}

std::size_t characters(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("no byte and no pair of bytes gets through with a meaning, in any markup", "[notify]") {
  for (int first = 0; first < 256; ++first) {
    check_line(std::string(1, static_cast<char>(first)));
    for (const char second : {'\0', '\n', '&', '<', '>', '\x80', '\x85', '\xA0', '\xBF', '\xFF', 'a'}) {
      check_line(std::string{static_cast<char>(first), second});
    }
  }
}

TEST_CASE("random texts of hostile pieces come out inert, and are cut at characters", "[notify]") {
  std::mt19937 random(7);
  for (int i = 0; i < 3000; ++i) {
    const std::string text = random_text(random);
    check_line(text);
    for (const Markup markup : all_markups) {
      const std::string whole = escape_lines(text, markup);
      const std::size_t most = random() % 20;
      const std::string less = cut(whole, most);
      CHECK(characters(less) <= most);
      CHECK(repair_utf8(less, SIZE_MAX) == less);
      CHECK(is_inert(less, markup));
      if (less != whole && most >= 3) CHECK(less.ends_with("..."));
      CHECK(sms_size(cut_sms(whole, 1)).parts == 1);
    }
  }
}

TEST_CASE("what a markup gives a meaning to is escaped, and mentions are words", "[notify]") {
  CHECK(escape_line("<!channel> & <@U1>", Markup::mrkdwn) == "&lt;!channel&gt; &amp; &lt;@U1&gt;");
  CHECK(escape_line("<a href='x'>\"", Markup::html) == "&lt;a href=&#39;x&#39;&gt;&quot;");
  CHECK(escape_line("<b> & \"c\"", Markup::plain) == "<b> & \"c\"");
  CHECK(escape_line("a\r\nBcc: x\n\xE2\x80\xAEtxt", Markup::plain) == "a\\x0d\\x0aBcc: x\\x0a\\xe2\\x80\\xaetxt");
  CHECK(escape_lines("one\r\ntwo\n\x1B[31mthree", Markup::plain) == "one\ntwo\n\\x1b[31mthree");
  CHECK(escape_lines("one\ntwo", Markup::sms) == "one two");
}

TEST_CASE("a cut text ends with a mark and never in the middle of something", "[notify]") {
  CHECK(cut("abcdef", 6) == "abcdef");
  CHECK(cut("abcdefg", 6) == "abc...");
  CHECK(cut("a&amp;bcdef", 8) == "a...");  // not "a&amp..."
  CHECK(cut("a&amp;bcdef", 9) == "a&amp;...");
  CHECK(cut("áéíóúáéíóú", 6) == "áéí...");
  CHECK(cut("abe\xCC\x81xyz", 6) == "ab...");  // not "abe" without its accent
  CHECK(cut("abcdef", 2).empty());
}

TEST_CASE("an SMS is counted as GSM 03.38 and UCS-2 count it", "[notify]") {
  const auto size = [](const std::string& text) {
    const SmsSize counted = sms_size(text);
    return std::tuple(counted.gsm7, counted.units, counted.parts);
  };
  CHECK(size(std::string(160, 'a')) == std::tuple(true, std::size_t{160}, 1));
  CHECK(size(std::string(161, 'a')) == std::tuple(true, std::size_t{161}, 2));
  CHECK(size(std::string(306, 'a')) == std::tuple(true, std::size_t{306}, 2));
  CHECK(size(std::string(307, 'a')) == std::tuple(true, std::size_t{307}, 3));
  CHECK(size("ñ€[") == std::tuple(true, std::size_t{5}, 1));
  CHECK(size("á") == std::tuple(false, std::size_t{1}, 1));
  CHECK(size("\xF0\x9F\x9A\xA8") == std::tuple(false, std::size_t{2}, 1));
  std::string long_text;
  for (int i = 0; i < 71; ++i) long_text += "á";
  CHECK(size(long_text) == std::tuple(false, std::size_t{71}, 2));
  CHECK(fold_for_sms("Situación “crítica” — ñandú…") == "Situacion \"critica\" - ñandu...");
  CHECK(sms_size(cut_sms(std::string(1000, 'x'), 2)).units == 306);
}
