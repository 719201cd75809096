// SPDX-License-Identifier: Apache-2.0
#include "response/upkeep.hpp"

#include <algorithm>

#include "base/siphash.hpp"
#include "base/units.hpp"
#include "response/words.hpp"

namespace ronda::response {
namespace {

using What = incident::WindowNotice::What;

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

std::string lines_of(const std::vector<incident::Firing>& firing) {
  std::string out;
  for (const incident::Firing& one : firing) {
    out += (out.empty() ? "" : "\n") + std::string(config::level_name(one.level)) + " " + one.name();
    if (!one.incident.empty()) out += " (" + one.incident + ")";
  }
  return out;
}

/// Whom the first step of the highest ladder calls.
void add_first_called(const escalation::Policy& policy, std::vector<std::string>& out) {
  for (const config::Level level : people::all_levels) {
    bool any = false;
    for (const escalation::Escalation& one : policy.escalations) {
      const escalation::Ladder* ladder = one.at(level);
      if (ladder == nullptr || ladder->steps.empty() || ladder->steps.front().business) continue;
      for (const std::string& target : ladder->steps.front().targets) {
        if (target == escalation::last_resort_target) continue;
        out.push_back(target);
        any = true;
      }
    }
    if (any) return;
  }
}

std::vector<std::string> first_called(const Plan& plan, const std::vector<std::string>& services) {
  std::vector<std::string> out;
  for (const std::string& service : services) add_first_called(plan.policies.of(service), out);
  if (out.empty()) add_first_called(plan.policies.general, out);
  return out;
}

std::string left_text(std::int64_t until_ns, std::int64_t now_ns) {
  return format_duration(std::chrono::floor<std::chrono::seconds>(Nanos(std::max<std::int64_t>(until_ns - now_ns, 0))));
}

/// The name with what has become of it.
Said window_text(const incident::WindowNotice& notice) {
  const std::string name = notice.title.empty() || notice.owner ? notice.window : notice.title;
  if (notice.what == What::begins) return {name + " (begins)", name + " (empieza)"};
  if (notice.what == What::over) return {name + " (over)", name + " (terminado)"};
  return name;
}

Said title_of(const incident::WindowNotice& notice, std::int64_t now_ns) {
  const Said whose(notice.owner ? "maintenance " + notice.window : "window " + notice.window,
                   notice.owner ? "el mantenimiento " + notice.window : "la ventana " + notice.window);
  if (notice.what == What::hides_p1) {
    const incident::Firing& one = notice.firing.front();
    return {whose.en + " hides a P1: " + one.name() + " in " + one.incident,
            whose.es + " oculta un P1: " + one.name() + " en " + one.incident};
  }
  const std::string left = left_text(notice.when.end_ns, now_ns);
  return {whose.en + " ends in " + left, whose.es + " termina en " + left};
}

Said title_of(const incident::SilenceNews& news, std::int64_t now_ns) {
  using Of = incident::SilenceNews::What;
  const Said whose("silence " + news.id + " (" + news.covers + ")", "el silencio " + news.id + " (" + news.covers + ")");
  switch (news.what) {
    case Of::hides_p1:
      return {whose.en + " hides a P1", whose.es + " oculta un P1"};
    case Of::ended:
      return {whose.en + " has ended, and what it hid still fails", whose.es + " ha terminado, y lo que ocultaba sigue fallando"};
    case Of::ends_soon:
      break;
  }
  const std::string left = left_text(news.until_ns, now_ns);
  return {whose.en + " ends in " + left, whose.es + " termina en " + left};
}

/// All channels of a contact, as if each were the only one.
class EveryWay final : public notify::People {
 public:
  EveryWay(const Plan& plan, std::int64_t at_ns) : plan_(plan), directory_(plan, at_ns) {}
  std::vector<notify::Channel> channels(std::string_view contact, config::Level level) const override {
    std::vector<notify::Channel> out;
    const people::Contact* found = plan_.people.find_contact(contact);
    if (found == nullptr) return out;
    for (const people::Channel& one : found->channels) {
      if (level == config::Level::none || one.levels.has(level)) out.push_back({one.notifier, one.to, false, 0});
    }
    return out;
  }
  bool is_usable(std::string_view notifier) const override { return directory_.is_usable(notifier); }
  notify::Markup markup(std::string_view notifier) const override { return directory_.markup(notifier); }
  notify::Language language(std::string_view contact) const override { return directory_.language(contact); }
  std::vector<std::string> last_resort() const override { return {}; }
  std::vector<std::string> usable() const override { return {}; }
  std::vector<notify::Channel> everybody(std::string_view, config::Level) const override { return {}; }

