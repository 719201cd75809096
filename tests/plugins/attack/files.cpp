// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "attack.hpp"

namespace attack {
namespace {

int open_for(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
  if (fd < 0) return errno;
  ::close(fd);
  return 0;
}

/// A file that is new: taken away again if it could be made.
int make_file(const std::string& path) {
  const int error = open_for(path, O_WRONLY | O_CREAT | O_EXCL);
  if (error == 0) ::unlink(path.c_str());
  return error;
}

std::string of_agent(const Target& target, const char* what) {
  return "/proc/" + std::to_string(target.agent) + what;
}

}  // namespace

const Attempts& on_files() {
  static const Attempts attempts = {
      {"read-state", [](const Target& t) { return open_for(t.state, O_RDONLY); }},
      {"write-state", [](const Target& t) { return open_for(t.state, O_WRONLY); }},
      {"cut-state", [](const Target& t) { return told(::truncate(t.state.c_str(), 1 << 20)); }},
      {"add-plugin", [](const Target& t) { return make_file(t.directory + "/new.so"); }},
      {"replace-plugin", [](const Target& t) { return open_for(t.directory + "/kept", O_WRONLY); }},
      {"remove-plugin", [](const Target& t) { return told(::unlink((t.directory + "/kept").c_str())); }},
      {"rename-plugin", [](const Target& t) { return told(::rename((t.directory + "/kept").c_str(), (t.directory + "/gone").c_str())); }},
      {"link-config", [](const Target& t) { return told(::symlink("/etc/shadow", (t.directory + "/x.toml").c_str())); }},
      {"make-directory", [](const Target& t) { return told(::mkdir((t.directory + "/d").c_str(), 0700)); }},
      {"agent-memory", [](const Target& t) { return open_for(of_agent(t, "/mem"), O_RDWR); }},
      {"agent-environment", [](const Target& t) { return open_for(of_agent(t, "/environ"), O_RDONLY); }},
      {"agent-maps", [](const Target& t) { return open_for(of_agent(t, "/maps"), O_RDONLY); }},
      {"own-program",
       [](const Target&) {
         const int fd = ::open("/proc/self/exe", O_WRONLY | O_CLOEXEC);
         const int error = fd < 0 ? errno : 0;
         if (fd >= 0) ::close(fd);
         return error;
       }},
      {"own-program-mode", [](const Target&) { return told(::chmod("/proc/self/exe", 04755)); }},
      {"preload", [](const Target&) { return make_file("/etc/ld.so.preload.ronda-test"); }},
      {"cron", [](const Target&) { return make_file("/etc/cron.d.ronda-test"); }},
      {"core-pattern", [](const Target&) { return open_for("/proc/sys/kernel/core_pattern", O_WRONLY); }},
      {"kernel-setting", [](const Target&) { return open_for("/proc/sys/vm/drop_caches", O_WRONLY); }},
      {"shadow", [](const Target&) { return open_for("/etc/shadow", O_RDONLY); }},
      {"make-device", [](const Target&) { return told(::mknod("/tmp/ronda-attack-device", S_IFCHR | 0600, 0x103)); }},
  };
  return attempts;
}

}  // namespace attack
