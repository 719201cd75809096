// SPDX-License-Identifier: Apache-2.0
#include "url.hpp"

#include <arpa/inet.h>
#include <curl/curl.h>

#include <memory>

namespace http {
namespace {

struct Free {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
  void operator()(char* text) const { curl_free(text); }
};

std::string part(CURLU* url, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, which, &text, flags) != CURLUE_OK) return {};
  return std::unique_ptr<char, Free>(text).get();
}

bool is_address(const std::string& host) {
  unsigned char bytes[sizeof(in6_addr)];
  return host.front() == '[' || inet_pton(AF_INET, host.c_str(), bytes) == 1;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  return out;
}

ronda::reply<Url> refuse(std::string why) {
  return ronda::reply<Url>::failed(RONDA_E_INVALID, std::move(why));
}

}  // namespace

ronda::reply<Url> parse_url(std::string_view text) {
  const std::unique_ptr<CURLU, Free> handle(curl_url());
  Url url;
  url.text = std::string(text);
  if (!handle || url.text.find('\0') != url.text.npos) return refuse("the URL holds a NUL character");
  const auto code = curl_url_set(handle.get(), CURLUPART_URL, url.text.c_str(), CURLU_NON_SUPPORT_SCHEME);
  if (code != CURLUE_OK) return refuse(ronda::text("the URL cannot be read: ", curl_url_strerror(code)));
  const auto scheme = part(handle.get(), CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") return refuse("the URL's scheme is '" + scheme + "': only http and https are served");
  url.https = scheme == "https";
  url.host = part(handle.get(), CURLUPART_HOST);
  if (url.host.empty()) return refuse("the URL names no host");
  url.host_is_address = is_address(url.host);
  const auto port = part(handle.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
  url.origin = scheme + "://" + url.host + ":" + port;
  const bool usual = port == (url.https ? "443" : "80");
  url.shown = scheme + "://" + url.host + (usual ? "" : ":" + port) + part(handle.get(), CURLUPART_PATH);
  return url;
}

ronda::reply<std::string> parse_host(std::string_view text) {
  using Host = ronda::reply<std::string>;
  const std::unique_ptr<CURLU, Free> handle(curl_url());
  const std::string given(text), whole = "http://" + given;
  const auto failed = [&] { return Host::failed(RONDA_E_INVALID, "'" + given + "' is no host and no host:port"); };
  if (!handle || given.find_first_of(std::string_view("\0/?#@", 5)) != given.npos) return failed();
  if (curl_url_set(handle.get(), CURLUPART_URL, whole.c_str(), 0) != CURLUE_OK) return failed();
  const auto host = lower(part(handle.get(), CURLUPART_HOST)), port = part(handle.get(), CURLUPART_PORT);
  if (host.empty()) return failed();
  auto out = port.empty() ? host : host + ":" + port;
  // with its escapes resolved it may be what a URL has no host by, and would never be met
  const auto met = parse_url("http://" + out);
  if (host.find('%') == host.npos && !(met && met->host == host)) return failed();
  return out;
}

bool is_host_of(std::string_view host, const Url& url) {
  return host == lower(url.host) || host == lower(url.origin.substr(url.origin.find("://") + 3));
}

}  // namespace http
