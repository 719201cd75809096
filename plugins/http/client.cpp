// SPDX-License-Identifier: Apache-2.0
#include "client.hpp"

#include <curl/curl.h>
#include <ronda/version.h>
#include <signal.h>
#include <strings.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <new>
#include <string>

#include "failure.hpp"
#include "reach.hpp"

namespace http {
namespace {

using Milliseconds = std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kept_buffer_bytes = 64 * 1024;

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

/// A curl_slist over strings of ours: no copies by libcurl that nobody wipes.
class HeaderLines {
 public:
  void assign(const std::vector<Header>& headers, bool has_body) {
    lines_.clear();
    bool has_type = false;
    for (const auto& [name, value] : headers) {
      lines_.push_back(value.empty() ? name + ";" : name + ": " + value);  // "name:" would remove it
      has_type = has_type || strcasecmp(name.c_str(), "content-type") == 0;
    }
    lines_.emplace_back("Expect:");  // no 100-continue round trip
    if (has_body && !has_type) lines_.emplace_back("Content-Type: application/json");
    nodes_.resize(lines_.size());
    for (std::size_t i = 0; i < lines_.size(); ++i) nodes_[i] = {lines_[i].data(), i + 1 < lines_.size() ? &nodes_[i + 1] : nullptr};
  }
  void wipe() {
    for (auto& line : lines_) explicit_bzero(line.data(), line.size());
    lines_.clear();
  }
  curl_slist* list() { return nodes_.data(); }

 private:
  std::vector<std::string> lines_;
  std::vector<curl_slist> nodes_;
};

double seconds(CURL* easy, CURLINFO info) {
  curl_off_t microseconds = 0;
  curl_easy_getinfo(easy, info, &microseconds);
  return static_cast<double>(microseconds) / 1e6;
}

/// The system's directory of certificates by hash, where there is one that is filled. The library's default is to
/// read a file of all of them for every new connection: 28 ms of CPU against 1.5 ms.
const char* hashed_certificates() {
  static const std::string found = [] {
    const char* dir = curl_version_info(CURLVERSION_NOW)->capath;
    std::error_code error;
    if (dir == nullptr) return std::string();
    for (const auto& entry : std::filesystem::directory_iterator(dir, error))
      if (entry.path().extension() == ".0") return std::string(dir);
    return std::string();
  }();
  return found.empty() ? nullptr : found.c_str();
}

bool looks_like_json(std::string_view body) {
  const auto first = body.find_first_not_of(" \t\r\n");
  return first != body.npos && (body[first] == '{' || body[first] == '[');
}

}  // namespace

struct Client::Impl {
  struct Certificate {
    std::string origin;
    std::int64_t end;
  };

  CURLM* multi = curl_multi_init();
  CURL* easy = curl_easy_init();
  char error[CURL_ERROR_SIZE] = "";
  HeaderLines header_lines;
  std::uint64_t configured = 0;  // id of the request the handle is set up for; 0: none
  std::string headers, body;
  std::uint64_t received = 0;
  std::size_t max_body = 0;
  bool body_cut = false, headers_too_large = false, handshake_began = false;
  std::vector<Certificate> certificates;  // of the connections that are kept
  Gate gate;

