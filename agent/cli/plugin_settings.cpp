// SPDX-License-Identifier: Apache-2.0
// "--set key=value" as an object of conf.d: the same check, the same messages.
#include "base/text.hpp"
#include "cli/plugin_session.hpp"
#include "config/toml.hpp"
#include "plugin/encode_options.hpp"
#include "plugin/schema.hpp"
#include "schedule/calendar.hpp"

namespace ronda::cli {
namespace {

/// Durations, sizes and the like are text in conf.d, too.
bool is_written_as_text(plugin::OptionType type) {
  switch (type) {
    case plugin::OptionType::duration:
    case plugin::OptionType::bytes:
    case plugin::OptionType::percent:
    case plugin::OptionType::timestamp:
      return true;
    default:
      return plugin::is_text(type);
  }
}

/// The option behind "expect.status", as far as its path leads.
const plugin::Option* option_at(const std::vector<plugin::Option>& options, std::string_view path) {
  const std::size_t dot = path.find('.');
  const plugin::Option* option = plugin::find_option(options, path.substr(0, dot));
  if (option == nullptr || dot == std::string_view::npos) return option;
  return option->type == plugin::OptionType::table && option->wrappers.empty()
             ? option_at(option->keys, path.substr(dot + 1))
             : option;
}

config::Value value_of(const std::string& text, const plugin::Option* option, config::Place place) {
  config::Diagnostics ignored;
  const auto table = config::parse_toml("x = " + text + "\n", place.file, ignored);
  const bool quoted = text.starts_with('"') || text.starts_with('\'');
  const bool bare =
      option != nullptr && option->wrappers.empty() && is_written_as_text(option->type) && !quoted;
  if (bare || !table || table->size() != 1) return {config::Value::Data(text), place};
  return {table->front().value.data(), place};
}

void put(config::Table& table, std::string_view path, config::Value value) {
  const std::size_t dot = path.find('.');
  const std::string key(path.substr(0, dot));
  auto found = std::ranges::find(table, key, &config::Member::key);
  if (found == table.end()) found = table.insert(table.end(), {key, value.place(), {}});
  if (dot == std::string_view::npos) {
    found->value = std::move(value);
    return;
  }
  if (found->value.as_table() == nullptr)
    found->value = config::Value(config::Value::Data(config::Table()), value.place());
  put(*found->value.as_table(), path.substr(dot + 1), std::move(value));
}

plugin::TextJudges judges_over(schedule::ZoneDatabase& zones, const schedule::ZonePtr& zone) {
  const auto told = [](const Result<schedule::Calendar>& parsed) -> ronda::Status {
    if (!parsed) return parsed.error();
    return done();
  };
  return {[=](std::string_view text) { return told(schedule::parse_cron(text, zone)); },
          [=, &zones](std::string_view text) { return told(schedule::parse_calendar(text, zones, zone)); }};
}

}  // namespace

Result<std::string> encode_settings(const plugin::Procedure& procedure,
                                    const std::vector<std::string>& settings) {
  config::Table object;
  for (std::size_t i = 0; i < settings.size(); ++i) {
    const std::size_t equals = settings[i].find('=');
    if (equals == std::string::npos || equals == 0)
      return Error(Errc::invalid, "--set wants KEY=VALUE, not \"" + escape_controls(settings[i]) + "\"");
    const std::string_view key(settings[i].data(), equals);
    const config::Place place{static_cast<std::uint32_t>(i), 1, 1};
    put(object, key, value_of(settings[i].substr(equals + 1), option_at(procedure.options, key), place));
  }
  schedule::ZoneDatabase zones;
  RONDA_TRY(const schedule::ZonePtr utc, zones.find("UTC"));
  config::Diagnostics diagnostics;
  const auto options = plugin::check_options(procedure, object, {}, judges_over(zones, utc), diagnostics);
  if (options) return plugin::encode_options(*options);
  std::string text;
  for (const config::Diagnostic& diagnostic : diagnostics.all())
    if (diagnostic.severity == config::Severity::error)
      text += (text.empty() ? "" : "\n  ") + diagnostic.message;
  return Error(Errc::invalid, procedure.name + ": " + text);
}

}  // namespace ronda::cli
