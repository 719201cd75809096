// SPDX-License-Identifier: Apache-2.0
#include "incident/people_candidate.hpp"

#include <algorithm>

#include "base/safe_path.hpp"

namespace ronda::escalation {
namespace {

constexpr std::uint64_t most_calendar_bytes = 1U << 20;

std::vector<people::Notifier> notifiers_of(const schedule::Candidate& candidate) {
  std::vector<people::Notifier> out;
  const auto add = [&](people::Notifier one) {
    if (std::ranges::find(out, one.name, &people::Notifier::name) == out.end()) out.push_back(std::move(one));
  };
  for (const schedule::Prepared& one : candidate.set) {
    if (one.kind == schedule::Kind::notifier) add(notifier_of(candidate, one));
  }
  for (const config::Disabled& one : candidate.generation.disabled) {
    if (one.kind == "notifier") add({one.name, false, true});
  }
  for (const auto& [kind, name] : candidate.idle) {
    if (kind == schedule::Kind::notifier) add({name, false, false});
  }
  return out;
}

std::vector<std::string> checks_of(const schedule::Candidate& candidate) {
  std::vector<std::string> out;
  for (const schedule::Prepared& one : candidate.set) {
    if (one.kind == schedule::Kind::check) out.push_back(one.name);
  }
  for (const auto& [kind, name] : candidate.idle) {
    if (kind == schedule::Kind::check) out.push_back(name);
  }
  for (const config::Disabled& one : candidate.generation.disabled) {
    if (one.kind == "check") out.push_back(one.name);
  }
  return out;
}

/// Without names of other objects and without files.
people::Input input_of(const schedule::Candidate& candidate, schedule::ZoneDatabase& zones, std::int64_t now_ns) {
  people::Input input;
  input.generation = &candidate.generation;
  input.zones = &zones;
  input.zone = candidate.zone != nullptr ? candidate.zone : *zones.find("UTC");
  input.now_ns = now_ns;
  return input;
}

}  // namespace

Result<std::string> read_calendar_file(const std::string& path, uid_t uid) {
  RONDA_TRY(const Descriptor file, open_trusted_file(path, uid, most_calendar_bytes));
  return read_stable(file.get(), path, most_calendar_bytes);
}

std::optional<people::Rota> rota_anew(const schedule::Candidate& active, schedule::ZoneDatabase& zones, const people::People& people,
                                      std::string_view rota, const std::string& calendar, std::int64_t now_ns,
                                      config::Diagnostics& diagnostics) {
  people::Input input = input_of(active, zones, now_ns);
  input.read_file = [&](const std::string&) { return calendar; };
  return people::compile_again(input, people, rota, diagnostics);
}

people::Notifier notifier_of(const schedule::Candidate& candidate, const schedule::Prepared& prepared) {
  const auto& wants = prepared.procedure->messages;
  const schedule::PluginRef& plugin = *prepared.procedure->plugin;
  people::Notifier out{prepared.name, true, false, {wants.markup, wants.each, wants.number, wants.spacing_ns}};
  out.leaves_host = plugin.connects || plugin.spawns;
  const auto example = candidate.example_notifiers.find(prepared.name);
  out.is_example = example != candidate.example_notifiers.end();
  if (out.is_example) out.place = example->second;
  return out;
}

Staff staff_of(const schedule::Candidate& candidate, schedule::ZoneDatabase& zones, std::int64_t now_ns, uid_t uid,
               config::Diagnostics& diagnostics) {
  const std::vector<people::Notifier> notifiers = notifiers_of(candidate);
  const std::vector<std::string> checks = checks_of(candidate);
  people::Input input = input_of(candidate, zones, now_ns);
  input.notifiers = notifiers;
  input.checks = checks;
  input.read_file = [uid](const std::string& path) { return read_calendar_file(path, uid); };
  Staff out;
  out.people = people::compile(input, diagnostics);
  out.policies = compile(input, out.people, diagnostics);
  return out;
}

std::function<void(schedule::Candidate&)> judge_staff(schedule::ZoneDatabase& zones, std::int64_t now_ns, uid_t uid) {
  return [&zones, now_ns, uid](schedule::Candidate& candidate) {
    if (candidate.zone == nullptr) return;
    Staff staff = staff_of(candidate, zones, now_ns, uid, candidate.diagnostics);
    for (auto* list : {&staff.people.disabled, &staff.policies.disabled}) {
      for (config::Disabled& one : *list) candidate.generation.disabled.push_back(std::move(one));
    }
  };
}

}  // namespace ronda::escalation