  Impl() {
    if (multi == nullptr || easy == nullptr) throw std::bad_alloc();
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 2L);  // descriptors: see limits in plugin.toml
  }
  ~Impl() {
    curl_easy_cleanup(easy);
    curl_multi_cleanup(multi);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* user) {
    auto& self = *static_cast<Impl*>(user);
    const std::string_view line(data, size * count);
    if (line.substr(0, 5) == "HTTP/") self.headers.clear();  // after a 100 or a proxy's answer
    if (self.headers.size() + line.size() > max_header_bytes) {
      self.headers_too_large = true;
      return 0;
    }
    self.headers.append(line);
    return line.size();
  }

  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* user) {
    auto& self = *static_cast<Impl*>(user);
    const auto bytes = size * count;
    self.received += bytes;
    const auto room = self.max_body - self.body.size();
    self.body.append(data, std::min(room, bytes));
    self.body_cut = bytes > room;
    return self.body_cut ? 0 : bytes;
  }

  /// Comes when the connection stands and the handshake begins: the library tells no time for that.
  static CURLcode on_tls(CURL*, void*, void* user) {
    static_cast<Impl*>(user)->handshake_began = true;
    return CURLE_OK;
  }

  /// Comes with each address that the name has, before anything is sent there.
  static curl_socket_t on_socket(void* user, curlsocktype, curl_sockaddr* to) {
    const auto endpoint = endpoint_of(&to->addr);
    if (!endpoint || !static_cast<Impl*>(user)->gate.lets(*endpoint)) return CURL_SOCKET_BAD;
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
  }

  /// Comes before each request, also on a connection that another request made and left.
  static int on_request(void* user, char* to, char*, int port, int) {
    const auto endpoint = endpoint_of(to, port);
    return endpoint && static_cast<Impl*>(user)->gate.lets(*endpoint) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
  }

  template <class T>
  void set(CURLoption option, T value) {
    curl_easy_setopt(easy, option, value);
  }

  void configure(const Request& request, const Policy& policy) {
    if (request.id != 0 && request.id == configured) return;
    curl_easy_reset(easy);
    configured = request.id;
    set_callbacks();
    set_connection(policy);
    set_tls(request.url, policy);
    set_request(request);
  }

  void set_callbacks() {
    set(CURLOPT_ERRORBUFFER, error);
    set(CURLOPT_HEADERFUNCTION, &on_header);
    set(CURLOPT_HEADERDATA, this);
    set(CURLOPT_WRITEFUNCTION, &on_body);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_NOPROGRESS, 1L);
    set(CURLOPT_QUICK_EXIT, 1L);  // a resolver that hangs must not hold the call after its end
    if (!gate.is_closed()) return;
    set(CURLOPT_OPENSOCKETFUNCTION, &on_socket);
    set(CURLOPT_OPENSOCKETDATA, this);
    set(CURLOPT_PREREQFUNCTION, &on_request);
    set(CURLOPT_PREREQDATA, this);
  }

  void set_connection(const Policy& policy) {
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_PROXY, policy.proxy.c_str());  // "" also switches the environment's off
    set(CURLOPT_NOPROXY, "");
    set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(policy.connect_timeout.count()));
    set(CURLOPT_TCP_NODELAY, 1L);
    if (policy.reuse.count() == 0) {
      set(CURLOPT_FRESH_CONNECT, 1L);
      set(CURLOPT_FORBID_REUSE, 1L);
    } else {
      set(CURLOPT_MAXLIFETIME_CONN, static_cast<long>(policy.reuse.count()));
      set(CURLOPT_MAXAGE_CONN, static_cast<long>(policy.reuse.count()));
    }
    // switches the cookies on; CURLOPT_COOKIEFILE would, too, and leak at each reset
    if (policy.cookies) set(CURLOPT_COOKIELIST, "");
  }

  void set_tls(const Url& url, const Policy& policy) {
    if (!url.https && policy.proxy.empty()) return;
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    set(CURLOPT_SSL_VERIFYPEER, policy.verify ? 1L : 0L);
    set(CURLOPT_SSL_VERIFYHOST, policy.verify ? 2L : 0L);
    if (!policy.ca.empty()) {
      set(CURLOPT_CAINFO, policy.ca.c_str());
      set(CURLOPT_CAPATH, nullptr);
    } else if (hashed_certificates() != nullptr) {
      set(CURLOPT_CAINFO, nullptr);
    }
    set(CURLOPT_CERTINFO, 1L);
    set(CURLOPT_SSL_CTX_FUNCTION, &on_tls);
    set(CURLOPT_SSL_CTX_DATA, this);
  }

  void set_request(const Request& request) {
    const bool has_body = !request.body.empty();
    header_lines.assign(request.headers, looks_like_json(request.body));
    set(CURLOPT_URL, request.url.text.c_str());
    set(CURLOPT_USERAGENT, "ronda/" RONDA_VERSION);
    set(CURLOPT_HTTPHEADER, header_lines.list());
    if (has_body || request.method == "POST") {
      set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
      set(CURLOPT_POSTFIELDS, request.body.c_str());
    }
    if (request.method == "HEAD")
      set(CURLOPT_NOBODY, 1L);
    else if (request.method != (has_body ? "POST" : "GET"))
      set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }

  void begin(const Policy& policy, Milliseconds time_left) {
    headers.clear();
    body.clear();
    error[0] = '\0';
    received = 0;
    max_body = policy.max_body;
    body_cut = headers_too_large = handshake_began = false;
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<std::int64_t>(time_left.count(), 1)));
  }

  /// Runs the handle to its end. False when the cancel descriptor became readable first.
  bool drive(int cancel_fd) {
    curl_waitfd cancel{cancel_fd, CURL_WAIT_POLLIN, 0};
    const unsigned watched = cancel_fd >= 0 ? 1 : 0;
    curl_multi_add_handle(multi, easy);
    for (int running = 1;;) {
      curl_multi_perform(multi, &running);
      if (running == 0) return true;
      curl_multi_poll(multi, &cancel, watched, 1000, nullptr);
      if (cancel.revents == 0) continue;
      // on a busy host both may be over by now: what the library has to say of it is worth more than that it was too late
      curl_multi_perform(multi, &running);
      return running == 0;
    }
  }

  /// The code of a handle that has ended.
  int take_code() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &left))
      if (message->msg == CURLMSG_DONE) return message->data.result;
    return CURLE_FAILED_INIT;
  }

  Ending ending(int code, const Policy& policy) {
    Ending e;
    long os_errno = 0;
    curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_errno);
    e.code = code;
    e.text = error;
    e.os_errno = static_cast<int>(os_errno);
    e.resolved = seconds(easy, CURLINFO_NAMELOOKUP_TIME_T);
    e.connected = seconds(easy, CURLINFO_CONNECT_TIME_T);
    e.secured = seconds(easy, CURLINFO_APPCONNECT_TIME_T);
    e.ready = seconds(easy, CURLINFO_PRETRANSFER_TIME_T);
    e.first_byte = seconds(easy, CURLINFO_STARTTRANSFER_TIME_T);
    e.total = seconds(easy, CURLINFO_TOTAL_TIME_T);
    e.received = received;
    e.headers_too_large = headers_too_large;
    e.handshake_began = handshake_began;
    e.by_proxy = !policy.proxy.empty();
    curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &e.verify_result);
    e.now_s = std::time(nullptr);
    return e;
  }

  /// What the server shows to whoever asks, read by a handshake of its own after which nothing is sent: of a chain that
  /// was refused the library tells nothing. Empty when that fails as well.
  std::vector<PeerCertificate> refused_chain(const Policy& policy, const Limits& limits, Milliseconds used) {
    const auto left = std::min(limits.time_left - used, policy.connect_timeout);
    if (left <= Milliseconds(0)) return {};
    curl_multi_remove_handle(multi, easy);
    configured = 0;
    set(CURLOPT_SSL_VERIFYPEER, 0L);
    set(CURLOPT_SSL_VERIFYHOST, 0L);
    set(CURLOPT_CONNECT_ONLY, 1L);
    set(CURLOPT_FRESH_CONNECT, 1L);
    set(CURLOPT_FORBID_REUSE, 1L);
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(left.count()));
    if (!drive(limits.cancel_fd) || take_code() != CURLE_OK) return {};
    return peer_chain(easy);
  }

  static Timings split(const Ending& e, bool https) {
    Timings t;
    t.dns = e.resolved;
    t.connect = e.connected > e.resolved ? e.connected - e.resolved : 0;
    t.tls = https && e.secured > e.connected ? e.secured - e.connected : 0;
    t.first_byte = e.first_byte > e.ready ? e.first_byte - e.ready : 0;
    t.total = e.total;
    return t;
  }

  /// A connection tells its certificate when it is made; for a kept one it is remembered.
  std::optional<std::int64_t> certificate_end(const Url& url) {
    long connects = 0;
    curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connects);
    auto known = std::find_if(certificates.begin(), certificates.end(), [&](const Certificate& c) { return c.origin == url.origin; });
    if (connects == 0) return known == certificates.end() ? std::nullopt : std::optional(known->end);
    if (known != certificates.end()) certificates.erase(known);
    const auto chain = peer_chain(easy);
    const auto end = chain.empty() ? std::nullopt : chain.front().ends;
    if (end && certificates.size() >= 16) certificates.erase(certificates.begin());
    if (end) certificates.push_back({url.origin, *end});
    return end;
  }

  Exchange one(const Request& request, const Policy& policy, const Limits& limits) {
    configure(request, policy);
    begin(policy, limits.time_left);
    const auto began = Clock::now();
    bool ended = drive(limits.cancel_fd);
    int code = ended ? take_code() : static_cast<int>(CURLE_ABORTED_BY_CALLBACK);
    // the call's own deadline cancels too: who had all of its time has timed out
    if (!ended && Clock::now() - began >= limits.time_left) ended = true, code = CURLE_OPERATION_TIMEDOUT;
    auto last = ending(code, policy);
    Exchange exchange;
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    exchange.status = static_cast<int>(status);
    exchange.headers = headers;
    exchange.body = body;
    exchange.body_cut = body_cut;
    exchange.size = received;
    exchange.timings = split(last, request.url.https);
    exchange.https = request.url.https;
    exchange.verified = policy.verify;
    if (request.url.https) exchange.certificate_end = certificate_end(request.url);
    if (!ended) {
      exchange.failure = "cancelled";
    } else if (code == CURLE_OK || body_cut) {
      exchange.end = Exchange::End::answered;
    } else if (was_kept_out(code)) {
      exchange.end = Exchange::End::failed;
      exchange.failure = "redirect refused: " + request.url.shown + " leads to " + gate.refused() + "; if it may, name " +
                         request.url.host + " in redirect_hosts";
    } else {
      if (code == CURLE_PEER_FAILED_VERIFICATION) {
        const auto used = std::chrono::duration_cast<Milliseconds>(std::chrono::duration<double>(last.total));
        last.chain = refused_chain(policy, limits, used);
      }
      auto failure = explain(last, request.url);
      exchange.end = failure.end;
      exchange.failure = std::move(failure.text);
    }
    return exchange;
  }

  bool was_kept_out(int code) const {
    return !gate.refused().empty() && (code == CURLE_COULDNT_CONNECT || code == CURLE_ABORTED_BY_CALLBACK);
  }

  /// Tells the gate which address has answered.
  void note_endpoint() {
    char* address = nullptr;
    long port = 0;
    curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &address);
    curl_easy_getinfo(easy, CURLINFO_PRIMARY_PORT, &port);
    if (const auto endpoint = address == nullptr ? std::nullopt : endpoint_of(address, port)) gate.went_to(*endpoint);
  }

  std::string redirect_target() {
    char* target = nullptr;
    curl_easy_getinfo(easy, CURLINFO_REDIRECT_URL, &target);
    return target == nullptr ? std::string() : target;
  }

  /// Ends with the handle out of the multi: the connection is free for the next request.
  void end() { curl_multi_remove_handle(multi, easy); }
};

