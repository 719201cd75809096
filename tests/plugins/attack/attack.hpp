// SPDX-License-Identifier: Apache-2.0
// Attempts of a plugin that was taken over. Each one that is let through does no harm: it asks for the right, and
// makes as little use of it as there is. For tests only, never installed.
#pragma once

#include <cerrno>
#include <string>
#include <vector>

namespace attack {

struct Target {
  int agent = 0;      // process
  std::string state;  // file
  std::string directory;
  std::string abstract;  // socket
};

struct Attempt {
  const char* name;
  int (*make)(const Target& target);  // 0: it was let through; an errno: refused
};

using Attempts = std::vector<Attempt>;

const Attempts& on_files();   // files.cpp: of the agent, of the host
const Attempts& on_kernel();  // kernel.cpp: the machine, and doors into its kernel
const Attempts& on_others();  // others.cpp: processes, users, the network

/// What a call that answers -1 and errno was told.
inline int told(long answer) {
  return answer < 0 ? errno : 0;
}

}  // namespace attack
