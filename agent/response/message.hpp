// SPDX-License-Identifier: Apache-2.0
// From an incident and what is due of it to envelopes: who hears it, and the values that the words are made of. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "incident/alert_names.hpp"
#include "incident/incident.hpp"
#include "incident/notice.hpp"
#include "incident/route.hpp"
#include "notify/route.hpp"
#include "response/plan.hpp"
#include "store/decision.hpp"

namespace ronda::response {

/// The service of incidents about the agent itself.
inline constexpr std::string_view own_service = "ronda";
/// Of their alerts, which no rule makes.
using incident::own_prefix;

store::IncidentEvent row_of(const incident::Event& event);

/// By contact: notifiers.
using Ways = std::map<std::string, std::set<std::string, std::less<>>, std::less<>>;

/// The people of a plan as notify asks for them, at one instant.
class Directory final : public notify::People {
 public:
  /// `incident`: that the message is about; null: none that anybody could take. `heard_by`: by what its contacts have heard of it, and
  /// are to hear this one too, whatever its level is by now; null: as their levels say.
  Directory(const Plan& plan, std::int64_t at_ns, const incident::Incident* incident = nullptr, const Ways* heard_by = nullptr)
      : plan_(plan), at_ns_(at_ns), incident_(incident), heard_by_(heard_by) {}
  std::vector<notify::Channel> channels(std::string_view contact, config::Level level) const override;
  bool is_usable(std::string_view notifier) const override;
  notify::Markup markup(std::string_view notifier) const override;
  notify::Language language(std::string_view contact) const override;
  bool is_shared(std::string_view contact, const notify::Channel& channel) const override;
  notify::Fields personal(std::string_view contact, const notify::Channel& channel) const override;
  std::vector<std::string> last_resort() const override;
  std::vector<std::string> usable() const override;
  std::vector<notify::Channel> everybody(std::string_view notifier, config::Level level) const override;
  /// Of `heard_by`, those that can be used; none: they do not lead there any more.
  std::vector<notify::Channel> heard_channels(std::string_view contact, config::Level level) const;

 private:
  notify::Channel channel_of(const people::Contact& contact, const people::Channel& channel, config::Level level) const;

  const Plan& plan_;
  const std::int64_t at_ns_;
  const incident::Incident* incident_;
  const Ways* heard_by_;
};

/// The values of an incident that templates may name.
notify::Fields fields_of(const Plan& plan, const incident::Incident& incident, std::int64_t now_ns);

/// Whether messages went where the configuration says.
enum class Way : std::uint8_t {
  unknown,  // there were none, or nobody is configured for them
  as_said,
  last_resort,  // none of those who are to hear it can be reached
  nobody,       // nor anybody else
};

struct Told {
  std::vector<store::OutboxRow> rows;
  Way way = Way::unknown;             // the worst of all
  std::vector<std::string> troubles;  // for people
  std::set<std::string, std::less<>> contacts;
  std::set<std::string, std::less<>> last_resorts;  // notifiers, where no contact is named
};
/// Steps of the escalation that are due together, and the engine's calls that go the same way: one message.
Told tell_by_escalation(const Plan& plan, const incident::Incident& incident, const std::vector<escalation::Due>& due,
                        const std::vector<incident::Notice>& notices, std::int64_t now_ns, const escalation::Overrides& overrides = {});
/// What is no call: updates, ends and reminders, to those who were told before; not once more to whom `already` tells. A reminder
/// that names nobody goes to those whom the escalation called last.
Told tell_along(const Plan& plan, const incident::Incident& incident, const std::vector<incident::Notice>& notices, const Told& already,
                std::int64_t now_ns, const escalation::Overrides& overrides = {});
/// What takes the place of a message that failed for good, as what became of the others of it wants.
std::vector<store::OutboxRow> fallbacks_of(const Plan& plan, const store::OutboxRow& failed, const std::vector<store::OutboxRow>& others,
                                           std::int64_t now_ns);

}  // namespace ronda::response
