// SPDX-License-Identifier: Apache-2.0
// Opens what may be trusted: files and directories that only root or the agent's own user can change.
// Walks from / by descriptor, so that what was checked is what is opened; never opens a FIFO, device or
// socket for reading, never follows a symlink as the last component of a file.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/descriptor.hpp"
#include "base/result.hpp"

namespace ronda {

/// A directory (the path may lead over symlinks) that is owned by root or `uid`, not writable by group or
/// others, and so is every directory on the way, except sticky ones whose next component is owned by root or
/// `uid`. O_RDONLY, for reading and openat. A relative path starts at the working directory, which is walked
/// from / too.
Result<Descriptor> open_trusted_directory(const std::string& path, uid_t uid);

/// The same; one that is missing is made, with mode 0700, if the directory that it is to be in is trusted so far, or
/// sticky. `made` says whether it was.
Result<Descriptor> open_or_make_trusted_directory(const std::string& path, uid_t uid, bool& made);

/// A regular file by its absolute path: its directory as above, the file itself as open_trusted_entry says.
Result<Descriptor> open_trusted_file(const std::string& path, uid_t uid, std::uint64_t max_bytes);

/// The regular file `name` in an open directory: no symlink, owned by root or `uid`, not writable by group or
/// others, at most max_bytes. Looked at before it is opened for reading. `shown` is its path in messages.
Result<Descriptor> open_trusted_entry(int directory, const std::string& name, std::string_view shown, uid_t uid, std::uint64_t max_bytes);

/// The whole content; Errc::unavailable when the file changed while it was read (try again), Errc::range when
/// it has more than max_bytes.
Result<std::string> read_stable(int file, std::string_view shown, std::uint64_t max_bytes);

/// Why an owner and a mode are not to be trusted: "is owned by uid 1000, not by root", or empty.
std::string distrust(const struct stat& facts, uid_t uid);

}  // namespace ronda
