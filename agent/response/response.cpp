// SPDX-License-Identifier: Apache-2.0
#include "response/response.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "base/clock.hpp"
#include "base/counted.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "measure/load.hpp"
#include "response/own_troubles.hpp"
#include "response/upkeep.hpp"
#include "ronda/abi.h"

namespace ronda::response {
namespace {

constexpr std::size_t most_refused = 1000;  // addresses of a notifier
constexpr std::size_t told_at_once = 500;   // so a storm that became one message is no huge decision
/// So long rules wait for what was known before the start. A store that is slower than that is no reason to be blind.
constexpr std::chrono::seconds samples_wait{10};
constexpr std::int64_t latest_result_ns = std::int64_t{5} * 1'000'000'000;  // so old it is when it comes, on a busy host
constexpr std::int64_t latest_ns = std::int64_t{3600} * 1'000'000'000;      // the wall clock may be set meanwhile

measure::Status status_of(plugin::CheckStatus status) {
  return static_cast<measure::Status>(status);
}

std::shared_ptr<const wire::Message> message_of(const notify::Parcel& parcel) {
  auto message = std::make_shared<wire::Message>();
  message->id = parcel.id;
  message->to = parcel.to;
  message->title = parcel.text.title;
  message->body = parcel.text.body;
  message->level = parcel.level;
  message->event = parcel.event;
  message->incident = parcel.incident;
  message->attempt = parcel.number;
  for (auto& [name, value] : notify::fields_from_json(parcel.text.fields)) message->fields.emplace_back(name, value);
  return message;
}

/// `ahead_ns`: of the clock that is judged by before the wall clock.
notify::Delivery delivery_of(const schedule::DeliveryEnd& end, std::int64_t ahead_ns) {
  using What = notify::Delivery::What;
  const What what = end.what == schedule::DeliveryEnd::What::delivered ? What::delivered
                    : end.what == schedule::DeliveryEnd::What::dropped ? What::dropped
                                                                       : What::retry;
  return {what, end.again_at_wall_ns == 0 ? 0 : end.again_at_wall_ns + ahead_ns, end.detail};
}

bool only_reads(const schedule::Prepared& spec) {
  return spec.kind == config::Kind::check || (spec.rare != nullptr && !spec.rare->changes.value_or(true));
}

/// As it stands in the timeline, which bounds it; no control character of a plugin's reaches a terminal by it.
std::string output_of(const schedule::Entry& entry) {
  if (entry.skip == schedule::Skip::stopping) return "not run: the agent is stopping";
  if (entry.skip == schedule::Skip::left) return "not run: it left the configuration";
  std::string out = std::string(plugin::name_of(entry.status)) + ": " + escape_controls(entry.summary);
  const std::string detail = entry.detail.str();
  for (std::size_t from = 0; from < detail.size() && out.size() < incident::max_output_bytes;) {
    const std::size_t end = std::min(detail.find('\n', from), detail.size());
    out += "\n" + escape_controls(std::string_view(detail).substr(from, end - from));
    from = end + 1;
  }
  return out;
}

void wait_until(boost::asio::steady_timer& timer, std::int64_t at_ns, std::int64_t now_ns, std::function<void()> then) {
  timer.expires_after(std::chrono::nanoseconds(std::clamp<std::int64_t>(at_ns - now_ns, 0, latest_ns)));
  timer.async_wait([then = std::move(then)](const boost::system::error_code& error) {
    if (!error) then();
  });
}

}  // namespace

Response::Response(Ports ports, std::shared_ptr<const Plan> plan)
    : ports_(std::move(ports)),
      desk_(std::move(plan), ports_.random),
      courier_(ports_.store, *this),
      desk_timer_(ports_.loop),
      courier_timer_(ports_.loop),
      samples_timer_(ports_.loop) {
  desk_.wait_for_samples();
  hand_on();
}

Response::~Response() {
  *alive_ = false;
}

/// What of a plan belongs to others: how long the store keeps samples, how notifiers want to be treated.
void Response::hand_on() {
  ports_.store.keep_samples(desk_.plan().retention);
  for (const people::Notifier& notifier : desk_.plan().notifiers) {
    notify::SinkPolicy policy;
    policy.in_flight = 1;  // a notifier takes one at a time
    policy.merges = !notifier.wants.each;
    policy.spacing = notifier.wants.spacing_ns;
    courier_.set_policy(notifier.name, policy);
  }
}

std::int64_t Response::wall_ns() {
  const std::int64_t boot = ports_.boot_ns ? ports_.boot_ns() : boottime().count();
  return time_.read(boot, ports_.wall_ns());
}

// ---- start ----------------------------------------------------------------------------------

void Response::start(std::function<void()> then) {
  load_kept([this, then = std::move(then)](const std::shared_ptr<Kept>& kept) {
    static_cast<void>(wall_ns());  // from here on the time that passes is known
    for (const incident::Event& event : kept->events) time_.not_before(event.at_ns);
    courier_.start([this, kept, then](const Result<Unit>& started) {
      if (!started) ports_.log(RONDA_LOG_ERROR, "not remembered: " + started.error().message());
      begin(*kept, then);
    });
  });
}

void Response::load_kept(std::function<void(std::shared_ptr<Kept>)> then) {
  is_forgetful_ = false;
  auto kept = std::make_shared<Kept>();
  const auto failed = [this, kept, alive = alive_](const Error& error) {
    if (!*alive) return;
    kept->is_whole = false;
    is_forgetful_ = true;
    ports_.log(RONDA_LOG_ERROR, "not remembered: " + error.message());
  };
  ports_.store.load_alert_states([kept, failed](Result<std::vector<store::AlertState>> loaded) {
    loaded ? void(kept->alerts = std::move(*loaded)) : failed(loaded.error());
  });
  // a check that others wait for is what it was until it has run again
  ports_.store.load_instances([kept, failed](Result<std::vector<store::InstanceState>> loaded) {
    loaded ? void(kept->checks = std::move(*loaded)) : failed(loaded.error());
  });
  ports_.store.load_silences([kept, failed](Result<std::vector<store::SilenceRow>> loaded) {
    loaded ? void(kept->silences = std::move(*loaded)) : failed(loaded.error());
  });
  ports_.store.load_incidents(
      [this, alive = alive_, kept, failed, then = std::move(then)](Result<std::vector<store::IncidentEvent>> loaded) {
        if (!*alive) return;
        if (!loaded) failed(loaded.error());
        for (const store::IncidentEvent& row : loaded ? *loaded : std::vector<store::IncidentEvent>()) {
          auto event = incident::parse_event(row.data);
          if (event)
            kept->events.push_back(*std::move(event));
          else
            ports_.log(RONDA_LOG_ERROR,
                       "not remembered: " + row.incident + ", event " + std::to_string(row.seq) + ": " + event.error().message());
        }
        then(kept);
      });
}

/// What could not be read at the start, once it can be. Of what this life has decided meanwhile the store may know or not.
void Response::recall() {
  if (!is_forgetful_ || recalling_ || !begun_ || stopping_ || ports_.store.health().state == store::HealthState::failed) return;
  recalling_ = true;
  load_kept([this](const std::shared_ptr<Kept>& kept) {
    recalling_ = false;
    if (is_forgetful_ || stopping_) return;
    std::int64_t last = 0;
    for (const incident::Event& event : kept->events) last = std::max(last, event.at_ns);
    static_cast<void>(wall_ns());
    // this clock is behind: for what is open that is a step like any other
    if (const std::int64_t by = time_.not_before(last); by >= IncidentTime::step_ns) set_clock(by);
    shift(kept->checks);
    apply(desk_.recall(*kept, wall_ns()));
    use(desk_.share_plan());  // what it changes is what a start would
    if (ports_.recalled) ports_.recalled();
    ports_.log(RONDA_LOG_INFO, "what was known before the start is known again");
  });
}

/// As results: by the clock that is judged by. What lies ahead of the wall clock was dated by one that was right, and stays.
void Response::shift(std::vector<store::InstanceState>& checks) {
  const std::int64_t wall = ports_.wall_ns(), ahead = wall_ns() - wall;
  for (store::InstanceState& check : checks) {
    for (std::int64_t* at : {&check.since, &check.last_run, &check.last_ok}) {
      if (*at != 0 && *at <= wall) *at += ahead;
    }
  }
}

void Response::begin(Kept& kept, const std::function<void()>& then) {
  shift(kept.checks);
  for (const std::string& text : desk_.restore(kept, wall_ns())) ports_.log(RONDA_LOG_ERROR, "not remembered: " + text);
  begun_ = true;
  time_.not_before(incident::last_change_ns(desk_.incidents()));
  load_samples();
  for (const auto& work : std::exchange(waiting_, {})) work();
  use(desk_.share_plan());  // alerts that left while no agent ran
  note_store();
  recall();
  then();
  arm();
}

/// Rules look when it is done, or when it takes too long.
void Response::load_samples() {
  samples_timer_.expires_after(samples_wait);
  samples_timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
    if (error || !*alive) return;
    ports_.log(RONDA_LOG_WARNING, "samples of before the start are still being read: rules are looked at without them");
    begin_looking();
  });
  measure::load_history(ports_.store, desk_.history(), wall_ns(), [this, alive = alive_](const Status& loaded) {
    if (!*alive) return;
    samples_timer_.cancel();
    if (!loaded) ports_.log(RONDA_LOG_WARNING, "samples of before the start are not all known: " + loaded.error().message());
    begin_looking();
  });
}

