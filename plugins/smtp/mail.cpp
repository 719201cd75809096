// SPDX-License-Identifier: Apache-2.0
#include "mail.hpp"

#include <chrono>

#include "header.hpp"
#include "outgoing/shown.hpp"

namespace smtp {
namespace {

constexpr std::size_t max_line = 76;

std::string two_digits(int number) {
  return (number < 10 ? "0" : "") + std::to_string(number);
}

void append_if_any(std::string& out, std::string_view name, std::string_view text) {
  if (const auto line = one_line(text, 200); !line.empty()) out += unstructured(name, line);
}

std::string encoded(char c) {
  static constexpr const char* digits = "0123456789ABCDEF";
  const auto byte = static_cast<unsigned char>(c);
  return {'=', digits[byte >> 4], digits[byte & 0xF]};
}

}  // namespace

std::string quoted_printable(std::string_view text) {
  std::string out;
  std::size_t line = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') {
      out += "\r\n";
      line = 0;
      continue;
    }
    const bool ends_line = i + 1 == text.size() || text[i + 1] == '\n';
    const bool is_plain = (c > ' ' && c < 0x7F && c != '=') || ((c == ' ' || c == '\t') && !ends_line);
    const auto piece = is_plain ? std::string(1, c) : encoded(c);
    // one place is kept for the = of a line that goes on
    if (line + piece.size() > max_line - (ends_line ? 0 : 1)) {
      out += "=\r\n";
      line = 0;
    }
    out += piece;
    line += piece.size();
  }
  return line > 0 ? out + "\r\n" : out;
}

std::string mail_date(ronda::wall_time at) {
  using namespace std::chrono;
  static constexpr const char* day_names[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* month_names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = floor<days>(at);
  const year_month_day date(day);
  const hh_mm_ss time(floor<seconds>(at - day));
  return std::string(day_names[weekday(day).c_encoding()]) + ", " + std::to_string(static_cast<unsigned>(date.day())) + " " +
         month_names[static_cast<unsigned>(date.month()) - 1] + " " + std::to_string(static_cast<int>(date.year())) + " " +
         two_digits(static_cast<int>(time.hours().count())) + ":" + two_digits(static_cast<int>(time.minutes().count())) + ":" +
         two_digits(static_cast<int>(time.seconds().count())) + " +0000";
}

std::string message_id(std::string_view id, const Address& from) {
  return "<" + id_part(id) + "@" + from.host() + ">";
}
std::string thread_id(std::string_view incident, const Address& from) {
  return "<incident." + id_part(incident) + "@" + from.host() + ">";
}

std::string make_mail(const ronda::message& message, const Address& from, const Address& to, ronda::wall_time now) {
  std::string out = "Date: " + mail_date(now) + "\r\n";
  out += mailbox("From", from);
  out += mailbox("To", to);
  out += unstructured("Subject", one_line(message.title()).empty() ? "(no title)" : message.title());
  out += "Message-ID: " + message_id(message.id(), from) + "\r\n";
  if (!message.incident().empty()) {
    const auto thread = thread_id(message.incident(), from);
    out += "In-Reply-To: " + thread + "\r\nReferences: " + thread + "\r\n";
  }
  out += "Auto-Submitted: auto-generated\r\n";
  append_if_any(out, "X-Ronda-Level", message.level());
  append_if_any(out, "X-Ronda-Event", message.event());
  append_if_any(out, "X-Ronda-Incident", message.incident());
  append_if_any(out, "X-Ronda-Message", message.id());
  out += "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n";
  const auto body = message.body().empty() ? message.title() : message.body();
  return out + quoted_printable(shown::cut(body, max_body_bytes));
}

}  // namespace smtp
