// SPDX-License-Identifier: Apache-2.0
#include "session.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "outgoing/curl.hpp"

namespace smtp {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds time_for_goodbye{1000};

class Session {
 public:
  Session(const std::string& mail, const Limits& limits) : mail_(mail), limits_(limits) {}
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
    // its own limit for each reply, of 120 s, is neither ours nor the call's
    set(CURLOPT_SERVER_RESPONSE_TIMEOUT, static_cast<long>(limits_.time_left.count() / 1000 + 1));
    Ending out;
    out.cancelled = !curl_.run(limits_.time_left, limits_.cancel_fd);
    out.code = out.cancelled ? CURLE_ABORTED_BY_CALLBACK : curl_.code().value_or(CURLE_FAILED_INIT);
    if (has_no_connection_) out.code = CURLE_OPERATION_TIMEDOUT;
    out.connected = curl_.reached(CURLINFO_CONNECT_TIME_T);
    out.text = curl_.words();
    out.os_errno = static_cast<int>(curl_.info(CURLINFO_OS_ERRNO));
    out.reply = reply_code_;
    out.reply_text = reply_;
    out.command = command_;
    out.body_sent = body_sent_;
    out.seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
    is_over_ = true;
    curl_.close();
    return out;
  }

 private:
  template <class T>
  void set(CURLoption option, T value) {
    curl_.set(option, value);
  }

  void set_callbacks() {
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
  }

  bool is_late_to_connect(Clock::time_point now) const {
    return now - begin_ > time_to_connect_ && !curl_.reached(CURLINFO_CONNECT_TIME_T);
  }

  void set_connection(const Settings& settings) {
    const bool is_implicit = settings.security == Security::implicit;
    time_to_connect_ = settings.connect_timeout;
    curl_.secure("smtp,smtps", settings.ca, settings.connect_timeout);
    set(CURLOPT_URL, ((is_implicit ? "smtps://" : "smtp://") + settings.server.text + "/" + settings.hello).c_str());
    set(CURLOPT_USE_SSL, static_cast<long>(settings.security == Security::none ? CURLUSESSL_NONE : CURLUSESSL_ALL));
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

  /// Called once a second at least. The library waits for the answer to its QUIT in a loop of its own; this is what ends it.
  static int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    auto& self = *static_cast<Session*>(user);
    const auto now = Clock::now();
    self.has_no_connection_ = self.has_no_connection_ || self.is_late_to_connect(now);
    if (self.has_no_connection_) return 1;
    // Of several addresses the library gives each a share of its limit for a connection, so that is ours. It would end with the login,
    // and a greeting may well be slow: from here on there is what the call has left.
    if (!std::exchange(self.is_connected_, self.is_connected_ || self.curl_.reached(CURLINFO_CONNECT_TIME_T)) && self.is_connected_)
      self.set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(self.limits_.time_left.count() + 1000));
    const bool was_enough = self.decided_ != Clock::time_point() && now - self.decided_ > time_for_goodbye;
    return self.is_over_ || was_enough || now - self.begin_ > self.limits_.time_left + time_for_goodbye ? 1 : 0;
  }

  const std::string& mail_;
  Limits limits_;
  std::string recipient_, reply_, command_;
  curl_slist list_{nullptr, nullptr};
  std::size_t read_ = 0;
  int reply_code_ = 0;
  bool is_connected_ = false, reply_is_whole_ = true, body_sent_ = false, said_goodbye_ = false, is_over_ = false,
       has_no_connection_ = false;
  std::chrono::milliseconds time_to_connect_{0};
  Clock::time_point begin_, decided_;
  outgoing::Curl curl_;  // the last: its end may call back
};

}  // namespace

Ending send_mail(const Settings& settings, const Login& login, const Address& to, const std::string& mail, const Limits& limits) {
  const outgoing::NoSigpipe guard;
  Session session(mail, limits);
  session.configure(settings, login, to);
  return session.run();
}

}  // namespace smtp
