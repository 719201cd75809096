// SPDX-License-Identifier: Apache-2.0
#include "outgoing/post.hpp"

#include <ronda/version.h>
#include <strings.h>

#include <algorithm>
#include <memory>
#include <new>

#include "outgoing/curl.hpp"
#include "outgoing/failure.hpp"

namespace outgoing {
namespace {

struct Free {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

/// One transfer, from its settings to its end.
class Transfer {
 public:
  Transfer(const Request& request, const Policy& policy) : request_(request), policy_(policy) {
    curl_.secure("http,https", policy.ca, policy.connect_timeout);
    set_connection();
    set_request();
  }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  Answer run(const Limits& limits) {
    const bool ended = curl_.run(limits.time_left, limits.cancel_fd);
    const auto last = ending(ended);
    if (ended && (last.code == CURLE_OK || body_full_)) answer_.status = static_cast<int>(curl_.info(CURLINFO_RESPONSE_CODE));
    if (answer_.status == 0) answer_.failure = explain(last, request_.url);
    return std::move(answer_);
  }

 private:
  template <class T>
  void set(CURLoption option, T value) {
    curl_.set(option, value);
  }

  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* user) {
    auto& self = *static_cast<Transfer*>(user);
    constexpr std::string_view wanted = "retry-after:";
    const std::string_view line(data, size * count);
    self.header_bytes_ += line.size();
    if (self.header_bytes_ > max_header_bytes) return 0;
    if (line.substr(0, 5) == "HTTP/") self.answer_.retry_after.clear();  // after a 100 or a proxy's answer
    if (line.size() > wanted.size() && strncasecmp(line.data(), wanted.data(), wanted.size()) == 0)
      self.answer_.retry_after = std::string(line.substr(wanted.size()));
    return line.size();
  }

  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* user) {
    auto& self = *static_cast<Transfer*>(user);
    const auto bytes = size * count, room = max_body_bytes - self.answer_.body.size();
    self.answer_.body.append(data, std::min(room, bytes));
    self.body_full_ = bytes > room;
    return self.body_full_ ? 0 : bytes;
  }

  /// Comes when the connection stands and the handshake begins: the library tells no time for that.
  static CURLcode on_tls(CURL*, void*, void* user) {
    static_cast<Transfer*>(user)->handshake_began_ = true;
    return CURLE_OK;
  }

  void set_connection() {
    set(CURLOPT_HEADERFUNCTION, &on_header);
    set(CURLOPT_HEADERDATA, this);
    set(CURLOPT_WRITEFUNCTION, &on_body);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_PROXY, policy_.proxy.c_str());
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_SSL_CTX_FUNCTION, &on_tls);
    set(CURLOPT_SSL_CTX_DATA, this);
  }

  void set_request() {
    for (const auto& [name, value] : request_.headers) add_header(name + ": " + value);
    add_header("Expect:");  // no 100-continue round trip
    set(CURLOPT_URL, request_.url.text.c_str());
    set(CURLOPT_USERAGENT, "ronda/" RONDA_VERSION);
    set(CURLOPT_HTTPHEADER, headers_.get());
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    set(CURLOPT_POSTFIELDS, request_.body.c_str());
    if (!request_.login) return;
    set(CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
    set(CURLOPT_USERNAME, request_.login->first.c_str());
    set(CURLOPT_PASSWORD, request_.login->second.c_str());
  }

  void add_header(const std::string& line) {
    auto* longer = curl_slist_append(headers_.get(), line.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    static_cast<void>(headers_.release());
    headers_.reset(longer);
  }

  Ending ending(bool ended) {
    Ending out;
    out.code = curl_.code().value_or(CURLE_OK);
    out.cancelled = !ended;
    out.words = curl_.words();
    out.os_errno = static_cast<int>(curl_.info(CURLINFO_OS_ERRNO));
    out.resolved = curl_.reached(CURLINFO_NAMELOOKUP_TIME_T);
    out.connected = curl_.reached(CURLINFO_CONNECT_TIME_T) || handshake_began_;
    out.sent = curl_.reached(CURLINFO_PRETRANSFER_TIME_T);
    out.answering = curl_.reached(CURLINFO_STARTTRANSFER_TIME_T);
    out.handshake_began = handshake_began_;
    out.headers_too_large = header_bytes_ > max_header_bytes;
    out.by_proxy = !policy_.proxy.empty();
    return out;
  }

  const Request& request_;
  const Policy& policy_;
  std::unique_ptr<curl_slist, Free> headers_;
  Answer answer_;
  std::size_t header_bytes_ = 0;
  bool body_full_ = false, handshake_began_ = false;
  Curl curl_;  // the last: its end may call back
};

}  // namespace

Answer post(const Request& request, const Policy& policy, const Limits& limits) {
  const NoSigpipe guard;
  return Transfer(request, policy).run(limits);
}

}  // namespace outgoing
