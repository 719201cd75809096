// SPDX-License-Identifier: Apache-2.0
#include "response/desk.hpp"

namespace ronda::response {

void Desk::Alarms::set(const std::string& name, std::int64_t at_ns) {
  const auto found = at_.find(name);
  if (found != at_.end()) {
    order_.erase({found->second, name});
    if (at_ns == 0) return void(at_.erase(found));
    found->second = at_ns;
  } else if (at_ns == 0) {
    return;
  } else {
    at_.emplace(name, at_ns);
  }
  order_.emplace(at_ns, name);
}

std::vector<std::string> Desk::Alarms::due(std::int64_t now_ns) const {
  std::vector<std::string> out;
  for (auto at = order_.begin(); at != order_.end() && at->first <= now_ns; ++at) out.push_back(at->second);
  return out;
}

std::optional<std::int64_t> Desk::Alarms::next() const {
  return order_.empty() ? std::nullopt : std::optional(order_.begin()->first);
}

}  // namespace ronda::response
