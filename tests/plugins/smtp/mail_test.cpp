// SPDX-License-Identifier: Apache-2.0
#include "mail.hpp"

#include <catch.hpp>
#include <random>

#include "read_mail.hpp"

using namespace smtp;

namespace {

struct Parts {
  std::string id = "m-1", title = "API is down", body = "connection refused\nsince 09:05\n", level = "p1", event = "open", incident = "I-7";
};

const ronda::wall_time sunday{std::chrono::seconds(1795943107)};  // 2026-11-29 09:05:07 UTC

std::string mail_of(const Parts& parts) {
  ronda_message raw{};
  raw.size = sizeof raw, raw.attempt = 1;
  raw.id = ronda::to_abi(parts.id), raw.title = ronda::to_abi(parts.title), raw.body = ronda::to_abi(parts.body);
  raw.level = ronda::to_abi(parts.level), raw.event = ronda::to_abi(parts.event), raw.incident = ronda::to_abi(parts.incident);
  return make_mail(ronda::message(&raw), {"Ronda", "ronda@example.com"}, {"", "ops@example.com"}, sunday);
}

/// As a reader with lines that end in \n has it, with the end of the last line that a mail always has.
std::string as_read(std::string body) {
  return body.empty() || body.back() == '\n' ? body : body + "\n";
}

}  // namespace

TEST_CASE("a mail is what the standards want, header by header", "[smtp]") {
  CHECK(mail_of({}) ==
        "Date: Sun, 29 Nov 2026 09:05:07 +0000\r\n"
        "From: Ronda <ronda@example.com>\r\n"
        "To: ops@example.com\r\n"
        "Subject: API is down\r\n"
        "Message-ID: <m-1@example.com>\r\n"
        "In-Reply-To: <incident.I-7@example.com>\r\n"
        "References: <incident.I-7@example.com>\r\n"
        "Auto-Submitted: auto-generated\r\n"
        "X-Ronda-Level: p1\r\n"
        "X-Ronda-Event: open\r\n"
        "X-Ronda-Incident: I-7\r\n"
        "X-Ronda-Message: m-1\r\n"
        "MIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n"
        "\r\n"
        "connection refused\r\n"
        "since 09:05\r\n");
}

TEST_CASE("a message of no incident belongs to no thread", "[smtp]") {
  Parts parts;
  parts.incident = "";
  const auto mail = read_mail(mail_of(parts));
  CHECK_FALSE(mail.has("References"));
  CHECK_FALSE(mail.has("In-Reply-To"));
  CHECK_FALSE(mail.has("X-Ronda-Incident"));
}

TEST_CASE("without a body the title is one, without a title it is said", "[smtp]") {
  Parts parts;
  parts.body = "";
  CHECK(read_mail(mail_of(parts)).body == "API is down\n");
  parts.body = "b", parts.title = "";
  CHECK(read_mail(mail_of(parts)).raw("Subject") == "(no title)");
}

TEST_CASE("bodies are quoted-printable with lines of at most 76", "[smtp]") {
  CHECK(quoted_printable("") == "");
  CHECK(quoted_printable("a=b") == "a=3Db\r\n");
  CHECK(quoted_printable("caf\xc3\xa9 \n\ttab\t\n") == "caf=C3=A9=20\r\n\ttab=09\r\n");
  CHECK(quoted_printable("cr\r\n") == "cr=0D\r\n");
  CHECK(quoted_printable(std::string(76, 'x')) == std::string(76, 'x') + "\r\n");
  CHECK(quoted_printable(std::string(77, 'x')) == std::string(75, 'x') + "=\r\nxx\r\n");
  CHECK(quoted_printable(".\n..\n") == ".\r\n..\r\n");
}

TEST_CASE("whatever bytes title and body hold, the header is whole and the body reads as it was", "[smtp]") {
  std::mt19937 random(11);
  const auto bytes = [&](std::size_t size) {
    std::string text(size, '\0');
    for (char& c : text) c = random() % 6 == 0 ? "\n\r. =\0"[random() % 6] : static_cast<char>(random());
    return text;
  };
  std::vector<std::string> texts;
  for (int byte = 0; byte < 256; ++byte) texts.push_back("a" + std::string(1, static_cast<char>(byte)) + "b");
  for (int i = 0; i < 500; ++i) texts.push_back(bytes(random() % 300));
  const std::size_t headers = read_mail(mail_of({})).headers.size();
  for (const auto& text : texts) {
    if (text.empty()) continue;
    const auto raw = mail_of({"x" + text, "x" + text, text, "x" + text, "x" + text, "x" + text});
    std::size_t strange = 0;
    for (std::size_t i = 0; i < raw.size(); ++i) {
      const auto byte = static_cast<unsigned char>(raw[i]);
      const bool is_end = (byte == '\r' && i + 1 < raw.size() && raw[i + 1] == '\n') || (byte == '\n' && i > 0 && raw[i - 1] == '\r');
      strange += is_end || byte == '\t' || (byte >= 0x20 && byte < 0x7f) ? 0U : 1U;
    }
    CHECK(strange == 0);
    const auto mail = read_mail(raw);
    CHECK(mail.headers.size() == headers);
    CHECK(mail.body == as_read(text));
  }
}