void Response::begin_looking() {
  if (!stopping_) apply(desk_.begin_looking(wall_ns()));
}

/// What is not read for want of a store is asked for again when there is one.
void Response::load_objectives() {
  for (const measure::slo::Objective& objective : desk_.take_unloaded_objectives()) {
    using Loaded = Result<std::vector<measure::slo::Stretch>>;
    measure::load_judgements(ports_.store, objective, wall_ns(), [this, alive = alive_, objective](const Loaded& loaded) {
      if (!*alive || stopping_) return;
      if (!loaded) {
        ports_.log(RONDA_LOG_WARNING, "what objective " + objective.name + " saw before is not known: " + loaded.error().message());
        desk_.load_objective_again(objective.name);
      }
      const std::vector<measure::slo::Stretch> none;
      apply(desk_.restore_objective(objective, loaded ? *loaded : none, wall_ns()));
    });
  }
}

// ---- what comes in --------------------------------------------------------------------------

void Response::use(std::shared_ptr<const Plan> plan) {
  if (!begun_) return waiting_.push_back([this, plan = std::move(plan)] { use(plan); });
  // told before what is open is told by the new plan: that the way is back is no reason to call anybody
  if (!plan->lost.way) on_own_trouble(incident::lost_trouble, config::Level::none, "there is a notifier that can be used");
  apply(desk_.use(std::move(plan), wall_ns()));
  hand_on();
  if (desk_.plan().lost.way) {
    const std::string why = desk_.plan().people.no_notifier
                                ? "there is no [notifier.*] in the configuration; add one, and ronda reload"
                                : "no notifier can be used; ronda status says what is wrong with the configuration";
    ports_.log(RONDA_LOG_ERROR, "nobody can be told of anything: " + why);
    on_own_trouble(incident::lost_trouble, config::Level::p1, "nobody can be told of anything: " + why);
  }
  load_objectives();
  end_foreign_troubles();
  forget_addresses();
}

