// SPDX-License-Identifier: Apache-2.0
#include "failure.hpp"

#include <curl/curl.h>

#include <cstring>

namespace http {
namespace {

enum class Phase { resolve, connect, tls, first_byte, body };

Phase phase_of(const Ending& ending, const Url& url) {
  if (ending.first_byte > 0) return Phase::body;
  if (ending.ready > 0) return Phase::first_byte;
  if (ending.handshake_began) return Phase::tls;
  if (ending.connected > 0) return Phase::first_byte;
  return ending.resolved > 0 || url.host_is_address ? Phase::connect : Phase::resolve;
}

std::string peer(const Ending& ending, const Url& url) {
  return ending.by_proxy ? "the proxy" : url.origin.substr(url.origin.find("://") + 3);
}

std::string timeout_text(const Ending& ending, const Url& url) {
  const auto after = ronda::text(" (", std::chrono::duration<double>(ending.total), ")");
  switch (phase_of(ending, url)) {
    case Phase::resolve:
      return "timeout while resolving the name " + url.host + after;
    case Phase::connect:
      return "timeout while connecting to " + peer(ending, url) + after;
    case Phase::tls:
      return "timeout in the TLS handshake with " + peer(ending, url) + after;
    case Phase::first_byte:
      return "timeout while waiting for the first byte of the answer" + after;
    case Phase::body:
      return ronda::text("timeout while reading the answer, ", ending.received, " bytes of body so far", after);
  }
  return {};
}

std::string with_cause(std::string what, const Ending& ending) {
  if (ending.os_errno != 0) return what + ": " + std::strerror(ending.os_errno);
  return ending.text.empty() ? what : what + ": " + ending.text;
}

bool is_own_fault(int code) {
  switch (code) {
    case CURLE_FAILED_INIT:
    case CURLE_URL_MALFORMAT:
    case CURLE_NOT_BUILT_IN:
    case CURLE_OUT_OF_MEMORY:
    case CURLE_BAD_FUNCTION_ARGUMENT:
    case CURLE_UNKNOWN_OPTION:
    case CURLE_INTERFACE_FAILED:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_PROXY:
      return true;
    default:
      return false;
  }
}

std::string tls_text(const Ending& ending, const Url& url) {
  if (ending.code == CURLE_PEER_FAILED_VERIFICATION && !ending.text.empty())
    return distrust(ending.verify_result, ending.text, ending.chain, url, ending.now_s);
  // the first bytes that came are no record of TLS
  if (ending.text.find("wrong version number") != std::string::npos)
    return peer(ending, url) + " does not speak TLS on this port: should the URL begin with http://, or name another port?";
  return ending.text.empty() ? "the handshake failed" : ending.text;
}

std::string text_of(const Ending& ending, const Url& url) {
  if (ending.headers_too_large) return ronda::text("the answer's header is larger than ", max_header_bytes, " bytes");
  switch (ending.code) {
    case CURLE_OPERATION_TIMEDOUT:
      return timeout_text(ending, url);
    case CURLE_COULDNT_RESOLVE_HOST:
      return "the name " + url.host + " cannot be resolved";
    case CURLE_COULDNT_RESOLVE_PROXY:
      return "the proxy's name cannot be resolved";
    case CURLE_COULDNT_CONNECT:
      return with_cause("cannot connect to " + peer(ending, url), ending);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
      return "TLS: " + tls_text(ending, url);
    case CURLE_SSL_CACERT_BADFILE:
      return "the certificates in tls.ca cannot be read: " + ending.text;
    case CURLE_GOT_NOTHING:
      return "the server closed the connection without an answer";
    case CURLE_PARTIAL_FILE:
      return ronda::text("the server closed the connection in the middle of the body, after ", ending.received, " bytes");
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
      return "the answer is not HTTP: " + ending.text;
    case CURLE_RECV_ERROR:
      return with_cause("the connection broke while reading the answer", ending);
    case CURLE_SEND_ERROR:
      return with_cause("the connection broke while sending the request", ending);
    default:
      return ending.text.empty() ? curl_easy_strerror(static_cast<CURLcode>(ending.code)) : ending.text;
  }
}

}  // namespace

Failure explain(const Ending& ending, const Url& url) {
  Failure failure;
  failure.text = text_of(ending, url);
  // of the server behind a proxy that does not let us through nothing is known
  const bool at_proxy = ending.by_proxy && ending.ready == 0 && ending.code != CURLE_PEER_FAILED_VERIFICATION;
  if (at_proxy) failure.text += " (by the proxy)";
  if (is_own_fault(ending.code) || at_proxy) failure.end = Exchange::End::undetermined;
  return failure;
}

}  // namespace http
