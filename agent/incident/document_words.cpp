// SPDX-License-Identifier: Apache-2.0
#include "incident/document_words.hpp"

namespace ronda::incident {
namespace {

constexpr Words english = {
    .severity = "Severity",
    .system = "System",
    .service = "Service",
    .cause = "Cause",
    .status = "Status",
    .detected = "Detected",
    .answered = "Taken",
    .answered_late = "later than wanted",
    .not_answered = "by no named person",
    .mitigated = "Mitigated",
    .resolved = "Resolved",
    .duration = "Duration",
    .hidden = "Of that hidden by silences and windows",
    .timeline = "Timeline",
    .time = "Time",
    .author = "By",
    .what = "What",
    .told = "Who was told",
    .contact = "Contact",
    .channel = "Channel",
    .outcome = "Outcome",
    .nobody_told = "Nobody was told.",
    .diagnosis = "Diagnosis",
    .war_room = "War room",
    .roles = "Roles",
    .alerts = "Alerts",
    .not_written = "not written yet",
    .sent = "sent",
    .delivered = "delivered",
    .accepted = "accepted",
    .accepted_for = "accepted for {subject} by {channel}",
    .failed = "failed",
    .last_resort = "the last resort",
    .still_open = "still open",
    .agent = "Ronda",
    .owed_until = "answer owed until ",
    .owed_never = "no answer is promised",
    .waits = "alert {alert} waits",
    .cut = "and {n} more events",
    .parts = {"Resolution summary", "Impact summary", "Root cause", "Action items", "Customer communication", "Next steps"},
    .stages = {"open", "acknowledged", "mitigating", "resolved", "closed"},
};

constexpr Words spanish = {
    .severity = "Severidad",
    .system = "Sistema",
    .service = "Servicio",
    .cause = "Causa",
    .status = "Estado",
    .detected = "Detectado",
    .answered = "Atendido",
    .answered_late = "más tarde de lo debido",
    .not_answered = "por ninguna persona identificada",
    .mitigated = "Mitigado",
    .resolved = "Resuelto",
    .duration = "Duración",
    .hidden = "De ello, oculto por silencios y ventanas",
    .timeline = "Cronología",
    .time = "Hora",
    .author = "Por",
    .what = "Qué",
    .told = "A quién se avisó",
    .contact = "Contacto",
    .channel = "Canal",
    .outcome = "Resultado",
    .nobody_told = "No se avisó a nadie.",
    .diagnosis = "Diagnóstico",
    .war_room = "Sala de crisis",
    .roles = "Funciones",
    .alerts = "Alertas",
    .not_written = "sin escribir aún",
    .sent = "enviado",
    .delivered = "entregado",
    .accepted = "aceptado",
    .accepted_for = "aceptado para {subject} por {channel}",
    .failed = "falló",
    .last_resort = "el último recurso",
    .still_open = "sigue abierto",
    .agent = "Ronda",
    .owed_until = "respuesta prometida hasta ",
    .owed_never = "sin plazo de respuesta",
    .waits = "la alerta {alert} espera",
    .cut = "y {n} eventos más",
    .parts = {"Resumen de la resolución", "Resumen del impacto", "Causa raíz", "Acciones pendientes", "Comunicación a clientes",
              "Próximos pasos"},
    .stages = {"abierto", "atendido", "en mitigación", "resuelto", "cerrado"},
};

struct Phrase {
  Kind kind;
  std::string_view en, es;
};

constexpr std::array phrases = {
    Phrase{Kind::other, "{subject}", "{subject}"},
    Phrase{Kind::opened, "opened at {level}", "abierto en {level}"},
    Phrase{Kind::alert_joined, "alert {alert} fires at {level}", "la alerta {alert} se dispara en {level}"},
    Phrase{Kind::alert_changed, "alert {alert} is at {level}", "la alerta {alert} está en {level}"},
    Phrase{Kind::alert_left, "alert {alert} has ended", "la alerta {alert} ha terminado"},
    Phrase{Kind::raised, "raised to {level}", "elevado a {level}"},
    Phrase{Kind::lowered, "lowered to {level}", "rebajado a {level}"},
    Phrase{Kind::acked, "taken by {who}", "{who} se hace cargo"},
    Phrase{Kind::ack_reminded, "asked whether it is still taken", "se pregunta si alguien sigue a cargo"},
    Phrase{Kind::ack_expired, "no longer taken: the acknowledgement has expired", "ya sin responsable: el acuse caducó"},
    Phrase{Kind::unacked, "given back", "devuelto"},
    Phrase{Kind::note, "note", "nota"},
    Phrase{Kind::impact, "impact on {subject}", "impacto en {subject}"},
    Phrase{Kind::update, "update", "novedad"},
    Phrase{Kind::update_overdue, "the next update is overdue", "la próxima novedad está atrasada"},
    Phrase{Kind::response_overdue, "the time to respond is over", "venció el plazo de respuesta"},
    Phrase{Kind::role, "{subject} is {role}", "{subject} asume como {role}"},
    Phrase{Kind::mitigated, "being mitigated", "en mitigación"},
    Phrase{Kind::resolved, "resolved", "resuelto"},
    Phrase{Kind::reopened, "opened again at {level}", "reabierto en {level}"},
    Phrase{Kind::flapping, "it comes and goes: calls pause", "va y viene: se pausan los avisos"},
    Phrase{Kind::settled, "it does not come and go any more", "ya no va y viene"},
    Phrase{Kind::closed, "closed", "cerrado"},
    Phrase{Kind::notice_sent, "message to {subject} through {channel}", "mensaje a {subject} por {channel}"},
    Phrase{Kind::notice_delivered, "delivered to {subject} through {channel}", "entregado a {subject} por {channel}"},
    Phrase{Kind::notice_failed, "not delivered to {subject} through {channel}", "no entregado a {subject} por {channel}"},
    Phrase{Kind::notice_owed, "to be told ({subject})", "por avisar ({subject})"},
    Phrase{Kind::diagnosis, "diagnosis {subject}", "diagnóstico {subject}"},
    Phrase{Kind::suppressed, "hidden by {subject}", "oculto por {subject}"},
    Phrase{Kind::unsuppressed, "no longer hidden by {subject}", "ya no oculto por {subject}"},
    Phrase{Kind::reviewed, "reviewed", "revisado"},
    Phrase{Kind::ticket, "ticket opened at {subject}, {channel}; {owed}", "ticket abierto en {subject}, {channel}; {owed}"},
    Phrase{Kind::ticket_answered, "{subject} has answered", "{subject} respondió"},
    Phrase{Kind::ticket_overdue, "the answer of {subject} is overdue", "la respuesta de {subject} está atrasada"},
    Phrase{Kind::refused, "{subject} by {who} was refused", "se rechazó {subject} de {who}"},
    Phrase{Kind::clock_set, "the clock of the host was set {text}: what is above is dated by the one before",
           "se ajustó el reloj del equipo, y lo de arriba es según el de antes"},
};
static_assert(phrases.size() == static_cast<std::size_t>(Kind::clock_set) + 1);

}  // namespace

const Words& words(Language language) {
  return language == Language::es ? spanish : english;
}

std::string_view phrase(Kind kind, Language language) {
  const Phrase& found = phrases[static_cast<std::size_t>(kind)];
  return language == Language::es ? found.es : found.en;
}

}  // namespace ronda::incident
