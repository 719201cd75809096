// SPDX-License-Identifier: Apache-2.0
// What the agent asks of the kernel for its own process.
#pragma once

#include <string>

namespace ronda {

/// Once, before anything is opened: files are for this user only, the memory is nobody else's, a peer that has gone and a
/// limit of the file size are errors and no end, and descriptors are as many as may be, 8192 at most.
void settle_own_process();

/// Of this host as the kernel has it, its first 255 bytes.
std::string host_name();

}  // namespace ronda
