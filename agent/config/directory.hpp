// SPDX-License-Identifier: Apache-2.0
// Reads conf.d: which files belong to it, which are skipped and why, and one consistent copy of their bytes.
// Never reads what others could have written, never blocks on a FIFO or device, never looks into a refused
// file.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "config/diagnostic.hpp"

namespace ronda::config {

struct Skipped {
  std::string name;
  std::string reason;
};

struct Snapshot {
  bool readable = false;  // the directory itself could be read; else one diagnostic says why
  Sources sources;        // byte order of the name
  std::vector<Skipped> skipped;
};

/// `shown` stands before the names of the files in messages. Files are owned by root or `uid`.
/// A file that changes while it is read is read again, three times; then it is refused.
Snapshot read_directory(const std::string& directory, const std::string& shown, uid_t uid,
                        Diagnostics& diagnostics);

/// Why a name in conf.d is no part of the configuration, or empty.
std::string skip_reason(std::string_view name);

}  // namespace ronda::config
