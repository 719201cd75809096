// SPDX-License-Identifier: Apache-2.0
#include "api/door_page.hpp"

#include <array>

#include "notify/escape.hpp"

namespace ronda::api {
namespace {

using notify::Language;

struct Pair {
  std::string_view en, es;
  std::string_view in(Language language) const { return language == Language::es ? es : en; }
};

constexpr std::array words = {
    Pair{"It is yours.", "Es suyo."},
    Pair{"This link is not good. Open it from the message itself.", "Este enlace no es válido. Ábralo desde el propio mensaje."},
    Pair{"This link's time is over.", "Este enlace ha caducado."},
    Pair{"This link has been used, or somebody has taken the incident since.", "Este enlace ya se usó, o alguien ha tomado el incidente."},
    Pair{"The incident is over, or is not known here any more.", "El incidente terminó o ya no se conoce aquí."},
    Pair{"It is yours, but that is not on the disk yet: it is lost if the agent ends before it is.",
         "Es suyo, pero aún no está en el disco: se pierde si el agente termina antes."},
    Pair{"That did not work.", "No se pudo hacer."},
    Pair{"Say who you are: many have this link.", "Diga quién es: este enlace lo tienen muchos."},
    Pair{
        "Nobody is called any more. The time to respond runs on until somebody takes it by a link of their own, by `ronda incident ack` or "
        "by a token.",
        "Ya no se llama a nadie. El plazo de respuesta sigue corriendo hasta que alguien lo tome con un enlace propio, con `ronda incident "
        "ack` o con un token."},
};
static_assert(words.size() == static_cast<std::size_t>(AckWord::taken_by_room) + 1);

std::string escaped(std::string_view value) {
  return notify::escape_line(value, notify::Markup::html);
}

/// Nothing is loaded and nothing runs; the address, which is a key, is told to no other site.
Response page(int status, std::string_view title, const std::string& body, Language language) {
  Response out;
  out.status = status;
  out.content_type = "text/html; charset=utf-8";
  out.headers = {{"Content-Security-Policy", "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"},
                 {"Referrer-Policy", "same-origin"},
                 {"X-Frame-Options", "DENY"},
                 {"X-Robots-Tag", "noindex"}};
  out.body = "<!doctype html>\n<html lang=\"" + std::string(language == Language::es ? "es" : "en") +
             "\">\n<head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>" + escaped(title) +
             "</title></head>\n<body>\n" + body + "</body>\n</html>\n";
  return out;
}

std::string row(std::string_view name, std::string_view value) {
  return value.empty() ? std::string() : "<dt>" + std::string(name) + "</dt><dd>" + escaped(value) + "</dd>\n";
}

std::string upper(std::string_view level) {
  std::string out(level);
  if (!out.empty() && out.front() == 'p') out.front() = 'P';
  return out;
}

}  // namespace

Response ack_form_page(const incident::Incident& incident, std::string_view person, std::string_view since, Language language, bool room) {
  constexpr Pair service{"Service", "Servicio"}, begun{"Since", "Desde"}, number{"Incident", "Incidente"};
  constexpr Pair take{"Take it as ", "Tomarlo como "}, take_for{"Take it for ", "Tomarlo para "}, name{"Your name", "Su nombre"};
  constexpr Pair many{"Many have this link: what you write as your name is noted as unproven, and it does not stop the time to respond.",
                      "Este enlace lo tienen muchos: lo que escriba como nombre se anota sin prueba y no detiene el plazo de respuesta."};
  const std::string level = upper(config::level_name(incident.level));
  std::string body = "<h1>" + level + ": " + escaped(incident::headline_of(incident)) + "</h1>\n<dl>\n" +
                     row(number.in(language), incident.id) + row(service.in(language), incident.service) + row(begun.in(language), since) +
                     "</dl>\n";
  body += "<form method=\"post\"><input type=\"hidden\" name=\"based_on\" value=\"" + std::to_string(incident.sequence) + "\">";
  if (room)
    body += "<p>" + std::string(many.in(language)) + "</p>\n<p><label>" + std::string(name.in(language)) +
            " <input name=\"name\" maxlength=\"" + std::to_string(longest_typed_name) + "\" required></label></p>\n";
  body += "<button type=\"submit\">" + std::string((room ? take_for : take).in(language)) + escaped(person) + "</button></form>\n";
  return page(200, level + " " + incident.id, body, language);
}

Response ack_word_page(int status, AckWord word, std::string_view detail, Language language, bool again) {
  constexpr Pair look{"Look again", "Volver a mirar"};
  const std::string_view text = words[static_cast<std::size_t>(word)].in(language);
  std::string body = "<p>" + std::string(text) + "</p>\n";
  if (!detail.empty()) body += "<p>" + escaped(detail) + "</p>\n";
  if (again) body += "<p><a href=\"\">" + std::string(look.in(language)) + "</a></p>\n";
  return page(status, "Ronda", body, language);
}

Response sms_reply(std::string_view text) {
  Response out;
  out.content_type = "text/xml; charset=utf-8";
  out.body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response>" +
             (text.empty() ? std::string() : "<Message>" + escaped(text) + "</Message>") + "</Response>\n";
  return out;
}

}  // namespace ronda::api
