// SPDX-License-Identifier: Apache-2.0
#include "manifest_defaults.hpp"

#include <toml++/toml.h>
#include <stdexcept>
#include <string_view>

#include "base/units.hpp"

namespace {

using ronda::testing::node;

template <class T>
T good(ronda::Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message());
  return *result;
}

node to_node(std::string_view type, const toml::node& value) {
  if (const auto* list = value.as_array()) {
    node::list items;
    for (const toml::node& item : *list)
      items.push_back(to_node(type.substr(std::string_view("list of ").size()), item));
    return items;
  }
  if (type == "duration") return good(ronda::parse_duration(value.ref<std::string>()));
  if (type == "bytes") return good(ronda::parse_size(value.ref<std::string>()));
  if (type == "percent") return good(ronda::parse_percent(value.ref<std::string>()));
  if (value.is_boolean()) return value.ref<bool>();
  if (value.is_integer()) return value.ref<std::int64_t>();
  if (value.is_floating_point()) return value.ref<double>();
  return value.ref<std::string>();
}

}  // namespace

void set_defaults(ronda::testing::host& host, const std::string& manifest_path,
                  const std::string& procedure) {
  const toml::table manifest = toml::parse_file(manifest_path);
  for (const toml::node& entry : *manifest["provides"].as_array()) {
    const toml::table& provides = *entry.as_table();
    if (provides["name"].ref<std::string>() != procedure) continue;
    if (!provides.contains("config")) return;
    for (const auto& [key, option] : *provides["config"].as_table()) {
      const toml::table& attributes = *option.as_table();
      if (!attributes.contains("default")) continue;
      host.set(std::string(key.str()),
               to_node(attributes["type"].ref<std::string>(), *attributes.get("default")));
    }
    return;
  }
  throw std::runtime_error(manifest_path + " provides no " + procedure);
}
