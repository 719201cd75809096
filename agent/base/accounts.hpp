// SPDX-License-Identifier: Apache-2.0
// Users and groups by name and number, as this host's name service says. It may ask the network, so that each answer
// is kept for a while, also the answer that there is none. One thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace ronda {

class Accounts {
 public:
  static constexpr auto kept = std::chrono::seconds(60);
  static constexpr std::size_t most = 1000;  // answers of a kind; then all of them are asked again

  /// Where the answers come from; empty or nothing: there is none.
  struct Source {
    std::function<std::string(uid_t)> user_name;
    std::function<std::optional<uid_t>(const std::string&)> user_id;
    std::function<std::optional<gid_t>(const std::string&)> group_id;
    std::function<std::chrono::nanoseconds()> now;
  };

  /// The name service and the monotonic clock.
  Accounts();
  explicit Accounts(Source source) : source_(std::move(source)) {}

  /// The number as text, where it has no name.
  std::string user_name(uid_t uid);
  std::optional<uid_t> user_id(const std::string& name);
  std::optional<gid_t> group_id(const std::string& name);

 private:
  template <typename Value>
  struct Answer {
    Value value;
    std::chrono::nanoseconds until{0};
  };
  template <typename Key, typename Value>
  const Value& look_up(std::map<Key, Answer<Value>>& known, const Key& key, const std::function<Value(const Key&)>& ask);

  Source source_;
  std::map<uid_t, Answer<std::string>> user_names_;
  std::map<std::string, Answer<std::optional<uid_t>>> user_ids_;
  std::map<std::string, Answer<std::optional<gid_t>>> group_ids_;
};

}  // namespace ronda
