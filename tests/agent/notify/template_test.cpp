// SPDX-License-Identifier: Apache-2.0
#include "notify/template.hpp"

#include <fstream>
#include <iterator>

#include "catch.hpp"
#include "config/diagnostic.hpp"
#include "config/toml.hpp"
#include "notify/pattern.hpp"
#include "notify/words.hpp"

using namespace ronda;
using namespace ronda::notify;

namespace {

const Fields incident = {
    {"severity", "P1"},
    {"system", "Mini Market"},
    {"title", "Supplier API is down"},
    {"time", "2026-09-21 14:13 UTC"},
    {"status", "investigating"},
    {"description", "api-status is critical:\nHTTP 503"},
    {"impact", "No prices are updated"},
    {"current_status", "The vendor was called"},
    {"next_update", "14:43"},
    {"war_room", "https://meet.example.org/inc-1-f7a2"},
    {"contact", "DevOps Lead"},
    {"incident", "INC-1"},
};
const Fields resolution = {
    {"severity", "P1"},
    {"system", "Mini Market"},
    {"title", "Supplier API is down"},
    {"incident", "INC-1"},
    {"resolved", "2026-09-21 15:00 UTC"},
    {"duration", "47m"},
    {"summary", "The vendor restarted it"},
    {"impact_summary", "No orders were lost"},
    {"root_cause", "https://wiki/rca"},
    {"action_items", "https://wiki/todo"},
    {"customer_communication", "https://status/1"},
    {"next_steps", "Watch it for a day"},
};
const Fields others = {
    {"severity", "P2"},
    {"system", "Mini Market"},
    {"title", "silence of api-down"},
    {"reason", "The update is overdue"},
    {"status", "mitigating"},
    {"since", "14:00"},
    {"owner", "cto"},
    {"untaken", "14:00"},
    {"next_update", "14:30"},
    {"incident", "INC-2"},
    {"step", "step 2 after 15m"},
    {"window", "sunday"},
    {"starts", "02:00"},
    {"ends", "04:00"},
    {"service", "api, database"},
    {"expires", "15:00"},
    {"hides", "P1 api-down"},
    {"contact", "cto"},
    {"author", "root"},
    {"host", "db1"},
    {"time", "14:13"},
    {"still_broken", "api-down"},
};

Text plain(Topic topic, Language language, const Fields& fields) {
  return Templates().render({topic, language, Markup::plain, "", false}, fields);
}

/// The templates of a conf.d of one file.
config::Generation generation_of(std::string_view text, config::Diagnostics& diagnostics) {
  config::Generation generation;
  const auto root = config::parse_toml(text, 0, diagnostics);
  if (!root) return generation;
  for (const config::Member& table : *root) {
    for (const config::Member& member : *table.value.as_table()) {
      if (table.key == "notifier") {
        config::Instance& notifier = generation.instances.emplace_back();
        notifier.kind = config::Kind::notifier;
        notifier.name = member.key;
        continue;
      }
      generation.objects.push_back({"template", member.key, member.value, member.key_place});
    }
  }
  return generation;
}

std::string wrong_in(const std::string& text) {
  config::Diagnostics diagnostics;
  Templates::load(generation_of(text, diagnostics), diagnostics);
  std::string all;
  for (const config::Diagnostic& one : diagnostics.all()) all += config::headline(one, {{"t.toml", text, false}}) + "\n";
  return all;
}

}  // namespace

TEST_CASE("the incident template has all fields of the runbook, in English", "[notify]") {
  const Text text = plain(Topic::open, Language::en, incident);
  CHECK(text.title == "🚨 INCIDENT ALERT - P1: Supplier API is down");
  CHECK(text.body ==
        "System: Mini Market\nTime: 2026-09-21 14:13 UTC\nSeverity: P1\nStatus: INVESTIGATING\n\n"
        "Description:\napi-status is critical:\nHTTP 503\n\nImpact:\nNo prices are updated\n\n"
        "Current Status:\nThe vendor was called\n\nNext Update:\n14:43\n\n"
        "War Room:\nhttps://meet.example.org/inc-1-f7a2\n\nContact:\nDevOps Lead\n\nIncident: INC-1\n");
}

