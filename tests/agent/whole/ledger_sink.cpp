// SPDX-License-Identifier: Apache-2.0
// What messages go to, as a process that can be killed: writes into its ledger what came, holds its answer a little and says 200.
// The path of the request names the notifier; that of `gone` is told that it is not there any more, and not written down, and that
// of `late` until there is a file LEDGER.mended. What was said in full goes to LEDGER.text.
// Usage: ledger_sink PORT LEDGER HOLD_MS
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>

#include "ledgers.hpp"
#include "servers.hpp"
#include "sink.hpp"

namespace {
namespace json = boost::json;

std::string text_of(const json::object& object, const char* name) {
  const json::value* value = object.if_contains(name);
  return value == nullptr || !value->is_string() ? std::string() : std::string(value->as_string());
}

/// The line of the ledger; empty: that is no message.
std::string line_of(const std::string& request) {
  const std::size_t begin = request.find(" /"), end = request.find(' ', begin + 2), body = request.find("\r\n\r\n");
  if (body == std::string::npos || end >= body) return {};
  boost::system::error_code error;
  const json::value whole = json::parse(request.substr(body + 4), error);
  if (error || !whole.is_object() || !whole.as_object().contains("attempt")) return {};
  const json::object& message = whole.as_object();
  const json::object& fields = message.at("fields").as_object();
  const std::string check = text_of(fields, "check");
  const std::string name = check.starts_with("inbound/") ? check.substr(check.rfind('/') + 1) : check;
  const bool is_ours = !name.empty() && name.find('/') == std::string::npos;  // the agent's own have one
  const std::string alert = fields.empty() ? "?" : is_ours ? name : "-";
  return request.substr(begin + 2, end - begin - 2) + " " + alert + " " + text_of(message, "event") + ":" +
         text_of(message, "level") + " " + text_of(message, "id") + " " + json::serialize(message.at("attempt"));
}

void serve(int connection, const std::string& ledger, int hold_ms) {
  const std::string request = read_request(connection);
  const bool is_late = request.find(" /late ") != std::string::npos && ::access((ledger + ".mended").c_str(), F_OK) != 0;
  if (is_late || request.find(" /gone ") != std::string::npos) {
    send_text(connection, http_answer(410));
    ::close(connection);
    return;
  }
  const std::string line = line_of(request);
  if (!line.empty()) {
    ronda::test::append_line(ledger + ".text", request.substr(request.find("\r\n\r\n") + 4));
    ronda::test::append_line(ledger, line);
    std::this_thread::sleep_for(std::chrono::milliseconds(hold_ms));  // it is slow: what comes meanwhile finds a message on its way
  }
  send_text(connection, http_answer(line.empty() ? 404 : 200));
  ::close(connection);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(argv[1])));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || ::listen(listener, 100) != 0) return 1;
  while (true) {
    const int connection = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection >= 0) std::thread(serve, connection, std::string(argv[2]), std::atoi(argv[3])).detach();
  }
}
