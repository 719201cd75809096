// SPDX-License-Identifier: Apache-2.0
// `ronda plugin schema`: JSON Schema (2020-12) of conf.d objects, for editors. It says what JSON Schema can
// say; limits of durations and sizes, and comparisons of two keys, are left to `ronda validate`.
#include <array>
#include <boost/json.hpp>
#include <iostream>

#include "cli/plugin_tools.hpp"
#include "config/toml.hpp"
#include "plugin/option_value.hpp"

namespace ronda::cli {
namespace json = boost::json;
using plugin::Option;
using plugin::OptionType;

namespace {

json::value to_json(const config::Value& value) {
  if (value.as_bool() != nullptr) return *value.as_bool();
  if (value.as_int() != nullptr) return *value.as_int();
  if (value.as_float() != nullptr) return *value.as_float();
  if (value.as_string() != nullptr) return json::value(*value.as_string());
  if (value.as_list() != nullptr) {
    json::array out;
    for (const config::Value& item : *value.as_list()) out.push_back(to_json(item));
    return out;
  }
  json::object out;
  if (value.as_table() != nullptr)
    for (const config::Member& member : *value.as_table()) out[member.key] = to_json(member.value);
  return out;
}

/// A value as it stands in TOML; nothing for text that is none.
std::optional<json::value> toml_json(const std::string& text) {
  config::Diagnostics ignored;
  const auto table = config::parse_toml("x = " + text + "\n", 0, ignored);
  if (!table || table->empty()) return std::nullopt;
  return to_json(table->front().value);
}

json::object reference() {
  return {{"$ref", "#/$defs/reference"}};
}

json::object matching(std::string_view pattern) {
  return {{"type", "string"}, {"pattern", pattern}};
}

/// The form of one value, before its limits.
json::object form_of(OptionType type) {
  switch (type) {
    case OptionType::boolean:
      return {{"type", "boolean"}};
    case OptionType::integer:
      return {{"type", "integer"}};
    case OptionType::port:
      return {{"type", "integer"}, {"minimum", 1}, {"maximum", 65535}};
    case OptionType::real:
      return {{"type", "number"}};
    case OptionType::percent:
      return matching("^[0-9]+([.][0-9]+)?%$");
    case OptionType::duration:
      return matching("^([0-9]+([.][0-9]+)?(ns|us|ms|s|m|h|d|w))+$");
    case OptionType::bytes:
      return matching("^[0-9]+([.][0-9]+)?(B|kB|KB|MB|GB|TB|KiB|MiB|GiB|TiB)$");
    case OptionType::path:
      return matching("^/");
    case OptionType::url:
      return matching("^[A-Za-z][A-Za-z0-9+.-]*://");
    case OptionType::timestamp:
      return {{"type", "string"}, {"format", "date-time"}};
    case OptionType::any:
      return {{"type", json::array{"boolean", "number", "string"}}};
    default:
      return {{"type", "string"}};
  }
}

void put_number(json::object& form, std::string_view key, const std::optional<plugin::OptionNode>& limit) {
  if (!limit) return;
  if (limit->as_int() != nullptr)
    form[key] = *limit->as_int();
  else if (limit->as_float() != nullptr)
    form[key] = *limit->as_float();
}

/// False for what POSIX and JSON Schema (ECMA 262) read differently: classes by name, a bracket that begins with "]".
bool reads_the_same(std::string_view pattern) {
  return pattern.find("[:") == std::string_view::npos && pattern.find("[]") == std::string_view::npos &&
         pattern.find("[^]") == std::string_view::npos;
}

bool can_say(const plugin::TextRule& rule) {
  return !rule.pattern.empty() && reads_the_same(rule.pattern);
}

void put_limits(json::object& form, const Option& option) {
  const bool number = option.type == OptionType::integer || option.type == OptionType::real || option.type == OptionType::port;
  const bool text = plugin::is_text(option.type);
  if (number) put_number(form, "minimum", option.min), put_number(form, "maximum", option.max);
  if (text) put_number(form, "minLength", option.min), put_number(form, "maxLength", option.max);
  if (can_say(option.pattern) && !form.contains("pattern")) form["pattern"] = option.pattern.pattern;
  if (option.choices.empty()) return;
  json::array choices;
  for (const std::string& choice : option.choice_texts)
    if (auto value = toml_json(choice)) choices.push_back(*std::move(value));
  form["enum"] = std::move(choices);
}

json::object table_form(const std::vector<Option>& options);
json::object group(const std::vector<std::string>& keys, std::string_view word);

/// One of several forms; says nothing when one of them has a grammar that a schema cannot tell.
void put_forms(json::object& form, const Option& option) {
  json::array forms;
  for (const OptionType type : option.forms) {
    json::object one = form_of(type);
    if (one.size() == 1) return;
    forms.push_back(std::move(one));
  }
  if (!forms.empty()) form["anyOf"] = std::move(forms);
}

/// One value of the innermost type. Whatever is not free text may come from a reference instead.
json::object scalar_form(const Option& option) {
  if (option.type == OptionType::table) {
    json::object form = table_form(option.keys);
    if (!option.one_of.empty()) form["oneOf"] = std::move(group(option.one_of, "oneOf")["oneOf"]);
    return form;
  }
  json::object form = form_of(option.type);
  put_limits(form, option);
  put_forms(form, option);
  const bool free_text = form.size() == 1 && form.contains("type") && form["type"] == "string";
  if (free_text || (option.type == OptionType::any && !form.contains("pattern"))) return form;
  return {{"anyOf", json::array{std::move(form), reference()}}};
}

json::object wrapped_form(const Option& option, std::size_t depth) {
  if (depth == option.wrappers.size()) return scalar_form(option);
  const bool list = option.wrappers[depth] == plugin::Wrapper::list;
  json::object inner = wrapped_form(option, depth + 1);
  json::object form{{"type", list ? "array" : "object"}, {list ? "items" : "additionalProperties", inner}};
  if (depth > 0) return form;
  if (can_say(option.key_rule)) form["propertyNames"] = json::object{{"pattern", option.key_rule.pattern}};
  if (can_say(option.first))
    form["prefixItems"] = json::array{
        json::object{{"allOf", json::array{inner, json::object{{"anyOf", json::array{matching(option.first.pattern), reference()}}}}}}};
  if (option.min_items) form[list ? "minItems" : "minProperties"] = *option.min_items;
  if (option.max_items) form[list ? "maxItems" : "maxProperties"] = *option.max_items;
  if (!option.single) return form;
  return {{"anyOf", json::array{std::move(form), std::move(inner)}}};
}

json::object property(const Option& option) {
  json::object out = wrapped_form(option, 0);
  if (!option.doc.empty()) out["description"] = option.doc;
  if (!option.deprecated.empty()) out["deprecated"] = true;
  if (auto value = option.default_text.empty() ? std::nullopt : toml_json(option.default_text)) out["default"] = *std::move(value);
  if (auto value = option.example_text.empty() ? std::nullopt : toml_json(option.example_text))
    out["examples"] = json::array{*std::move(value)};
  return out;
}

json::object requires_key(std::string_view key) {
  return {{"required", json::array{json::value(key)}}};
}

json::object table_form(const std::vector<Option>& options) {
  json::object properties;
  json::array required, either;
  for (const Option& option : options) {
    json::object form = property(option);
    json::array names{requires_key(option.key)};
    for (const std::string& old : option.renamed_from) {
      json::object renamed = form;
      renamed["deprecated"] = true;
      renamed["description"] = "now called " + option.key;
      properties[old] = std::move(renamed);
      names.push_back(requires_key(old));
    }
    properties[option.key] = std::move(form);
    if (!option.required) continue;
    if (names.size() == 1)
      required.push_back(json::value(option.key));
    else
      either.push_back(json::object{{"anyOf", std::move(names)}});
  }
  json::object out{{"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
  if (!required.empty()) out["required"] = std::move(required);
  if (!either.empty()) out["allOf"] = std::move(either);
  return out;
}

/// "exactly one of these", "at least one of these".
json::object group(const std::vector<std::string>& keys, std::string_view word) {
  json::array list;
  for (const std::string& key : keys) list.push_back(requires_key(key));
  return {{word, std::move(list)}};
}

json::object object_form(const plugin::Procedure& procedure) {
  json::object out = table_form(procedure.options);
  json::object& properties = out["properties"].as_object();
  for (const std::string_view key : plugin::core_keys()) properties.emplace(key, true);
  properties["use"] = json::object{{"const", procedure.name}};
  json::array required{"use"};
  if (const json::value* more = out.if_contains("required"))
    for (const json::value& key : more->get_array()) required.push_back(key);
  out["required"] = std::move(required);
  out["title"] = procedure.summary;
  for (const plugin::Rule& rule : procedure.rules) {
    if (rule.one_of.empty() && rule.any_of.empty()) continue;
    json::array& all = out.emplace("allOf", json::array()).first->value().as_array();
    all.push_back(rule.one_of.empty() ? group(rule.any_of, "anyOf") : group(rule.one_of, "oneOf"));
  }
  return out;
}

json::object reference_form() {
  return {{"type", "string"}, {"pattern", "[$][{](env|file|cred):"}, {"description", "a reference, resolved when conf.d is read"}};
}

std::string definition_name(const plugin::Procedure& procedure) {
  return std::string(plugin::to_string(procedure.kind)) + "." + procedure.name;
}

json::object head(const plugin::Manifest& manifest) {
  return {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
          {"$id", "urn:ronda:plugin:" + manifest.id + ":" + manifest.version},
          {"$comment", "format 1"}};
}

/// Of a whole file of conf.d: objects that use this plugin are checked, all others pass.
json::object file_schema(const plugin::Manifest& manifest) {
  json::object definitions{{"reference", reference_form()}}, properties;
  for (const plugin::Kind kind : {plugin::Kind::check, plugin::Kind::task, plugin::Kind::notifier}) {
    json::array cases;
    for (const plugin::Procedure& procedure : manifest.provides) {
      if (procedure.kind != kind) continue;
      definitions[definition_name(procedure)] = object_form(procedure);
      const json::object uses{{"properties", json::object{{"use", json::object{{"const", procedure.name}}}}},
                              {"required", json::array{"use"}}};
      cases.push_back(json::object{{"if", uses}, {"then", json::object{{"$ref", "#/$defs/" + definition_name(procedure)}}}});
    }
    if (cases.empty()) continue;
    properties[plugin::to_string(kind)] =
        json::object{{"type", "object"}, {"additionalProperties", json::object{{"allOf", std::move(cases)}}}};
  }
  json::object out = head(manifest);
  out["type"] = "object";
  out["properties"] = std::move(properties);
  out["$defs"] = std::move(definitions);
  return out;
}

json::object procedure_schema(const plugin::Manifest& manifest, const plugin::Procedure& procedure) {
  json::object out = head(manifest);
  for (auto& member : object_form(procedure)) out[member.key()] = std::move(member.value());
  out["$defs"] = json::object{{"reference", reference_form()}};
  return out;
}

}  // namespace

int plugin_schema(const Options& options) {
  const auto file = open_plugin(options, options.arguments[0]);
  if (!file) return complain_of(file.error());
  if (options.arguments.size() == 1) {
    std::cout << json::serialize(file_schema(*file->manifest)) << "\n";
    return exit_done;
  }
  const auto procedure = choose_procedure(*file->manifest, options.arguments[1]);
  if (!procedure) return complain_of(procedure.error());
  std::cout << json::serialize(procedure_schema(*file->manifest, **procedure)) << "\n";
  return exit_done;
}

}  // namespace ronda::cli
