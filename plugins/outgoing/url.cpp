// SPDX-License-Identifier: Apache-2.0
#include "outgoing/url.hpp"

#include <arpa/inet.h>
#include <curl/curl.h>

#include <memory>

namespace outgoing {
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
  if (scheme != "http" && scheme != "https") return refuse("the URL's scheme is neither http nor https");
  url.https = scheme == "https";
  url.host = part(handle.get(), CURLUPART_HOST);
  if (url.host.empty()) return refuse("the URL names no host");
  url.host_is_address = is_address(url.host);
  url.peer = url.host + ":" + part(handle.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
  return url;
}

std::string join_url(std::string_view base, std::string_view path) {
  while (!base.empty() && base.back() == '/') base.remove_suffix(1);
  return ronda::text(base, '/', path);
}

}  // namespace outgoing
