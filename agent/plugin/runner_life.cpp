// SPDX-License-Identifier: Apache-2.0
#include "plugin/runner_life.hpp"

#include <algorithm>

namespace ronda::plugin {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t states = 8;
constexpr std::size_t events = 9;
using A = LifeAction;
using L = Life;
using Row = std::array<LifeStep, events>;

// clang-format off
//                              loaded                refused                overdue                    broken               hung_up                retire                     drained                    waited                      exited
constexpr std::array<Row, states> table = {{
/* starting */ Row{LifeStep{L::serving, A::none}, {L::leaving, A::none}, {L::killed, A::kill},      {L::killed, A::kill}, {L::ending, A::none},  {L::leaving, A::shut_down}, {L::starting, A::none},    {L::killed, A::kill},        {L::gone, A::none}},
/* serving  */ Row{LifeStep{L::serving, A::none}, {L::leaving, A::none}, {L::wedged, A::none},      {L::killed, A::kill}, {L::ending, A::none},  {L::leaving, A::shut_down}, {L::serving, A::none},     {L::serving, A::none},       {L::gone, A::none}},
/* wedged   */ Row{LifeStep{L::wedged, A::none},  {L::wedged, A::none},  {L::wedged, A::none},      {L::killed, A::kill}, {L::ending, A::none},  {L::wedged, A::none},       {L::ending, A::terminate}, {L::ending, A::terminate},   {L::gone, A::none}},
/* leaving  */ Row{LifeStep{L::leaving, A::none}, {L::leaving, A::none}, {L::ending, A::terminate}, {L::killed, A::kill}, {L::leaving, A::none}, {L::leaving, A::none},      {L::leaving, A::none},     {L::ending, A::terminate},   {L::gone, A::none}},
/* ending   */ Row{LifeStep{L::ending, A::none},  {L::ending, A::none},  {L::ending, A::none},      {L::killed, A::kill}, {L::ending, A::none},  {L::ending, A::none},       {L::ending, A::none},      {L::killed, A::kill},        {L::gone, A::none}},
/* killed   */ Row{LifeStep{L::killed, A::none},  {L::killed, A::none},  {L::killed, A::none},      {L::killed, A::none}, {L::killed, A::none},  {L::killed, A::none},       {L::killed, A::none},      {L::stuck, A::report_stuck}, {L::gone, A::none}},
/* stuck    */ Row{LifeStep{L::stuck, A::none},   {L::stuck, A::none},   {L::stuck, A::none},       {L::stuck, A::none},  {L::stuck, A::none},   {L::stuck, A::none},        {L::stuck, A::none},       {L::stuck, A::none},         {L::gone, A::none}},
/* gone     */ Row{LifeStep{L::gone, A::none},    {L::gone, A::none},    {L::gone, A::none},        {L::gone, A::none},   {L::gone, A::none},    {L::gone, A::none},         {L::gone, A::none},        {L::gone, A::none},          {L::gone, A::none}},
}};
// clang-format on

constexpr auto longest_back_off = std::chrono::minutes(5);

}  // namespace

LifeStep next_life(Life state, LifeEvent event) {
  return table[static_cast<std::size_t>(state)][static_cast<std::size_t>(event)];
}

std::chrono::nanoseconds life_limit(Life state) {
  switch (state) {
    case Life::starting:
      return 10s;
    case Life::leaving:
      return 3s;
    case Life::ending:
      return 2s;
    case Life::killed:
      return 5s;
    default:
      return 0s;  // wedged too: siblings finish to their own deadlines, and then it is drained; see also Impl::watch_wedged
  }
}

std::string_view name_of(Life state) {
  constexpr std::array<std::string_view, states> names = {"starting", "serving", "wedged", "leaving", "ending", "killed", "stuck", "gone"};
  return names[static_cast<std::size_t>(state)];
}

RestartPolicy::Verdict RestartPolicy::on_failure(std::uint32_t instance, Mono now) {
  failures_.push_back({instance, now});
  while (now - failures_.front().at > failure_window) failures_.pop_front();
  const auto same = std::ranges::count(failures_, instance, &Failure::instance);
  if (instance != whole_plugin && static_cast<std::size_t>(same) >= failure_limit) {
    if (quarantined_.contains(instance)) return Verdict::nothing;
    quarantined_[instance] = now + probe_interval;
    return Verdict::quarantine_instance;
  }
  // what a quarantined instance did does not count against the others
  const auto others =
      std::ranges::count_if(failures_, [&](const Failure& f) { return f.instance == whole_plugin || !quarantined_.contains(f.instance); });
  if (static_cast<std::size_t>(others) < failure_limit || quarantined_.contains(whole_plugin)) return Verdict::nothing;
  quarantined_[whole_plugin] = now + probe_interval;
  return Verdict::quarantine_plugin;
}

Mono RestartPolicy::on_death(Mono now) {
  std::chrono::nanoseconds pause = 0s;
  if (deaths_ > 0) pause = std::min<std::chrono::nanoseconds>(1s * (1LL << std::min<std::size_t>(deaths_ - 1, 20)), longest_back_off);
  ++deaths_;
  start_at_ = now + pause;
  return start_at_;
}

bool RestartPolicy::is_quarantined(std::uint32_t instance) const {
  return quarantined_.contains(whole_plugin) || quarantined_.contains(instance);
}

bool RestartPolicy::probe_due(std::uint32_t instance, Mono now) const {
  for (const std::uint32_t key : {whole_plugin, instance}) {
    const auto found = quarantined_.find(key);
    if (found != quarantined_.end()) return found->second <= now;
  }
  return false;
}

void RestartPolicy::on_probe(std::uint32_t instance, Mono now) {
  for (const std::uint32_t key : {whole_plugin, instance}) {
    const auto found = quarantined_.find(key);
    if (found != quarantined_.end()) found->second = now + probe_interval;
  }
}

void RestartPolicy::clear(std::uint32_t instance) {
  quarantined_.erase(instance);
  std::erase_if(failures_, [&](const Failure& f) { return f.instance == instance; });
}

void RestartPolicy::clear_plugin() {
  quarantined_.erase(whole_plugin);
  failures_.clear();
  deaths_ = 0;
  start_at_ = Mono{0};
}

std::vector<std::uint32_t> RestartPolicy::culprits() const {
  std::vector<std::uint32_t> out;
  for (const Failure& one : failures_) {
    const bool counts = one.instance != whole_plugin && !quarantined_.contains(one.instance);
    if (counts && std::ranges::find(out, one.instance) == out.end()) out.push_back(one.instance);
  }
  return out;
}

void RestartPolicy::clear_all() {
  clear_plugin();
  quarantined_.clear();
}

}  // namespace ronda::plugin
