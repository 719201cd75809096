// SPDX-License-Identifier: Apache-2.0
// A name server of the test's own on 127.0.0.1:53, in a network of the test's own: what /etc/resolv.conf of this process and
// all that it starts names. It answers each name as the test says, over UDP and TCP.
#pragma once

#include <sys/types.h>

#include <map>
#include <mutex>
#include <string>
#include <thread>

/// Puts this thread, and what it starts from then on, into a network that has loopback only, with a resolver that asks
/// 127.0.0.1 and waits 60 s for it. Empty: done; else why that cannot be had here.
std::string enter_own_network(const std::string& directory);

class NameServer {
 public:
  enum class Answer {
    here,       // 127.0.0.1
    nxdomain,   // there is no such name
    servfail,   // the server's own failure
    empty,      // the name is there and has no address
    silent,     // none at all
    thousand,   // a thousand addresses, 127.0.0.1 among them
    elsewhere,  // a thousand addresses where nobody listens
  };

  NameServer();
  ~NameServer();
  NameServer(const NameServer&) = delete;
  NameServer& operator=(const NameServer&) = delete;

  /// Of a name that nothing was said of: nxdomain.
  void say(const std::string& name, Answer answer);
  /// How often it was asked for the name's IPv4 addresses.
  int asked(const std::string& name) const;

 private:
  void serve();
  void serve_stream();
  std::string answer_to(const std::string& query, bool is_stream);

  mutable std::mutex mutex_;
  std::map<std::string, Answer> answers_;
  std::map<std::string, int> asked_;
  int datagrams_ = -1, streams_ = -1, stop_[2] = {-1, -1};
  std::thread thread_;
};
