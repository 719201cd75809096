// SPDX-License-Identifier: Apache-2.0
#include "config/collect.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace ronda::config {
namespace {

constexpr std::array<std::string_view, 4> levels = {"p1", "p2", "p3", "p4"};
constexpr std::array<std::string_view, 3> kinds = {"check", "task", "notifier"};

bool is_one_of(std::string_view name, std::span<const std::string_view> names) {
  return std::ranges::find(names, name) != names.end();
}

/// Contacts, groups and on-calls share one namespace.
std::string_view namespace_of(std::string_view kind) {
  return kind == "contact" || kind == "oncall" ? "group" : kind;
}

/// What is_object_name would accept, as near to `name` as possible.
std::string tame(std::string_view name) {
  std::string out;
  for (char c : name.substr(0, 128)) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    out += plain ? c : '-';
  }
  return is_object_name(out) ? out : std::string();
}

std::string header(std::string_view kind, std::string_view name) {
  return "[" + std::string(kind) + (name.empty() ? "" : "." + std::string(name)) + "]";
}

}  // namespace

void Collector::refuse(const TopTable& top, const std::string& name, Place place, std::string message,
                       std::optional<Place> first) {
  disabled_.push_back({std::string(top.name), name, place, message});
  diagnostics_.error(place, std::move(message), first);
}

void Collector::add_file(Table root) {
  for (Member& member : root) {
    const TopTable* top = find_top_table(member.key);
    Table* table = member.value.as_table();
    if (top == nullptr) {
      const std::string_view close = nearest(member.key, top_table_names());
      const std::string what = table != nullptr ? "table [" + member.key + "]" : "key `" + member.key + "`";
      std::string message = "unknown " + what;
      if (!close.empty()) message += "; did you mean [" + std::string(close) + "]?";
      if (close.empty() && table == nullptr)
        message += ": at the top of a file stand only tables like [check.NAME]";
      diagnostics_.error(member.key_place, message);
      disabled_.push_back({"table", member.key, member.key_place, message});
    } else if (table == nullptr) {
      const bool single = top->role == Role::setting && top->name != "defaults";
      const std::string example = header(top->name, single ? "" : "NAME");
      refuse(*top, "", member.key_place,
             "`" + member.key + "` must be a table: write " + example + ", got " +
                 std::string(member.value.type_name()));
    } else if (top->role == Role::setting && top->name != "defaults") {
      add_object(*top, "", member.key_place, std::move(member.value));
    } else {
      add_named(*top, std::move(*table));
    }
  }
}

void Collector::add_named(const TopTable& top, Table table) {
  for (Member& member : table) {
    Table* inner = member.value.as_table();
    if (member.value.is_nothing()) {
      disabled_.push_back({std::string(top.name), member.key, member.key_place, "a value is wrong"});
    } else if (inner == nullptr) {
      refuse(top, member.key, member.key_place,
             "`" + std::string(top.name) + "." + member.key + "` must be a table: write " +
                 header(top.name, "NAME") + " above it, got " + std::string(member.value.type_name()));
    } else if (!is_good_name(top, member)) {
      continue;
    } else if (top.name == "escalation") {
      add_escalation(top, member.key, std::move(*inner));
    } else {
      add_object(top, member.key, member.key_place, std::move(member.value));
    }
  }
}

bool Collector::is_good_name(const TopTable& top, const Member& member) {
  const std::string& name = member.key;
  const auto& fixed = top.name == "severity" ? std::span<const std::string_view>(levels) : kinds;
  if (top.name == "severity" || top.name == "defaults") {
    if (is_one_of(name, fixed)) return true;
    const std::string_view close = nearest(name, fixed);
    std::string message = "there is no " + header(top.name, name);
    if (!close.empty()) message += "; did you mean " + header(top.name, close) + "?";
    refuse(top, name, member.key_place, message);
    return false;
  }
  if (is_object_name(name)) return true;
  std::string message = name.size() > 128 ? "a name of more than 128 characters"
                        : name.empty()    ? "an object needs a name: write " + header(top.name, "NAME")
                                          : "`" + name +
                                             "` is no name for an object: names are a-z, 0-9, _ and -, "
                                             "beginning with a letter or digit";
  const std::string close = tame(name);
  if (!close.empty() && name.size() <= 128) message += "; did you mean `" + close + "`?";
  refuse(top, name, member.key_place, message);
  return false;
}

void Collector::add_escalation(const TopTable& top, const std::string& name, Table table) {
  for (Member& member : table) {
    if (!is_one_of(member.key, levels)) {
      refuse(top, name + "." + member.key, member.key_place,
             "unknown key `" + member.key + "`: an escalation has a table per level, [escalation." + name +
                 ".p1]");
    } else if (member.value.as_table() == nullptr) {
      refuse(top, name + "." + member.key, member.key_place,
             "`" + member.key + "` must be a table: write [escalation." + name + "." + member.key + "]");
    } else {
      add_object(top, name + "." + member.key, member.key_place, std::move(member.value));
    }
  }
}

void Collector::add_object(const TopTable& top, std::string name, Place place, Value value) {
  std::string key(namespace_of(top.name));
  key += '.';
  key += name;
  const auto [found, fresh] = seen_.emplace(std::move(key), Seen{&top, place});
  if (!fresh) {
    // the first one stays: a second file must not be able to take an object away
    std::string message = header(top.name, name) + " stands twice";
    if (found->second.top != &top) {
      message = header(top.name, name) + ": there is a " + std::string(found->second.top->name) +
                " of this name; contacts, groups and on-calls share their names";
    }
    return refuse(top, name, place, message, found->second.place);
  }
  objects_.push_back({&top, std::move(name), place, std::move(value)});
}

}  // namespace ronda::config