TEST_CASE("the incident template has all fields of the runbook, in Spanish", "[notify]") {
  const Text text = plain(Topic::open, Language::es, incident);
  CHECK(text.title == "🚨 ALERTA DE INCIDENTE - P1: Supplier API is down");
  CHECK(text.body ==
        "Sistema: Mini Market\nHora: 2026-09-21 14:13 UTC\nSeveridad: P1\nEstado: INVESTIGANDO\n\n"
        "Descripción:\napi-status is critical:\nHTTP 503\n\nImpacto:\nNo prices are updated\n\n"
        "Situación actual:\nThe vendor was called\n\nPróxima actualización:\n14:43\n\n"
        "Sala de crisis:\nhttps://meet.example.org/inc-1-f7a2\n\nContacto:\nDevOps Lead\n\nIncidente: INC-1\n");
}

TEST_CASE("the resolution template has all fields of the runbook, in both languages", "[notify]") {
  const Text en = plain(Topic::resolve, Language::en, resolution);
  CHECK(en.title == "✅ INCIDENT RESOLVED - P1: Supplier API is down");
  CHECK(en.body ==
        "System: Mini Market\nIncident ID: INC-1\nResolved: 2026-09-21 15:00 UTC\nTotal Duration: 47m\n\n"
        "Resolution Summary:\nThe vendor restarted it\n\nImpact Summary:\nNo orders were lost\n\n"
        "Post-Incident:\n- Root cause analysis: https://wiki/rca\n- Action items: https://wiki/todo\n"
        "- Customer communication: https://status/1\n\nNext Steps:\nWatch it for a day\n");
  const Text es = plain(Topic::resolve, Language::es, resolution);
  CHECK(es.title == "✅ INCIDENTE RESUELTO - P1: Supplier API is down");
  CHECK(es.body ==
        "Sistema: Mini Market\nID del incidente: INC-1\nResuelto: 2026-09-21 15:00 UTC\nDuración total: 47m\n\n"
        "Resumen de la resolución:\nThe vendor restarted it\n\nResumen del impacto:\nNo orders were lost\n\n"
        "Después del incidente:\n- Análisis de causa raíz: https://wiki/rca\n- Acciones: https://wiki/todo\n"
        "- Comunicación a clientes: https://status/1\n\nPróximos pasos:\nWatch it for a day\n");
}

TEST_CASE("what a field does not know is said, not left blank", "[notify]") {
  const Text text = plain(Topic::resolve, Language::en, {{"severity", "P1"}, {"incident", "INC-1"}});
  CHECK(text.title == "✅ INCIDENT RESOLVED - P1");
  CHECK(text.body.find("Resolution Summary:\nnot written yet\n") != std::string::npos);
  CHECK(text.body.find("- Root cause analysis: not written yet\n") != std::string::npos);
  CHECK(plain(Topic::open, Language::es, {}).body.find("Impacto:\naún no se conoce\n") != std::string::npos);
}

TEST_CASE("of an end that is not described yet what there is and what is missing is said, and no empty heading", "[notify]") {
  const Fields part = {{"severity", "P1"},
                       {"system", "Mini Market"},
                       {"incident", "INC-1"},
                       {"resolved", "15:00"},
                       {"duration", "47m"},
                       {"summary", "The vendor restarted it"},
                       {"pending", "impact summary, next steps"}};
  CHECK(plain(Topic::resolve, Language::en, part).body ==
        "System: Mini Market\nIncident ID: INC-1\nResolved: 15:00\nTotal Duration: 47m\n\n"
        "To be written yet: impact summary, next steps. When that is done this text comes once more.\n\n"
        "Resolution Summary:\nThe vendor restarted it\n\n");
  CHECK(plain(Topic::resolve, Language::es, part).body ==
        "Sistema: Mini Market\nID del incidente: INC-1\nResuelto: 15:00\nDuración total: 47m\n\n"
        "Por redactar: impact summary, next steps. Cuando esté, este texto llegará otra vez.\n\n"
        "Resumen de la resolución:\nThe vendor restarted it\n\n");
}