namespace {

bool is_named(const Url& url, const Policy& policy) {
  const auto& hosts = policy.redirect_hosts;
  return std::any_of(hosts.begin(), hosts.end(), [&](const std::string& host) { return is_host_of(host, url); });
}

/// Why `next` must not be followed; empty when it may be. `first` is the configuration's.
std::string objection(const Url& first, const Url& from, const ronda::reply<Url>& next, const Policy& policy, int redirects) {
  if (!next) return "redirect refused: " + next.error();
  if (from.https && !next->https) return "redirect from https to http refused: " + next->shown;
  if (redirects >= policy.max_redirects) return ronda::text("more than ", policy.max_redirects, " redirects, the last to ", next->shown);
  if (!policy.proxy.empty() && strcasecmp(next->host.c_str(), first.host.c_str()) != 0 && !is_named(*next, policy))
    return "redirect refused: " + next->shown + " is another host, and whose address the proxy takes for it cannot be seen from here; " +
           "if it may, name " + next->host + " in redirect_hosts";
  return {};
}

Request redirected(const Request& from, Url next, int status) {
  Request request;
  const bool same_origin = from.url.origin == next.origin;
  const bool keeps_method = status == 307 || status == 308 || from.method == "HEAD";
  request.url = std::move(next);
  request.method = keeps_method ? from.method : "GET";
  if (same_origin) request.headers = from.headers;
  if (same_origin && keeps_method) request.body = from.body;
  return request;
}

}  // namespace

