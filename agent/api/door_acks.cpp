// SPDX-License-Identifier: Apache-2.0
#include "api/door_acks.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "api/door_page.hpp"
#include "base/text.hpp"
#include "incident/moment.hpp"
#include "plugin/hmac.hpp"
#include "response/links.hpp"

namespace ronda::api {
namespace {

using incident::Incident;
using response::Claim;
using response::Plan;

constexpr std::size_t most_words = 8;

const Plan& plan_of(AgentView& agent) {
  return agent.response().desk().plan();
}

/// What a link is good for now: an incident and whose it is, or the page that says why it is good for nothing.
struct Good {
  Claim claim;
  const Incident* incident = nullptr;
  const people::Contact* contact = nullptr;
};

Response bad_link(notify::Language language) {
  return ack_word_page(404, AckWord::bad_link, {}, language);
}

/// Nothing goes to this contact alone.
bool is_room(const people::Contact& contact) {
  return std::ranges::all_of(contact.channels, &people::Channel::shared);
}

std::optional<Good> look_at_link(AgentView& agent, std::string_view token, Response& refusal) {
  const Plan& plan = plan_of(agent);
  auto claim = response::read_link(plan.links, token, agent.response().unset_now_ns());
  refusal = bad_link(plan.language);
  if (!claim) {
    if (claim.error().code() == Errc::range) refusal = ack_word_page(410, AckWord::too_late, {}, plan.language);
    return {};
  }
  Good out{*std::move(claim), nullptr, nullptr};
  out.contact = plan.people.find_contact(out.claim.contact);
  if (out.contact == nullptr) return {};
  out.incident = agent.response().desk().incidents().find(out.claim.incident);
  if (out.incident == nullptr || !out.incident->is_live()) {
    refusal = ack_word_page(410, AckWord::over, out.claim.incident, plan.language_of(out.claim.contact));
    return {};
  }
  out.claim.room = out.claim.room || is_room(*out.contact);  // its channels may have been others when the link was made
  if (!response::is_still_good(*out.incident, out.claim.acks, out.claim.room)) {
    refusal = ack_word_page(410, AckWord::used, out.claim.incident, plan.language_of(out.claim.contact));
    return {};
  }
  return out;
}

using Kind = incident::Author::Kind;

incident::Command ack_of(const std::string& id, incident::Author author, std::string source) {
  incident::Command command;
  command.verb = incident::Verb::ack;
  command.incident = id;
  command.author = std::move(author);
  command.source = std::move(source);
  return command;
}

/// One line; whoever shows it escapes it.
std::string typed_name(const Form& form) {
  std::string out = repair_utf8(value_in(form, "name"), longest_typed_name);
  std::ranges::replace_if(
      out, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return std::string(trim(out));
}

/// It stands, in memory alone.
bool is_held(const incident::Reply& reply) {
  return reply.code == Errc::unavailable;
}

void take_by_link(AgentView& agent, const Good& good, const Request& request, const Respond& respond) {
  const notify::Language language = plan_of(agent).language_of(good.claim.contact);
  const auto form = parse_form(request.header("content-type"), request.body);
  if (!form) return respond(error_response(415, form.error().message()));
  const std::string_view seen = value_in(*form, "based_on");
  std::uint64_t based_on = 0;
  const auto [end, error] = std::from_chars(seen.data(), seen.data() + seen.size(), based_on);
  if (seen.empty() || error != std::errc() || end != seen.data() + seen.size() || based_on == 0)
    return respond(error_response(400, "the form lacks `based_on`, the state that was seen"));
  const bool room = good.claim.room;
  incident::Command command = ack_of(good.claim.incident, {room ? Kind::room : Kind::contact, good.claim.contact}, "link");
  command.based_on = based_on;
  if (room) command.text = typed_name(*form);
  if (room && command.text.empty()) return respond(ack_word_page(400, AckWord::no_name, {}, language, true));
  agent.response().command(std::move(command), [respond, language, room, id = good.claim.incident](const incident::Reply& reply) {
    if (reply.done) return respond(ack_word_page(200, room ? AckWord::taken_by_room : AckWord::taken, id, language));
    const int status = reply.code == Errc::exists ? 409 : 503;
    const AckWord held = room ? AckWord::taken_by_room : AckWord::not_stored;
    respond(ack_word_page(status, is_held(reply) ? held : AckWord::not_done, reply.text, language, true));
  });
}

/// The contacts that have this number.
std::vector<std::string> contacts_at(const Plan& plan, std::string_view number) {
  std::vector<std::string> out;
  for (const people::Contact& contact : plan.people.contacts) {
    const bool has = std::ranges::any_of(contact.channels, [&](const people::Channel& channel) { return channel.to == number; });
    if (has && people::is_e164(number)) out.push_back(contact.name);
  }
  return out;
}

/// Which incident the code takes, and as whom.
struct Coded {
  std::string incident, contact;
};
std::optional<Coded> find_code(AgentView& agent, const std::vector<std::string>& contacts, const std::vector<std::string>& codes) {
  const Plan& plan = plan_of(agent);
  for (const auto& [id, incident] : agent.response().desk().incidents().incidents) {
    if (!incident.is_live()) continue;
    for (const std::string& contact : contacts) {
      const people::Contact* known = plan.people.find_contact(contact);
      if (known == nullptr || is_room(*known)) continue;  // nobody in particular, since a reload
      for (const std::uint32_t acks : {incident.acks, incident.acks - std::min(incident.acks, 1U)}) {
        if (!response::is_still_good(incident, acks, false)) continue;
        const std::string right = response::make_code(plan.links, id, contact, acks);
        for (const std::string& code : codes) {
          if (plugin::is_same_secret(code, right)) return Coded{id, contact};
        }
      }
    }
  }
  return {};
}

}  // namespace

std::optional<std::string> owner_of_link(AgentView& agent, const Request& request) {
  const std::string_view token = std::string_view(request.path).substr(ack_path.size());
  const auto claim = response::read_link(plan_of(agent).links, token, agent.response().unset_now_ns());
  if (claim) return claim->contact;
  return claim.error().code() == Errc::range ? std::optional<std::string>("") : std::nullopt;
}

void answer_ack(AgentView& agent, const Request& request, const Respond& respond) {
  Response refusal;
  const auto good = look_at_link(agent, std::string_view(request.path).substr(ack_path.size()), refusal);
  if (!good) return respond(std::move(refusal));
  if (request.method == "POST") return take_by_link(agent, *good, request, respond);
  const Plan& plan = plan_of(agent);
  respond(ack_form_page(*good->incident, good->contact->title.empty() ? good->contact->name : good->contact->title,
                        people::moment_text(good->incident->detected_ns, *plan.zone), plan.language_of(good->claim.contact),
                        good->claim.room));
}

std::string twilio_signature(std::string_view auth_token, std::string_view url, const Form& form) {
  std::string text(url);
  for (const auto& [name, value] : form) text += name + value;
  return plugin::base64(plugin::hmac_sha1(auth_token, text));
}

/// A code has no I, L, O and U; who reads it may take 1 and 0 for them.
std::vector<std::string> codes_in(std::string_view body) {
  std::vector<std::string> out;
  std::string word;
  const auto end_word = [&] {
    if (word.size() == response::code_characters && out.size() < most_words) out.push_back(word);
    word.clear();
  };
  for (char c : body.substr(0, 1600)) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    const bool in_word = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
    if (!in_word) {
      end_word();
      continue;
    }
    word += c == 'O' ? '0' : c == 'I' || c == 'L' ? '1' : c;
  }
  end_word();
  return out;
}

bool is_signed_sms(const TwilioRules& rules, const Request& request) {
  if (rules.auth_token.empty() || request.count_of("x-twilio-signature") != 1) return false;
  const auto form = parse_form(request.header("content-type"), request.body);
  return form && plugin::is_same_secret(request.header("x-twilio-signature"),
                                        twilio_signature(rules.auth_token, rules.public_url + request.target, *form));
}

void answer_twilio(AgentView& agent, const TwilioRules& rules, const Request& request, const Respond& respond) {
  const Plan& plan = plan_of(agent);
  if (rules.auth_token.empty() || rules.public_url.empty() || plan.links.key.empty())
    return respond(error_response(404, "no SMS come in here: `[api] twilio_auth_token` and `public_url` say so"));
  if (request.method != "POST") return respond(error_response(405, "this path takes another method"));
  const auto form = parse_form(request.header("content-type"), request.body);
  if (!form) return respond(error_response(415, form.error().message()));
  if (!is_signed_sms(rules, request))
    return respond(error_response(403, "the signature is not right; is `public_url` the address that the gateway calls?"));
  const auto contacts = contacts_at(plan, value_in(*form, "From"));
  if (contacts.empty()) return respond(sms_reply({}));  // a stranger's: not worth an answer
  const bool es = plan.language_of(contacts.front()) == notify::Language::es;
  const auto found = find_code(agent, contacts, codes_in(value_in(*form, "Body")));
  if (!found) return respond(sms_reply(es ? "Ningún incidente espera ese código." : "No incident waits for that code."));
  agent.response().command(ack_of(found->incident, {Kind::contact, found->contact}, "sms"),
                           [respond, es, id = found->incident](const incident::Reply& reply) {
                             const std::string taken = es ? "es suyo" : "it is yours", failed = es ? "no se pudo hacer: " : "";
                             const std::string held = es ? ", pero aún no está en el disco" : ", but that is not on the disk yet";
                             const bool is_theirs = reply.done || is_held(reply);
                             respond(sms_reply(id + ": " + (is_theirs ? taken + (reply.done ? "" : held) : failed + reply.text)));
                           });
}

}  // namespace ronda::api
