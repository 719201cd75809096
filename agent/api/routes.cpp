// SPDX-License-Identifier: Apache-2.0
#include "api/routes.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <span>

#include "api/incident_json.hpp"
#include "api/json.hpp"
#include "api/route.hpp"
#include "base/clock.hpp"
#include "base/text.hpp"
#include "ronda/abi.h"

namespace ronda::api {
namespace json = boost::json;
using config::Kind;
using schedule::Entry;

Response json_response(const json::value& value, int status) {
  return {status, json::serialize(value) + "\n", "application/json"};
}

namespace {

constexpr std::size_t most_checks_named = 10;

/// "'shop' is a service, of the checks 'a', 'b'": what is asked for may be one of these.
std::string text_of(const config::Service& service) {
  std::string out = "'" + service.name + "' is a service";
  const std::size_t count = service.checks.size(), named = std::min(count, most_checks_named);
  for (std::size_t i = 0; i < named; ++i)
    out += (i > 0 ? ", '" : count == 1 ? ", of the check '" : ", of the checks '") + service.checks[i] + "'";
  return count > named ? out + " and " + std::to_string(count - named) + " more" : out;
}

void not_found(Context& c, Kind kind, std::string_view name, std::string_view what = {}) {
  const auto names = c.agent.scheduler().names(kind);
  const std::string_view near = nearest(name, names);
  std::string text = "no " + std::string(what.empty() ? config::kind_name(kind) : what) + " is named '" + std::string(name) + "'";
  if (!near.empty()) text += "; did you mean '" + std::string(near) + "'?";
  for (const config::Disabled& disabled : c.agent.active().generation.disabled) {
    if (disabled.name == name) text = "it is disabled: " + disabled.reason;
  }
  for (const Kind other : config::all_kinds) {
    const std::string label = std::string(config::kind_name(other)) + " '" + std::string(name) + "'";
    if (other != kind && c.agent.scheduler().find(other, name) != nullptr) text += "; there is the " + label;
    const auto& idle = c.agent.active().idle;
    const bool off = std::ranges::find(idle, std::pair(other, std::string(name))) != idle.end();
    if (off && !text.starts_with("it is disabled")) text = label + " is switched off: its `enabled` is false";
  }
  if (const config::Service* service = c.agent.active().generation.find_service(name)) text += "; " + text_of(*service);
  c.respond(error_response(404, text));
}

void get_status(Context& c) {
  json::object out = status_json(c.agent);
  if (!is_operator(c)) {
    hide_all_from_viewer(out["incidents"]);
    hide_all_from_viewer(out["sinks"]);
    for (json::value& one : out["notifiers"].as_array()) hide_words_of_notifier(one.as_object());
    if (json::value& beat = out["agent"].as_object()["heartbeat"]; beat.is_object()) beat.as_object()["trouble"] = nullptr;
  }
  c.respond(json_response(std::move(out)));
}
void get_plugins(Context& c) {
  c.respond(json_response(plugins_json(c.agent)));
}

void post_reload(Context& c) {
  const bool allow_empty = c.request.parameter("allow_empty") == "1";
  c.agent.reload(allow_empty, [respond = c.respond](const ReloadResult& result) {
    json::array details;
    for (const std::string& detail : result.details) details.push_back(json::value(detail));
    respond(json_response(json::object{{"ok", result.ok}, {"line", result.line}, {"details", std::move(details)}}));
  });
}

void run_entry(Context& c, Kind kind) {
  const std::uint32_t flags = c.request.parameter("dry_run") == "1" ? RONDA_CALL_DRY_RUN : 0;
  auto& scheduler = c.agent.scheduler();
  auto started = scheduler.run_now(kind, c.name, flags, [&scheduler, flags, respond = c.respond](const Entry& entry) {
    if (entry.skip == schedule::Skip::stopping) return respond(error_response(503, "it was not run: the agent is stopping"));
    if (entry.skip == schedule::Skip::left) return respond(error_response(409, "it was not run: it left the configuration"));
    json::object out = run_json(scheduler, entry);
    out["dry_run"] = flags != 0;
    respond(json_response(out));
  });
  if (started) return;
  if (started.error().code() == Errc::not_found) return not_found(c, kind, c.name);
  c.respond(error_response(started.error().code() == Errc::exists ? 409 : 503, started.error().message()));
}

void run_check(Context& c) {
  run_entry(c, Kind::check);
}
void run_task(Context& c) {
  run_entry(c, Kind::task);
}

/// A name in a path has no slash: "slo/NAME" is asked for as NAME, with `slo=1` where something else has that name too; of other
/// alerts that have one ("ronda/config") `alert` is the whole name.
void get_explain(Context& c) {
  if (const auto whole = c.request.parameter("alert"); !whole.empty()) {
    if (auto alert = explain_alert_json(c.agent, whole)) return c.respond(json_response(*alert));
    return c.respond(error_response(404, "there is no alert `" + repair_utf8(whole, 64) + "`; `ronda alert list` has them"));
  }
  const std::string objective = std::string(rule::slo_prefix) + std::string(c.name);
  if (c.request.parameter("slo") == "1") {
    if (auto alert = explain_alert_json(c.agent, objective)) return c.respond(json_response(*alert));
    return c.respond(error_response(404, "there is no objective `" + repair_utf8(c.name, 64) + "`"));
  }
  for (const Kind kind : config::all_kinds) {
    const Entry* entry = c.agent.scheduler().find(kind, c.name);
    if (entry == nullptr) continue;
    json::object out = explain_json(c.agent, *entry);
    const std::string_view prefix = kind == Kind::task ? rule::task_prefix : std::string_view();
    const std::string alert_name = std::string(prefix) + std::string(c.name);  // of the alert that its `severity` makes
    if (auto alert = explain_alert_json(c.agent, alert_name)) out["alert"] = *std::move(alert);
    if (kind == Kind::notifier && !is_operator(c)) hide_words_of_notifier(out);
    return c.respond(json_response(out));
  }
  if (auto alert = explain_alert_json(c.agent, c.name)) return c.respond(json_response(*alert));
  if (auto alert = explain_alert_json(c.agent, objective)) return c.respond(json_response(*alert));
  not_found(c, Kind::check, c.name, "check, task, notifier, alert or objective");
}

/// Operators, and whom the instance names as its reporters.
bool may_report(const Context& c, const Entry& entry) {
  if (static_cast<int>(c.request.who.role) >= static_cast<int>(Role::operator_)) return true;
  constexpr std::string_view door = "unix:";
  const std::string_view who = c.request.who.name;
  if (std::ranges::find(c.request.who.inboxes, c.name) != c.request.who.inboxes.end()) return true;
  const config::Rare* rare = entry.spec.rare.get();
  return rare != nullptr && who.starts_with(door) && std::ranges::find(rare->reporters, who.substr(door.size())) != rare->reporters.end();
}

/// An event for an instance: {"event": "start", "code": 0, "text": "..."}.
void post_inbox(Context& c) {
  const Entry* reported = c.agent.scheduler().find(Kind::check, c.name);
  if (reported == nullptr ? !is_operator(c) : !may_report(c, *reported)) {
    const bool has_token = c.request.who.name.starts_with("token:");
    return c.respond(
        error_response(403, c.request.who.name + " is " + std::string(name_of(c.request.who.role)) + "; this needs operator, or " +
                                (has_token ? "the check's name in the token's `inbox`" : "its name in the check's `reporters`")));
  }
  boost::system::error_code error;
  const json::value body = json::parse(c.request.body, error);
  const json::object* fields = error ? nullptr : body.if_object();
  if (fields == nullptr) return c.respond(error_response(400, "the body is no JSON object"));
  const auto text = [&](std::string_view key) {
    const json::value* value = fields->if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
  };
  store::InboxEvent event;
  event.event = text("event");
  event.text = repair_utf8(text("text"), 16 << 10);
  const json::value* code = fields->if_contains("code");
  if (code != nullptr && code->is_int64()) event.code = static_cast<std::int32_t>(std::clamp<std::int64_t>(code->get_int64(), -1, 255));
  constexpr std::array<std::string_view, 5> known = {"start", "success", "fail", "heartbeat", "log"};
  if (std::ranges::find(known, event.event) == known.end())
    return c.respond(error_response(400, "event is one of start, success, fail, heartbeat, log"));
  const Entry* entry = c.agent.scheduler().find(Kind::check, c.name);
  if (entry == nullptr) return not_found(c, Kind::check, c.name);
  if (const schedule::PluginRef& plugin = *entry->spec.procedure->plugin; plugin.grants.find(" inbox") == std::string::npos) {
    // kept, it would wait for ever: nobody may take it
    return c.respond(error_response(409, "check '" + std::string(c.name) + "' takes no events: " + plugin.id + " has no grant `inbox`"));
  }
  event.wall = wall_clock().count();
  auto& agent = c.agent;
  const std::string name(c.name);
  agent.store().post_inbox({"check", name}, std::move(event), [&agent, name, respond = c.respond](Result<store::Posted> stored) {
    if (!stored) return respond(error_response(503, stored.error().message()));
    if (stored->gave_up_one) agent.scheduler().tell_full_inbox(name);
    agent.scheduler().poke(Kind::check, name);
    respond(json_response(json::object{{"id", stored->id}}, 202));
  });
}

/// Of an instance that is held only because its plugin is: clearing it alone would end nothing. Empty: it is no such.
std::string plugin_that_holds(const schedule::Scheduler& scheduler, std::string_view subject) {
  std::string plugin;
  for (const Kind kind : config::all_kinds) {
    const std::string prefix = schedule::key_of(kind, "");
    const schedule::Entry* entry = scheduler.find(kind, subject.starts_with(prefix) ? subject.substr(prefix.size()) : subject);
    if (entry == nullptr) continue;
    if (scheduler.quarantine(*entry) != nullptr) return {};
    if (entry->runner->is_quarantined(entry->id)) plugin = entry->spec.procedure->plugin->id;
  }
  return plugin;
}

/// The id of a plugin whose file has this name, without .so.
std::string id_of_file(const plugin::Catalogue& catalogue, std::string_view name) {
  for (const auto& [id, entry] : catalogue.plugins) {
    if (std::filesystem::path(entry->path).stem() == name) return id;
  }
  return {};
}

void post_clear(Context& c) {
  schedule::Scheduler& scheduler = c.agent.scheduler();
  if (const std::string holder = plugin_that_holds(scheduler, c.name); !holder.empty())
    return c.respond(error_response(
        409, std::string(c.name) + " is in no quarantine; its plugin " + holder + " is: 'ronda plugin clear " + holder + "' ends that"));
  const std::string by_file = id_of_file(c.agent.active().catalogue, c.name);
  const bool is_instance = scheduler.clear_quarantine(c.name), is_file = !by_file.empty() && scheduler.clear_quarantine(by_file);
  if (is_instance || is_file)
    return c.respond(json_response(json::object{{"cleared", c.name}}));
  c.respond(error_response(404, "no plugin and no instance is named '" + std::string(c.name) + "'"));
}

void leave_safe_mode(Context& c) {
  if (c.agent.safe_mode().empty()) return c.respond(error_response(409, "the agent is not in safe mode"));
  if (!c.agent.may_leave_safe_mode()) return c.respond(error_response(409, "it was started with --safe-mode; start it without"));
  c.agent.leave_safe_mode();
  c.respond(json_response(json::object{{"safe_mode", false}}));
}

void get_config(Context& c) {
  const schedule::Candidate& active = c.agent.active();
  json::array files, skipped;
  for (const config::Source& file : active.files.sources) files.push_back(json::value(file.path));
  for (const config::Skipped& s : active.files.skipped) skipped.push_back(json::object{{"name", s.name}, {"reason", s.reason}});
  c.respond(json_response(json::object{{"generation", c.agent.generation()},
                                       {"fingerprint", to_hex(active.generation.fingerprint)},
                                       {"tz", c.agent.response().desk().plan().zone->name()},
                                       {"files", std::move(files)},
                                       {"skipped", std::move(skipped)}}));
}

void get_journal(Context& c) {
  c.agent.store().load_journal(100, [respond = c.respond](Result<std::vector<store::JournalEvent>> events) {
    if (!events) return respond(error_response(503, events.error().message()));
    json::array out;
    for (const store::JournalEvent& event : *events) {
      out.push_back(json::object{
          {"id", event.id}, {"at", time_json(event.wall)}, {"kind", event.kind}, {"subject", event.subject}, {"data", event.data}});
    }
    respond(json_response(out));
  });
}

/// The agent writes with its own rights: where a peer that has not got them names a file, it says nothing about where.
bool may_write_anywhere(const Identity& who) {
  return who.uid == 0 || who.uid == ::geteuid();
}

bool is_directly_in(std::string_view path, std::string_view directory) {
  if (!path.starts_with(directory) || path.size() < directory.size() + 2 || path[directory.size()] != '/') return false;
  const std::string_view name = path.substr(directory.size() + 1);
  return name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos && !name.starts_with('.');
}

void post_backup(Context& c) {
  const std::string path(c.request.parameter("path"));
  if (!path.starts_with('/')) return c.respond(error_response(400, "the path of a backup is absolute"));
  if (!may_write_anywhere(c.request.who)) {
    const std::string own = c.agent.backup_directory();
    if (!is_directly_in(path, own))
      return c.respond(error_response(403, c.request.who.name + " may make backups in " + own + " only: " + own + "/NAME"));
    if (::mkdir(own.c_str(), 0700) != 0 && errno != EEXIST) return c.respond(error_response(500, own + " cannot be made"));
  }
  c.agent.store().backup(path, [path, respond = c.respond](Result<Unit> made) {
    if (!made) return respond(error_response(500, made.error().message()));
    respond(json_response(json::object{{"path", path}}));
  });
}

void get_health(Context& c) {
  c.respond({200, "ok\n", "text/plain; charset=utf-8"});
}

constexpr std::array<Route, 13> own_routes = {{{"GET", "/v1/status", "", false, Role::viewer, get_status},
                                               {"GET", "/v1/plugins", "", false, Role::viewer, get_plugins},
                                               {"GET", "/v1/explain/", "", true, Role::viewer, get_explain},
                                               {"GET", "/v1/config", "", false, Role::viewer, get_config},
                                               {"GET", "/v1/journal", "", false, Role::viewer, get_journal},
                                               {"GET", "/healthz", "", false, Role::reporter, get_health},
                                               {"POST", "/v1/reload", "", false, Role::operator_, post_reload},
                                               {"POST", "/v1/checks/", "/run", true, Role::operator_, run_check},
                                               {"POST", "/v1/tasks/", "/run", true, Role::operator_, run_task},
                                               {"POST", "/v1/inbox/", "", true, Role::reporter, post_inbox},
                                               {"POST", "/v1/plugins/", "/clear", true, Role::operator_, post_clear},
                                               {"POST", "/v1/safe-mode/leave", "", false, Role::operator_, leave_safe_mode},
                                               {"POST", "/v1/backup", "", false, Role::operator_, post_backup}}};

/// The name in a path that fits the route, or nothing.
std::optional<std::string_view> match(const Route& route, std::string_view path) {
  if (!path.starts_with(route.before) || !path.ends_with(route.after)) return {};
  if (path.size() < route.before.size() + route.after.size()) return {};
  const std::string_view name = path.substr(route.before.size(), path.size() - route.before.size() - route.after.size());
  const bool fits = route.named ? !name.empty() && name.find('/') == std::string_view::npos : name.empty();
  return fits ? std::optional(name) : std::nullopt;
}

bool may(Role have, Role need) {
  return static_cast<int>(have) >= static_cast<int>(need);
}

/// True: answered. `path_known` becomes true where the path fits and the method does not.
bool answer_by(std::span<const Route> routes, AgentView& agent, const Request& request, const Respond& respond, bool& path_known) {
  for (const Route& route : routes) {
    const auto name = match(route, request.path);
    if (!name) continue;
    path_known = true;
    if (route.method != request.method) continue;
    if (!may(request.who.role, route.role)) {
      respond(error_response(
          403, request.who.name + " is " + std::string(name_of(request.who.role)) + "; this needs " + std::string(name_of(route.role))));
      return true;
    }
    Context context{agent, request, *name, respond};
    route.answer(context);
    return true;
  }
  return false;
}

void answer(AgentView& agent, const Request& request, const Respond& respond) {
  bool path_known = false;
  if (answer_by(own_routes, agent, request, respond, path_known)) return;
  if (answer_by(inbound_routes(), agent, request, respond, path_known)) return;
  if (answer_by(incident_routes(), agent, request, respond, path_known)) return;
  if (answer_by(help_routes(), agent, request, respond, path_known)) return;
  if (answer_by(people_routes(), agent, request, respond, path_known)) return;
  if (answer_by(upkeep_routes(), agent, request, respond, path_known)) return;
  if (answer_by(sample_routes(), agent, request, respond, path_known)) return;
  if (path_known) return respond(error_response(405, "this path takes another method"));
  respond(error_response(404, "there is nothing here"));
}

}  // namespace

Handler make_routes(AgentView& agent) {
  return [&agent](const Request& request, const Respond& respond) { answer(agent, request, respond); };
}

}  // namespace ronda::api
