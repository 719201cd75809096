// SPDX-License-Identifier: Apache-2.0
// What the end of a conversation with a mail server means for the mail. Pure.
#pragma once

#include <ronda/plugin.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace smtp {

/// How it ended, as the library and the server told it.
struct Ending {
  int code = 0;            ///< CURLcode
  std::string text;        ///< the library's words
  int os_errno = 0;        ///< of a connection that could not be made
  int reply = 0;           ///< code of the last reply; 0: there was none
  std::string reply_text;  ///< its lines, with the code
  std::string command;     ///< the last one that was sent: "RCPT", "DATA"; "" before the first
  bool connected = false;  ///< somebody took the connection
  bool body_sent = false;  ///< all of the mail is out, its last dot too
  bool cancelled = false;
  double seconds = 0;  ///< that it took
};

/// `secrets` are taken out of what the server said, and their forms in a login too: a server may say what it was told.
ronda::delivery judge(const Ending& ending, std::string_view server, std::string_view recipient, const std::vector<std::string>& secrets);

/// What is kept of a reply, in bytes.
constexpr std::size_t max_reply_bytes = 1000;

/// The forms in which a password goes to a server: as it is, in base64, in base64 with the name before it.
std::vector<std::string> forms_of_password(std::string_view username, std::string_view password);

}  // namespace smtp
