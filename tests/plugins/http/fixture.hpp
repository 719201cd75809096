// SPDX-License-Identifier: Apache-2.0
// The plugin as a file under the SDK's fake host, with the manifest's defaults.
#pragma once

#include <ronda/testing.hpp>

#include <string>

using namespace std::chrono_literals;
using ronda::testing::host;
using ronda::testing::node;
using ronda::testing::report;

inline const ronda::testing::library& plugin() {
  static const ronda::testing::library loaded(RONDA_BINARY_DIR "/plugins/http.so");
  return loaded;
}

struct TlsOptions {
  bool verify = true, insecure = false;
  std::string ca = {};
  int min_days = 14;
};

inline void set_tls(host& h, const TlsOptions& tls) {
  node::table table{{"verify", tls.verify}, {"insecure", tls.insecure}, {"min_days", tls.min_days}};
  if (!tls.ca.empty()) table.emplace_back("ca", tls.ca);
  h.set("tls", table);
}

inline void set_defaults(host& h) {
  h.set("follow_redirects", false).set("max_redirects", 5).set("connect_timeout", 5s).set("reuse", 300s);
  h.set("max_body", 1 << 20);
  set_tls(h, {});
  h.set_wall(ronda::wall_time(std::chrono::system_clock::now()));
}

inline void set_request(host& h, const std::string& url) {
  set_defaults(h);
  h.set("url", url).set("method", "GET");
}

inline ronda::testing::subject request_check(host& h) { return plugin().create(h, RONDA_KIND_CHECK, "http.request"); }

inline ronda::testing::run_options within(std::chrono::nanoseconds deadline) {
  ronda::testing::run_options how;
  how.deadline = deadline;
  return how;
}

inline report run_request(host& h, std::chrono::nanoseconds deadline = 10s) {
  auto subject = request_check(h);
  if (!subject) throw std::runtime_error(subject.error());
  return subject.run(within(deadline));
}