TEST_CASE("the other templates say what they are about, in both languages", "[notify]") {
  struct Expected {
    Topic topic;
    Language language;
    const char *title, *body;
  };
  const auto row = GENERATE(values<Expected>({
      {Topic::update, Language::en, "🔔 INCIDENT UPDATE - P2: silence of api-down",
       "The update is overdue\n\nSystem: Mini Market\nTime: 14:13\nSeverity: P2\nStatus: MITIGATING\n\nDescription:\nnot known "
       "yet\n\nImpact:\nnot known yet\n\n"
       "Current Status:\nnot known yet\n\nNext Update:\n14:30\n\nWar Room:\nnone\n\nContact:\ncto\n\nIncident: INC-2\n"},
      {Topic::reminder, Language::en, "⏰ REMINDER - P2: silence of api-down",
       "The update is overdue\n\nSystem: Mini Market\nSeverity: P2\nStatus: MITIGATING\nSince: 14:00\nOwner: cto\nNext Update: 14:30\n"
       "Incident: INC-2\n"},
      {Topic::reminder, Language::es, "⏰ RECORDATORIO - P2: silence of api-down",
       "The update is overdue\n\nSistema: Mini Market\nSeveridad: P2\nEstado: MITIGANDO\nDesde: 14:00\nResponsable: cto\n"
       "Próxima actualización: 14:30\nIncidente: INC-2\n"},
      {Topic::window, Language::en, "🛠 MAINTENANCE - sunday",
       "Window: sunday\nStarts: 02:00\nEnds: 04:00\nServices: api, database\nOwner: cto\nReason: The update is overdue\n"
       "Still broken:\napi-down\n"},
      {Topic::window, Language::es, "🛠 MANTENIMIENTO - sunday",
       "Ventana: sunday\nEmpieza: 02:00\nTermina: 04:00\nServicios: api, database\nResponsable: cto\n"
       "Motivo: The update is overdue\nTodavía falla:\napi-down\n"},
      {Topic::expiry, Language::en, "⌛ EXPIRES 15:00 - silence of api-down",
       "silence of api-down\nExpires: 15:00\nOwner: cto\nReason: The update is overdue\nIt hides now:\nP1 api-down\n"},
      {Topic::expiry, Language::es, "⌛ VENCE 15:00 - silence of api-down",
       "silence of api-down\nVence: 15:00\nResponsable: cto\nMotivo: The update is overdue\nAhora oculta:\nP1 api-down\n"},
      {Topic::test, Language::en, "TEST - Mini Market",
       "This is a test of the way to cto, sent by root from db1 at 14:13. Nothing is wrong and there is nothing to do.\n"},
      {Topic::test, Language::es, "PRUEBA - Mini Market",
       "Esto es una prueba del canal de cto, enviada por root desde db1 a las 14:13. No pasa nada y no hay nada que hacer.\n"},
  }));
  const Text text = plain(row.topic, row.language, others);
  CHECK(text.title == row.title);
  CHECK(text.body == row.body);
  CHECK(plain(Topic::escalation, Language::en, others)
            .body.starts_with("Not taken by anybody since 14:00: step 2 after 15m\n\nThe update is overdue\n\nSystem: "));
  CHECK(plain(Topic::escalation, Language::es, others)
            .body.starts_with("Nadie lo tiene desde 14:00: step 2 after 15m\n\nThe update is overdue\n\nSistema: "));
}

