// SPDX-License-Identifier: Apache-2.0
#include "cli/completion_names.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "cli/show.hpp"
#include "config/directory.hpp"
#include "config/toml.hpp"

namespace ronda::cli {
namespace {

constexpr std::string_view people = "contact group oncall";

constexpr std::array slots = {
    NameSlot{"check", "", 1, "check"},
    NameSlot{"task", "run", 2, "task"},
    NameSlot{"explain", "", 1, "check task notifier slo alerts"},
    NameSlot{"slo", "", 1, "slo"},
    NameSlot{"ping", "", 1, "check"},
    NameSlot{"wrap", "", 1, "check"},
    NameSlot{"incident", "show", 2, "incidents"},
    NameSlot{"incident", "ack", 2, "incidents"},
    NameSlot{"incident", "unack", 2, "incidents"},
    NameSlot{"incident", "note", 2, "incidents"},
    NameSlot{"incident", "update", 2, "incidents"},
    NameSlot{"incident", "raise", 2, "incidents"},
    NameSlot{"incident", "lower", 2, "incidents"},
    NameSlot{"incident", "mitigate", 2, "incidents"},
    NameSlot{"incident", "resolve", 2, "incidents"},
    NameSlot{"incident", "close", 2, "closable"},
    NameSlot{"incident", "role", 2, "incidents"},
    NameSlot{"incident", "role", 4, "contact"},
    NameSlot{"incident", "ticket", 2, "incidents"},
    NameSlot{"incident", "ticket", 3, "vendor"},
    NameSlot{"incident", "review", 2, "closable"},
    NameSlot{"silence", "expire", 2, "silences"},
    NameSlot{"maintenance", "end", 2, "one-offs"},
    NameSlot{"notify", "test", 2, people},
    NameSlot{"notify", "retry", 2, "dead"},
    NameSlot{"escalation", "simulate", 2, "levels"},
    NameSlot{"oncall", "show", 2, "oncall"},
    NameSlot{"oncall", "override", 2, "oncall"},
    NameSlot{"oncall", "override", 3, "contact"},
    NameSlot{"oncall", "undo", 2, "overrides"},
    NameSlot{"plugin", "why", 2, "plugins"},
    NameSlot{"plugin", "inspect", 2, "plugins"},
    NameSlot{"plugin", "docs", 2, "plugins"},
    NameSlot{"plugin", "clear", 2, "plugins check task notifier"},
    NameSlot{"rules", "backtest", 2, "alerts"},
};

constexpr std::array flags = {
    NameFlag{"service", "service"}, NameFlag{"check", "check"},        NameFlag{"level", "levels"},
    NameFlag{"notify", people},     NameFlag{"incident", "incidents"},
};

/// What the agent lists somewhere: the texts of one member of each, where another one is as wanted.
struct Listing {
  std::string_view kind, target, list, key, only, value;
};
constexpr std::array listings = {
    Listing{"incidents", "/v1/incidents", "", "id", "", ""},
    Listing{"closable", "/v1/incidents?all=1", "", "id", "", ""},
    Listing{"silences", "/v1/silences", "", "id", "", ""},
    Listing{"one-offs", "/v1/maintenance", "", "id", "kind", "one-off"},
    Listing{"overrides", "/v1/overrides", "", "id", "", ""},
    Listing{"dead", "/v1/dead-letters", "", "id", "", ""},
    Listing{"alerts", "/v1/alerts", "", "name", "", ""},
    Listing{"plugins", "/v1/plugins", "", "id", "", ""},
    // who may not read conf.d is told by the agent
    Listing{"check", "/v1/status", "checks", "name", "", ""},
    Listing{"task", "/v1/status", "tasks", "name", "", ""},
    Listing{"notifier", "/v1/status", "notifiers", "name", "", ""},
    Listing{"service", "/v1/status", "services", "name", "", ""},
    Listing{"slo", "/v1/slos", "", "name", "", ""},
    Listing{"oncall", "/v1/oncall", "", "name", "", ""},
};

/// The names of the sections of one kind, whatever is wrong within them.
void add_sections(const Options& options, std::string_view kind, std::set<std::string>& out) {
  config::Diagnostics told_by_validate;
  const config::Snapshot snapshot = config::read_directory(options.config, options.config, ::geteuid(), told_by_validate);
  for (std::uint32_t file = 0; file < snapshot.sources.size(); ++file) {
    const config::Source& source = snapshot.sources[file];
    const auto table = source.refused ? std::nullopt : config::parse_toml(source.text, file, told_by_validate);
    if (!table) continue;
    for (const config::Member& member : *table) {
      if (member.key != kind || member.value.as_table() == nullptr) continue;
      for (const config::Member& one : *member.value.as_table()) out.insert(one.key);
    }
  }
}

void add_listed(const Options& options, const Listing& listing, std::set<std::string>& out) {
  const auto answer = ask_agent(options, "GET", listing.target, {}, std::chrono::seconds(2));
  boost::system::error_code error;
  const json::value value = answer && answer->status == 200 ? json::parse(answer->body, error) : json::value();
  const json::value* list = listing.list.empty() ? &value : value.is_object() ? value.get_object().if_contains(listing.list) : nullptr;
  if (list == nullptr || !list->is_array()) return;
  for (const json::value& one : list->get_array()) {
    if (!one.is_object() || (!listing.only.empty() && text_of(one.get_object(), listing.only) != listing.value)) continue;
    if (std::string name = text_of(one.get_object(), listing.key); !name.empty()) out.insert(std::move(name));
  }
}

void add_kind(const Options& options, std::string_view kind, std::set<std::string>& out) {
  if (kind == "levels") out.insert({"p1", "p2", "p3", "p4"});
  const std::size_t before = out.size();
  add_sections(options, kind, out);
  if (out.size() > before) return;
  const auto* const listing = std::ranges::find(listings, kind, &Listing::kind);
  if (listing != listings.end()) add_listed(options, *listing, out);
}

/// Plain words alone: a name becomes a word of the shell as it is.
bool is_plain(const std::string& name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_./").find(c) != std::string_view::npos;
  });
}

}  // namespace

std::span<const NameSlot> name_slots() {
  return slots;
}
std::span<const NameFlag> name_flags() {
  return flags;
}

std::set<std::string> names_of(const Options& options, std::string_view kinds) {
  std::set<std::string> out;
  while (!kinds.empty()) {
    const std::size_t end = std::min(kinds.find(' '), kinds.size());
    add_kind(options, kinds.substr(0, end), out);
    kinds.remove_prefix(std::min(end + 1, kinds.size()));
  }
  std::erase_if(out, [](const std::string& name) { return !is_plain(name); });
  return out;
}

}  // namespace ronda::cli