/// Of notifiers that are not configured any more; one that cannot be read is not well again.
void Response::end_foreign_troubles() {
  for (const std::string& name : desk_.own_troubles()) {
    if (!name.starts_with(sink_trouble_prefix)) continue;
    const std::string notifier = name.substr(sink_trouble_prefix.size());
    if (desk_.plan().find_notifier(notifier) != nullptr || desk_.plan().lost.holds_notifier(notifier)) continue;
    sink_faults_.erase(notifier);
    on_own_trouble(name, config::Level::none, "it is not configured any more");
  }
}

/// That was wrong, and no contact has it any more: no message goes there that could show it well.
void Response::forget_addresses() {
  const people::People& people = desk_.plan().people;
  if (desk_.plan().lost.any) return;
  std::vector<std::string> changed;
  for (auto& one : sink_faults_) {
    const auto is_gone = [&](const std::string& to) {
      return !to.empty() && std::ranges::none_of(people.contacts, [&](const people::Contact& contact) {
        return std::ranges::any_of(contact.channels,
                                   [&](const people::Channel& channel) { return channel.notifier == one.first && channel.to == to; });
      });
    };
    if (std::erase_if(one.second.refused, is_gone) > 0) changed.push_back(one.first);
  }
  for (const std::string& notifier : changed) end_sink_trouble(notifier, "no contact has the address any more that refused a message");
}

