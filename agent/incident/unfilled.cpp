// SPDX-License-Identifier: Apache-2.0
#include "incident/unfilled.hpp"

#include <algorithm>
#include <map>

#include "config/example_names.hpp"

namespace ronda::people {
namespace {

/// A notifier that may leave this host and is used, by a contact or as a last resort.
struct Way {
  config::Place place;
  bool is_example = false;       // it leads nowhere by its own options
  int addresses = 0, empty = 0;  // that contacts have for it; of them examples

  bool leads_nowhere() const { return is_example || (addresses > 0 && empty == addresses); }
};

std::map<std::string_view, Way> ways_of(const Input& input, const People& people) {
  std::map<std::string_view, Way> out;
  const auto find = [&](std::string_view name, config::Place place) -> Way* {
    const auto known = std::ranges::find(input.notifiers, name, &Notifier::name);
    if (known == input.notifiers.end() || !known->usable || !known->leaves_host) return nullptr;
    return &out.try_emplace(known->name, Way{known->is_example ? known->place : place, known->is_example}).first->second;
  };
  for (const Contact& contact : people.contacts) {
    for (const Channel& channel : contact.channels) {
      Way* way = find(channel.notifier, contact.place);
      if (way == nullptr) continue;
      ++way->addresses;
      if (config::names_an_example(channel.to)) ++way->empty;
    }
  }
  for (const std::string& name : people.last_resort) find(name, {});
  return out;
}

}  // namespace

void warn_of_examples(const Input& input, const People& people, config::Diagnostics& diagnostics) {
  const auto ways = ways_of(input, people);
  if (ways.empty()) return;
  if (std::ranges::all_of(ways, [](const auto& one) { return one.second.leads_nowhere(); })) {
    std::string list;
    for (const auto& [name, way] : ways) list += (list.empty() ? "`" : ", `") + std::string(name) + "`";
    diagnostics.warning(ways.begin()->second.place,
                        "nobody beyond this host can be told anything: " + list +
                            " lead to names that are reserved for examples; give them and the contacts real ones");
    return;
  }
  for (const auto& [name, way] : ways) {
    if (!way.leads_nowhere()) continue;
    diagnostics.warning(way.place, "nobody is reached by notifier `" + std::string(name) + "`: " +
                                       (way.is_example ? "its options name what is reserved for examples"
                                                       : "all that contacts have as `to` for it is reserved for examples"));
  }
}

}  // namespace ronda::people
