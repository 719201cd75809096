// SPDX-License-Identifier: Apache-2.0
#include "outgoing/curl.hpp"

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <new>

namespace outgoing {

NoSigpipe::NoSigpipe() {
  sigset_t pending;
  sigemptyset(&pipe_);
  sigaddset(&pipe_, SIGPIPE);
  sigpending(&pending);
  was_pending_ = sigismember(&pending, SIGPIPE) == 1;
  pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
}

NoSigpipe::~NoSigpipe() {
  const timespec at_once{0, 0};
  if (!was_pending_) sigtimedwait(&pipe_, nullptr, &at_once);
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

Curl::Curl() {
  if (multi_ != nullptr && easy_ != nullptr) return;
  curl_easy_cleanup(easy_);
  curl_multi_cleanup(multi_);
  throw std::bad_alloc();
}

Curl::~Curl() {
  close();
  curl_easy_cleanup(easy_);
  curl_multi_cleanup(multi_);
}

void Curl::secure(const char* protocols, const std::string& ca, std::chrono::milliseconds connect_timeout) {
  set(CURLOPT_ERRORBUFFER, words_);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_QUICK_EXIT, 1L);  // a resolver that hangs must not hold the call after its end
  set(CURLOPT_PROTOCOLS_STR, protocols);
  set(CURLOPT_PROXY, "");  // also switches the environment's off
  set(CURLOPT_NOPROXY, "");
  set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(CURLOPT_FORBID_REUSE, 1L);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(connect_timeout.count()));
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  if (ca.empty()) return;
  set(CURLOPT_CAINFO, ca.c_str());
  set(CURLOPT_CAPATH, nullptr);
}

bool Curl::run(std::chrono::milliseconds time_left, int cancel_fd) {
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<std::int64_t>(time_left.count(), 1)));
  curl_waitfd cancel{cancel_fd, CURL_WAIT_POLLIN, 0};
  const unsigned watched = cancel_fd >= 0 ? 1 : 0;
  is_open_ = curl_multi_add_handle(multi_, easy_) == CURLM_OK;
  for (int running = 1;;) {
    curl_multi_perform(multi_, &running);
    if (running == 0) return true;
    curl_multi_poll(multi_, &cancel, watched, 1000, nullptr);
    if (cancel.revents != 0) return false;
  }
}

std::optional<CURLcode> Curl::code() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left))
    if (message->msg == CURLMSG_DONE) return message->data.result;
  return std::nullopt;
}

long Curl::info(CURLINFO which) const {
  long out = 0;
  curl_easy_getinfo(easy_, which, &out);
  return out;
}

bool Curl::reached(CURLINFO phase) const {
  curl_off_t microseconds = 0;
  curl_easy_getinfo(easy_, phase, &microseconds);
  return microseconds > 0;
}

void Curl::close() {
  if (is_open_) curl_multi_remove_handle(multi_, easy_);
  is_open_ = false;
}

}  // namespace outgoing