Client::Client() : impl_(std::make_unique<Impl>()) {}
Client::~Client() = default;

Exchange Client::perform(const Request& first, const Policy& policy, const Limits& limits) {
  std::optional<NoSigpipe> guard;
  if (first.url.https || !policy.proxy.empty()) guard.emplace();
  const auto begin = Clock::now();
  const Request* request = &first;
  Request next;
  Timings sum;
  impl_->gate = Gate();
  for (int redirects = 0;; ++redirects) {
    const auto used = std::chrono::duration_cast<Milliseconds>(Clock::now() - begin);
    auto exchange = impl_->one(*request, policy, {limits.time_left - used, limits.cancel_fd});
    const auto target = policy.max_redirects > 0 && exchange.end == Exchange::End::answered ? impl_->redirect_target() : std::string();
    if (!target.empty()) impl_->note_endpoint();
    impl_->end();
    exchange.timings = sum += exchange.timings;
    exchange.redirects = redirects;
    if (target.empty()) return exchange;
    auto url = parse_url(target);
    if (auto why = objection(first.url, request->url, url, policy, redirects); !why.empty()) {
      exchange.end = Exchange::End::failed;
      exchange.failure = std::move(why);
      return exchange;
    }
    // by a proxy every address is the proxy's
    if (!policy.proxy.empty() || is_named(*url, policy))
      impl_->gate.open();
    else
      impl_->gate.close();
    next = redirected(*request, std::move(*url), exchange.status);
    request = &next;
  }
}

void Client::clean() {
  auto& impl = *impl_;
  impl.set(CURLOPT_COOKIELIST, "ALL");
  curl_easy_reset(impl.easy);
  impl.configured = 0;
  impl.header_lines.wipe();
  for (auto* buffer : {&impl.headers, &impl.body}) {
    buffer->clear();
    if (buffer->capacity() > kept_buffer_bytes) buffer->shrink_to_fit();
  }
}

}  // namespace http
