// SPDX-License-Identifier: Apache-2.0
#include "incident/route.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace ronda::escalation {
namespace {

using people::Channel;
using people::Contact;
using people::People;

class Router {
 public:
  Router(const People& people, const Policy& policy, Level level, std::int64_t at_ns, const Overrides& overrides)
      : people_(people), policy_(policy), level_(level), at_ns_(at_ns), overrides_(overrides) {}

  Reach run(std::span<const Due> due);

 private:
  bool tell_step(const Due& due);
  bool tell_next_steps(const Due& due);
  bool tell_target(const std::string& target, bool business);
  bool tell_rota(const std::string& rota, const std::string& target, bool business);
  bool tell(const std::string& name, std::string via, bool business);
  void add_address(const Contact& contact, const Channel& channel, std::vector<Address>& out) const;
  void miss(std::string what) {
    if (std::ranges::find(out_.missed, what) == out_.missed.end()) out_.missed.push_back(std::move(what));
  }

  const People& people_;
  const Policy& policy_;
  Level level_;
  std::int64_t at_ns_;
  const Overrides& overrides_;
  Reach out_;
};

void Router::add_address(const Contact& contact, const Channel& channel, std::vector<Address>& out) const {
  const auto& quiet = channel.quiet ? channel.quiet : contact.quiet;
  Address address{channel.notifier, channel.to, channel.shown, quiet ? people::held_until(*quiet, level_, at_ns_) : std::nullopt, false};
  const auto has_it = [&](const Recipient& one) { return std::ranges::find(one.addresses, address) != one.addresses.end(); };
  address.repeated = std::ranges::any_of(out_.recipients, has_it);
  out.push_back(std::move(address));
}

/// Whether that person hears of it, by this or already.
bool Router::tell(const std::string& name, std::string via, bool business) {
  const Contact* contact = people_.find_contact(name);
  if (contact == nullptr) return false;  // wrong, which was told when the configuration was loaded
  const auto known = std::ranges::find(out_.recipients, name, &Recipient::contact);
  if (known != out_.recipients.end()) {
    known->business = known->business && business;
    return true;
  }
  Recipient recipient{name, std::move(via), {}, {}, business};
  for (const Channel& channel : contact->channels) {
    const bool fits = channel.levels.has(level_) && std::ranges::binary_search(people_.notifiers, channel.notifier);
    if (fits) add_address(*contact, channel, channel.fallback ? recipient.fallback : recipient.addresses);
  }
  if (recipient.addresses.empty()) std::swap(recipient.addresses, recipient.fallback);  // there is nothing that it could stand in for
  if (recipient.addresses.empty()) {
    miss(name + ": no channel for " + std::string(config::level_name(level_)));
    return false;
  }
  out_.recipients.push_back(std::move(recipient));
  return true;
}

bool Router::tell_rota(const std::string& name, const std::string& target, bool business) {
  const people::Rota* rota = people_.find_oncall(name);
  const auto more = overrides_.find(name);
  const auto shifts = people::on_call(*rota, at_ns_, more == overrides_.end() ? std::span<const people::Override>() : more->second);
  if (shifts.empty()) miss("oncall " + name + ": nobody is on call");
  bool any = false;
  const std::string via = target == name ? "on call by " + name : target + ", on call by " + name;
  for (const people::Shift& one : shifts)
    any = tell(one.contact, one.source == people::Shift::Source::override_ ? via + " [override]" : via, business) || any;
  return any;
}

bool Router::tell_target(const std::string& target, bool business) {
  const people::Members members = people_.members_of(target);
  if (members.empty()) miss(target + ": there is nobody");
  bool any = false;
  for (const std::string& name : members.contacts) any = tell(name, target == name ? std::string() : target, business) || any;
  for (const std::string& name : members.oncalls) any = tell_rota(name, target, business) || any;
  return any;
}

bool Router::tell_step(const Due& due) {
  bool any = false;
  for (const std::string& target : due.targets) {
    if (target != last_resort_target) any = tell_target(target, due.business) || any;
  }
  return any;
}

bool Router::tell_next_steps(const Due& due) {
  const auto escalation = std::ranges::find(policy_.escalations, due.escalation, &Escalation::name);
  const Ladder* ladder = escalation == policy_.escalations.end() ? nullptr : escalation->at(due.level);
  if (ladder == nullptr || due.business) return false;
  for (std::size_t i = due.step + 1; i < ladder->steps.size(); ++i) {
    if (ladder->steps[i].business) continue;
    bool any = false;
    for (const std::string& target : ladder->steps[i].targets) any = tell_target(target, false) || any;
    if (any) return true;
  }
  bool any = false;
  for (const std::string& target : due.step < ladder->steps.size() ? ladder->owner : std::vector<std::string>())
    any = tell_target(target, false) || any;
  return any;
}

Reach Router::run(std::span<const Due> due) {
  for (const Due& one : due) {
    if (!tell_step(one) && tell_next_steps(one)) out_.how = How::next_step;
  }
  // a notice to those who decide is no substitute for a page to those who work on it
  const bool wants_page = std::ranges::any_of(due, [](const Due& one) { return !one.business; });
  const bool has_page = std::ranges::any_of(out_.recipients, [](const Recipient& one) { return !one.business; });
  if (has_page || (!wants_page && !out_.recipients.empty())) return std::move(out_);
  Reach last = last_resort(people_, level_);
  out_.how = last.how;
  out_.broadcast = std::move(last.broadcast);
  return std::move(out_);
}

/// All that contacts have on that notifier, of the channels that `fits` says; each address once.
template <class Fits>
void add_addresses(const People& people, std::string_view notifier, Fits fits, std::vector<Address>& out) {
  std::set<std::string_view> seen;
  for (const Contact& contact : people.contacts) {
    for (const Channel& channel : contact.channels) {
      if (channel.notifier == notifier && fits(channel) && seen.insert(channel.to).second)
        out.push_back({channel.notifier, channel.to, channel.shown, {}, false});
    }
  }
}

}  // namespace

std::string_view how_name(How how) {
  constexpr std::array<std::string_view, 6> names = {"people", "next-step", "last-resort", "every-notifier", "nobody-named", "nowhere"};
  return names[static_cast<std::size_t>(how)];
}

Reach route(const people::People& people, const Policy& policy, Level level, std::span<const Due> due, std::int64_t at_ns,
            const Overrides& overrides) {
  return Router(people, policy, level, at_ns, overrides).run(due);
}

Reach last_resort(const people::People& people, Level level) {
  Reach out;
  const bool is_named = !people.last_resort.empty();
  out.how = is_named ? How::last_resort : level == Level::p4 ? How::unnamed : people.notifiers.empty() ? How::nowhere : How::every_notifier;
  if (out.how == How::unnamed) return out;
  for (const std::string& notifier : is_named ? people.last_resort : people.notifiers)
    std::ranges::move(addresses_on(people, notifier, level), std::back_inserter(out.broadcast));
  return out;
}

std::vector<Address> addresses_on(const people::People& people, std::string_view notifier, Level level) {
  std::vector<Address> out;
  add_addresses(
      people, notifier, [&](const Channel& channel) { return channel.levels.has(level); }, out);
  if (out.empty()) {
    add_addresses(
        people, notifier, [](const Channel&) { return true; }, out);
  }
  if (out.empty()) out.push_back({std::string(notifier), {}, {}, {}, false});
  return out;
}

}  // namespace ronda::escalation
