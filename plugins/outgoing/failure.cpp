// SPDX-License-Identifier: Apache-2.0
#include "outgoing/failure.hpp"

#include <curl/curl.h>

#include <cstring>

#include "outgoing/post.hpp"

namespace outgoing {
namespace {

std::string peer_of(const Ending& ending, const Url& url) {
  return ending.by_proxy && !ending.sent ? "the proxy" : url.peer;
}

/// Where it stood when the time was over; what may have arrived is told as that.
std::string phase_text(const Ending& ending, const Url& url) {
  if (ending.answering) return "while reading the answer of " + url.peer;
  if (ending.sent) return "while waiting for the answer of " + url.peer + "; the message may have arrived";
  if (ending.handshake_began) return "in the TLS handshake with " + peer_of(ending, url);
  if (ending.connected) return "while sending to " + peer_of(ending, url);
  if (ending.resolved || url.host_is_address) return "while connecting to " + peer_of(ending, url);
  return "while resolving the name of " + peer_of(ending, url);
}

std::string with_cause(std::string what, const Ending& ending) {
  if (ending.os_errno != 0) return what + ": " + std::strerror(ending.os_errno);
  return ending.words.empty() ? what : what + ": " + ending.words;
}

std::string tls_text(const Ending& ending, const Url& url) {
  const auto says = [&](const char* part) { return ending.words.find(part) != std::string::npos; };
  const auto certificate = "TLS: the certificate of " + url.peer;
  if (says("certificate has expired")) return certificate + " has expired";
  if (says("certificate is not yet valid")) return certificate + " is not valid yet: is the clock of this host right?";
  if (says("self-signed certificate in certificate chain"))
    return certificate + " ends at one that is not trusted; to trust it, give it in tls.ca";
  if (says("self-signed certificate")) return certificate + " is self-signed; to trust it, give it in tls.ca";
  if (says("unable to get local issuer")) return certificate + " is of an issuer that is not known; to trust it, give it in tls.ca";
  if (says(" match ") || says("name matches")) return certificate + " is for another name";
  // the first bytes that came are no record of TLS
  if (says("wrong version number")) return "TLS: " + url.peer + " does not speak TLS on this port";
  return ending.words.empty() ? "TLS: the handshake with " + url.peer + " failed" : "TLS: " + ending.words;
}

}  // namespace

std::string explain(const Ending& ending, const Url& url) {
  if (ending.cancelled) return "cancelled " + phase_text(ending, url);
  if (ending.headers_too_large) return ronda::text("the header of the answer is larger than ", max_header_bytes, " bytes");
  switch (ending.code) {
    case CURLE_OK:
      return url.peer + " answered without a status";
    case CURLE_OPERATION_TIMEDOUT:
      return "timeout " + phase_text(ending, url);
    case CURLE_COULDNT_RESOLVE_HOST:
      return "the name " + url.host + " cannot be resolved";
    case CURLE_COULDNT_RESOLVE_PROXY:
      return "the proxy's name cannot be resolved";
    case CURLE_COULDNT_CONNECT:
      return with_cause("cannot connect to " + peer_of(ending, url), ending);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
      return tls_text(ending, url);
    case CURLE_SSL_CACERT_BADFILE:
      return "the certificates in tls.ca cannot be read: " + ending.words;
    case CURLE_GOT_NOTHING:
      return url.peer + " closed the connection without an answer; the message may have arrived";
    case CURLE_PARTIAL_FILE:
      return url.peer + " closed the connection in the middle of its answer";
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
      return "the answer of " + url.peer + " is not HTTP: " + ending.words;
    case CURLE_RECV_ERROR:
      return with_cause("the connection to " + url.peer + " broke before its answer was whole", ending);
    case CURLE_SEND_ERROR:
      return with_cause("the connection to " + url.peer + " broke while sending", ending);
    default:
      return ending.words.empty() ? curl_easy_strerror(static_cast<CURLcode>(ending.code)) : ending.words;
  }
}

}  // namespace outgoing
