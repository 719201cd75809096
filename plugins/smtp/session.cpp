// SPDX-License-Identifier: Apache-2.0
#include "session.hpp"

#include <curl/curl.h>
#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <memory>
#include <new>

namespace smtp {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds time_for_goodbye{1000};

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

class Session {
 public:
  Session(const std::string& mail, const Limits& limits) : mail_(mail), limits_(limits) {
    if (multi_ == nullptr || easy_ == nullptr) throw std::bad_alloc();
  }
  ~Session() {
    curl_easy_cleanup(easy_);
    curl_multi_cleanup(multi_);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void configure(const Settings& settings, const Login& login, const Address& to) {
    set_callbacks();
    set_connection(settings);
    set(CURLOPT_MAIL_FROM, settings.from.address.c_str());
    recipient_ = to.address;
    list_ = {recipient_.data(), nullptr};
    set(CURLOPT_MAIL_RCPT, &list_);
    if (login.username.empty()) return;
    // the library copies both; its copies are gone with the handle
    set(CURLOPT_USERNAME, std::string(login.username).c_str());
    std::string password(login.password);
    set(CURLOPT_PASSWORD, password.c_str());
    explicit_bzero(password.data(), password.size());
  }

  Ending run() {
    begin_ = Clock::now();
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<std::int64_t>(limits_.time_left.count(), 1)));
    // its own limit for each reply, of 120 s, is neither ours nor the call's
    set(CURLOPT_SERVER_RESPONSE_TIMEOUT, static_cast<long>(limits_.time_left.count() / 1000 + 1));
    curl_multi_add_handle(multi_, easy_);
    const bool ended = drive();
    Ending out;
    out.cancelled = !ended;
    out.code = ended ? take_code() : static_cast<int>(CURLE_ABORTED_BY_CALLBACK);
    out.text = error_;
    long os_errno = 0;
    curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &os_errno);
    out.os_errno = static_cast<int>(os_errno);
    out.reply = reply_code_;
    out.reply_text = reply_;
    out.command = command_;
    out.body_sent = body_sent_;
    out.seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
    is_over_ = true;
    curl_multi_remove_handle(multi_, easy_);
    return out;
  }

 private:
  template <class T>
  void set(CURLoption option, T value) {
    curl_easy_setopt(easy_, option, value);
  }

  void set_callbacks() {
    set(CURLOPT_ERRORBUFFER, error_);
    set(CURLOPT_HEADERFUNCTION, &on_reply);
    set(CURLOPT_HEADERDATA, this);
    set(CURLOPT_READFUNCTION, &on_read);
    set(CURLOPT_READDATA, this);
    set(CURLOPT_UPLOAD, 1L);
    set(CURLOPT_VERBOSE, 1L);  // to see which command was the last; nothing of it is kept
    set(CURLOPT_DEBUGFUNCTION, &on_debug);
    set(CURLOPT_DEBUGDATA, this);
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, &on_progress);
    set(CURLOPT_XFERINFODATA, this);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_QUICK_EXIT, 1L);  // a resolver that hangs must not hold the call after its end
  }

  void set_connection(const Settings& settings) {
    const bool is_implicit = settings.security == Security::implicit;
    set(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    set(CURLOPT_URL, ((is_implicit ? "smtps://" : "smtp://") + settings.server.text + "/" + settings.hello).c_str());
    set(CURLOPT_PROXY, "");  // also switches the environment's off
    set(CURLOPT_NOPROXY, "");
    set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(settings.connect_timeout.count()));
    set(CURLOPT_FORBID_REUSE, 1L);
    set(CURLOPT_USE_SSL, static_cast<long>(settings.security == Security::none ? CURLUSESSL_NONE : CURLUSESSL_ALL));
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    set(CURLOPT_SSL_VERIFYPEER, 1L);
    set(CURLOPT_SSL_VERIFYHOST, 2L);
    if (settings.ca.empty()) return;
    set(CURLOPT_CAINFO, settings.ca.c_str());
    set(CURLOPT_CAPATH, nullptr);
  }

  /// False when the cancel descriptor became readable first.
  bool drive() {
    curl_waitfd cancel{limits_.cancel_fd, CURL_WAIT_POLLIN, 0};
    const unsigned watched = limits_.cancel_fd >= 0 ? 1 : 0;
    for (int running = 1;;) {
      curl_multi_perform(multi_, &running);
      if (running == 0) return true;
      curl_multi_poll(multi_, &cancel, watched, 1000, nullptr);
      if (cancel.revents != 0) return false;
    }
  }

  int take_code() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left))
      if (message->msg == CURLMSG_DONE) return message->data.result;
    return CURLE_FAILED_INIT;
  }

  /// Lines of replies. "250-SIZE" is followed by more of the same reply, "250 OK" ends it.
  static std::size_t on_reply(char* data, std::size_t size, std::size_t count, void* user) {
    auto& self = *static_cast<Session*>(user);
    const std::string_view line(data, size * count);
    if (self.said_goodbye_) return line.size();  // the answer to that says nothing about the mail
    if (self.reply_is_whole_) self.reply_.clear();
    if (self.reply_.size() < max_reply_bytes) self.reply_.append(line.substr(0, max_reply_bytes - self.reply_.size()));
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    const bool has_code = line.size() >= 3 && std::all_of(line.begin(), line.begin() + 3, is_digit);
    self.reply_is_whole_ = has_code && (line.size() == 3 || line[3] != '-');
    if (!self.reply_is_whole_) return line.size();
    self.reply_code_ = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    if (self.body_sent_ || self.reply_code_ >= 400) self.decided_ = Clock::now();
    return line.size();
  }

  static std::size_t on_read(char* to, std::size_t size, std::size_t count, void* user) {
    auto& self = *static_cast<Session*>(user);
    const auto bytes = std::min(size * count, self.mail_.size() - self.read_);
    self.mail_.copy(to, bytes, self.read_);
    self.read_ += bytes;
    self.body_sent_ = bytes == 0;
    return bytes;
  }

  /// Commands as they go out. Of those that are none of these, as the steps of a login, nothing is looked at.
  static int on_debug(CURL*, curl_infotype type, char* data, std::size_t size, void* user) {
    if (type != CURLINFO_HEADER_OUT) return 0;
    const std::string_view line(data, size);
    auto& self = *static_cast<Session*>(user);
    self.said_goodbye_ = self.said_goodbye_ || line.substr(0, 4) == "QUIT";
    for (const char* verb : {"EHLO", "HELO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA"})
      if (line.substr(0, std::strlen(verb)) == verb) self.command_ = verb;
    return 0;
  }

  /// The library waits for the answer to its QUIT in a loop of its own; this is what ends it.
  static int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    const auto& self = *static_cast<Session*>(user);
    const auto now = Clock::now();
    const bool was_enough = self.decided_ != Clock::time_point() && now - self.decided_ > time_for_goodbye;
    return self.is_over_ || was_enough || now - self.begin_ > self.limits_.time_left + time_for_goodbye ? 1 : 0;
  }

  const std::string& mail_;
  Limits limits_;
  CURLM* multi_ = curl_multi_init();
  CURL* easy_ = curl_easy_init();
  char error_[CURL_ERROR_SIZE] = "";
  std::string recipient_, reply_, command_;
  curl_slist list_{nullptr, nullptr};
  std::size_t read_ = 0;
  int reply_code_ = 0;
  bool reply_is_whole_ = true, body_sent_ = false, said_goodbye_ = false, is_over_ = false;
  Clock::time_point begin_, decided_;
};

}  // namespace

Ending send_mail(const Settings& settings, const Login& login, const Address& to, const std::string& mail, const Limits& limits) {
  const NoSigpipe guard;
  Session session(mail, limits);
  session.configure(settings, login, to);
  return session.run();
}

}  // namespace smtp