TEST_CASE("what goes on is said of who has it, and of nobody only where that is so", "[notify]") {
  const Fields taken = {{"owner", "cto"}, {"taken", "14:05"}};
  const Fields free = {{"untaken", "14:00"}, {"step", "step 3"}};
  CHECK(plain(Topic::escalation, Language::en, taken).body.starts_with("Taken by cto since 14:05\n\nSystem: "));
  CHECK(plain(Topic::escalation, Language::es, taken).body.starts_with("Lo tiene cto desde 14:05\n\nSistema: "));
  CHECK(plain(Topic::escalation, Language::en, free).body.starts_with("Not taken by anybody since 14:00: step 3\n\nSystem: "));
  CHECK(plain(Topic::reminder, Language::en, taken).body.starts_with("Taken by cto since 14:05\n\nSystem: "));
  CHECK(plain(Topic::reminder, Language::es, free).body.starts_with("Nadie lo tiene desde 14:00\n\nSistema: "));
}

TEST_CASE("what has happened stands first in every message of an incident, and in the SMS", "[notify]") {
  for (const Topic topic : {Topic::open, Topic::update, Topic::resolve, Topic::reminder, Topic::escalation}) {
    for (const Language language : {Language::en, Language::es}) {
      CAPTURE(topic_name(topic));
      const std::string body = plain(topic, language, others).body;
      CHECK(body.find("The update is overdue\n\n") < body.find("Mini Market"));
      CHECK(plain(topic, language, incident).body.find("\n\n\n") == std::string::npos);
      const std::string sms = Templates().render({topic, language, Markup::sms, "", false}, others).body;
      CHECK(sms.find("The update is overdue") != std::string::npos);
    }
  }
}

TEST_CASE("an SMS is one short line in one text, with its code", "[notify]") {
  Fields fields = incident;
  fields.emplace_back("ack_code", "7KQ2");
  const Text text = Templates().render({Topic::open, Language::en, Markup::sms, "", false}, fields);
  CHECK(text.title.empty());
  CHECK(text.body == "P1 Mini Market: Supplier API is down INC-1 ACK 7KQ2");
  fields[2].second = std::string(2000, 'x');
  CHECK(sms_size(Templates().render({Topic::open, Language::en, Markup::sms, "", false}, fields).body).parts == 2);
}

TEST_CASE("a drill is marked in title, text and SMS", "[notify]") {
  const Text text = Templates().render({Topic::open, Language::en, Markup::plain, "", true}, incident);
  CHECK(text.title == "[DRILL] 🚨 INCIDENT ALERT - P1: Supplier API is down");
  CHECK(text.body.starts_with("This is a drill: nothing of this has happened.\n\nSystem: Mini Market\n"));
  CHECK(Templates().render({Topic::open, Language::es, Markup::sms, "", true}, incident).body.starts_with("[DRILL] P1 Mini Market: "));
}

TEST_CASE("of a text message that is too long the longest values give way, not the id and the code behind it", "[notify]") {
  Fields fields = incident;
  for (auto& [name, value] : fields) {
    if (name == "title") value = "prices " + std::string(900, 'x');
    if (name == "current_status") value = std::string(2000, 'y');  // which these words do not have
  }
  const std::size_t reason = GENERATE(as<std::size_t>{}, 0, 40, 400, 3000);
  if (reason > 0) fields.emplace_back("reason", std::string(reason, 'r'));
  fields.emplace_back("ack_code", "K7Q2M4XD3A");
  const auto topic = GENERATE(Topic::open, Topic::escalation);
  const std::string text = Templates().render({topic, Language::en, Markup::sms, "", true}, fields).body;
  CAPTURE(text);
  CHECK(text.starts_with("[DRILL] P1 "));
  CHECK(text.find("prices xxx") != std::string::npos);
  const std::string code = " ACK K7Q2M4XD3A";
  CHECK(text.find("x... INC-1 ") != std::string::npos);
  if (reason == 0) CHECK(text.ends_with("x... INC-1" + code));
  if (reason == 40) CHECK(text.ends_with("x... INC-1 " + std::string(40, 'r') + code));
  if (reason > 40) CHECK(text.find("INC-1 rrr") != std::string::npos);
  if (reason > 40) CHECK(text.ends_with("r..." + code));
  CHECK(sms_size(text).parts == 2);
  CHECK(sms_size("(9999) " + text).parts == 2);
  CHECK(sms_size(text).units > 290);
}

