// SPDX-License-Identifier: Apache-2.0
#include "config/diff.hpp"

#include <tuple>

namespace ronda::config {
namespace {

void add_names(std::string& text, std::string_view what, const std::vector<InstanceName>& names,
               std::size_t most) {
  if (names.empty()) return;
  if (!text.empty()) text += "; ";
  text += what;
  for (std::size_t i = 0; i < names.size() && i < most; ++i) {
    text += i == 0 ? " " : ", ";
    text += std::string(kind_name(names[i].kind)) + " " + names[i].name;
  }
  if (names.size() > most) text += " and " + std::to_string(names.size() - most) + " more";
}

}  // namespace

Diff diff(const Generation& before, const Generation& after) {
  Diff out;
  const auto name_of = [](const Instance& one) { return InstanceName{one.kind, one.name}; };
  auto old = before.instances.begin();
  auto now = after.instances.begin();
  // both are sorted by kind and name
  while (old != before.instances.end() || now != after.instances.end()) {
    const bool only_old =
        now == after.instances.end() ||
        (old != before.instances.end() && std::tie(old->kind, old->name) < std::tie(now->kind, now->name));
    const bool only_now = !only_old && (old == before.instances.end() ||
                                        std::tie(now->kind, now->name) < std::tie(old->kind, old->name));
    if (only_old) {
      out.removed.push_back(name_of(*old++));
    } else if (only_now) {
      out.added.push_back(name_of(*now++));
    } else {
      if (old->hash == now->hash) {
        ++out.kept;
      } else {
        out.replaced.push_back(name_of(*now));
      }
      ++old;
      ++now;
    }
  }
  out.settings_changed = before.settings_hash != after.settings_hash;
  out.objects_changed = before.objects_hash != after.objects_hash;
  return out;
}

std::string counts_text(const Diff& diff) {
  return std::to_string(diff.kept) + " kept, " + std::to_string(diff.replaced.size()) + " replaced, " +
         std::to_string(diff.added.size()) + " added, " + std::to_string(diff.removed.size()) + " removed";
}

std::string names_text(const Diff& diff, std::size_t most) {
  std::string text;
  add_names(text, "replaced", diff.replaced, most);
  add_names(text, "added", diff.added, most);
  add_names(text, "removed", diff.removed, most);
  return text;
}

}  // namespace ronda::config
