// SPDX-License-Identifier: Apache-2.0
#include "incident/wrong_people.hpp"

namespace ronda::people {

void add_wrong(const std::vector<config::Disabled>& disabled, WrongPeople& out) {
  for (const config::Disabled& one : disabled) {
    if (one.kind == "contact" || one.kind == "group" || one.kind == "oncall") out.insert(one.name);
  }
}

bool holds_wrong(const People& people, std::string_view target, const WrongPeople& wrong) {
  if (wrong.empty()) return false;
  std::set<std::string, std::less<>> seen;
  std::vector<std::string> open = {std::string(target)};
  while (!open.empty()) {
    const std::string name = std::move(open.back());
    open.pop_back();
    if (wrong.contains(name)) return true;
    if (!seen.insert(name).second) continue;
    if (const Group* group = people.find_group(name)) open.insert(open.end(), group->members.begin(), group->members.end());
    if (const Rota* rota = people.find_oncall(name)) {
      for (const std::string& one : rota->everybody()) open.push_back(one);
    }
  }
  return false;
}

}  // namespace ronda::people
