// SPDX-License-Identifier: Apache-2.0
#include "response/links.hpp"

#include <array>
#include <charconv>
#include <vector>

#include "base/text.hpp"
#include "incident/event.hpp"
#include "plugin/hmac.hpp"

namespace ronda::response {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::size_t most_bytes = 256, signature_bytes = 16;

std::string number_text(std::uint64_t number, int base) {
  std::array<char, 24> out{};
  const auto end = std::to_chars(out.data(), out.data() + out.size(), number, base);
  return {out.data(), end.ptr};
}

template <class Number>
bool read_number(std::string_view text, int base, Number& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  return error == std::errc() && end == text.data() + text.size() && !text.empty() && text.front() != '-';
}

constexpr char room_mark = '~';  // begins no name

std::string claim_text(const Claim& claim) {
  return claim.incident + "." + (claim.room ? std::string(1, room_mark) : "") + claim.contact + "." + number_text(claim.acks, 10) + "." +
         number_text(static_cast<std::uint64_t>(claim.until_ns / second_ns), 16);
}

/// The first word says what is signed: no link is a code.
std::string signature_of(const LinkSettings& settings, std::string_view what) {
  return plugin::base64_url(plugin::hmac_sha256(settings.key, "link\n" + std::string(what)).substr(0, signature_bytes));
}

std::vector<std::string_view> split(std::string_view text, char by) {
  std::vector<std::string_view> out;
  for (std::size_t at = text.find(by); at != std::string_view::npos; at = text.find(by)) {
    out.push_back(text.substr(0, at));
    text.remove_prefix(at + 1);
  }
  out.push_back(text);
  return out;
}

}  // namespace

std::string make_link(const LinkSettings& settings, const Claim& claim) {
  const std::string text = claim_text(claim);
  return text + "." + signature_of(settings, text);
}

Result<Claim> read_link(const LinkSettings& settings, std::string_view token, std::int64_t now_ns) {
  const Error foreign(Errc::denied, "this link is none of this agent's");
  if (settings.key.empty() || token.size() > most_bytes) return foreign;
  const std::size_t end = token.rfind('.');
  if (end == std::string_view::npos || !plugin::is_same_secret(token.substr(end + 1), signature_of(settings, token.substr(0, end))))
    return foreign;
  const auto parts = split(token.substr(0, end), '.');
  Claim claim;
  std::int64_t until_s = 0;
  if (parts.size() != 4 || !read_number(parts[2], 10, claim.acks) || !read_number(parts[3], 16, until_s)) return foreign;
  claim.incident = parts[0];
  claim.room = parts[1].starts_with(room_mark);
  claim.contact = parts[1].substr(claim.room ? 1 : 0);
  claim.until_ns = until_s * second_ns;
  if (claim.until_ns <= now_ns) return Error(Errc::range, "this link's time is over");
  return claim;
}

std::string make_code(const LinkSettings& settings, std::string_view incident, std::string_view contact, std::uint32_t acks) {
  const std::string what = "code\n" + std::string(incident) + "." + std::string(contact) + "." + number_text(acks, 10);
  const std::string mac = plugin::hmac_sha256(settings.key, what);
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < sizeof bits; ++i) bits = bits << 8U | static_cast<unsigned char>(mac[i]);
  return incident::random_word(bits, code_characters);
}

namespace {

bool is_taken_by_person(const incident::Incident& incident) {
  return incident.is_taken() && (!incident.ack || incident.ack->author.is_named());
}

}  // namespace

bool is_still_good(const incident::Incident& incident, std::uint32_t acks, bool room) {
  if (incident.acks == acks) return !(room && incident.is_taken());
  return !room && incident.is_taken() && !is_taken_by_person(incident) && incident.acks == acks + 1;
}

notify::Fields link_fields(const LinkSettings& settings, const incident::Incident& incident, const Reader& reader, std::int64_t now_ns) {
  notify::Fields out;
  if (settings.key.empty() || reader.contact.empty() || !incident.is_live()) return out;
  if (reader.room ? incident.is_taken() : is_taken_by_person(incident)) return out;
  if (!settings.base_url.empty()) {
    const std::int64_t until_ns = (now_ns + link_lasts_ns) / second_ns * second_ns;
    const Claim claim{incident.id, std::string(reader.contact), incident.acks, until_ns, reader.room};
    out.emplace_back("ack", settings.base_url + "/ack/" + make_link(settings, claim));
  }
  if (reader.by_sms && !reader.room && settings.codes)
    out.emplace_back("ack_code", make_code(settings, incident.id, reader.contact, incident.acks));
  return out;
}

}  // namespace ronda::response
