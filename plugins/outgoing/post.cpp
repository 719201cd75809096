// SPDX-License-Identifier: Apache-2.0
#include "outgoing/post.hpp"

#include <curl/curl.h>
#include <ronda/version.h>
#include <signal.h>
#include <strings.h>

#include <algorithm>
#include <memory>
#include <new>

#include "outgoing/failure.hpp"

namespace outgoing {
namespace {

struct Free {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

/// OpenSSL writes with write(2): a peer that is gone would end a process that does not ignore SIGPIPE.
class NoSigpipe {
 public:
  NoSigpipe() {
    sigset_t pending;
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~NoSigpipe() {
    const timespec at_once{0, 0};
    if (!was_pending_) sigtimedwait(&pipe_, nullptr, &at_once);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  NoSigpipe(const NoSigpipe&) = delete;
  NoSigpipe& operator=(const NoSigpipe&) = delete;

 private:
  sigset_t pipe_, before_;
  bool was_pending_ = false;
};

/// One transfer, from its settings to its end.
class Transfer {
 public:
  Transfer(const Request& request, const Policy& policy) : request_(request), policy_(policy) {
    if (multi_ == nullptr || easy_ == nullptr) throw std::bad_alloc();
    set_connection();
    set_tls();
    set_request();
  }
  ~Transfer() {
    curl_multi_remove_handle(multi_, easy_);
    curl_easy_cleanup(easy_);
    curl_multi_cleanup(multi_);
  }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  Answer run(const Limits& limits) {
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<std::int64_t>(limits.time_left.count(), 1)));
    const bool ended = drive(limits.cancel_fd);
    const auto last = ending(ended);
    long status = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    if (ended && (last.code == CURLE_OK || body_full_)) answer_.status = static_cast<int>(status);
    if (answer_.status == 0) answer_.failure = explain(last, request_.url);
    return std::move(answer_);
  }

 private:
  template <class T>
  void set(CURLoption option, T value) {
    curl_easy_setopt(easy_, option, value);
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
    set(CURLOPT_ERRORBUFFER, error_);
    set(CURLOPT_HEADERFUNCTION, &on_header);
    set(CURLOPT_HEADERDATA, this);
    set(CURLOPT_WRITEFUNCTION, &on_body);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_QUICK_EXIT, 1L);  // a resolver that hangs must not hold the call after its end
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_PROXY, policy_.proxy.c_str());  // "" also switches the environment's off
    set(CURLOPT_NOPROXY, "");
    set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_FORBID_REUSE, 1L);
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(policy_.connect_timeout.count()));
  }

  void set_tls() {
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    set(CURLOPT_SSL_VERIFYPEER, 1L);
    set(CURLOPT_SSL_VERIFYHOST, 2L);
    set(CURLOPT_SSL_CTX_FUNCTION, &on_tls);
    set(CURLOPT_SSL_CTX_DATA, this);
    if (policy_.ca.empty()) return;
    set(CURLOPT_CAINFO, policy_.ca.c_str());
    set(CURLOPT_CAPATH, nullptr);
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

  /// Runs to the end. False when the cancel descriptor became readable first.
  bool drive(int cancel_fd) {
    curl_waitfd cancel{cancel_fd, CURL_WAIT_POLLIN, 0};
    const unsigned watched = cancel_fd >= 0 ? 1 : 0;
    curl_multi_add_handle(multi_, easy_);
    for (int running = 1;;) {
      curl_multi_perform(multi_, &running);
      if (running == 0) return true;
      curl_multi_poll(multi_, &cancel, watched, 1000, nullptr);
      if (cancel.revents != 0) return false;
    }
  }

  Ending ending(bool ended) {
    Ending out;
    const auto reached = [this](CURLINFO phase) {
      curl_off_t microseconds = 0;
      curl_easy_getinfo(easy_, phase, &microseconds);
      return microseconds > 0;
    };
    long os_errno = 0;
    curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &os_errno);
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left))
      if (message->msg == CURLMSG_DONE) out.code = message->data.result;
    out.cancelled = !ended;
    out.words = error_;
    out.os_errno = static_cast<int>(os_errno);
    out.resolved = reached(CURLINFO_NAMELOOKUP_TIME_T);
    out.connected = reached(CURLINFO_CONNECT_TIME_T) || handshake_began_;
    out.sent = reached(CURLINFO_PRETRANSFER_TIME_T);
    out.answering = reached(CURLINFO_STARTTRANSFER_TIME_T);
    out.handshake_began = handshake_began_;
    out.headers_too_large = header_bytes_ > max_header_bytes;
    out.by_proxy = !policy_.proxy.empty();
    return out;
  }

  const Request& request_;
  const Policy& policy_;
  CURLM* multi_ = curl_multi_init();
  CURL* easy_ = curl_easy_init();
  std::unique_ptr<curl_slist, Free> headers_;
  char error_[CURL_ERROR_SIZE] = "";
  Answer answer_;
  std::size_t header_bytes_ = 0;
  bool body_full_ = false, handshake_began_ = false;
};

}  // namespace

Answer post(const Request& request, const Policy& policy, const Limits& limits) {
  const NoSigpipe guard;
  return Transfer(request, policy).run(limits);
}

}  // namespace outgoing