void Response::on_result(const schedule::Entry& entry) {
  const std::int64_t now = wall_ns();
  const bool is_task = entry.spec.kind == config::Kind::task;
  const std::string task_name = is_task ? std::string(rule::task_prefix) + entry.spec.name : std::string();
  const std::string_view name = is_task ? std::string_view(task_name) : std::string_view(entry.spec.name);
  if (is_task && entry.status == plugin::CheckStatus::ok) {
    Output output = desk_.on_task_success(entry.spec.name, result_of(entry, name, now).ended_ns, now);
    if (begun_) apply(std::move(output));
  }
  if ((!is_task && entry.spec.kind != config::Kind::check) || !begun_ || !desk_.cares_for(name)) return;
  const std::string metrics = entry.metrics.str();
  measure::Result result = result_of(entry, name, now);
  result.metrics = metrics;
  apply(desk_.on_result(result, now));
}

/// Dated by the clock that is judged by. What the scheduler noted before the wall clock was set is by that one: a result comes at
/// once, and since when a check has its status is what is known of it here.
measure::Result Response::result_of(const schedule::Entry& entry, std::string_view name, std::int64_t now_ns) const {
  const std::int64_t ahead = now_ns - ports_.wall_ns();
  measure::Result result;
  result.check = name;
  result.status = status_of(entry.status);
  result.since_ns = entry.since_wall + ahead;
  result.started_ns = entry.trip.started_wall + ahead;
  result.ended_ns = entry.trip.ended_wall + ahead;
  result.duration_ns = entry.trip.duration_ns;
  result.summary = entry.summary;
  if (set_by_ == 0 && time_.apart_ns() == 0) return result;
  if (result.ended_ns > now_ns || now_ns - result.ended_ns > latest_result_ns) result.ended_ns = now_ns;
  result.started_ns = result.ended_ns - result.duration_ns;
  const auto known = desk_.history().check(name);
  result.since_ns = known && known->status == result.status ? known->since_ns : result.ended_ns;
  return result;
}

void Response::on_store_health(const store::Health& health) {
  courier_.on_store_health(health);
  note_store();
  recall();
  const bool is_back = !was_ok_ && ports_.store.health().state == store::HealthState::ok;
  was_ok_ = ports_.store.health().state == store::HealthState::ok;
  if (is_back && begun_ && !stopping_) load_objectives();
}

/// A store that has failed is told although nothing had to be stored yet: where nothing else fails, nobody would hear of it.
/// So is one that works by its last reserve, or began afresh: the time to act is before it fails, and what it lost is missed.
void Response::note_store() {
  if (!begun_) return;
  const store::Health health = ports_.store.health();
  if (health.state != store::HealthState::ok) {
    const std::string_view how = health.state == store::HealthState::failed ? "the store has failed: " : "the store is not well: ";
    return on_own_trouble(store_trouble, config::Level::p2, std::string(how) + health.reason);
  }
  if (courier_.is_durable()) on_own_trouble(store_trouble, config::Level::none, "the store works");
}

