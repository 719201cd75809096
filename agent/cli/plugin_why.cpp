// SPDX-License-Identifier: Apache-2.0
// `ronda plugin why` and `clear`: the trail of the loader over the file as it is now, and what a running
// agent says about the plugin: quarantine, back-off, other code still in use.
#include <sys/stat.h>

#include <boost/json.hpp>
#include <filesystem>
#include <iostream>

#include "base/text.hpp"
#include "cli/plugin_tools.hpp"

namespace ronda::cli {
namespace json = boost::json;

namespace {

std::string text_of(const json::object& from, std::string_view key) {
  const json::value* value = from.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

double number_of(const json::object& from, std::string_view key) {
  const json::value* value = from.if_contains(key);
  return value != nullptr && value->is_number() ? value->to_number<double>() : 0;
}

/// What the loader makes of one plugin.
struct Verdict {
  std::string id, path, sha256, trail;
  const plugin::Refusal* refusal = nullptr;  // inside the catalogue
  bool known = false;
  bool in_directories = true;
};

Verdict judge(const plugin::Catalogue& catalogue, const std::string& id_or_path) {
  Verdict verdict;
  for (const auto& [id, entry] : catalogue.plugins) {
    if (id != id_or_path && entry->path != id_or_path) continue;
    verdict.known = true;
    verdict.id = id, verdict.path = entry->path, verdict.sha256 = entry->sha256;
  }
  for (const plugin::RefusedFile& refused : catalogue.refused) {
    if (refused.path != id_or_path && (refused.id.empty() || refused.id != id_or_path)) continue;
    // a second file with the id of a usable plugin is a note in the trail, not the verdict about the plugin
    if (verdict.known && refused.path != id_or_path) continue;
    verdict.known = true;
    verdict.id = refused.id, verdict.path = refused.path, verdict.refusal = &refused.refusal;
  }
  verdict.trail = catalogue.why(id_or_path);
  return verdict;
}

/// The path as a scan would write it, where the file lies in one of the directories; else empty.
std::string path_in(const std::vector<std::string>& directories, const std::string& file) {
  std::error_code ignored;
  const auto parent =
      std::filesystem::path(file).has_parent_path() ? std::filesystem::path(file).parent_path() : std::filesystem::path(".");
  for (const std::string& directory : directories) {
    if (std::filesystem::equivalent(parent, directory, ignored)) return directory + "/" + std::filesystem::path(file).filename().string();
  }
  return {};
}

/// The plugin's part of GET /v1/plugins; nothing when no agent answers or when it does not know the plugin.
struct AgentSays {
  bool answers = false;
  json::value plugin;
  json::value refused;  // what it refused in the place of code that it keeps; null: nothing
};

AgentSays ask_about(const Options& options, const Verdict& verdict) {
  AgentSays out;
  const auto response = ask_agent(options, "GET", "/v1/plugins");
  if (!response || response->status != 200) return out;
  boost::system::error_code error;
  const json::value body = json::parse(response->body, error);
  if (error || !body.is_array()) return out;
  out.answers = true;
  for (const json::value& one : body.get_array()) {
    if (!one.is_object()) continue;
    const json::object& plugin = one.get_object();
    const bool same = (!verdict.id.empty() && text_of(plugin, "id") == verdict.id) || text_of(plugin, "path") == verdict.path;
    // with the code that it keeps comes the file that it refused in its place: the first tells what runs
    if (same) (out.plugin.is_object() ? out.refused : out.plugin) = one;
  }
  return out;
}

/// Those of the plugin and of its instances.
json::array quarantines_of(const AgentSays& says) {
  const json::value* held = says.plugin.is_object() ? says.plugin.get_object().if_contains("quarantines") : nullptr;
  return held != nullptr && held->is_array() ? held->get_array() : json::array();
}

void print_agent(const AgentSays& says, const Verdict& verdict) {
  if (!says.answers) {
    std::cout << "agent     none answers; this is the loader's own view\n";
    return;
  }
  if (!says.plugin.is_object()) {
    std::cout << "agent     does not know it" << (verdict.in_directories ? "; 'ronda reload' makes it read the directories again" : "")
              << "\n";
    return;
  }
  const json::object& plugin = says.plugin.get_object();
  const std::string state = text_of(plugin, "state"), trouble = text_of(plugin, "trouble"), running = text_of(plugin, "sha256");
  std::cout << "agent     " << state << (trouble.empty() ? "" : ": " + escape_controls(trouble)) << "\n";
  if (says.refused.is_object())
    std::cout << "          it refused the file in its place: " << escape_controls(text_of(says.refused.get_object(), "trouble")) << "\n";
  if (const double wait = number_of(plugin, "starts_in_s"); wait > 0)
    std::cout << "          its runner is started again in " << wait << " s\n";
  if (const double wait = number_of(plugin, "waits_for_turn_s"); wait > 0)
    std::cout << "          it waits for its turn to start a runner, so far " << wait
              << " s: others start, as many at once as there are processors\n";
  if (state == "quarantined")
    std::cout << "remedy    correct or replace the plugin, or 'ronda plugin clear " << verdict.id << "'; it is tried again by itself\n";
  for (const json::value& one : quarantines_of(says)) {
    const json::object& held = one.as_object();
    std::cout << "held      " << escape_controls(text_of(held, "subject")) << " is in quarantine since " << text_of(held, "since")
              << ", tried again at " << text_of(held, "next_try") << ": " << escape_controls(text_of(held, "reason"))
              << "\n          'ronda plugin clear' with that name ends it, as does another file or configuration\n";
  }
  const std::string file = text_of(plugin, "file");
  if (!running.empty() && verdict.refusal != nullptr && (file == "differs" || file == "missing"))
    std::cout << "          it runs what the file held before, sha256 " << running << "\n";
  if (!running.empty() && !verdict.sha256.empty() && running != verdict.sha256)
    std::cout << "          it runs other code, sha256 " << running << "; 'ronda reload' takes the file's\n";
}

void print_json(const AgentSays& says, const Verdict& verdict) {
  json::object out{{"format", 1},
                   {"id", verdict.id.empty() ? json::value(nullptr) : json::value(verdict.id)},
                   {"file", verdict.path},
                   {"state", verdict.refusal == nullptr ? "ok" : "refused"},
                   {"in_directories", verdict.in_directories},
                   {"step", nullptr},
                   {"reason", nullptr},
                   {"message", nullptr},
                   {"remedy", nullptr},
                   {"trail", verdict.trail},
                   {"agent", says.plugin},
                   {"agent_refused", says.refused}};
  if (verdict.refusal != nullptr) {
    out["step"] = plugin::to_string(verdict.refusal->step);
    out["reason"] = plugin::to_string(verdict.refusal->reason);
    out["message"] = verdict.refusal->message;
    out["remedy"] = verdict.refusal->remedy;
  }
  std::cout << json::serialize(out) << "\n";
}

int tell(const Options& options, const Verdict& verdict) {
  const AgentSays says = ask_about(options, verdict);
  if (options.json) {
    print_json(says, verdict);
  } else {
    std::cout << verdict.trail;
    if (!verdict.in_directories)
      std::cout << "note      it is in no plugin directory (" << join(plugin_directories(options)) << "): no agent uses it from here\n";
    print_agent(says, verdict);
  }
  const bool held = says.refused.is_object() || (says.plugin.is_object() && (text_of(says.plugin.get_object(), "state") == "quarantined" ||
                                                                             text_of(says.plugin.get_object(), "state") == "refused"));
  return verdict.refusal != nullptr || held || !quarantines_of(says).empty() ? exit_failed : exit_done;
}

/// A file outside the plugin directories, judged as if its own directory were one.
int why_elsewhere(const Options& options, const std::string& path) {
  const std::filesystem::path file = std::filesystem::absolute(path).lexically_normal();
  if (file.extension() != ".so") {
    complain(escape_controls(path) + " is skipped: the name of a plugin ends in .so");
    return exit_failed;
  }
  const plugin::Catalogue catalogue = scan(options, {file.parent_path().string()});
  Verdict verdict = judge(catalogue, file.string());
  if (!verdict.known) verdict = judge(catalogue, file.parent_path().string());  // the directory itself is refused
  if (!verdict.known) {
    complain(escape_controls(path) + " is not read: hidden files, backups and leftovers of packages are skipped");
    return exit_failed;
  }
  verdict.in_directories = false;
  return tell(options, verdict);
}

}  // namespace

int plugin_why(const Options& options) {
  const std::vector<std::string> directories = plugin_directories(options);
  const plugin::Catalogue catalogue = scan(options, directories);
  if (const Verdict verdict = judge(catalogue, options.arguments[0]); verdict.known) return tell(options, verdict);
  // a file that no longer says whose it is: an agent that runs what it held before knows by its path
  Verdict asked;
  asked.id = options.arguments[0];
  const json::value known = ask_about(options, asked).plugin;
  const std::string was = known.is_object() ? text_of(known.get_object(), "path") : std::string();
  if (const Verdict verdict = judge(catalogue, was); !was.empty() && verdict.known) return tell(options, verdict);
  const auto path = find_plugin_file(options, options.arguments[0]);
  if (!path) return complain_of(path.error());
  struct stat facts {};
  if (::lstat(path->c_str(), &facts) != 0) {
    complain(escape_controls(*path) + ": there is no such file");
    return exit_failed;
  }
  const std::string inside = path_in(directories, *path);
  if (const Verdict verdict = judge(catalogue, inside); !inside.empty() && verdict.known) return tell(options, verdict);
  return why_elsewhere(options, *path);
}

int plugin_clear(const Options& options) {
  const std::string& name = options.arguments[0];
  const auto response = ask_agent(options, "POST", "/v1/plugins/" + percent_encode(name) + "/clear");
  if (!response) {
    complain(response.error().message());
    return exit_undetermined;
  }
  if (response->status == 200) {
    std::cout << (options.json ? response->body : "the quarantine of " + name + " is over\n");
    return exit_done;
  }
  boost::system::error_code error;
  const json::value body = json::parse(response->body, error);
  const std::string said = !error && body.is_object() ? text_of(body.get_object(), "error") : std::string();
  complain(said.empty() ? "the agent answered " + std::to_string(response->status) : said);
  return exit_of_refusal(response->status);
}

}  // namespace ronda::cli