TEST_CASE("values are escaped for the channel, and a title stays one line", "[notify]") {
  const Fields hostile = {{"severity", "P1"},
                          {"title", "<!channel>\r\nBcc: all"},
                          {"description", "{{impact}} <http://x|click>\nsecond"},
                          {"impact", "secret"}};
  const Text slack = Templates().render({Topic::open, Language::en, Markup::mrkdwn, "", false}, hostile);
  CHECK(slack.title == "🚨 INCIDENT ALERT - P1: &lt;!channel&gt;\\x0d\\x0aBcc: all");
  CHECK(slack.body.find("Description:\n{{impact}} &lt;http://x|click&gt;\nsecond\n") != std::string::npos);
  const Text html = Templates().render({Topic::open, Language::en, Markup::html, "", false}, hostile);
  CHECK(html.body.find("{{impact}} &lt;http://x|click&gt;") != std::string::npos);
}

TEST_CASE("texts are cut to what the channel takes", "[notify]") {
  const Fields large = {{"title", std::string(5000, 't')}, {"description", std::string(200'000, 'd')}};
  const Text slack = Templates().render({Topic::open, Language::en, Markup::mrkdwn, "", false}, large);
  CHECK(slack.title.ends_with("t..."));
  CHECK(slack.body.size() == 2900);
  CHECK(slack.body.ends_with("d..."));
}

TEST_CASE("every shipped template is one that may be configured", "[notify]") {
  for (const Language language : {Language::en, Language::es}) {
    for (std::size_t topic = 0; topic < topic_count; ++topic) {
      const Words& words = shipped_words(static_cast<Topic>(topic), language);
      for (const std::string_view text : {words.title, words.body, words.sms}) CHECK(Pattern::parse(text).has_value());
    }
  }
}

TEST_CASE("what is wrong with a template is said with its place and what was meant", "[notify]") {
  CHECK(wrong_in("[template.open]\nbody = \"Sev: {{sevrity}}\"\n") ==
        "t.toml:2:8: error: `body`: unknown placeholder `{{sevrity}}`; did you mean `{{severity}}`?: line 1, column 6 of the text\n");
  CHECK(wrong_in("[template.open]\nbody = \"\"\"\na\n{{#impact}}x{{/impac}}\"\"\"\n") ==
        "t.toml:2:8: error: `body`: unclosed section \"impact\": line 2, column 1 of the text\n");
  CHECK(wrong_in("[template.open]\ntitle = \"{{{title}}}\"\n") ==
        "t.toml:2:9: error: `title`: `{{{title}}}` would not be escaped; write `{{title}}`: line 1, column 1 of the text\n");
  CHECK(wrong_in("[template.open]\ntitle = \"{{>other}}\"\n") ==
        "t.toml:2:9: error: `title`: `{{>other}}`: a template cannot include another: line 1, column 1 of the text\n");
  CHECK(wrong_in("[template.open]\ntitle = \"{{=<% %>=}}\"\n") ==
        "t.toml:2:9: error: `title`: the delimiters are {{ and }} and stay so: line 1, column 1 of the text\n");
  CHECK(wrong_in("[template.open]\nsms = \"{{title\"\n") == "t.toml:2:7: error: `sms`: `{{` without `}}`: line 1, column 1 of the text\n");
  CHECK(wrong_in("[template.open]\nsubject = \"x\"\n") == "t.toml:2:1: error: unknown key `subject`\n");
  CHECK(wrong_in("[template.open]\nlanguage = \"ens\"\ntitle = \"x\"\n") ==
        "t.toml:2:12: error: `language` must be \"en\" or \"es\", got \"ens\"; did you mean \"en\"?\n");
  CHECK(wrong_in("[template.mine]\ntitle = \"x\"\n") ==
        "t.toml:1:11: error: template `mine` says no `event`, and its name is none: write event = \"open\" (or update, resolve, reminder, "
        "escalation, window, expiry, test)\n");
  CHECK(wrong_in("[template.open]\ntitle = \"x\"\n[template.mine]\nevent = \"open\"\ntitle = \"y\"\n") ==
        "t.toml:3:11: error: the words of `open` in English for every notifier stand in another template already; the first is at "
        "t.toml:1:11\n");
}

TEST_CASE("a template for a notifier that does not exist is an error, unless a file could not be read", "[notify]") {
  const std::string text = "[notifier.ops-slack]\nuse = \"slack\"\n[template.open]\nnotifiers = [\"ops-slak\"]\ntitle = \"x\"\n";
  CHECK(wrong_in(text) == "t.toml:4:13: error: `notifiers`: there is no notifier `ops-slak`; did you mean `ops-slack`?\n");
  config::Diagnostics diagnostics;
  config::Generation generation = generation_of(text, diagnostics);
  generation.disabled.push_back({"file", "50-people.toml", {}, "it cannot be read"});
  Templates::load(generation, diagnostics);
  CHECK_FALSE(diagnostics.has_errors());
}

TEST_CASE("what no message has is no placeholder", "[notify]") {
  for (const char* name : {"value", "diagnosis"}) {
    CHECK(wrong_in("[template.open]\ntitle = \"{{" + std::string(name) + "}}\"\n").find("unknown placeholder") != std::string::npos);
  }
}

TEST_CASE("a template of a notifier goes before that for all, and that before the shipped one; what it does not say is shipped",
          "[notify]") {
  config::Diagnostics diagnostics;
  const Templates templates =
      Templates::load(generation_of("[notifier.ops]\n[notifier.mail]\n[template.all]\nevent = \"open\"\ntitle = \"all {{severity}}\"\n"
                                    "[template.one]\nevent = \"open\"\nnotifiers = [\"ops\", \"mail\"]\n"
                                    "title = \"<!here> {{severity}}\"\n",
                                    diagnostics),
                      diagnostics);
  REQUIRE_FALSE(diagnostics.has_errors());
  const auto title = [&](std::string_view notifier, Language language) {
    return templates.render({Topic::open, language, Markup::mrkdwn, notifier, false}, {{"severity", "<P1>"}}).title;
  };
  CHECK(title("ops", Language::en) == "<!here> &lt;P1&gt;");  // a mention of the configuration is one
  CHECK(title("mail", Language::en) == "<!here> &lt;P1&gt;");
  CHECK(title("pager", Language::en) == "all &lt;P1&gt;");
  CHECK(title("ops", Language::es) == "🚨 ALERTA DE INCIDENTE - &lt;P1&gt;");
  CHECK(templates.render({Topic::open, Language::en, Markup::plain, "ops", false}, incident).body.starts_with("System: Mini Market"));
}

TEST_CASE("a value of a few hundred kinds of bytes never ends a line of the title", "[notify]") {
  for (int byte = 0; byte < 256; ++byte) {
    const Fields fields = {{"severity", std::string("a") + static_cast<char>(byte) + "b"}};
    for (const Markup markup : {Markup::plain, Markup::mrkdwn, Markup::html}) {
      const std::string title = Templates().render({Topic::open, Language::en, markup, "", false}, fields).title;
      CHECK(title.find_first_of("\r\n") == std::string::npos);
    }
  }
}

TEST_CASE("the manual of templates names every placeholder and every event", "[notify]") {
  std::ifstream in(RONDA_SOURCE_DIR "/agent/notify/TEMPLATES.md");
  const std::string manual{std::istreambuf_iterator<char>(in), {}};
  for (const FieldName& field : field_names()) {
    INFO(field.name);
    CHECK(manual.find("`" + std::string(field.name) + "`") != std::string::npos);
  }
  for (std::size_t topic = 0; topic < topic_count; ++topic) {
    CHECK(manual.find("`" + std::string(topic_name(static_cast<Topic>(topic))) + "`") != std::string::npos);
  }
}

TEST_CASE("named values survive their JSON", "[notify]") {
  CHECK(fields_from_json(to_json(incident)) == incident);
  CHECK(fields_from_json("nothing").empty());
  CHECK(fields_from_json("[1]").empty());
}