void Response::command(incident::Command command, std::function<void(const incident::Reply&)> reply) {
  if (!begun_) return waiting_.push_back([this, command = std::move(command), reply = std::move(reply)] { this->command(command, reply); });
  apply(desk_.command(command, wall_ns()), std::move(reply));
}

void Response::silence(incident::SilenceRequest request, std::function<void(const Result<incident::Silence>&)> told) {
  if (!begun_) {
    return waiting_.push_back([this, request = std::move(request), told = std::move(told)] { silence(request, told); });
  }
  const auto firing = desk_.incidents().firing(desk_.plan().settings);
  if (const auto known = incident::check_names(request.what, desk_.plan().names, firing); !known) return told(known.error());
  auto made = incident::make_silence(std::move(request), wall_ns(), ports_.random());
  if (!made) return told(made.error());
  Output output = desk_.add_silence(*made, wall_ns());
  apply(std::move(output), [told = std::move(told), made = *std::move(made)](const incident::Reply& reply) {
    reply.done ? told(made) : told(Error(reply.code, reply.text));
  });
}

void Response::expire_silence(std::string id, incident::Author author, std::uint64_t based_on,
                              std::function<void(const Result<incident::Silence>&)> told) {
  if (!begun_) {
    return waiting_.push_back([this, id = std::move(id), author = std::move(author), based_on, told = std::move(told)] {
      expire_silence(id, author, based_on, told);
    });
  }
  auto output = desk_.expire_silence(id, author, based_on, wall_ns());
  if (!output) return told(output.error());
  const incident::Silence* found = desk_.silences().find(id);
  if (found == nullptr) return told(Error(Errc::internal, "the silence " + id + " has ended and is forgotten already"));
  apply(*std::move(output), [told = std::move(told), ended = *found](const incident::Reply& reply) {
    reply.done ? told(ended) : told(Error(reply.code, reply.text));
  });
}

void Response::on_own_trouble(std::string_view name, config::Level level, std::string_view text) {
  if (!begun_) {
    return waiting_.push_back([this, name = std::string(name), level, text = std::string(text)] { on_own_trouble(name, level, text); });
  }
  apply(desk_.on_own_trouble(name, level, text, wall_ns()));
}

void Response::tick() {
  armed_for_ = 0;
  if (!begun_ || stopping_) return;
  follow_clock();
  apply(desk_.tick(wall_ns()));
}

/// Between two steps of the desk alone: all that one of them reads is by one clock.
void Response::follow_clock() {
  static_cast<void>(wall_ns());
  if (const std::int64_t by = time_.take_step(); by != 0) set_clock(by);
}

/// One decision: a kill leaves all of it or nothing.
void Response::set_clock(std::int64_t by_ns) {
  set_by_ += by_ns;
  const std::string by = format_duration(std::chrono::floor<std::chrono::seconds>(Nanos(by_ns)));
  ports_.log(RONDA_LOG_WARNING,
             "the wall clock was set forward by " + by + ": for what is open no time has passed by that; check NTP and the hardware clock");
  Output output = desk_.on_clock_set(by_ns, wall_ns());
  courier_.on_clock_set(by_ns, output.decision);
  apply(std::move(output));
}

void Response::stop() {
  stopping_ = true;
  desk_timer_.cancel();
  courier_timer_.cancel();
  samples_timer_.cancel();
  courier_.stop();
}

// ---- what goes out --------------------------------------------------------------------------

