// SPDX-License-Identifier: Apache-2.0
#include "config/changes.hpp"

#include <map>

#include "config/digest.hpp"

namespace ronda::config {
namespace {

std::map<std::string, Hash128> contents_of(const Generation& generation) {
  std::map<std::string, Hash128> out;
  for (const RawObject& one : generation.objects) out.emplace(one.kind + " " + one.name, Digest().add(one.value).finish());
  for (const Service& one : generation.services) {
    Digest digest;
    digest.add(one.title);
    for (const std::string& name : one.checks) digest.add(name);
    digest.add("escalations");
    for (const std::string& name : one.escalations) digest.add(name);
    out.emplace("service " + one.name, digest.finish());
  }
  return out;
}

}  // namespace

std::vector<std::string> changes_between(const Generation& before, const Generation& after) {
  std::vector<std::string> out;
  if (before.settings_hash != after.settings_hash) out.emplace_back("changed settings");
  const std::map<std::string, Hash128> was = contents_of(before), is = contents_of(after);
  for (const auto& [name, content] : was) {
    const auto found = is.find(name);
    if (found == is.end())
      out.push_back("removed " + name);
    else if (found->second != content)
      out.push_back("changed " + name);
  }
  for (const auto& [name, content] : is) {
    if (!was.contains(name)) out.push_back("added " + name);
  }
  return out;
}

}  // namespace ronda::config
