// SPDX-License-Identifier: Apache-2.0
// The people's side of a configuration that stands in the test itself.
#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "config/build.hpp"
#include "incident/moment.hpp"
#include "incident/policies.hpp"
#include "incident/route.hpp"

namespace ronda::test {

inline schedule::ZoneDatabase& zones() {
  static schedule::ZoneDatabase database;
  return database;
}
inline schedule::ZonePtr zone(std::string_view name) {
  return *zones().find(name);
}
/// "2026-12-24T09:00:00Z", or by the wall clock of `in`.
inline std::int64_t at(std::string_view text, std::string_view in = "UTC") {
  const auto moment = people::parse_moment(text, *zone(in));
  if (!moment) throw std::runtime_error(moment.error().message());
  return *moment;
}

struct Staffed {
  config::Sources sources;
  config::Diagnostics diagnostics;
  config::Generation generation;
  std::vector<people::Notifier> notifiers;
  people::People people;
  escalation::Policies policies;

  std::string printed() const { return config::render_all(diagnostics, sources); }
};

inline people::Wants chat() {
  return {"mrkdwn", false, false, 1'000'000'000};
}
inline people::Wants machine() {
  return {"plain", true, false, 0};
}

/// The notifiers of the shop.
inline std::vector<people::Notifier> shop_notifiers() {
  return {{"mail", true}, {"ops-slack", true, false, chat()}, {"sms", true, false, {"sms", false, true, 0}}};
}

/// The shipped conf.d.
inline config::Sources shipped() {
  std::set<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(RONDA_SOURCE_DIR "/conf.d")) {
    if (entry.path().extension() == ".toml") paths.insert(entry.path());
  }
  config::Sources out;
  for (const auto& path : paths) {
    std::ifstream in(path);
    out.push_back({"conf.d/" + path.filename().string(), std::string(std::istreambuf_iterator<char>(in), {})});
  }
  return out;
}

inline Staffed staff(config::Sources sources, std::vector<people::Notifier> notifiers = shop_notifiers(), std::int64_t now_ns = 0,
                     std::map<std::string, std::string> files = {}) {
  Staffed out;
  out.sources = std::move(sources);
  out.notifiers = std::move(notifiers);
  config::Environment environment;
  environment.read_file = [](const std::string& path, config::FileUse) -> Result<std::string> {
    if (path == "/etc/ronda/number") return std::string("+5491155559999\n");
    if (path == "/etc/ronda/no-number") return std::string("hunter2\n");
    return Error(Errc::not_found, "opening " + path + ": No such file or directory");
  };
  out.generation = config::build_generation(out.sources, environment, out.diagnostics);
  people::Input input;
  input.generation = &out.generation;
  input.notifiers = out.notifiers;
  static const std::vector<std::string> checks = {"api-status", "vendor"};
  input.checks = checks;
  input.zones = &zones();
  input.zone = zone(out.generation.agent.tz.empty() ? "UTC" : out.generation.agent.tz);
  input.now_ns = now_ns;
  input.read_file = [files = std::move(files)](const std::string& path) -> Result<std::string> {
    const auto found = files.find(path);
    if (found == files.end()) return Error(Errc::not_found, "opening " + path + ": No such file or directory");
    return found->second;
  };
  out.people = people::compile(input, out.diagnostics);
  out.policies = escalation::compile(input, out.people, out.diagnostics);
  out.diagnostics.sort();
  return out;
}

inline Staffed staff(const std::string& text, std::vector<people::Notifier> notifiers = shop_notifiers(), std::int64_t now_ns = 0) {
  return staff(config::Sources{{"conf.d/10-a.toml", text}}, std::move(notifiers), now_ns);
}

}  // namespace ronda::test
