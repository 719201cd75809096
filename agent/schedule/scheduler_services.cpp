// SPDX-License-Identifier: Apache-2.0
// What plugins ask of the agent during a call, and what they tell besides their result.
#include <algorithm>
#include <boost/json.hpp>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "ronda/abi.h"
#include "schedule/scheduler.hpp"

namespace ronda::schedule {
namespace {

constexpr std::size_t calendars_kept = 1000;
constexpr std::int64_t inbox_events_at_once = 100;
constexpr std::size_t reply_limit = 900 << 10;  // a frame holds 1 MiB

std::int32_t code_of(const Error& error) {
  switch (error.code()) {
    case Errc::not_found:
      return RONDA_E_NOTFOUND;
    case Errc::denied:
      return RONDA_E_DENIED;
    case Errc::range:
      return RONDA_E_RANGE;
    case Errc::invalid:
      return RONDA_E_INVALID;
    case Errc::unavailable:
      return RONDA_E_AGAIN;
    default:
      return RONDA_E_INTERNAL;
  }
}

/// Of the state that one plugin keeps for one instance.
std::string state_key(const Prepared& spec) {
  return key_of(spec.kind, spec.name) + " " + spec.procedure->plugin->id;
}

std::string encode_entries(const std::vector<store::KvEntry>& entries, std::string_view prefix) {
  std::vector<const store::KvEntry*> wanted;
  for (const store::KvEntry& entry : entries) {
    if (entry.key.starts_with(prefix)) wanted.push_back(&entry);
  }
  std::string out;
  wire::Writer w(out);
  w.map(wanted.size());
  for (const store::KvEntry* entry : wanted) w.bytes(entry->key), w.bytes(entry->value);
  return out;
}

}  // namespace

Entry* Scheduler::by_instance(std::uint32_t id) {
  const auto found = position_of_id_.find(id);
  return found ? &entries_[*found] : nullptr;
}

std::string Scheduler::name_of_instance(std::uint32_t id) const {
  const auto found = position_of_id_.find(id);
  return found ? entries_[*found].spec.name : std::string();
}

wire::Create Scheduler::describe(std::uint32_t instance) {
  const Entry* entry = by_instance(instance);
  if (entry == nullptr) return {instance, wire::Kind::check, {}, {}, {}};
  const Prepared& spec = entry->spec;
  return {instance,           static_cast<wire::Kind>(spec.kind),    spec.procedure->name, spec.name,
          spec.options.str(), spec.procedure->plugin->state_version, state_from(spec)};
}

void Scheduler::on_log(std::string_view plugin, std::uint32_t instance, std::int64_t level, std::string_view text) {
  const std::string name = name_of_instance(instance);
  ports_.log(level, std::string(plugin) + (name.empty() ? "" : " " + name) + ": " + escape_controls(text));
}

void Scheduler::on_event(const wire::Event& event) {
  const Entry& entry = entries_[position_of_call(event.call)];
  if (entry.call != event.call) return;  // of a run that is over, perhaps of another instance: its supervisor counts it
  store::JournalEvent out;
  out.wall = wall().count();
  out.kind = event.name.empty() ? "event" : event.name;
  out.subject = key_of(entry.spec.kind, entry.spec.name);
  boost::json::object data{{"text", event.text}, {"level", event.level}};
  for (const auto& [key, value] : event.fields) data[key] = value;
  out.data = boost::json::serialize(data);
  ports_.log(event.level, out.subject + ": " + escape_controls(event.text));
  ports_.store.append_journal(std::move(out), [](auto) {});
}

void Scheduler::on_progress(const wire::Progress& progress) {
  const std::uint32_t position = position_of_call(progress.call);
  if (position < entries_.size() && entries_[position].call == progress.call) progress_[progress.call] = {progress.share, progress.what};
}

void Scheduler::on_left_alive(std::uint32_t instance, const std::vector<plugin::LeftAlive>& left) {
  const auto position = position_of_id_.find(instance);
  if (!position) return ports_.log(RONDA_LOG_INFO, "a detached instance that is not configured any more has left alive: " + text_of(left));
  const Entry& entry = entries_[*position];
  store::JournalEvent event;
  event.wall = wall().count();
  event.kind = "run.left_alive";
  event.subject = key_of(entry.spec.kind, entry.spec.name);
  boost::json::array processes;
  for (const plugin::LeftAlive& one : left)
    processes.push_back(boost::json::object{{"pid", one.pid}, {"started_ns", one.started_wall_ns}, {"command", one.command}});
  event.data = boost::json::serialize(boost::json::object{{"processes", std::move(processes)}});
  ports_.log(RONDA_LOG_INFO, event.subject + " is detached and has left alive: " + text_of(left));
  if (run_as(entry.spec).detached) left_alive_[*position] = {event.wall, left};  // else it was a run of before the last reload
  ports_.store.append_journal(std::move(event), [](auto) {});
}

void Scheduler::on_trouble(std::string_view plugin, std::uint32_t instance, std::string_view text) {
  const std::string name = name_of_instance(instance);
  ports_.log(RONDA_LOG_ERROR, "plugin " + std::string(plugin) + (name.empty() ? "" : ", " + name) + ": " + std::string(text));
  store::JournalEvent event;
  event.wall = wall().count();
  event.kind = "trouble";
  event.subject = name.empty() ? "plugin/" + std::string(plugin) : name;
  event.data = boost::json::serialize(boost::json::object{{"text", text}});
  ports_.store.append_journal(std::move(event), [](auto) {});
  note_trouble(plugin);
}

void Scheduler::kv_read(const wire::Request& request, const store::KvSpace& space, std::function<void(std::int32_t, std::string)> reply) {
  ports_.store.load_kv(space, [request, reply = std::move(reply)](Result<store::KvContent> content) {
    if (!content) return reply(code_of(content.error()), {});
    if (request.ask == wire::Ask::kv_each) {
      std::string encoded = encode_entries(content->entries, request.text);
      if (encoded.size() > reply_limit) return reply(RONDA_E_RANGE, {});
      return reply(RONDA_OK, std::move(encoded));
    }
    for (store::KvEntry& stored : content->entries) {
      if (stored.key == request.text) return reply(RONDA_OK, std::move(stored.value));
    }
    reply(RONDA_E_NOTFOUND, {});
  });
}

void Scheduler::inbox_read(const wire::Request& request, const Entry& entry, std::function<void(std::int32_t, std::string)> reply) {
  // a call that was given up takes nothing any more: another one may be running by now
  if (request.call == 0 || request.call != entry.call) return reply(RONDA_E_INVALID, {});
  ports_.store.peek_inbox(id_of(entry.spec), inbox_events_at_once,
                          [this, call = entry.call, reply = std::move(reply)](Result<std::vector<store::InboxEvent>> events) {
                            if (!events) return reply(code_of(events.error()), {});
                            if (entries_[static_cast<std::uint32_t>(call & 0xFFFFFFU)].call != call)
                              return reply(RONDA_E_INVALID, {});  // it ended meanwhile
                            std::size_t bytes = 0, count = 0;
                            for (; count < events->size() && bytes < reply_limit - store::inbox_text_max; ++count)
                              bytes += (*events)[count].text.size() + 64;
                            std::string out;
                            wire::Writer w(out);
                            w.array(count);
                            auto& taken = inbox_taken_[call];
                            taken.clear();
                            for (std::size_t i = 0; i < count; ++i) {
                              const store::InboxEvent& event = (*events)[i];
                              taken.push_back(event.id);
                              w.bytes(event.event), w.integer(event.wall), w.integer(event.code), w.bytes(event.text);
                            }
                            reply(RONDA_OK, std::move(out));
                          });
}

void Scheduler::calendar_read(const wire::Request& request, std::function<void(std::int32_t, std::string)> reply) {
  auto known = calendars_.find(request.text);
  if (known == calendars_.end()) {
    auto parsed = parse_calendar(request.text, ports_.zones, ports_.zone);
    if (!parsed) return reply(RONDA_E_INVALID, {});
    if (calendars_.size() >= calendars_kept) calendars_.clear();
    known = calendars_.emplace(request.text, std::move(*parsed)).first;
  }
  const sys_seconds at(std::chrono::floor<std::chrono::seconds>(Nanos(request.at_wall_ns)));
  const auto found = request.ask == wire::Ask::calendar_next ? known->second.next(at) : known->second.previous(at);
  if (!found) return reply(RONDA_E_NOTFOUND, {});
  std::string out;
  wire::Writer(out).integer(Nanos(found->time_since_epoch()).count());
  reply(RONDA_OK, std::move(out));
}

/// Of the code that runs, which is not that of the configuration when a reload replaced it meanwhile.
const ProcedureRef& Scheduler::procedure_in_flight(const Entry& entry) const {
  const auto found = replaced_.find(entry.call);
  return entry.call == 0 || found == replaced_.end() ? *entry.spec.procedure : *found->second;
}

void Scheduler::on_request(wire::Request request, std::function<void(std::int32_t, std::string)> reply) {
  const Entry* entry = by_instance(request.instance);
  if (entry == nullptr) return reply(RONDA_E_NOTFOUND, {});
  const bool is_present = request.instance == entry->id;
  const store::KvSpace space{id_of(entry->spec), (is_present ? *entry->spec.procedure : procedure_in_flight(*entry)).plugin->id};
  switch (request.ask) {
    case wire::Ask::kv_get:
    case wire::Ask::kv_each:
      return kv_read(request, space, std::move(reply));
    case wire::Ask::inbox_take:
      return inbox_read(request, *entry, std::move(reply));
    case wire::Ask::calendar_previous:
    case wire::Ask::calendar_next:
      return calendar_read(request, std::move(reply));
    case wire::Ask::kv_commit:
      return kv_commit(request, *entry, std::move(reply));
  }
}

void Scheduler::kv_commit(wire::Request& request, const Entry& entry, std::function<void(std::int32_t, std::string)> reply) {
  // it keeps nothing, as it says; what its new code makes of the state before the run is no part of it
  if (request.call != 0 && request.call == entry.call && is_apart(position_of_call(entry.call))) return reply(RONDA_OK, {});
  const bool is_present = request.instance == entry.id;
  const PluginRef& plugin = *(is_present ? *entry.spec.procedure : procedure_in_flight(entry)).plugin;
  std::vector<store::KvWrite> writes;
  const std::int64_t now = wall().count();
  for (wire::KvWrite& write : request.kv) {
    writes.push_back({std::move(write.key), write.erase ? std::nullopt : std::optional(std::move(write.value)),
                      write.ttl_ns > 0 ? now + write.ttl_ns : 0});
  }
  const auto done = [this, id = request.instance, reply = std::move(reply)](Result<Unit> written) {
    const Entry* present = by_instance(id);
    // state of an older version was handed over to the present one
    if (written && present != nullptr && present->id == id) other_state_.erase(state_key(present->spec));
    reply(written ? RONDA_OK : code_of(written.error()), {});
  };
  ports_.store.write_kv({id_of(entry.spec), plugin.id}, plugin.state_version, std::move(writes), done);
}

// ---- versions of state ----------------------------------------------------------------------

std::uint32_t Scheduler::state_from(const Prepared& spec) const {
  const PluginRef& plugin = *spec.procedure->plugin;
  if (!plugin.stateful) return 0;
  const auto other = other_state_.find(state_key(spec));
  if (other != other_state_.end()) return other->second == plugin.state_version ? 0 : other->second;
  const Entry* running = find(spec.kind, spec.name);  // a candidate's code may differ from what keeps the state now
  const PluginRef* present = running == nullptr ? nullptr : running->spec.procedure->plugin.get();
  return present != nullptr && present->id == plugin.id && present->state_version != plugin.state_version ? present->state_version : 0;
}

/// Its plugin is not the one that keeps its state any more.
void Scheduler::note_state_left(const Prepared& spec) {
  const PluginRef& plugin = *spec.procedure->plugin;
  if (plugin.stateful) other_state_.try_emplace(state_key(spec), plugin.state_version);
}

void Scheduler::note_state_taken(const Prepared& spec) {
  const auto found = other_state_.find(state_key(spec));
  if (found != other_state_.end() && found->second == spec.procedure->plugin->state_version) other_state_.erase(found);
}

void Scheduler::note_state_versions(const Remembered& remembered) {
  for (const store::KvVersion& kept : remembered.state_versions) {
    other_state_[kept.space.id.kind + "/" + kept.space.id.name + " " + kept.space.plugin] = kept.state_version;
  }
}

/// An instance that was made without what is known now is made again by its next call.
void Scheduler::recall_state_versions(const Remembered& remembered) {
  note_state_versions(remembered);
  for (const std::uint32_t position : by_name_) {
    Entry& entry = entries_[position];
    note_state_taken(entry.spec);
    if (other_state_.contains(state_key(entry.spec))) entry.runner->forget(entry.id);
  }
}

void Scheduler::answer_trial(const Prepared& spec, const wire::Request& request, std::function<void(std::int32_t, std::string)> reply) {
  const store::InstanceId id = id_of(spec);
  switch (request.ask) {
    case wire::Ask::kv_get:
    case wire::Ask::kv_each:
      return kv_read(request, {id, spec.procedure->plugin->id}, std::move(reply));
    case wire::Ask::kv_commit:
      return reply(RONDA_OK, {});
    case wire::Ask::inbox_take:
      return reply(RONDA_E_NOTFOUND, {});
    case wire::Ask::calendar_previous:
    case wire::Ask::calendar_next:
      return calendar_read(request, std::move(reply));
  }
}

Nanos Scheduler::overdue() const {
  const auto due = timetable_.next_due();
  return due ? std::max<Nanos>(boottime() - *due, Nanos(0)) : Nanos(0);
}

}  // namespace ronda::schedule
