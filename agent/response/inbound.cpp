// SPDX-License-Identifier: Apache-2.0
#include "response/inbound.hpp"

#include <algorithm>

#include "response/desk.hpp"
#include "response/response.hpp"

namespace ronda::response {
namespace {

rule::Change change_of(const InboundAlert& alert, config::Level from, std::int64_t now_ns) {
  rule::Change change;
  change.alert = alert.name;
  change.check = alert.check;
  change.service = alert.service;
  change.from = from;
  change.to = alert.level;
  change.what = alert.level == config::Level::none ? rule::Change::What::resolved
                : from == config::Level::none      ? rule::Change::What::fired
                                                   : rule::Change::What::level_changed;
  change.at_ns = change.since_ns = now_ns;
  change.reason = alert.reason;
  return change;
}

}  // namespace

std::string_view sender_of(std::string_view inbound_alert) {
  inbound_alert.remove_prefix(inbound_prefix.size());
  return inbound_alert.substr(0, inbound_alert.find('/'));
}

bool is_kept_inbound(const Plan& plan, std::string_view alert) {
  if (!alert.starts_with(inbound_prefix)) return false;
  const std::string_view sender = sender_of(alert);
  return sender.starts_with("unix:") || std::ranges::binary_search(plan.tokens, sender, std::less<>());
}

void Desk::count_inbound() {
  inbound_count_ = 0;
  for (auto at = alerts_.lower_bound(inbound_prefix); at != alerts_.end() && at->first.starts_with(inbound_prefix); ++at) ++inbound_count_;
}

Output Desk::on_inbound(const InboundBatch& batch, std::int64_t now_ns) {
  Output out;
  for (const InboundAlert& alert : batch.alerts) {
    const bool is_known = alerts_.contains(alert.name);
    alert.level == config::Level::none ? note_over(alert.name) : void(over_.erase(alert.name));
    if (!is_known && (alert.level == config::Level::none || inbound_count_ >= most_inbound)) continue;
    Held& held = alerts_[alert.name];
    if (!is_known) ++inbound_count_;
    rule::Change change = change_of(alert, held.state.level, now_ns);
    change.source = batch.source;
    change.author = batch.author;
    if (change.from != change.to) held.state.level_since_ns = now_ns;
    if (change.from == config::Level::none) held.state.started_ns = now_ns;
    held.state.level = alert.level;
    held.state.reason = alert.reason;
    held.state.next_ns = alert.until_ns;
    // a time that has passed is due now: one that lies back would look as if nobody had watched since then
    alert_alarms_.set(alert.name, alert.until_ns == 0 ? 0 : std::max(alert.until_ns, now_ns));
    if (alert.level != config::Level::none)
      write_alert(alert.name, held, out, now_ns);
    else
      forget_inbound(alert.name, out, now_ns);
    if (change.from != change.to) feed(change, out, now_ns);
  }
  settle(out, now_ns);
  return out;
}

void Desk::forget_inbound(const std::string& name, Output& out, std::int64_t now_ns) {
  out.decision.alerts.push_back({name, alerts_[name].next_row_ns(now_ns), std::nullopt});
  alert_alarms_.clear(name);
  inbound_count_ -= alerts_.erase(name);
}

/// Its sender said nothing more of it in time: it may have ended while no word of that came through.
void Desk::end_silent(const std::string& name, Output& out, std::int64_t now_ns) {
  alert_alarms_.clear(name);
  const auto held = alerts_.find(name);
  if (held == alerts_.end() || !name.starts_with(inbound_prefix) || held->second.state.next_ns > now_ns) return;
  InboundAlert over;
  over.name = name;
  over.reason = "its sender has not said it again in time";
  const rule::Change change = change_of(over, held->second.state.level, now_ns);
  note_over(name);
  forget_inbound(name, out, now_ns);
  feed(change, out, now_ns);
}

void Response::inbound(InboundBatch batch, std::function<void(const incident::Reply&)> reply) {
  if (!begun_) return waiting_.push_back([this, batch = std::move(batch), reply = std::move(reply)] { inbound(batch, reply); });
  const std::int64_t now = wall_ns(), ahead = now - ports_.wall_ns();
  for (InboundAlert& alert : batch.alerts) {
    if (alert.until_ns != 0) alert.until_ns += ahead;
  }
  apply(desk_.on_inbound(batch, now), std::move(reply));
}

}  // namespace ronda::response
