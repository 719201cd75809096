// SPDX-License-Identifier: Apache-2.0
// Quarantines beyond the life of the agent: what a supervisor tells is written down, and given back to it after a
// start, unless plugin or configuration are others by then.
#include <algorithm>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "ronda/abi.h"
#include "schedule/scheduler.hpp"

namespace ronda::schedule {
using namespace std::chrono_literals;

namespace {

constexpr std::size_t troubles_named = 3;  // of one plugin, in one text

std::string subject_of(const Entry& entry) {
  return key_of(entry.spec.kind, entry.spec.name);
}

std::string subject_of(std::string_view plugin, const RunAs& as) {
  std::string subject = "plugin/" + std::string(plugin);
  if (!as.user.empty()) subject += " as " + as.user;
  if (as.detached) subject += " detached";
  return subject;
}

/// What is left of the wait for the next attempt; a clock that was set makes it no longer than usual.
Nanos wait_of(const store::Quarantine& quarantine) {
  const Nanos left = Nanos(quarantine.probe_at) - wall_clock();
  return std::clamp<Nanos>(left, 0ns, plugin::RestartPolicy::probe_interval);
}

}  // namespace

/// Of code and configuration of all its instances.
std::string Scheduler::fingerprint_of(const Hosted& hosted) const {
  std::string all;
  for (const std::uint32_t position : by_name_) {
    if (entries_[position].runner == hosted.supervisor.get()) all += to_hex(entries_[position].spec.hash);
  }
  return to_hex(siphash128(all));
}

void Scheduler::put_quarantine(const store::Quarantine& quarantine) {
  ports_.store.put_quarantine(quarantine, [this, subject = quarantine.subject](Result<Unit> stored) {
    if (!stored) ports_.log(RONDA_LOG_ERROR, subject + ": its quarantine will not outlive the agent: " + stored.error().message());
  });
}

void Scheduler::on_quarantine(const plugin::QuarantineChange& change) {
  const Entry* entry = by_instance(change.instance);
  if (change.instance != 0 && entry == nullptr) return;
  const RunAs as{std::string(change.user), change.detached};
  const std::string subject = change.instance == 0 ? subject_of(change.plugin, as) : subject_of(*entry);
  if (!change.holds) {
    end_quarantine(subject, "it is tried again");
    return note_trouble(change.plugin);
  }
  store::Quarantine& quarantine = quarantines_[subject];
  const std::int64_t now = wall_clock().count();
  if (quarantine.subject.empty()) quarantine.since = now;
  quarantine.subject = subject;
  quarantine.reason = change.reason;
  quarantine.probe_at = now + change.next_probe.count();
  if (entry != nullptr) quarantine.fingerprint = to_hex(entry->spec.hash);
  for (const auto& hosted : hosted_) {
    const bool is_it = entry == nullptr && hosted != nullptr && hosted->supervisor->plugin_id() == change.plugin && hosted->as == as;
    if (is_it) quarantine.fingerprint = fingerprint_of(*hosted);
  }
  put_quarantine(quarantine);
  note_trouble(change.plugin);
}

void Scheduler::note_trouble(std::string_view plugin) {
  if (ports_.on_plugin_trouble) ports_.on_plugin_trouble(plugin);
}

std::string Scheduler::trouble_of(std::string_view plugin) const {
  std::vector<std::string> all;
  for (const plugin::SupervisorStatus& status : plugins()) {
    const bool is_stuck = status.plugin_id == plugin &&
                          std::ranges::any_of(status.runners, [](const auto& runner) { return runner.life == plugin::Life::stuck; });
    if (is_stuck) all.push_back(status.last_trouble);
  }
  for (const store::Quarantine* held : quarantines(plugin)) all.push_back(held->subject + " is in quarantine: " + held->reason);
  std::string out;
  for (std::size_t i = 0; i < std::min(all.size(), troubles_named); ++i) out += (out.empty() ? "" : "; ") + escape_controls(all[i]);
  return all.size() > troubles_named ? out + "; and " + std::to_string(all.size() - troubles_named) + " more" : out;
}

void Scheduler::end_quarantine(const std::string& subject, std::string_view why) {
  if (quarantines_.erase(subject) == 0) return;
  ports_.log(RONDA_LOG_INFO, subject + ": out of quarantine: " + std::string(why));
  ports_.store.clear_quarantine(subject, [this, subject](Result<Unit> cleared) {
    if (!cleared)
      ports_.log(RONDA_LOG_ERROR, subject + ": its quarantine ended and would come back after a restart: " + cleared.error().message());
  });
}

/// Of something that is not configured now; whoever has a supervisor told of its end already.
bool Scheduler::forget_quarantine(std::string_view subject) {
  std::vector<std::string> found;
  for (const auto& [key, quarantine] : quarantines_) {
    const std::string_view name = std::string_view(key).substr(key.find('/') + 1);
    if (key == subject || name == subject) found.push_back(key);
  }
  for (const std::string& key : found) {
    end_quarantine(key, "cleared");
    // "plugin/ID as USER detached": of one that has no supervisor nobody else tells
    if (key.starts_with("plugin/")) note_trouble(key.substr(7, key.find(' ') - 7));
  }
  return !found.empty();
}

/// An instance that comes into the set; one that is there unchanged has its supervisor's own.
void Scheduler::restore_quarantine(Entry& entry) {
  const auto found = quarantines_.find(subject_of(entry));
  if (found == quarantines_.end()) return;
  if (found->second.fingerprint != to_hex(entry.spec.hash)) {
    return end_quarantine(std::string(found->first), "its plugin or its configuration is another one");
  }
  entry.runner->restore_quarantine(entry.id, wait_of(found->second), found->second.reason);
}

/// Once the whole first set is there: it is part of the fingerprint.
void Scheduler::restore_plugin_quarantines() {
  for (const auto& hosted : hosted_) {
    if (hosted == nullptr) continue;
    const auto found = quarantines_.find(subject_of(hosted->supervisor->plugin_id(), hosted->as));
    if (found == quarantines_.end()) continue;
    if (found->second.fingerprint == fingerprint_of(*hosted)) {
      hosted->supervisor->restore_quarantine(plugin::RestartPolicy::whole_plugin, wait_of(found->second), found->second.reason);
    } else {
      end_quarantine(std::string(found->first), "the plugin or the configuration of its instances is another one");
    }
  }
}

/// Those that began meanwhile could not be written down and are now; of the others, who has run well since is out.
void Scheduler::recall_quarantines(const Remembered& remembered) {
  for (const auto& [subject, quarantine] : quarantines_) put_quarantine(quarantine);
  bool any = false;
  for (const store::Quarantine& quarantine : remembered.quarantines)
    any = quarantines_.try_emplace(quarantine.subject, quarantine).second || any;
  if (!any) return;
  for (const std::uint32_t position : by_name_) {
    Entry& entry = entries_[position];
    const bool was_well = entry.runs > 0 && entry.has_result && entry.trip.fate == Fate::finished;
    if (was_well && quarantine(entry) != nullptr)
      end_quarantine(subject_of(entry), "it has run well since");
    else if (!entry.runner->is_quarantined(entry.id))
      restore_quarantine(entry);
  }
  restore_plugin_quarantines();
}

const store::Quarantine* Scheduler::quarantine(const Entry& entry) const {
  const auto found = quarantines_.find(subject_of(entry));
  return found == quarantines_.end() ? nullptr : &found->second;
}

std::vector<const store::Quarantine*> Scheduler::quarantines(std::string_view plugin) const {
  std::vector<const store::Quarantine*> out;
  for (const auto& [subject, quarantine] : quarantines_) {
    if (subject == subject_of(plugin, {}) || subject.starts_with(subject_of(plugin, {}) + " ")) out.push_back(&quarantine);
    for (const Kind kind : config::all_kinds) {
      const std::string prefix = key_of(kind, "");
      const Entry* entry = subject.starts_with(prefix) ? find(kind, std::string_view(subject).substr(prefix.size())) : nullptr;
      if (entry != nullptr && entry->spec.procedure->plugin->id == plugin) out.push_back(&quarantine);
    }
  }
  return out;
}

}  // namespace ronda::schedule
