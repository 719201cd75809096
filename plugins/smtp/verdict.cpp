// SPDX-License-Identifier: Apache-2.0
#include "verdict.hpp"

#include <curl/curl.h>

#include <cstring>

#include "base64.hpp"
#include "header.hpp"
#include "outgoing/shown.hpp"

namespace smtp {
namespace {

constexpr std::size_t min_secret_bytes = 4;

/// "550 5.1.1 no such user; try later": the lines of a reply as one, for people.
std::string shown_reply(const Ending& ending, const std::vector<std::string>& secrets) {
  std::string text = ending.reply_text;
  for (const auto& secret : secrets) {
    if (secret.size() < min_secret_bytes) continue;
    for (auto at = text.find(secret); at != text.npos; at = text.find(secret, at + 3)) text.replace(at, secret.size(), "***");
  }
  return one_line(text, 300);
}

std::string during(const Ending& ending) {
  if (!ending.connected && ending.reply == 0) return "no connection";
  return ending.command.empty() ? "at its greeting" : "at " + ending.command;
}

ronda::delivery by_reply(const Ending& ending, const std::string& peer, std::string_view recipient, const std::string& reply) {
  // the same for all mails, and for this one
  const bool is_login = ending.command == "AUTH";
  const std::string what = is_login ? "the login" : "mail to " + std::string(recipient);
  if (ending.reply < 500) return ronda::retry({}, peer, " cannot take ", what, " now (", during(ending), "): ", reply);
  return ronda::drop(peer, " refuses ", what, " (", during(ending), "): ", reply, is_login ? "; are username and password right?" : "");
}

std::string tls_remedy(const Ending& ending) {
  if (ending.text.find("wrong version number") != std::string::npos || ending.text.find("packet length too long") != std::string::npos)
    return "; does it begin in plain text? then security is \"starttls\"";
  if (ending.text.find("expired") != std::string::npos) return "; renew the server's certificate";
  if (ending.text.find("self-signed") != std::string::npos || ending.text.find("unable to get local issuer") != std::string::npos)
    return "; name the file of the authority that signed it in tls.ca";
  if (ending.text.find("does not match") != std::string::npos || ending.text.find("no alternative certificate") != std::string::npos)
    return "; use the name that is in the certificate as `server`";
  return {};
}

/// Of an end that no reply explains.
ronda::delivery by_connection(const Ending& ending, const std::string& peer) {
  const auto cause = ending.os_errno != 0 ? std::string(std::strerror(ending.os_errno)) : one_line(ending.text, 300);
  const std::string with_cause = cause.empty() ? "" : ": " + cause;
  switch (ending.code) {
    case CURLE_OPERATION_TIMEDOUT:
      return ronda::retry({}, peer, " did not answer within ", std::chrono::duration<double>(ending.seconds), " (", during(ending), ")");
    case CURLE_COULDNT_RESOLVE_HOST:
      return ronda::retry({}, "the name of ", peer, " cannot be resolved");
    case CURLE_COULDNT_CONNECT:
      return ronda::retry({}, "cannot connect to ", peer, with_cause);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
      return ronda::retry({}, "TLS with ", peer, with_cause, tls_remedy(ending), "; nothing was sent");
    case CURLE_SSL_CACERT_BADFILE:
      return ronda::drop("the certificates in tls.ca cannot be read", with_cause);
    case CURLE_USE_SSL_FAILED:
      return ronda::drop(
          peer, " offers no STARTTLS, and nothing is sent in plain text: enable it there, or use security = \"implicit\" with port 465");
    case CURLE_LOGIN_DENIED:
      return ronda::drop(peer, " offers no login that is known here", with_cause);
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_NOT_BUILT_IN:
      return ronda::drop("the library cannot do this", with_cause);
    default:
      break;
  }
  const char* what =
      ending.body_sent ? " broke the connection after the whole mail was sent, perhaps it was taken" : " broke the connection";
  return ronda::retry({}, peer, what, " (", during(ending), ")", with_cause);
}

}  // namespace

std::vector<std::string> forms_of_password(std::string_view username, std::string_view password) {
  std::string login(1, '\0');
  login.append(username).append(1, '\0').append(password);
  return {std::string(password), base64(password), base64(login), base64(std::string(username) + login)};
}

ronda::delivery judge(const Ending& ending, std::string_view server, std::string_view recipient, const std::vector<std::string>& secrets) {
  const auto peer = "mail server " + std::string(server);
  if (ending.cancelled) return ronda::retry({}, "cancelled before ", peer, " had taken the mail to ", recipient);
  if (ending.code == CURLE_OK) return ronda::delivered(peer, " took the mail to ", recipient);
  // a reply of 2xx or 3xx was not the one that ended it
  if (ending.reply >= 400 && ending.reply < 600) return by_reply(ending, peer, recipient, shown_reply(ending, secrets));
  return by_connection(ending, peer);
}

}  // namespace smtp
