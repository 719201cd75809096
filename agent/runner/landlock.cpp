// SPDX-License-Identifier: Apache-2.0
#include "runner/landlock.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "base/descriptor.hpp"

namespace ronda::runner {
namespace {

// The kernel's interface (linux/landlock.h), of which headers in use lack the newer half.
constexpr long create_ruleset = 444, add_rule = 445, restrict_self = 446;
constexpr std::uint32_t ask_version = 1;
constexpr int path_beneath = 1;

struct Ruleset {
  std::uint64_t files = 0, ports = 0, scopes = 0;
};
struct __attribute__((packed)) PathRule {
  std::uint64_t allowed = 0;
  std::int32_t parent_fd = -1;
};

constexpr std::uint64_t execute = 1U << 0, write_file = 1U << 1;
constexpr std::uint64_t remove_and_make = 0x1ff0;  // REMOVE_DIR to MAKE_SYM
constexpr std::uint64_t refer = 1U << 13, truncate = 1U << 14;
constexpr std::uint64_t all_ports = 3;  // bind and connect of TCP
constexpr std::uint64_t abstract_sockets = 1, signals = 2;

/// Older kernels refuse bits that they do not know, and a structure that is larger than theirs.
struct Known {
  explicit Known(int version)
      : files(execute | write_file | remove_and_make | (version >= 2 ? refer : 0) | (version >= 3 ? truncate : 0)),
        ports(version >= 4 ? all_ports : 0),
        scopes(version >= 6 ? abstract_sockets | signals : 0),
        ruleset_bytes(version >= 6   ? 24
                      : version >= 4 ? 16
                                     : 8) {}
  std::uint64_t files, ports, scopes;
  std::size_t ruleset_bytes;
};

void allow_beneath(int ruleset, const char* path, std::uint64_t access) {
  const Descriptor fd(::open(path, O_PATH | O_CLOEXEC));
  struct stat info {};
  if (!fd || ::fstat(fd.get(), &info) != 0) return;  // what is not there needs no leave
  const PathRule rule{S_ISDIR(info.st_mode) ? access : access & (write_file | truncate), fd.get()};
  ::syscall(add_rule, ruleset, path_beneath, &rule, 0U);
}

}  // namespace

Result<int> apply_landlock(const LandlockNeeds& needs) {
  const auto version = static_cast<int>(::syscall(create_ruleset, nullptr, 0UL, ask_version));
  if (version < 1) return system_error("landlock", errno);
  const Known known(version);
  Ruleset wanted;
  // reading is not handled: libraries, names, certificates and what checks look at may be anywhere
  if (!needs.files) wanted.files = known.files;
  if (!needs.network) wanted.ports = known.ports;
  wanted.scopes = known.scopes & (needs.network ? signals : signals | abstract_sockets);
  if (wanted.files == 0 && wanted.ports == 0 && wanted.scopes == 0) return 0;
  const Descriptor ruleset(static_cast<int>(::syscall(create_ruleset, &wanted, known.ruleset_bytes, 0U)));
  if (!ruleset) return system_error("landlock", errno);
  if (!needs.files) {
    // libraries leave files there, as a Kerberos client its tickets
    for (const char* path : {"/tmp", "/var/tmp"}) allow_beneath(ruleset.get(), path, known.files & ~execute);
    for (const char* path : {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"})
      allow_beneath(ruleset.get(), path, known.files);
  }
  if (::syscall(restrict_self, ruleset.get(), 0U) != 0) return system_error("landlock", errno);
  return version;
}

}  // namespace ronda::runner