 private:
  const Plan& plan_;
  Directory directory_;
};

void add_routed(const notify::Message& message, const notify::People& people, const Plan& plan, Told& out) {
  notify::Routed routed = notify::route(message, people, plan.templates);
  for (const notify::RouteTrouble& trouble : routed.troubles) {
    if (trouble.what == notify::RouteTrouble::What::no_channel)
      out.troubles.push_back(message.key + ": " + trouble.contact + " has no channel that can be used");
  }
  out.contacts.insert(message.contacts.begin(), message.contacts.end());
  std::ranges::move(routed.rows, std::back_inserter(out.rows));
}

}  // namespace

bool is_trial(const store::OutboxRow& row) {
  return row.id.starts_with(test_prefix) || row.id.starts_with(drill_prefix);
}

escalation::Overrides overrides_of(const incident::UpkeepBook& book) {
  escalation::Overrides out;
  for (const incident::OnCallOverride& one : book.overrides) {
    const std::int64_t until = one.ended_ns == 0 ? one.until_ns : one.ended_ns;
    if (until > one.from_ns) out[one.rota].push_back({{one.from_ns, until}, one.contact, one.reason});
  }
  return out;
}

std::vector<std::string> contacts_of(const Plan& plan, const std::vector<std::string>& targets, const escalation::Overrides& overrides,
                                     std::int64_t at_ns) {
  std::vector<std::string> out;
  const auto add = [&](const std::string& name) {
    if (std::ranges::find(out, name) == out.end()) out.push_back(name);
  };
  for (const std::string& target : targets) {
    const people::Members members = plan.people.members_of(target);
    for (const std::string& name : members.contacts) add(name);
    for (const std::string& name : members.oncalls) {
      const people::Rota* rota = plan.people.find_oncall(name);
      if (rota == nullptr) continue;
      const auto more = overrides.find(name);
      const std::span<const people::Override> said = more == overrides.end() ? std::span<const people::Override>() : more->second;
      for (const people::Shift& shift : people::on_call(*rota, at_ns, said)) add(shift.contact);
    }
  }
  return out;
}

Told tell_window(const Plan& plan, const incident::WindowNotice& notice, const escalation::Overrides& overrides, std::int64_t now_ns) {
  Told out;
  const bool is_expiry = notice.what == What::ends_soon || notice.what == What::hides_p1;
  notify::Message message;
  if (is_expiry && notice.owner && notice.owner->is_named()) message.contacts = {notice.owner->name};
  std::vector<std::string> targets = notice.targets.empty() ? first_called(plan, notice.coverage.services) : notice.targets;
  if (is_expiry && !notice.keeper.empty()) targets.insert(targets.begin(), notice.keeper);
  if (message.contacts.empty()) message.contacts = contacts_of(plan, targets, overrides, now_ns);
  // an announcement that nobody waits for is no reason to wake the last resort, a P1 that nobody hears of is
  if (message.contacts.empty() && notice.what != What::hides_p1) return out;
  message.key = notice.key;
  message.group = "window/" + notice.window;
  message.topic = is_expiry ? notify::Topic::expiry : notify::Topic::window;
  message.level = notice.what == What::hides_p1 ? config::Level::p1 : config::Level::p3;
  const std::string broken = lines_of(notice.firing);
  message.fields = {{"starts", time_text(plan, notice.when.begin_ns)},
                    {"ends", time_text(plan, notice.when.end_ns)},
                    {"expires", notice.what == What::ends_soon ? time_text(plan, notice.when.end_ns) : ""},
                    {"service", joined(notice.coverage.services)},
                    {"owner", notice.owner ? notice.owner->name : notice.keeper},
                    {"reason", notice.owner ? notice.title : notice.reason},
                    {"host", plan.settings.host}};
  message.said = {{"window", window_text(notice)}, {"title", is_expiry ? title_of(notice, now_ns) : window_text(notice)}};
  if (!broken.empty()) message.fields.emplace_back(is_expiry ? "hides" : "still_broken", broken);
  add_routed(message, Directory(plan, now_ns), plan, out);
  return out;
}

Told tell_silence(const Plan& plan, const incident::Notice& notice, const escalation::Overrides& overrides, std::int64_t now_ns) {
  Told out;
  if (!notice.silence) return out;
  const incident::SilenceNews& news = *notice.silence;
  notify::Message message;
  for (const std::string& owner : notice.contacts) {
    if (plan.people.find_contact(owner) != nullptr) message.contacts.push_back(owner);
  }
  if (message.contacts.empty()) message.contacts = contacts_of(plan, first_called(plan, news.services), overrides, now_ns);
  if (message.contacts.empty() && notice.level != config::Level::p1) return out;
  message.key = "notice/" + std::to_string(notice.at_ns) + "/" + to_hex(siphash128(notice.event + '\0' + notice.reason)).substr(0, 16);
  message.group = "silence/" + news.id;
  message.topic = notify::Topic::expiry;
  message.level = notice.level;
  std::string hides;
  for (const std::string& line : news.hides) hides += (hides.empty() ? "" : "\n") + line;
  const std::string until = time_text(plan, news.until_ns);
  message.fields = {{"ends", until},
                    {"expires", news.what == incident::SilenceNews::What::ends_soon ? until : ""},
                    {"owner", news.owner},
                    {"reason", news.reason},
                    {"hides", hides},
                    {"service", joined(news.services)},
                    {"host", plan.settings.host}};
  message.said = {{"title", title_of(news, now_ns)}};
  add_routed(message, Directory(plan, now_ns), plan, out);
  return out;
}

Told tell_trial(const Plan& plan, const std::vector<std::string>& contacts, const std::string& key, config::Level level,
                const incident::Author& author, std::int64_t now_ns) {
  Told out;
  const EveryWay people(plan, now_ns);
  for (const std::string& contact : contacts) {
    notify::Message message;
    message.key = key;
    message.group = key;  // a message of its own: merged with others it would prove nothing
    message.topic = notify::Topic::test;
    message.level = level;
    message.contacts = {contact};
    message.drill = key.starts_with(drill_prefix);
    const people::Contact* found = plan.people.find_contact(contact);
    message.fields = {{"contact", found == nullptr ? contact : found->title},
                      {"author", author.kind == incident::Author::Kind::agent ? "ronda" : author.name},
                      {"host", plan.settings.host},
                      {"system", plan.settings.host},
                      {"title", "test"},
                      {"time", time_text(plan, now_ns)}};
    Told one;
    add_routed(message, people, plan, one);
    // an address that several share hears it once
    std::erase_if(one.rows, [&](const store::OutboxRow& row) {
      const auto same = std::ranges::find(out.rows, row.id, &store::OutboxRow::id);
      if (same == out.rows.end()) return false;
      same->contact += "," + row.contact;
      return true;
    });
    std::ranges::move(one.rows, std::back_inserter(out.rows));
    std::ranges::move(one.troubles, std::back_inserter(out.troubles));
    out.contacts.insert(contact);
  }
  return out;
}

bool is_upkeep(std::string_view row_id) {
  return row_id == drill_row_id || incident::is_upkeep_row(row_id);
}

Status restore_upkeep(const store::SilenceRow& row, incident::UpkeepBook& book, std::int64_t& drilled_ns) {
  if (row.id != drill_row_id) return incident::restore_row(book, row.id, row.data.value_or(""));
  drilled_ns = row.until;
  return done();
}

}  // namespace ronda::response
