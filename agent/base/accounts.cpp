// SPDX-License-Identifier: Apache-2.0
#include "base/accounts.hpp"

#include <grp.h>
#include <pwd.h>

#include "base/clock.hpp"

namespace ronda {

Accounts::Accounts() {
  source_.user_name = [](uid_t uid) {
    const passwd* found = ::getpwuid(uid);
    return found == nullptr ? std::string() : std::string(found->pw_name);
  };
  source_.user_id = [](const std::string& name) {
    const passwd* found = ::getpwnam(name.c_str());
    return found == nullptr ? std::nullopt : std::optional(found->pw_uid);
  };
  source_.group_id = [](const std::string& name) {
    const group* found = ::getgrnam(name.c_str());
    return found == nullptr ? std::nullopt : std::optional(found->gr_gid);
  };
  source_.now = [] { return monotonic(); };
}

template <typename Key, typename Value>
const Value& Accounts::look_up(std::map<Key, Answer<Value>>& known, const Key& key, const std::function<Value(const Key&)>& ask) {
  const auto now = source_.now();
  if (const auto found = known.find(key); found != known.end() && now < found->second.until) return found->second.value;
  if (known.size() >= most) known.clear();
  Answer<Value>& answer = known[key];
  answer = {ask(key), now + kept};
  return answer.value;
}

std::string Accounts::user_name(uid_t uid) {
  const std::string& name = look_up<uid_t, std::string>(user_names_, uid, source_.user_name);
  return name.empty() ? std::to_string(uid) : name;
}

std::optional<uid_t> Accounts::user_id(const std::string& name) {
  return look_up<std::string, std::optional<uid_t>>(user_ids_, name, source_.user_id);
}

std::optional<gid_t> Accounts::group_id(const std::string& name) {
  return look_up<std::string, std::optional<gid_t>>(group_ids_, name, source_.group_id);
}

}  // namespace ronda
