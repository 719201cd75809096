// SPDX-License-Identifier: Apache-2.0
#include "api/door.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "api/door_acks.hpp"

namespace ronda::api {
namespace {

constexpr double stranger_burst = 30, stranger_rate = 5;  // of all that has neither a good token nor a proof
constexpr double proven_burst = 30, proven_rate = 5;      // of one contact's links, and of messages that the gateway signed
constexpr double token_burst = 60, token_rate = 20;

std::string small(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

std::string_view without_port(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  const bool has_port = colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos;
  return has_port ? host.substr(0, colon) : host;
}

/// "https://ronda.example:8443" of "https://ronda.example:8443/x".
std::string origin_of(std::string_view url) {
  const std::size_t begin = url.find("://");
  if (begin == std::string_view::npos) return {};
  return small(url.substr(0, std::min(url.size(), url.find('/', begin + 3))));
}

bool is_sound_target(std::string_view target) {
  const auto plain = [](char c) { return static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) < 0x7f; };
  return target.starts_with('/') && !target.starts_with("//") && std::ranges::all_of(target, plain);
}

Response too_many() {
  Response out = error_response(429, "too many requests; try again in a moment");
  out.headers.emplace_back("Retry-After", "10");
  return out;
}

Response no_token() {
  Response out = error_response(401, "this needs a token: Authorization: Bearer ...");
  out.headers.emplace_back("WWW-Authenticate", "Bearer");
  return out;
}

class Door {
 public:
  Door(AgentView& agent, Handler routes, std::function<std::chrono::nanoseconds()> now)
      : agent_(agent), routes_(std::move(routes)), now_(std::move(now)) {}

  void answer(const Request& request, const Respond& respond) {
    follow_generation();
    if (auto refusal = judge_request(rules_, request)) return respond(*std::move(refusal));
    const bool may_have_proof = request.path.starts_with(ack_path) || request.path == twilio_path;
    const Token* token = may_have_proof ? nullptr : find_token(rules_.tokens, bearer_of(request));
    if (token != nullptr) return answer_token(*token, request, respond);
    const auto prover = may_have_proof ? prover_of(request) : std::nullopt;
    Allowance& allowance = prover ? proven_.try_emplace(*prover, proven_burst, proven_rate).first->second : strangers_;
    if (!allowance.take(now_())) return respond(too_many());
    if (request.path.starts_with(ack_path)) return answer_ack(agent_, request, respond);
    if (request.path == twilio_path) return answer_twilio(agent_, twilio(), request, respond);
    respond(no_token());
  }

 private:
  void follow_generation() {
    if (generation_ == agent_.generation()) return;
    generation_ = agent_.generation();
    rules_ = door_rules(agent_.active().generation);
    std::erase_if(allowances_,
                  [&](const auto& one) { return std::ranges::find(rules_.tokens, one.first, &Token::name) == rules_.tokens.end(); });
    proven_.clear();  // there are contacts no more that had links
  }

  TwilioRules twilio() const { return {rules_.public_url, rules_.twilio_auth_token}; }

  /// All come from the proxy's address, so nothing but what they bring tells them apart: whoever knocks with nothing must not
  /// keep out the one who was sent a link, nor may who was sent one keep out another. None: it proves nothing.
  std::optional<std::string> prover_of(const Request& request) const {
    if (request.path != twilio_path) return owner_of_link(agent_, request);
    return is_signed_sms(twilio(), request) ? std::optional<std::string>("the gateway") : std::nullopt;
  }

  void answer_token(const Token& token, const Request& request, const Respond& respond) {
    Allowance& allowance = allowances_.try_emplace(token.name, token_burst, token_rate).first->second;
    if (!allowance.take(now_())) return respond(too_many());
    Request known = request;
    known.who.name = "token:" + token.name;
    known.who.role = token.role;
    known.who.contact = token.contact;
    known.who.inboxes = token.inbox;
    routes_(known, respond);
  }

  AgentView& agent_;
  Handler routes_;
  std::function<std::chrono::nanoseconds()> now_;
  std::uint64_t generation_ = 0;
  DoorRules rules_;
  Allowance strangers_{stranger_burst, stranger_rate};
  std::map<std::string, Allowance, std::less<>> allowances_, proven_;  // by token; by contact, whose links are in use
};

}  // namespace

bool Allowance::take(std::chrono::nanoseconds now) {
  if (last_.count() >= 0 && now > last_) left_ = std::min(burst_, left_ + std::chrono::duration<double>(now - last_).count() * per_second_);
  last_ = std::max(last_, now);
  if (left_ < 1) return false;
  left_ -= 1;
  return true;
}

DoorRules door_rules(const config::Generation& generation) {
  DoorRules out;
  config::Diagnostics told_at_load;
  out.tokens = read_tokens(generation, told_at_load);
  out.public_url = generation.api.public_url;
  while (out.public_url.ends_with('/')) out.public_url.pop_back();
  out.twilio_auth_token = generation.api.twilio_auth_token;
  for (const std::string& host : generation.api.hosts) out.hosts.push_back(small(host));
  for (const std::string_view own : {"localhost", "127.0.0.1", "[::1]"}) out.hosts.emplace_back(own);
  for (const std::string& origin : generation.api.origins) out.origins.push_back(small(origin));
  if (const std::string own = origin_of(out.public_url); !own.empty()) {
    out.origins.push_back(own);
    out.hosts.emplace_back(without_port(std::string_view(own).substr(own.find("://") + 3)));
  }
  return out;
}

bool is_allowed_host(const DoorRules& rules, std::string_view host) {
  const std::string named = small(host);
  return std::ranges::any_of(rules.hosts, [&](const std::string& entry) {
    return !entry.empty() && (entry == named || (without_port(entry) == entry && without_port(named) == entry));
  });
}

bool is_allowed_origin(const DoorRules& rules, std::string_view origin) {
  return std::ranges::find(rules.origins, small(origin)) != rules.origins.end();
}

std::optional<Response> judge_request(const DoorRules& rules, const Request& request) {
  if (!is_sound_target(request.target)) return error_response(400, "the target must be a path");
  if (request.count_of("host") != 1 || !is_allowed_host(rules, request.header("host")))
    return error_response(421, "this host is not served here; `[api] hosts` lists those that are");
  if (request.count_of("origin") > 1 || (request.count_of("origin") == 1 && !is_allowed_origin(rules, request.header("origin"))))
    return error_response(403, "no page of this origin may ask; `[api] origins` lists those that may");
  if (request.count_of("authorization") > 1) return error_response(400, "there is more than one Authorization");
  if (request.method != "GET" && request.method != "POST") return error_response(405, "only GET and POST are taken");
  return {};
}

std::string_view bearer_of(const Request& request) {
  constexpr std::string_view scheme = "bearer ";
  const std::string_view value = request.header("authorization");
  if (request.count_of("authorization") != 1 || small(value.substr(0, scheme.size())) != scheme) return {};
  return value.substr(scheme.size());
}

Handler make_door(AgentView& agent, Handler routes, std::function<std::chrono::nanoseconds()> now) {
  const auto door = std::make_shared<Door>(agent, std::move(routes), std::move(now));
  return [door](const Request& request, const Respond& respond) { door->answer(request, respond); };
}

}  // namespace ronda::api