/// Decide, commit, act: replies and diagnoses wait for the commit, messages are the courier's.
void Response::apply(Output output, std::function<void(const incident::Reply&)> reply) {
  for (const std::string& trouble : output.troubles) ports_.log(RONDA_LOG_WARNING, trouble);
  std::ranges::move(output.samples, std::back_inserter(samples_));
  incident::Reply said = output.replies.empty() ? incident::Reply{true, {}, 0, Errc::invalid, {}} : std::move(output.replies.front());
  auto answer = [this, alive = alive_, reply = std::move(reply), said = std::move(said),
                 diagnoses = std::move(output.diagnoses)](const Result<Unit>& committed) mutable {
    if (!*alive) return;
    if (!committed) {
      ports_.log(RONDA_LOG_ERROR, "a decision is not on the disk: " + committed.error().message());
      if (!said.done) return reply ? reply(said) : void();  // it was refused, and that is what counts
      said.done = false;
      said.code = committed.error().code();
      said.text = "it holds, but is not on the disk and is lost if the agent ends before it is: " + why_not_stored(committed.error());
    }
    if (reply) reply(said);
    for (const incident::Diagnose& wanted : diagnoses) diagnose(wanted);
  };
  if (output.decision.empty())
    answer(Unit{});
  else
    courier_.decide(std::move(output.decision), std::move(answer));
  arm();
}

/// With what is wrong with the disk, also where the store refuses one only because of another before it.
std::string Response::why_not_stored(const Error& error) const {
  const store::Health health = ports_.store.health();
  if (health.state == store::HealthState::ok || error.message().find(health.reason) != std::string::npos) return error.message();
  return error.message() + "; " + health.reason;
}

/// What only reads runs by itself, once an opening; what may change something waits for a person. That it could not be
/// run stands in the timeline too: who looks there waits for nothing.
void Response::diagnose(const incident::Diagnose& wanted) {
  const rule::Alert* alert = desk_.plan().rules.find(wanted.alert);
  if (stopping_ || alert == nullptr || alert->diagnose.empty() || !ports_.find_run || !ports_.run_now) return;
  const std::string name = alert->diagnose;
  const schedule::Entry* entry = ports_.find_run(name);
  if (entry == nullptr) return note_diagnosis(wanted.incident, name, "not run: no check and no task has that name");
  if (!only_reads(entry->spec))
    return note_diagnosis(wanted.incident, name,
                          "not run: a task may change something; one that only reads says so with `changes = false`");
  const Result<Unit> begun =
      ports_.run_now(entry->spec.kind, name, [this, alive = alive_, incident = wanted.incident, name](const schedule::Entry& ended) {
        if (!*alive || stopping_) return;
        note_diagnosis(incident, name, output_of(ended));
      });
  if (!begun) note_diagnosis(wanted.incident, name, "not run: " + begun.error().message());
}

void Response::note_diagnosis(const std::string& incident, const std::string& name, std::string output) {
  apply(desk_.on_diagnosis({incident, name, std::move(output)}, wall_ns()));
}

void Response::arm() {
  if (!begun_ || stopping_) return;
  const std::int64_t now = wall_ns();
  const auto next = desk_.next_wake();
  const std::int64_t at = std::min(next ? *next : now + latest_ns, time_.step_at_ns().value_or(INT64_MAX));
  if (armed_for_ != 0 && armed_for_ <= at && armed_for_ > now) return;
  armed_for_ = at;
  wait_until(desk_timer_, at, now, [this] { tick(); });
}

void Response::deliver(notify::Parcel parcel) {
  if (stopping_) return;
  auto message = message_of(parcel);
  ports_.deliver(parcel.notifier, std::move(message),
                 [this, alive = alive_, id = parcel.id, number = parcel.number](const schedule::DeliveryEnd& end) {
                   if (!*alive) return;
                   if (end.what == schedule::DeliveryEnd::What::not_begun) return courier_.take_back(id, number);
                   courier_.on_result(id, number, delivery_of(end, wall_ns() - ports_.wall_ns()));
                 });
}

std::vector<store::OutboxRow> Response::fallbacks(const store::OutboxRow& failed, const std::vector<store::OutboxRow>& others) {
  if (is_trial(failed)) return {};  // it asks whether this very way works
  return fallbacks_of(desk_.plan(), failed, others, wall_ns());
}

