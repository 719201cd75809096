// SPDX-License-Identifier: Apache-2.0
#include "roles.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "api/peer.hpp"

namespace ronda {

/// Whether any check names this user as one who reports to it; which one is for the route to say.
bool Roles::is_reporter(uid_t uid) {
  bool found = false;
  scheduler_.each([&](const schedule::Entry& entry) {
    const config::Rare* rare = entry.spec.rare.get();
    if (found || rare == nullptr) return;
    found = std::ranges::any_of(rare->reporters, [&](const std::string& name) { return accounts_.user_id(name) == uid; });
  });
  return found;
}

api::Role Roles::of(uid_t uid, gid_t gid, const std::vector<gid_t>& groups, pid_t pid) {
  std::array<char, 64> theirs{}, ours{};
  const std::string path = "/proc/" + std::to_string(pid) + "/ns/pid";
  const bool readable =
      ::readlink(path.c_str(), theirs.data(), theirs.size() - 1) > 0 && ::readlink("/proc/self/ns/pid", ours.data(), ours.size() - 1) > 0;
  if (pid_namespaces_ && readable && std::string_view(theirs.data()) != ours.data()) return api::Role::none;
  if (api::standing_below(pid, ::getpid()) != api::Standing::outside) return api::Role::none;
  if (uid == 0 || uid == ::geteuid()) return api::Role::operator_;
  const auto ronda = accounts_.group_id("ronda");
  const bool member = ronda && (gid == *ronda || std::ranges::find(groups, *ronda) != groups.end());
  if (member) return api::Role::operator_;
  if (active_.generation.api.others_may_view) return api::Role::viewer;
  return is_reporter(uid) ? api::Role::reporter : api::Role::none;
}

}  // namespace ronda
