// SPDX-License-Identifier: Apache-2.0
// Help of vendors: that it was asked for, how long its answer may take, that it came. Asking is people's business.
#include <algorithm>

#include "base/text.hpp"
#include "incident/engine_step.hpp"

namespace ronda::incident {

void Stepper::open_ticket(Incident& incident, const Command& command) {
  if (command.subject.empty()) return refuse(Errc::invalid, "say at which vendor the ticket was opened");
  Event event = make(Kind::ticket, command);
  event.subject = command.subject;
  event.channel = command.vendor_level;
  if (command.for_ns > 0) event.until_ns = now_ + command.for_ns;
  emit(incident.id, std::move(event));
  reply(incident, "noted: a ticket at " + command.subject + (trim(command.text).empty() ? "" : ", " + command.text));
}

void Stepper::answer_ticket(Incident& incident, const Command& command) {
  const auto waits = [&](const Ticket& one) { return one.vendor == command.subject && one.waits(); };
  if (std::ranges::none_of(incident.tickets, waits))
    return refuse(Errc::exists, "no ticket at `" + repair_utf8(command.subject, 64) + "` waits for an answer");
  Event event = make(Kind::ticket_answered, command);
  event.subject = command.subject;
  emit(incident.id, std::move(event));
  reply(incident, "noted: " + command.subject + " has answered");
}

/// Whoever has the incident asks once more, or the vendor's next level; where nobody has it, who opened the ticket.
void Stepper::watch_tickets(Incident& incident) {
  std::map<std::string, Author> late;
  for (const Ticket& one : incident.tickets) {
    if (one.waits() && !one.overdue && one.owed_ns != 0 && one.owed_ns <= now_) late[one.vendor] = one.by;
  }
  for (const auto& [vendor, by] : late) {
    Event event = make(Kind::ticket_overdue);
    event.subject = vendor;
    emit(incident.id, std::move(event));
    const Said reason = {"the answer of " + vendor + " is overdue", "la respuesta de " + vendor + " está atrasada"};
    if (owner_of(incident).empty() && by.is_named())
      owe(incident, notice::reminder, false, reason, {by.name});
    else
      remind(incident, reason);
  }
}

}  // namespace ronda::incident
