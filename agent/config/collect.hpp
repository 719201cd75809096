// SPDX-License-Identifier: Apache-2.0
// From the tables of single files to one list of objects: which table is which object, whether its name will
// do, and whether it stands twice.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/fields.hpp"
#include "config/objects.hpp"

namespace ronda::config {

/// One table of one file, before anything is known about its meaning.
struct Object {
  const TopTable* top = nullptr;
  std::string name;  // empty for [agent], [store] and [api]; "default.p1" for an escalation's level
  Place place;
  Value value;  // a table
};

class Collector {
 public:
  explicit Collector(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  /// Takes the objects out of the table of a whole file.
  void add_file(Table root);

  std::vector<Object> take_objects() { return std::move(objects_); }
  std::vector<Disabled> take_disabled() { return std::move(disabled_); }

 private:
  void add_named(const TopTable& top, Table table);
  void add_escalation(const TopTable& top, const std::string& name, Table table);
  void add_object(const TopTable& top, std::string name, Place place, Value value);
  bool is_good_name(const TopTable& top, const Member& member);
  void refuse(const TopTable& top, const std::string& name, Place place, std::string message,
              std::optional<Place> first = {});

  Diagnostics& diagnostics_;
  std::vector<Object> objects_;
  std::vector<Disabled> disabled_;
  struct Seen {
    const TopTable* top;
    Place place;
  };
  std::unordered_map<std::string, Seen> seen_;
};

}  // namespace ronda::config
