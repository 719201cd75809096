// SPDX-License-Identifier: Apache-2.0
#include "notify/words.hpp"

#include <array>

namespace ronda::notify {
namespace {

// What has happened stands first, as who reads it on a telephone sees no more.
#define RONDA_REASON "{{#reason}}{{reason}}\n\n{{/reason}}"

#define RONDA_TAKEN_EN "{{#taken}}Taken by {{owner}} since {{taken}}{{/taken}}{{^taken}}Not taken by anybody since {{untaken}}{{/taken}}"
#define RONDA_TAKEN_ES "{{#taken}}Lo tiene {{owner}} desde {{taken}}{{/taken}}{{^taken}}Nadie lo tiene desde {{untaken}}{{/taken}}"

#define RONDA_INCIDENT_EN                                                                      \
  "System: {{system}}\nTime: {{time}}\nSeverity: {{severity}}\nStatus: {{status}}\n\n"         \
  "Description:\n{{description}}{{^description}}not known yet{{/description}}\n\n"             \
  "Impact:\n{{impact}}{{^impact}}not known yet{{/impact}}\n\n"                                 \
  "Current Status:\n{{current_status}}{{^current_status}}not known yet{{/current_status}}\n\n" \
  "Next Update:\n{{next_update}}{{^next_update}}not announced{{/next_update}}\n\n"             \
  "War Room:\n{{war_room}}{{^war_room}}none{{/war_room}}\n\n"                                  \
  "Contact:\n{{contact}}{{^contact}}none{{/contact}}\n\n"                                      \
  "Incident: {{incident}}\n{{#ack}}Acknowledge: {{ack}}\n{{/ack}}"

#define RONDA_INCIDENT_ES                                                                             \
  "Sistema: {{system}}\nHora: {{time}}\nSeveridad: {{severity}}\nEstado: {{status}}\n\n"              \
  "Descripción:\n{{description}}{{^description}}aún no se conoce{{/description}}\n\n"               \
  "Impacto:\n{{impact}}{{^impact}}aún no se conoce{{/impact}}\n\n"                                   \
  "Situación actual:\n{{current_status}}{{^current_status}}aún no se conoce{{/current_status}}\n\n" \
  "Próxima actualización:\n{{next_update}}{{^next_update}}sin anunciar{{/next_update}}\n\n"         \
  "Sala de crisis:\n{{war_room}}{{^war_room}}ninguna{{/war_room}}\n\n"                                \
  "Contacto:\n{{contact}}{{^contact}}ninguno{{/contact}}\n\n"                                         \
  "Incidente: {{incident}}\n{{#ack}}Confirmar: {{ack}}\n{{/ack}}"

using PerTopic = std::array<Words, topic_count>;  // in the order of Topic

constexpr PerTopic english = {{
    {"🚨 INCIDENT ALERT - {{severity}}{{#title}}: {{title}}{{/title}}", RONDA_REASON RONDA_INCIDENT_EN,
     "{{severity}} {{system}}: {{title}} {{incident}}{{#reason}} {{reason}}{{/reason}}{{#ack_code}} ACK {{ack_code}}{{/ack_code}}"},
    {"🔔 INCIDENT UPDATE - {{severity}}{{#title}}: {{title}}{{/title}}", RONDA_REASON RONDA_INCIDENT_EN,
     "{{severity}} update {{system}}: {{title}} {{status}} {{incident}}{{#reason}} {{reason}}{{/reason}}"},
    {"✅ INCIDENT RESOLVED - {{severity}}{{#title}}: {{title}}{{/title}}",
     RONDA_REASON
     "System: {{system}}\nIncident ID: {{incident}}\nResolved: {{resolved}}\nTotal Duration: {{duration}}\n\n"
     "{{#pending}}To be written yet: {{pending}}. When that is done this text comes once more.\n\n"
     "{{#summary}}Resolution Summary:\n{{summary}}\n\n{{/summary}}"
     "{{#impact_summary}}Impact Summary:\n{{impact_summary}}\n\n{{/impact_summary}}"
     "{{#root_cause}}Root cause analysis: {{root_cause}}\n\n{{/root_cause}}"
     "{{#action_items}}Action items: {{action_items}}\n\n{{/action_items}}"
     "{{#customer_communication}}Customer communication: {{customer_communication}}\n\n{{/customer_communication}}"
     "{{#next_steps}}Next Steps:\n{{next_steps}}\n\n{{/next_steps}}{{/pending}}{{^pending}}"
     "Resolution Summary:\n{{summary}}{{^summary}}not written yet{{/summary}}\n\n"
     "Impact Summary:\n{{impact_summary}}{{^impact_summary}}not written yet{{/impact_summary}}\n\n"
     "Post-Incident:\n"
     "- Root cause analysis: {{root_cause}}{{^root_cause}}not written yet{{/root_cause}}\n"
     "- Action items: {{action_items}}{{^action_items}}not written yet{{/action_items}}\n"
     "- Customer communication: {{customer_communication}}{{^customer_communication}}not written yet{{/customer_communication}}\n\n"
     "Next Steps:\n{{next_steps}}{{^next_steps}}not written yet{{/next_steps}}\n{{/pending}}",
     "{{severity}} RESOLVED {{system}}: {{title}} after {{duration}} {{incident}}{{#reason}} {{reason}}{{/reason}}"},
    {"⏰ REMINDER - {{severity}}{{#title}}: {{title}}{{/title}}",
     "{{reason}}{{^reason}}" RONDA_TAKEN_EN
     "{{/reason}}\n\nSystem: {{system}}\nSeverity: {{severity}}\nStatus: {{status}}\nSince: {{since}}\n"
     "Owner: {{owner}}{{^owner}}nobody{{/owner}}\nNext Update: {{next_update}}{{^next_update}}not announced{{/next_update}}\n"
     "Incident: {{incident}}\n{{#ack}}Acknowledge: {{ack}}\n{{/ack}}",
     "{{severity}} reminder {{system}}: {{reason}}{{^reason}}" RONDA_TAKEN_EN
     "{{/reason}} {{incident}}{{#ack_code}} ACK {{ack_code}}{{/ack_code}}"},
    {"⬆ ESCALATION - {{severity}}{{#title}}: {{title}}{{/title}}",
     RONDA_TAKEN_EN "{{#step}}: {{step}}{{/step}}\n\n" RONDA_REASON RONDA_INCIDENT_EN,
     "{{severity}} escalated {{system}}: {{title}} {{incident}}{{#reason}} {{reason}}{{/reason}}{{#ack_code}} ACK {{ack_code}}{{/ack_code}}"},
    {"🛠 MAINTENANCE - {{window}}",
     "Window: {{window}}\nStarts: {{starts}}\nEnds: {{ends}}\n{{#service}}Services: {{service}}\n{{/service}}"
     "{{#owner}}Owner: {{owner}}\n{{/owner}}{{#reason}}Reason: {{reason}}\n{{/reason}}"
     "{{#still_broken}}Still broken:\n{{still_broken}}\n{{/still_broken}}",
     "Maintenance {{window}}: {{starts}} to {{ends}}"},
    {"⌛ {{#expires}}EXPIRES {{expires}} - {{/expires}}{{title}}",
     "{{title}}\n{{#expires}}Expires: {{expires}}\n{{/expires}}{{^expires}}{{#ends}}End: {{ends}}\n{{/ends}}{{/expires}}Owner: "
     "{{owner}}{{^owner}}nobody{{/owner}}\nReason: {{reason}}\n"
     "{{#hides}}It hides now:\n{{hides}}\n{{/hides}}",
     "{{#expires}}Expires {{expires}}: {{/expires}}{{title}}"},
    {"TEST - {{system}}",
     "This is a test of the way to {{contact}}, sent by {{author}} from {{host}} at {{time}}. Nothing is wrong and there is "
     "nothing to do.\n",
     "TEST {{system}} {{time}}: nothing is wrong"},
}};

constexpr PerTopic spanish = {{
    {"🚨 ALERTA DE INCIDENTE - {{severity}}{{#title}}: {{title}}{{/title}}", RONDA_REASON RONDA_INCIDENT_ES,
     "{{severity}} {{system}}: {{title}} {{incident}}{{#reason}} {{reason}}{{/reason}}{{#ack_code}} ACK {{ack_code}}{{/ack_code}}"},
    {"🔔 ACTUALIZACIÓN DE INCIDENTE - {{severity}}{{#title}}: {{title}}{{/title}}", RONDA_REASON RONDA_INCIDENT_ES,
     "{{severity}} novedad {{system}}: {{title}} {{status}} {{incident}}{{#reason}} {{reason}}{{/reason}}"},
    {"✅ INCIDENTE RESUELTO - {{severity}}{{#title}}: {{title}}{{/title}}",
     RONDA_REASON
     "Sistema: {{system}}\nID del incidente: {{incident}}\nResuelto: {{resolved}}\nDuración total: {{duration}}\n\n"
     "{{#pending}}Por redactar: {{pending}}. Cuando esté, este texto llegará otra vez.\n\n"
     "{{#summary}}Resumen de la resolución:\n{{summary}}\n\n{{/summary}}"
     "{{#impact_summary}}Resumen del impacto:\n{{impact_summary}}\n\n{{/impact_summary}}"
     "{{#root_cause}}Análisis de causa raíz: {{root_cause}}\n\n{{/root_cause}}"
     "{{#action_items}}Acciones: {{action_items}}\n\n{{/action_items}}"
     "{{#customer_communication}}Comunicación a clientes: {{customer_communication}}\n\n{{/customer_communication}}"
     "{{#next_steps}}Próximos pasos:\n{{next_steps}}\n\n{{/next_steps}}{{/pending}}{{^pending}}"
     "Resumen de la resolución:\n{{summary}}{{^summary}}sin redactar{{/summary}}\n\n"
     "Resumen del impacto:\n{{impact_summary}}{{^impact_summary}}sin redactar{{/impact_summary}}\n\n"
     "Después del incidente:\n"
     "- Análisis de causa raíz: {{root_cause}}{{^root_cause}}sin redactar{{/root_cause}}\n"
     "- Acciones: {{action_items}}{{^action_items}}sin redactar{{/action_items}}\n"
     "- Comunicación a clientes: {{customer_communication}}{{^customer_communication}}sin redactar{{/customer_communication}}\n\n"
     "Próximos pasos:\n{{next_steps}}{{^next_steps}}sin redactar{{/next_steps}}\n{{/pending}}",
     "{{severity}} RESUELTO {{system}}: {{title}} tras {{duration}} {{incident}}{{#reason}} {{reason}}{{/reason}}"},
    {"⏰ RECORDATORIO - {{severity}}{{#title}}: {{title}}{{/title}}",
     "{{reason}}{{^reason}}" RONDA_TAKEN_ES
     "{{/reason}}\n\nSistema: {{system}}\nSeveridad: {{severity}}\nEstado: {{status}}\nDesde: {{since}}\n"
     "Responsable: {{owner}}{{^owner}}nadie{{/owner}}\n"
     "Próxima actualización: {{next_update}}{{^next_update}}sin anunciar{{/next_update}}\n"
     "Incidente: {{incident}}\n{{#ack}}Confirmar: {{ack}}\n{{/ack}}",
     "{{severity}} recordatorio {{system}}: {{reason}}{{^reason}}" RONDA_TAKEN_ES
     "{{/reason}} {{incident}}{{#ack_code}} ACK {{ack_code}}{{/ack_code}}"},
    {"⬆ ESCALADA - {{severity}}{{#title}}: {{title}}{{/title}}",
     RONDA_TAKEN_ES "{{#step}}: {{step}}{{/step}}\n\n" RONDA_REASON RONDA_INCIDENT_ES,
     "{{severity}} escalado {{system}}: {{title}} {{incident}}{{#reason}} {{reason}}{{/reason}}{{#ack_code}} ACK {{ack_code}}{{/ack_code}}"},
    {"🛠 MANTENIMIENTO - {{window}}",
     "Ventana: {{window}}\nEmpieza: {{starts}}\nTermina: {{ends}}\n{{#service}}Servicios: {{service}}\n{{/service}}"
     "{{#owner}}Responsable: {{owner}}\n{{/owner}}{{#reason}}Motivo: {{reason}}\n{{/reason}}"
     "{{#still_broken}}Todavía falla:\n{{still_broken}}\n{{/still_broken}}",
     "Mantenimiento {{window}}: de {{starts}} a {{ends}}"},
    {"⌛ {{#expires}}VENCE {{expires}} - {{/expires}}{{title}}",
     "{{title}}\n{{#expires}}Vence: {{expires}}\n{{/expires}}{{^expires}}{{#ends}}Fin: {{ends}}\n{{/ends}}{{/expires}}Responsable: "
     "{{owner}}{{^owner}}nadie{{/owner}}\nMotivo: {{reason}}\n"
     "{{#hides}}Ahora oculta:\n{{hides}}\n{{/hides}}",
     "{{#expires}}Vence {{expires}}: {{/expires}}{{title}}"},
    {"PRUEBA - {{system}}",
     "Esto es una prueba del canal de {{contact}}, enviada por {{author}} desde {{host}} a las {{time}}. No pasa nada y no hay "
     "nada que hacer.\n",
     "PRUEBA {{system}} {{time}}: no pasa nada"},
}};

#undef RONDA_REASON
#undef RONDA_TAKEN_EN
#undef RONDA_TAKEN_ES
#undef RONDA_INCIDENT_EN
#undef RONDA_INCIDENT_ES

struct StatusWord {
  std::string_view status, en, es;
};
constexpr std::array status_words = {
    StatusWord{"investigating", "INVESTIGATING", "INVESTIGANDO"},
    StatusWord{"mitigating", "MITIGATING", "MITIGANDO"},
    StatusWord{"resolved", "RESOLVED", "RESUELTO"},
};

}  // namespace

const Words& shipped_words(Topic topic, Language language) {
  const auto index = static_cast<std::size_t>(topic);
  return language == Language::es ? spanish[index] : english[index];
}

std::string_view drill_mark() {
  return "[DRILL] ";
}

std::string_view drill_line(Language language) {
  return language == Language::es ? "Esto es un simulacro: no ha ocurrido nada de esto.\n\n"
                                  : "This is a drill: nothing of this has happened.\n\n";
}

std::string_view status_word(std::string_view status, Language language) {
  for (const StatusWord& word : status_words) {
    if (word.status == status) return language == Language::es ? word.es : word.en;
  }
  return status;
}

}  // namespace ronda::notify
