// SPDX-License-Identifier: Apache-2.0
// What alerts are called that no [alert.*] and no `severity` makes. No name of conf.d has a slash or a dot, so none of them can
// be taken for one of those.
#pragma once

#include <string>
#include <string_view>

namespace ronda::incident {

/// Of what others judged: inbound/SENDER/WORD.
inline constexpr std::string_view inbound_prefix = "inbound/";
/// Of what the agent says of itself: ronda/store, ronda/sink/NAME.
inline constexpr std::string_view own_prefix = "ronda/";
/// The own trouble that nobody can be told of anything; with "/SERVICE" that messages of that service do not reach their people.
inline constexpr std::string_view lost_trouble = "route";

/// An own trouble that says that messages are lost. Nothing hides it: who is to hear nothing of a thing for a while must not
/// be kept from hearing that nothing can be heard.
inline bool is_of_lost_messages(std::string_view alert) {
  if (!alert.starts_with(own_prefix)) return false;
  alert.remove_prefix(own_prefix.size());
  return alert.starts_with(lost_trouble) && (alert.size() == lost_trouble.size() || alert[lost_trouble.size()] == '/');
}

}  // namespace ronda::incident
