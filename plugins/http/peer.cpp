// SPDX-License-Identifier: Apache-2.0
#include "peer.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <ctime>
#include <string_view>

namespace http {
namespace {

constexpr std::size_t most_bytes = 100;  // of one name

// X509_V_ERR_* of OpenSSL
enum : long { not_yet_valid = 9, has_expired = 10, self_signed = 18, self_signed_in_chain = 19, no_issuer = 20, no_issuer_of_first = 21 };

std::string bounded(std::string_view text) {
  return std::string(text.substr(0, most_bytes)) + (text.size() > most_bytes ? "..." : "");
}

/// "C = ES, CN = shop.example" as "shop.example".
std::string common_name(std::string_view name) {
  const auto at = name.rfind("CN = ");
  if (at == name.npos) return bounded(name);
  name.remove_prefix(at + 5);
  return bounded(name.substr(0, name.find(", ")));
}

/// "DNS:a.example, IP Address:127.0.0.1" as "a.example, 127.0.0.1".
std::string first_names(std::string_view list) {
  std::string out;
  for (int count = 0; !list.empty(); ++count) {
    if (count == 3) return out + ", ...";
    const auto end = list.find(", ");
    auto name = list.substr(0, end);
    if (const auto kind = name.find(':'); kind != name.npos) name.remove_prefix(kind + 1);
    out += (out.empty() ? "" : ", ") + bounded(name);
    list = end == list.npos ? std::string_view() : list.substr(end + 2);
  }
  return out;
}

std::optional<std::int64_t> time_of(std::string_view text) {
  const auto when = curl_getdate(std::string(text).c_str(), nullptr);
  return when < 0 ? std::nullopt : std::optional<std::int64_t>(when);
}

PeerCertificate read_one(const curl_slist* line) {
  PeerCertificate out;
  for (; line != nullptr; line = line->next) {
    const std::string_view text(line->data);
    const auto colon = text.find(':');
    if (colon == text.npos) continue;
    const auto label = text.substr(0, colon);
    const auto value = text.substr(colon + 1);
    if (label == "Subject") out.subject = common_name(value);
    if (label == "Issuer") out.issuer = common_name(value);
    if (label == "X509v3 Subject Alternative Name") out.names = first_names(value);
    if (label == "Start date") out.begins = time_of(value);
    if (label == "Expire date") out.ends = time_of(value);
  }
  return out;
}

/// The first of the chain that is not valid now, and whose part it is.
std::string out_of_date(const std::vector<PeerCertificate>& chain, std::int64_t now_s) {
  for (const auto& one : chain) {
    const std::string whose = &one == chain.data() ? "the certificate of " : "the issuer's certificate of ";
    if (one.ends && *one.ends < now_s)
      return whose + one.subject + " expired on " + day(*one.ends) + ", " + days(now_s - *one.ends) + " ago";
    if (one.begins && *one.begins > now_s)
      return whose + one.subject + " is valid from " + day(*one.begins) + " on, in " + days(*one.begins - now_s) +
             ": is the clock of this host right?";
  }
  return {};
}

std::string other_name(const PeerCertificate& own, const Url& url) {
  return "the certificate is for " + (own.names.empty() ? own.subject : own.names) + ", not for " + url.host;
}

}  // namespace

std::string day(std::int64_t unix_seconds) {
  const auto when = static_cast<std::time_t>(unix_seconds);
  std::tm utc{};
  gmtime_r(&when, &utc);
  char text[16];
  return std::string(text, std::strftime(text, sizeof text, "%Y-%m-%d", &utc));
}

std::string days(std::int64_t seconds) {
  const auto count = seconds / 86400;
  if (count == 0) return "less than a day";
  return std::to_string(count) + (count == 1 ? " day" : " days");
}

std::vector<PeerCertificate> peer_chain(void* easy) {
  std::vector<PeerCertificate> out;
  curl_certinfo* chain = nullptr;
  if (curl_easy_getinfo(static_cast<CURL*>(easy), CURLINFO_CERTINFO, &chain) != CURLE_OK || chain == nullptr) return out;
  for (int i = 0; i < chain->num_of_certs; ++i) out.push_back(read_one(chain->certinfo[i]));
  return out;
}

std::string distrust(long verify_result, const std::string& words, const std::vector<PeerCertificate>& chain, const Url& url,
                     std::int64_t now_s) {
  if (chain.empty()) return words;
  const auto& own = chain.front();
  // the library ends before it tells a code
  if (words.find(" match ") != words.npos || words.find("name matches") != words.npos) return other_name(own, url);
  switch (verify_result) {
    case not_yet_valid:
    case has_expired: {
      auto text = out_of_date(chain, now_s);
      return text.empty() ? words : text;
    }
    case self_signed:
      return "the certificate of " + own.subject + " is self-signed; to trust it, give it in tls.ca";
    case self_signed_in_chain:
      return "the certificate of " + own.subject + " ends at " + chain.back().subject +
             ", which is not trusted; to trust it, give it in tls.ca";
    case no_issuer:
    case no_issuer_of_first:
      return "the issuer of the certificate of " + own.subject + ", " + chain.back().issuer +
             ", is not known: the server sends too few certificates, or tls.ca must name it";
    default:
      return words;
  }
}

}  // namespace http
