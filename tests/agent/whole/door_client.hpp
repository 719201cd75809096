// SPDX-License-Identifier: Apache-2.0
// One request to the door on TCP, byte by byte as a test wants it.
#pragma once

#include <string>
#include <vector>

namespace ronda::test {

struct Answer {
  int status = 0;  // 0: none came
  std::string head, body;
};

/// What comes back for these bytes, until the other side closes.
std::string ask_raw(int port, const std::string& bytes);
/// With `Host: ronda.example` where the headers name none.
Answer ask_door(int port, const std::string& method, const std::string& target, const std::vector<std::string>& headers = {},
                const std::string& body = {});
/// Where the agent that wrote this log said last that its door is; 0: nowhere.
int port_of_door(const std::string& log);
/// How often it said so.
int times_of_door(const std::string& log);

}  // namespace ronda::test
