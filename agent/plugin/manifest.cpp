// SPDX-License-Identifier: Apache-2.0
#include "plugin/manifest.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "base/units.hpp"
#include "config/toml.hpp"
#include "plugin/manifest_options.hpp"
#include "plugin/manifest_reader.hpp"

namespace ronda::plugin {
namespace {

constexpr std::size_t max_procedures = 200;
constexpr std::size_t max_id_bytes = 128;

/// "1.2.3" or "1.2.3-rc1".
bool is_version(std::string_view text) {
  int numbers = 0;
  while (numbers < 3) {
    std::size_t digits = 0;
    while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
    if (digits == 0 || digits > 9) return false;
    text.remove_prefix(digits);
    if (++numbers == 3) break;
    if (!text.starts_with('.')) return false;
    text.remove_prefix(1);
  }
  return text.empty() ||
         ((text[0] == '-' || text[0] == '+') && text.size() > 1 && text.size() < 64 && std::ranges::all_of(text.substr(1), [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '+' ||
                   c == '~';
          }));
}

/// Parts [a-z0-9][a-z0-9_-]* joined by dots, at least `least` of them.
bool is_dotted_name(std::string_view text, std::size_t least) {
  if (text.size() > max_id_bytes) return false;
  std::size_t parts = 0;
  while (true) {
    const std::size_t dot = text.find('.');
    if (!is_object_name(text.substr(0, dot))) return false;
    ++parts;
    if (dot == std::string_view::npos) return parts >= least;
    text.remove_prefix(dot + 1);
  }
}

void take_abi(ManifestReader& reader, Abi& abi) {
  const config::Value* value = reader.find("abi");
  if (value == nullptr || value->as_table() == nullptr) {
    reader.error(value == nullptr ? reader.place() : value->place(), "'abi' must be a table like { major = 1, minor = 0 }");
    return;
  }
  ManifestReader inner(*value->as_table(), value->place(), "abi", reader.diagnostics());
  const auto major = inner.integer("major", 1, 1000);
  const auto minor = inner.integer("minor", 0, 1000);
  if (inner.find("major") == nullptr) inner.error(value->place(), "'major' is missing");
  abi = {static_cast<std::uint32_t>(major.value_or(1)), static_cast<std::uint32_t>(minor.value_or(0))};
  inner.finish();
}

void take_needs(ManifestReader& reader, std::vector<Grant>& needs) {
  for (const std::string& name : reader.texts("needs")) {
    const config::Place place = reader.find("needs")->place();
    if (const auto grant = parse_grant(name)) {
      if (std::ranges::find(needs, *grant) == needs.end()) needs.push_back(*grant);
      continue;
    }
    std::string message = "'needs': there is no grant '" + escape_controls(name) + "'";
    const std::string_view meant = nearest(name, grant_names());
    if (!meant.empty()) message += "; did you mean '" + std::string(meant) + "'?";
    reader.error(place, message);
  }
}

void take_limits(ManifestReader& reader, Limits& limits) {
  const config::Table* table = reader.table("limits");
  if (table == nullptr) return;
  ManifestReader inner(*table, reader.find("limits")->place(), "limits", reader.diagnostics());
  if (const config::Value* value = inner.find("memory")) {
    const auto bytes = value->as_string() != nullptr ? parse_size(*value->as_string()) : parse_size("");
    // times the most calls, twice over, it is still a number of bytes
    constexpr std::int64_t least = 1LL << 20, most = 1LL << 40;
    if (bytes && *bytes >= least && *bytes <= most) {
      limits.memory = *bytes;
    } else {
      inner.error(value->place(), "'memory' must be a size from \"1MiB\" to \"1TiB\"");
    }
  }
  if (const config::Value* value = inner.find("cpu")) {
    const auto share = value->as_string() != nullptr ? parse_percent(*value->as_string()) : parse_percent("");
    if (share && *share >= 0.01) {
      limits.cpu = *share;
    } else {
      inner.error(value->place(), "'cpu' must be a share of one core of at least \"1%\"");
    }
  }
  limits.pids = inner.integer("pids", 1, 10'000).value_or(limits.pids);
  limits.fds = inner.integer("fds", 8, 100'000).value_or(limits.fds);
  inner.finish();
}

void take_identity(ManifestReader& reader, Manifest& manifest) {
  manifest.id = reader.required_text("id");
  if (!manifest.id.empty() && !is_dotted_name(manifest.id, 2))
    reader.error(reader.find("id")->place(), "'id' must be in reverse DNS form, for example \"org.example.disk\"");
  manifest.version = reader.required_text("version");
  if (!manifest.version.empty() && !is_version(manifest.version))
    reader.error(reader.find("version")->place(), "'version' must be MAJOR.MINOR.PATCH, for example \"1.2.0\"");
  manifest.license = reader.required_text("license");
  manifest.homepage = reader.text_or("homepage", "");
}

void take_plugin(const config::Member& member, Manifest& manifest, config::Diagnostics& diagnostics) {
  if (member.value.as_table() == nullptr) {
    diagnostics.error(member.value.place(), "'plugin' must be a table");
    return;
  }
  ManifestReader reader(*member.value.as_table(), member.key_place, "[plugin]", diagnostics);
  take_identity(reader, manifest);
  take_abi(reader, manifest.abi);
  take_needs(reader, manifest.needs);
  take_limits(reader, manifest.limits);
  manifest.max_concurrency = static_cast<std::uint32_t>(reader.integer("max_concurrency", 1, 256).value_or(8));
  manifest.state_version = static_cast<std::uint32_t>(reader.integer("state_version", 1, 2'147'483'647).value_or(1));
  reader.finish();
}

/// Calls `take` for every table of the list of tables `key`.
template <class Take>
void each_table(ManifestReader& reader, std::string_view key, Take take) {
  const config::Value* value = reader.find(key);
  if (value == nullptr) return;
  if (value->as_list() == nullptr) {
    reader.error(value->place(), "'" + std::string(key) + "' must be written [[provides." + std::string(key) + "]]");
    return;
  }
  for (const config::Value& item : *value->as_list()) {
    if (item.as_table() == nullptr) {
      reader.error(item.place(), "'" + std::string(key) + "' must be a list of tables");
      continue;
    }
    take(item);
  }
}

void take_key_set(ManifestReader& reader, std::string_view name, const std::vector<Option>& options, std::vector<std::string>& out) {
  out = reader.texts(name);
  for (const std::string& key : out) {
    if (find_option(options, key) == nullptr) reader.error(reader.find(name)->place(), "there is no option '" + escape_controls(key) + "'");
  }
}

void take_rule(const config::Value& value, Procedure& procedure, config::Diagnostics& diagnostics) {
  ManifestReader reader(*value.as_table(), value.place(), "rule of '" + procedure.name + "'", diagnostics);
  Rule rule;
  rule.message = reader.required_text("message");
  const config::Value* assertion = reader.find("assert");
  rule.assertion_text = reader.text_or("assert", "");
  take_key_set(reader, "one_of", procedure.options, rule.one_of);
  take_key_set(reader, "any_of", procedure.options, rule.any_of);
  const int forms = (assertion != nullptr ? 1 : 0) + (rule.one_of.empty() ? 0 : 1) + (rule.any_of.empty() ? 0 : 1);
  if (forms != 1) reader.error(value.place(), "a rule has exactly one of 'assert', 'one_of' and 'any_of'");
  if (assertion != nullptr && !rule.assertion_text.empty()) {
    auto parsed = parse_assertion(rule.assertion_text, procedure.options);
    if (parsed) {
      rule.assertion = *std::move(parsed);
    } else {
      reader.error(assertion->place(), parsed.error().message());
    }
  }
  reader.finish();
  procedure.rules.push_back(std::move(rule));
}

void take_metric(const config::Value& value, Procedure& procedure, config::Diagnostics& diagnostics) {
  ManifestReader reader(*value.as_table(), value.place(), "metric of '" + procedure.name + "'", diagnostics);
  MetricDeclaration metric;
  metric.name = reader.required_text("name");
  metric.unit = reader.text_or("unit", "");
  metric.doc = reader.text_or("doc", "");
  metric.labels = reader.texts("labels");
  const std::string kind = reader.text_or("kind", "gauge");
  metric.counter = kind == "counter";
  if (kind != "gauge" && kind != "counter") reader.error(reader.find("kind")->place(), "'kind' must be \"gauge\" or \"counter\"");
  const bool twice = std::ranges::any_of(procedure.metrics, [&](const MetricDeclaration& other) { return other.name == metric.name; });
  if (twice) reader.error(value.place(), "'" + escape_controls(metric.name) + "' is declared twice");
  reader.finish();
  procedure.metrics.push_back(std::move(metric));
}

/// A word that is not known here is refused: no guess keeps a value from getting a meaning in the channel.
std::string take_choice(ManifestReader& reader, std::string_view key, const std::vector<std::string_view>& choices) {
  const std::string found = reader.text_or(key, choices.front());
  if (std::ranges::find(choices, found) != choices.end()) return found;
  std::string list;
  for (const std::string_view one : choices) list += (list.empty() ? "\"" : ", \"") + std::string(one) + "\"";
  reader.error(reader.find(key)->place(), "'" + std::string(key) + "' is one of " + list);
  return std::string(choices.front());
}

void take_messages(ManifestReader& reader, Procedure& procedure) {
  const config::Table* table = reader.table("messages");
  if (table == nullptr) return;
  const config::Place place = reader.find("messages")->place();
  if (procedure.kind == Kind::check || procedure.kind == Kind::task) reader.error(place, "'messages' is for notifiers");
  ManifestReader inner(*table, place, "messages of '" + procedure.name + "'", reader.diagnostics());
  static const std::vector<std::string_view> addresses = {"any", "number"};
  procedure.messages.markup = take_choice(inner, "markup", markup_names());
  procedure.messages.each = inner.flag("each");
  procedure.messages.number = take_choice(inner, "to", addresses) == "number";
  if (const config::Value* value = inner.find("spacing")) {
    const auto spacing = parse_duration(value->as_string() != nullptr ? *value->as_string() : std::string());
    if (spacing && *spacing >= Nanos(0) && *spacing <= std::chrono::minutes(1))
      procedure.messages.spacing_ns = spacing->count();
    else
      inner.error(value->place(), "'spacing' must be a duration of at most \"1m\"");
  }
  inner.finish();
}

Procedure parse_procedure(const config::Value& value, config::Diagnostics& diagnostics) {
  ManifestReader reader(*value.as_table(), value.place(), "[[provides]]", diagnostics);
  Procedure procedure;
  procedure.place = value.place();
  procedure.kind_id = reader.required_text("kind");
  procedure.kind = parse_kind(procedure.kind_id);
  procedure.name = reader.required_text("name");
  if (!procedure.name.empty() && !is_dotted_name(procedure.name, 1))
    reader.error(reader.find("name")->place(), "'name' must be parts of [a-z0-9_-] joined by dots");
  procedure.summary = reader.required_text("summary");
  procedure.doc = reader.text_or("doc", "");
  procedure.open_metrics = reader.flag("open_metrics");
  procedure.locks = reader.texts("locks");
  take_messages(reader, procedure);
  if (const config::Table* options = reader.table("config")) procedure.options = parse_options(*options, true, 0, diagnostics);
  each_table(reader, "rule", [&](const config::Value& item) { take_rule(item, procedure, diagnostics); });
  each_table(reader, "metric", [&](const config::Value& item) { take_metric(item, procedure, diagnostics); });
  reader.finish();
  return procedure;
}

void take_provides(const config::Member& member, Manifest& manifest, config::Diagnostics& diagnostics) {
  const config::List* list = member.value.as_list();
  const bool tables = list != nullptr && std::ranges::all_of(*list, [](const config::Value& item) { return item.as_table() != nullptr; });
  if (!tables || list->empty() || list->size() > max_procedures) {
    diagnostics.error(member.key_place, "'provides' must be written [[provides]], once to 200 times");
    return;
  }
  for (const config::Value& item : *list) {
    Procedure procedure = parse_procedure(item, diagnostics);
    const bool twice = std::ranges::any_of(
        manifest.provides, [&](const Procedure& other) { return other.kind_id == procedure.kind_id && other.name == procedure.name; });
    if (twice) diagnostics.error(item.place(), "'" + procedure.name + "' is provided twice as " + procedure.kind_id);
    manifest.provides.push_back(std::move(procedure));
  }
}

void check_edition(const config::Table& table, config::Place place, config::Diagnostics& diagnostics) {
  const auto found = std::ranges::find(table, std::string_view("manifest"), &config::Member::key);
  const std::int64_t* edition = found == table.end() ? nullptr : found->value.as_int();
  if (edition != nullptr && *edition == 1) return;
  if (edition != nullptr) {
    diagnostics.error(found->value.place(), "manifest = " + std::to_string(*edition) + ": this agent reads manifests of edition 1");
  } else {
    diagnostics.error(found == table.end() ? place : found->value.place(), "'manifest = 1' must say which edition this is");
  }
}

}  // namespace

std::string_view to_string(Kind kind) {
  constexpr std::array<std::string_view, 4> names = {"check", "task", "notifier", "unknown"};
  return names[static_cast<std::size_t>(kind)];
}

Kind parse_kind(std::string_view id) {
  if (id == "ronda.check/1") return Kind::check;
  if (id == "ronda.task/1") return Kind::task;
  if (id == "ronda.notifier/1") return Kind::notifier;
  return Kind::unknown;
}

const std::vector<std::string_view>& grant_names() {
  static const std::vector<std::string_view> names = {"state", "secrets", "exec",  "net",    "db",
                                                      "files", "threads", "inbox", "setuid", "detached"};
  return names;
}

std::string_view to_string(Grant grant) {
  return grant_names()[static_cast<std::size_t>(grant)];
}

std::optional<Grant> parse_grant(std::string_view name) {
  const auto found = std::ranges::find(grant_names(), name);
  if (found == grant_names().end()) return std::nullopt;
  return static_cast<Grant>(found - grant_names().begin());
}

const std::vector<std::string_view>& markup_names() {
  static const std::vector<std::string_view> names = {"plain", "mrkdwn", "html", "sms"};
  return names;
}

std::optional<Manifest> parse_manifest(std::string_view text, std::uint32_t file, config::Diagnostics& diagnostics) {
  const std::size_t before = diagnostics.errors();
  const auto table = config::parse_toml(text, file, diagnostics);
  if (!table) return std::nullopt;
  const config::Place top{file, 1, 1};
  check_edition(*table, top, diagnostics);
  Manifest manifest;
  bool has_plugin = false;
  bool has_provides = false;
  for (const config::Member& member : *table) {
    if (member.key == "plugin") {
      has_plugin = true;
      take_plugin(member, manifest, diagnostics);
    } else if (member.key == "provides") {
      has_provides = true;
      take_provides(member, manifest, diagnostics);
    }  // others are for later editions
  }
  if (!has_plugin) diagnostics.error(top, "the table [plugin] is missing");
  if (!has_provides) diagnostics.error(top, "there is no [[provides]]: the plugin provides nothing");
  if (diagnostics.errors() != before) return std::nullopt;
  return manifest;
}

}  // namespace ronda::plugin
