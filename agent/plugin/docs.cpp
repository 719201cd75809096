// SPDX-License-Identifier: Apache-2.0
#include "plugin/docs.hpp"

#include <vector>

#include "base/units.hpp"
#include "plugin/scalar_value.hpp"

namespace ronda::plugin {
namespace {

constexpr std::string_view end_marker = "<!-- end of options -->\n";

std::string begin_marker(const Procedure& procedure) {
  return "<!-- options of " + procedure.name + " -->\n";
}

/// Text in one cell of a table.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|')
      out += "\\|";
    else
      out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string code(std::string_view text) {
  return "`" + cell(text) + "`";
}

void add(std::string& list, std::string_view item) {
  list += (list.empty() ? "" : ", ") + std::string(item);
}

/// "1 to 100", "at least 1", "at most 100"; empty without limits.
std::string range_text(const std::string& least, const std::string& most) {
  if (!least.empty() && !most.empty()) return least + " to " + most;
  if (!least.empty()) return "at least " + least;
  return most.empty() ? std::string() : "at most " + most;
}

/// A limit as people write it in conf.d, without the quotes.
std::string limit_text(const Option& option, const std::optional<OptionNode>& limit) {
  if (!limit) return {};
  std::string text = format_scalar(is_text(option.type) ? OptionType::integer : option.type, *limit);
  if (text.size() > 1 && text.front() == '"') text = text.substr(1, text.size() - 2);
  return text;
}

std::string count_text(const std::optional<std::int64_t>& count) {
  return count ? std::to_string(*count) : std::string();
}

std::string unquoted(std::string_view text) {
  const bool quoted = text.size() > 2 && text.front() == '"' && text.find('\\') == std::string_view::npos;
  return std::string(quoted ? text.substr(1, text.size() - 2) : text);
}

std::string choices_text(const Option& option) {
  std::string out;
  for (const std::string& choice : option.choice_texts) add(out, code(unquoted(choice)));
  return out;
}

/// A rule in the words of its author, or the pattern itself.
void add_rule(std::string& out, std::string_view of_what, std::string_view label, const TextRule& rule) {
  if (rule.pattern.empty()) return;
  if (rule.message.empty())
    add(out, std::string(of_what) + "matches " + code(rule.pattern));
  else
    add(out, std::string(label) + cell(rule.message));
}

std::string forms_text(const Option& option) {
  std::string out;
  for (const OptionType form : option.forms) out += (out.empty() ? "reads as " : " or ") + std::string(type_name(form));
  return out;
}

std::string codes_text(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) add(out, code(name));
  return out;
}

/// What may be written, after what it means.
std::string limits_text(const Option& option) {
  std::string out = choices_text(option);
  std::string range = range_text(limit_text(option, option.min), limit_text(option, option.max));
  if (!range.empty() && is_text(option.type)) range += " characters";
  // a share is from 0% to 100% as a rule; only what is narrower or wider is worth a word
  if (!range.empty() && range != "0% to 100%") add(out, range);
  const std::string items = range_text(count_text(option.min_items), count_text(option.max_items));
  if (!items.empty()) add(out, items + (items.ends_with(" 1") ? " item" : " items"));
  if (!option.unit.empty()) add(out, "in " + option.unit);
  add_rule(out, "", "", option.pattern);
  add_rule(out, "the first ", "the first: ", option.first);
  add_rule(out, "a key ", "a key: ", option.key_rule);
  if (!option.forms.empty()) add(out, forms_text(option));
  if (!option.one_of.empty()) add(out, "exactly one of " + codes_text(option.one_of));
  if (!option.no_secret.empty()) add(out, "no secret: " + cell(option.no_secret));
  if (option.single) add(out, "one needs no brackets");
  if (!option.since.empty()) add(out, "since " + option.since);
  for (const std::string& old : option.renamed_from) add(out, "was " + code(old));
  return out;
}

void add_rows(const std::vector<Option>& options, const std::string& prefix, std::string& out) {
  for (const Option& option : options) {
    std::string name = prefix + option.key;
    out += "| `" + name + "` | " + type_name(option) + " | " + option_default(option) + " | " + option_meaning(option) + " |\n";
    for (const Wrapper wrapper : option.wrappers) name += wrapper == Wrapper::list ? "[]" : ".NAME";
    add_rows(option.keys, name + ".", out);
  }
}

void add_metrics(const Procedure& procedure, std::string& out) {
  if (procedure.metrics.empty() && !procedure.open_metrics) return;
  if (!procedure.metrics.empty()) out += "| metric | unit | kind | meaning |\n|---|---|---|---|\n";
  for (const MetricDeclaration& metric : procedure.metrics) {
    out += "| " + code(metric.name) + " | " + cell(metric.unit) + " | " + (metric.counter ? "counter" : "gauge") + " | " + cell(metric.doc);
    std::string labels;
    for (const std::string& label : metric.labels) add(labels, code(label));
    out += (labels.empty() ? "" : " (by " + labels + ")") + " |\n";
  }
  if (!procedure.metrics.empty()) out += "\n";
  if (procedure.open_metrics) out += "More metrics are named by the configuration or by what is measured.\n\n";
}

/// A value for the example: the one its author gave, else the default.
std::string example_value(const Option& option) {
  if (!option.example_text.empty()) return option.example_text;
  if (!option.default_text.empty()) return option.default_text;
  if (!option.choice_texts.empty()) return option.choice_texts.front();
  return option.wrappers.empty() ? "\"...\"" : option.wrappers.front() == Wrapper::list ? "[]" : "{}";
}

std::string last_part(std::string_view name) {
  return std::string(name.substr(name.rfind('.') + 1));
}

}  // namespace

