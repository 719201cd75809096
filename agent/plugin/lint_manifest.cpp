// SPDX-License-Identifier: Apache-2.0
#include "plugin/lint_manifest.hpp"

#include "plugin/option_value.hpp"

namespace ronda::plugin {
namespace {

using Findings = std::vector<LintFinding>;

std::string at(const Option& option) {
  return "plugin.toml:" + std::to_string(option.place.line) + ": ";
}

void check_docs(const std::vector<Option>& options, const std::string& prefix, Findings& out) {
  for (const Option& option : options) {
    if (option.doc.empty())
      out.push_back({LintSeverity::warning, "missing_doc",
                     at(option) + "option '" + prefix + option.key + "' has no doc",
                     "say in one sentence what it does; it stands in the manual and in editors"});
    check_docs(option.keys, prefix + option.key + ".", out);
  }
}

void check_metrics(const Procedure& procedure, Findings& out) {
  for (const MetricDeclaration& metric : procedure.metrics) {
    if (metric.doc.empty())
      out.push_back({LintSeverity::warning, "missing_doc",
                     "metric '" + metric.name + "' of " + procedure.name + " has no doc",
                     "say what it counts or measures"});
  }
  if (procedure.kind == Kind::check && procedure.metrics.empty() && !procedure.open_metrics)
    out.push_back({LintSeverity::warning, "no_metrics", procedure.name + " declares no metrics",
                   "declare them in [[provides.metric]], or say open_metrics = true"});
}

std::vector<Option> without_required(std::vector<Option> options) {
  for (Option& option : options) {
    option.required = false;
    option.keys = without_required(std::move(option.keys));
  }
  return options;
}

/// What holds between keys must hold between their defaults: an object that gives no key is the first that
/// people write.
void check_defaults(const Procedure& procedure, Findings& out) {
  const std::vector<Option> options = without_required(procedure.options);
  config::Diagnostics diagnostics;
  const TextJudges judges;
  CheckContext context{diagnostics, judges};
  const config::Table nothing;
  const auto values = check_table({options, nothing, {}, "", true}, context);
  if (!values) return;
  for (const Rule& rule : procedure.rules) {
    if (!rule.assertion) continue;
    config::Diagnostics broken;
    check_rules({rule}, options, OptionNode(*values), nothing, {}, broken);
    if (broken.has_errors())
      out.push_back({LintSeverity::error, "defaults_break_rule",
                     "the defaults of " + procedure.name + " break its own rule: " + rule.message + " (" +
                         rule.assertion_text + ")",
                     "choose defaults that fit together"});
  }
}

}  // namespace

std::optional<Manifest> lint_manifest(std::string_view text, std::vector<LintFinding>& findings) {
  config::Diagnostics diagnostics;
  auto manifest = parse_manifest(text, 0, diagnostics);
  diagnostics.sort();
  const config::Sources sources = {{"plugin.toml", std::string(text)}};
  for (const config::Diagnostic& diagnostic : diagnostics.all()) {
    const bool wrong = diagnostic.severity == config::Severity::error;
    const std::string place = config::place_text(diagnostic.where, sources);
    findings.push_back(
        {LintSeverity::error, wrong ? "bad_manifest" : "unknown_key", place + ": " + diagnostic.message,
         wrong ? "correct plugin.toml" : "an agent does not read it: correct its name, or leave it out"});
  }
  if (!manifest) return manifest;
  for (const Procedure& procedure : manifest->provides) {
    if (procedure.kind == Kind::unknown)
      findings.push_back(
          {LintSeverity::warning, "unknown_kind",
           procedure.name + " is of the kind " + procedure.kind_id + ", which this agent does not know",
           "agents of this version leave it out"});
    check_docs(procedure.options, "", findings);
    check_metrics(procedure, findings);
    check_defaults(procedure, findings);
  }
  return manifest;
}

}  // namespace ronda::plugin
