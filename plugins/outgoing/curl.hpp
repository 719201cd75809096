// SPDX-License-Identifier: Apache-2.0
// One transfer of libcurl with what must hold for every message that leaves, whatever it speaks: nothing of the environment is
// read, a certificate and the name in it are verified, the connection is not kept, and it ends when the call is cancelled.
// One thread at a time; several at once have one each.
#pragma once

#include <curl/curl.h>
#include <signal.h>

#include <chrono>
#include <optional>
#include <string>

namespace outgoing {

/// OpenSSL writes with write(2): a peer that is gone would end a process that does not ignore SIGPIPE. Of this thread only.
class NoSigpipe {
 public:
  NoSigpipe();
  ~NoSigpipe();
  NoSigpipe(const NoSigpipe&) = delete;
  NoSigpipe& operator=(const NoSigpipe&) = delete;

 private:
  sigset_t pipe_, before_;
  bool was_pending_ = false;
};

class Curl {
 public:
  Curl();  ///< bad_alloc where there is no memory
  ~Curl();
  Curl(const Curl&) = delete;
  Curl& operator=(const Curl&) = delete;

  template <class T>
  void set(CURLoption option, T value) {
    curl_easy_setopt(easy_, option, value);
  }
  /// `protocols` as "http,https"; `ca` is a file of trusted certificates, empty for the system's.
  void secure(const char* protocols, const std::string& ca, std::chrono::milliseconds connect_timeout);

  /// To the end; false when the cancel descriptor became readable first. Once.
  bool run(std::chrono::milliseconds time_left, int cancel_fd);
  /// What the library said at the end; nothing when it was cancelled.
  std::optional<CURLcode> code();
  const char* words() const { return words_; }
  long info(CURLINFO which) const;
  /// Whether a phase was reached, by the time that it took.
  bool reached(CURLINFO phase) const;
  /// Takes the connection down; callbacks may be called by it.
  void close();

 private:
  CURLM* multi_ = curl_multi_init();
  CURL* easy_ = curl_easy_init();
  char words_[CURL_ERROR_SIZE] = "";
  bool is_open_ = false;
};

}  // namespace outgoing