std::string option_meaning(const Option& option) {
  std::string out = cell(option.doc);
  const std::string limits = limits_text(option);
  if (!limits.empty()) out += (out.empty() ? "(" : " (") + limits + ")";
  if (!option.deprecated.empty()) out += (out.empty() ? "" : " ") + ("**deprecated**: " + cell(option.deprecated));
  return out;
}

std::string option_default(const Option& option) {
  if (option.required) return "required";
  if (!option.fallback) return "";
  return code(unquoted(option.default_text));
}

std::string options_table(const Procedure& procedure) {
  if (procedure.options.empty()) return "It has no options.\n";
  std::string out = "| option | type | default | meaning |\n|---|---|---|---|\n";
  add_rows(procedure.options, "", out);
  return out;
}

std::string marked_table(const Procedure& procedure) {
  return begin_marker(procedure) + options_table(procedure) + std::string(end_marker);
}

std::string example_object(const Procedure& procedure) {
  const std::string kind(to_string(procedure.kind));
  std::string out = "[" + kind + "." + last_part(procedure.name) + "]\nuse = \"" + procedure.name + "\"\n";
  if (procedure.kind == Kind::check) out += "every = \"1m\"\n";
  for (const Option& option : procedure.options) {
    if (!option.deprecated.empty()) continue;
    const bool plain_table = option.type == OptionType::table && option.wrappers.empty();
    if (plain_table && option.example_text.empty()) continue;
    out += (option.required ? "" : "# ") + option.key + " = " + example_value(option) + "\n";
  }
  return out;
}

std::string messages_text(const MessageWants& wants) {
  std::string out = wants.markup == "plain" ? "as plain text" : "in " + wants.markup;
  add(out, wants.each ? "each by itself" : "several may come as one");
  if (wants.spacing_ns > 0) add(out, "at least " + format_duration(Nanos(wants.spacing_ns)) + " apart");
  if (wants.number) add(out, "to a telephone number");
  return out;
}

std::string manual(const Manifest& manifest) {
  std::string out = "# " + manifest.id + " " + manifest.version + "\n\nLicense: " + manifest.license;
  if (!manifest.homepage.empty()) out += ". " + manifest.homepage;
  std::string grants;
  for (const Grant grant : manifest.needs) add(grants, code(to_string(grant)));
  out += "\n\nGrants that it needs: " + (grants.empty() ? "none" : grants) + ".\n";
  for (const Procedure& procedure : manifest.provides) {
    out += "\n## " + procedure.name + " (" + std::string(to_string(procedure.kind)) + ")\n\n" + procedure.summary + "\n\n";
    if (!procedure.doc.empty()) out += procedure.doc + (procedure.doc.ends_with('\n') ? "\n" : "\n\n");
    if (procedure.kind == Kind::notifier) out += "It is given messages " + messages_text(procedure.messages) + ".\n\n";
    out += marked_table(procedure) + "\n";
    add_metrics(procedure, out);
    out += "```toml\n" + example_object(procedure) + "```\n";
  }
  return out;
}

Result<std::string> renew_tables(std::string_view readme, const Manifest& manifest) {
  std::string out(readme);
  for (const Procedure& procedure : manifest.provides) {
    const std::string begin = begin_marker(procedure);
    const std::size_t from = out.find(begin);
    if (from == std::string::npos)
      return Error(Errc::not_found, "there is no line \"" + begin.substr(0, begin.size() - 1) + "\"; put it and \"" +
                                        std::string(end_marker.substr(0, end_marker.size() - 1)) + "\" where the table belongs");
    const std::size_t to = out.find(end_marker, from);
    if (to == std::string::npos || out.find("<!-- options of ", from + 1) < to)
      return Error(Errc::invalid, "the options of " + procedure.name + " have no line \"" +
                                      std::string(end_marker.substr(0, end_marker.size() - 1)) + "\"");
    out.replace(from, to + end_marker.size() - from, marked_table(procedure));
  }
  return out;
}

}  // namespace ronda::plugin
