// SPDX-License-Identifier: Apache-2.0
// One mail to one recipient over a connection of its own, by libcurl. Any thread, several at once.
// Reads no environment, uses no proxy, sends nothing in plain text that the settings want encrypted. Never throws for what a
// server does; ends by its deadline, a second later at most where a server does not even answer to QUIT.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "settings.hpp"
#include "verdict.hpp"

namespace smtp {

/// Empty: no login. Borrowed.
struct Login {
  std::string_view username, password;
};

/// When it must have ended, and the descriptor that becomes readable if it should end earlier.
struct Limits {
  std::chrono::milliseconds time_left{0};
  int cancel_fd = -1;
};

Ending send_mail(const Settings& settings, const Login& login, const Address& to, const std::string& mail, const Limits& limits);

}  // namespace smtp