/// Refused, or given up after days, in this life or one before: who was not reached stands in the timeline, once for each of
/// the incident's contacts, however many messages of a storm had become one.
void Response::on_given_up(const std::vector<store::OutboxRow>& rows) {
  std::map<std::tuple<std::string_view, std::string_view, std::string_view>, std::pair<const store::OutboxRow*, std::size_t>> whom;
  for (const store::OutboxRow& row : rows) {
    if (row.incident.empty() || is_trial(row)) continue;
    auto& [last, count] = whom[{row.incident, row.contact, row.notifier}];
    last = &row;
    ++count;
  }
  for (const auto& [key, found] : whom) {
    const auto& [row, count] = found;
    const std::string text = row->last_error + (count > 1 ? " (" + counted(count, "message") + ")" : std::string());
    apply(desk_.on_deliveries({{row->incident, row->contact, row->notifier, row->id, text, incident::Delivery::What::failed}}, wall_ns()));
  }
}

/// Each by its own id, those that another carried too: who was reached stands in the timeline as who was to be.
void Response::on_delivered(const std::vector<store::OutboxRow>& rows, const std::string& detail) {
  const std::string& notifier = rows.back().notifier;
  sink_faults_[notifier].refused.erase(rows.back().to);
  end_sink_trouble(notifier, "notifier " + notifier + " takes messages again");
  std::vector<incident::Delivery> told;
  const auto note = [&] {
    if (!told.empty()) apply(desk_.on_deliveries(std::exchange(told, {}), wall_ns()));
  };
  for (const store::OutboxRow& row : rows) {
    if (row.incident.empty() || is_trial(row)) continue;
    told.push_back({row.incident, row.contact, row.notifier, row.id, detail, incident::Delivery::What::delivered});
    if (told.size() == told_at_once) note();
  }
  note();
}

/// One that takes a message says nothing of an address that refuses, nor of what has waited for long at another. Of what was wrong
/// before the start is known only that it was, so there the first message that is taken ends it.
void Response::end_sink_trouble(const std::string& notifier, const std::string& why) {
  const auto found = sink_faults_.find(notifier);
  if (found == sink_faults_.end() || found->second.stalled || !found->second.refused.empty()) return;
  sink_faults_.erase(found);
  on_own_trouble(std::string(sink_trouble_prefix) + notifier, config::Level::none, why);
}

void Response::on_sink_trouble(const notify::SinkTrouble& trouble, const store::OutboxRow& row) {
  using What = notify::SinkTrouble::What;
  const bool is_over = trouble.what == What::dead_letter || trouble.what == What::given_up;  // for that message
  if (is_over && row.id.starts_with(test_prefix)) return;                                    // who asked sees it
  const std::string name = std::string(sink_trouble_prefix) + trouble.notifier;
  SinkFault& fault = sink_faults_[trouble.notifier];
  if (!is_over) fault.stalled = trouble.what == What::stalled;
  if (trouble.what == What::dead_letter && fault.refused.size() < most_refused) fault.refused.insert(row.to);
  if (trouble.what == What::flowing) {
    const std::string well = "notifier " + trouble.notifier + " takes messages again";
    ports_.log(RONDA_LOG_INFO, well);
    return end_sink_trouble(trouble.notifier, well);
  }
  const std::string text =
      "notifier " + trouble.notifier + (trouble.what == What::dead_letter ? " refuses a message for good" : " takes no message");
  ports_.log(RONDA_LOG_ERROR, text + ": " + trouble.detail);
  // alerts and titles are for everybody, also for what other notifiers lead to; a notifier's words are for those who operate
  const std::string where = is_over ? "ronda notify retry" : "ronda explain " + trouble.notifier;
  on_own_trouble(name, config::Level::p2, text + "; " + where + " says why");
}

void Response::on_durability(bool durable, const std::string& reason) {
  if (!reason.empty()) ports_.log(durable ? RONDA_LOG_INFO : RONDA_LOG_ERROR, reason);
  durable ? note_store() : on_own_trouble(store_trouble, config::Level::p2, reason);
}

void Response::wake_at(std::int64_t at_ns) {
  if (stopping_ || at_ns == 0) return;
  wait_until(courier_timer_, at_ns, wall_ns(), [this] { courier_.tick(); });
}

}  // namespace ronda::response
