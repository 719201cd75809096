// SPDX-License-Identifier: Apache-2.0
// `ronda plugin inspect`: the file and the manifest, for people and as JSON with stable keys.
#include <boost/json.hpp>
#include <iostream>

#include "base/text.hpp"
#include "base/units.hpp"
#include "cli/plugin_tools.hpp"
#include "plugin/docs.hpp"
#include "plugin/scalar_value.hpp"

namespace ronda::cli {
namespace json = boost::json;
using plugin::Option;

namespace {

json::value text_or_null(std::string_view text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

json::array texts(const std::vector<std::string>& words) {
  json::array out;
  for (const std::string& word : words) out.push_back(json::value(word));
  return out;
}

/// A limit as it is written in conf.d.
json::value limit_json(const Option& option, const std::optional<plugin::OptionNode>& limit) {
  if (!limit) return nullptr;
  const auto type = plugin::is_text(option.type) ? plugin::OptionType::integer : option.type;
  return json::value(plugin::format_scalar(type, *limit));
}

json::value count_json(const std::optional<std::int64_t>& count) {
  return count ? json::value(*count) : json::value(nullptr);
}

json::array forms_json(const Option& option) {
  json::array out;
  for (const plugin::OptionType form : option.forms) out.push_back(json::value(plugin::type_name(form)));
  return out;
}

json::array options_json(const std::vector<Option>& options) {
  json::array out;
  for (const Option& option : options) {
    out.push_back(json::object{{"key", option.key},
                               {"type", plugin::type_name(option)},
                               {"required", option.required},
                               {"default", text_or_null(option.default_text)},
                               {"min", limit_json(option, option.min)},
                               {"max", limit_json(option, option.max)},
                               {"min_items", count_json(option.min_items)},
                               {"max_items", count_json(option.max_items)},
                               {"single", option.single},
                               {"pattern", text_or_null(option.pattern.pattern)},
                               {"pattern_message", text_or_null(option.pattern.message)},
                               {"first_pattern", text_or_null(option.first.pattern)},
                               {"first_message", text_or_null(option.first.message)},
                               {"key_pattern", text_or_null(option.key_rule.pattern)},
                               {"key_message", text_or_null(option.key_rule.message)},
                               {"forms", forms_json(option)},
                               {"no_secret", text_or_null(option.no_secret)},
                               {"one_of", texts(option.one_of)},
                               {"choices", texts(option.choice_texts)},
                               {"unit", text_or_null(option.unit)},
                               {"doc", option.doc},
                               {"example", text_or_null(option.example_text)},
                               {"advanced", option.advanced},
                               {"since", text_or_null(option.since)},
                               {"deprecated", text_or_null(option.deprecated)},
                               {"renamed_from", texts(option.renamed_from)},
                               {"keys", options_json(option.keys)}});
  }
  return out;
}

json::array rules_json(const std::vector<plugin::Rule>& rules) {
  json::array out;
  for (const plugin::Rule& rule : rules) {
    out.push_back(json::object{{"assert", text_or_null(rule.assertion_text)},
                               {"one_of", texts(rule.one_of)},
                               {"any_of", texts(rule.any_of)},
                               {"message", rule.message}});
  }
  return out;
}

json::value messages_json(const plugin::Procedure& procedure) {
  if (procedure.kind != plugin::Kind::notifier) return nullptr;
  const plugin::MessageWants& wants = procedure.messages;
  return json::object{
      {"markup", wants.markup}, {"each", wants.each}, {"spacing_ns", wants.spacing_ns}, {"to", wants.number ? "number" : "any"}};
}

json::array procedures_json(const plugin::Manifest& manifest) {
  json::array out;
  for (const plugin::Procedure& procedure : manifest.provides) {
    json::array metrics;
    for (const plugin::MetricDeclaration& metric : procedure.metrics) {
      metrics.push_back(json::object{{"name", metric.name},
                                     {"unit", metric.unit},
                                     {"kind", metric.counter ? "counter" : "gauge"},
                                     {"doc", metric.doc},
                                     {"labels", texts(metric.labels)}});
    }
    out.push_back(json::object{{"kind", procedure.kind_id},
                               {"name", procedure.name},
                               {"summary", procedure.summary},
                               {"doc", procedure.doc},
                               {"open_metrics", procedure.open_metrics},
                               {"locks", texts(procedure.locks)},
                               {"messages", messages_json(procedure)},
                               {"options", options_json(procedure.options)},
                               {"rules", rules_json(procedure.rules)},
                               {"metrics", std::move(metrics)}});
  }
  return out;
}

json::value limit_or_null(double limit) {
  return limit > 0 ? json::value(limit) : json::value();
}

json::object manifest_json(const plugin::Manifest& manifest) {
  return json::object{{"id", manifest.id},
                      {"version", manifest.version},
                      {"license", manifest.license},
                      {"homepage", text_or_null(manifest.homepage)},
                      {"abi", json::object{{"major", manifest.abi.major}, {"minor", manifest.abi.minor}}},
                      {"needs", texts(grant_words(manifest.needs))},
                      {"limits", json::object{{"memory_bytes", manifest.limits.memory},
                                              {"cpu", limit_or_null(manifest.limits.cpu)},
                                              {"pids", manifest.limits.pids},
                                              {"fds", manifest.limits.fds}}},
                      {"max_concurrency", manifest.max_concurrency},
                      {"state_version", manifest.state_version},
                      {"provides", procedures_json(manifest)}};
}

json::object elf_json(const PluginFile& file) {
  json::array versions, entries;
  for (const plugin::NeededVersion& need : file.facts.needed_versions)
    versions.push_back(json::object{{"library", need.library}, {"version", need.version}});
  for (const std::uint32_t major : file.facts.entry_majors) entries.push_back(major);
  return json::object{{"build_id", text_or_null(file.facts.build_id)},
                      {"libraries", texts(file.facts.needed)},
                      {"versions", std::move(versions)},
                      {"run_paths", texts(file.facts.run_paths)},
                      {"entries", std::move(entries)},
                      {"entry_used", file.entry_major == 0 ? json::value(nullptr) : json::value(file.entry_major)},
                      {"exports", texts(file.facts.exports)},
                      {"imports", texts(file.facts.imports)},
                      {"unique_symbols", texts(file.facts.unique_symbols)},
                      {"static_tls", file.facts.static_tls},
                      {"no_delete", file.facts.no_delete}};
}

void print_json(const PluginFile& file) {
  json::object out{{"format", 1},
                   {"file", file.path},
                   {"sha256", text_or_null(file.content.sha256)},
                   {"size_bytes", file.content.bytes.size()},
                   {"state", file.refusal ? "refused" : "ok"},
                   {"refusal", nullptr},
                   {"problems", texts(file.problems)},
                   {"manifest", nullptr},
                   {"elf", nullptr}};
  if (file.refusal) {
    out["refusal"] = json::object{{"step", plugin::to_string(file.refusal->step)},
                                  {"reason", plugin::to_string(file.refusal->reason)},
                                  {"message", file.refusal->message},
                                  {"remedy", file.refusal->remedy}};
  }
  if (file.manifest) out["manifest"] = manifest_json(*file.manifest);
  if (!file.facts.manifest.empty()) out["elf"] = elf_json(file);
  std::cout << json::serialize(out) << "\n";
}

void print_options(const std::vector<Option>& options, const std::string& indent) {
  std::vector<std::vector<std::string>> rows;
  const auto add = [&rows](const auto& self, const std::vector<Option>& list, const std::string& left) -> void {
    for (const Option& option : list) {
      const std::string standing = option.required ? "required" : option.default_text.empty() ? "-" : "= " + option.default_text;
      rows.push_back({left + option.key, plugin::type_name(option), standing, escape_controls(option.doc)});
      self(self, option.keys, left + "  ");
    }
  };
  add(add, options, indent);
  std::cout << columns(rows);
}

void print_procedure(const plugin::Procedure& procedure) {
  std::cout << "\n" << plugin::to_string(procedure.kind) << " " << procedure.name << ": " << escape_controls(procedure.summary) << "\n";
  print_options(procedure.options, "  ");
  for (const plugin::Rule& rule : procedure.rules) {
    std::cout << "  rule: " << escape_controls(rule.message);
    if (!rule.assertion_text.empty()) std::cout << " (" << escape_controls(rule.assertion_text) << ")";
    std::cout << "\n";
  }
  if (procedure.kind == plugin::Kind::notifier) std::cout << "  messages: " << plugin::messages_text(procedure.messages) << "\n";
  std::vector<std::string> metrics;
  for (const plugin::MetricDeclaration& metric : procedure.metrics)
    metrics.push_back(metric.name + (metric.unit.empty() ? "" : " (" + metric.unit + ")"));
  if (procedure.open_metrics) metrics.emplace_back("others");
  std::cout << "  metrics: " << escape_controls(join(metrics)) << "\n";
}

std::string abi_text(const PluginFile& file) {
  const plugin::Abi& abi = file.manifest->abi;
  std::string out = "needs SDK " + std::to_string(abi.major) + "." + std::to_string(abi.minor) + ", exports";
  for (const std::uint32_t major : file.facts.entry_majors) out += " " + std::to_string(major);
  return file.facts.entry_majors.empty() ? out + " no entry" : out;
}

void print_manifest(const PluginFile& file) {
  const plugin::Manifest& manifest = *file.manifest;
  const plugin::Limits& limits = manifest.limits;
  std::cout << columns(
      {{"id", manifest.id + " " + manifest.version},
       {"license", escape_controls(manifest.license) + (manifest.homepage.empty() ? "" : ", " + escape_controls(manifest.homepage))},
       {"abi", abi_text(file)},
       {"grants", join(grant_words(manifest.needs))},
       {"limits", format_size(limits.memory) + ", " + (limits.cpu > 0 ? format_percent(limits.cpu) + " of a core" : "any cpu") + ", " +
                      std::to_string(limits.pids) + " processes, " + std::to_string(limits.fds) + " descriptors, for each of up to " +
                      std::to_string(manifest.max_concurrency) + " calls"},
       {"libraries", escape_controls(join(file.facts.needed))},
       {"build id", file.facts.build_id.empty() ? "none" : file.facts.build_id}});
  for (const std::string& warning : file.problems) std::cout << escape_controls(warning) << "\n";
  for (const plugin::Procedure& procedure : manifest.provides) print_procedure(procedure);
}

void print_text(const PluginFile& file) {
  std::cout << columns({{"file", escape_controls(file.path) + ", " + std::to_string(file.content.bytes.size()) + " bytes"},
                        {"sha256", file.content.sha256.empty() ? "-" : file.content.sha256},
                        {"state", file.refusal ? "refused" : "ok"}});
  if (file.refusal) {
    std::cout << "reason  " << file.refusal->text() << "\n";
    if (!file.manifest)
      for (const std::string& problem : file.problems) std::cout << "        " << escape_controls(problem) << "\n";
  }
  if (file.manifest) print_manifest(file);
}

}  // namespace

int plugin_inspect(const Options& options) {
  const auto path = find_plugin_file(options, options.arguments[0]);
  if (!path) return complain_of(path.error());
  const PluginFile file = read_plugin_file(*path);
  if (options.json)
    print_json(file);
  else
    print_text(file);
  return file.refusal ? exit_failed : exit_done;
}

}  // namespace ronda::cli
