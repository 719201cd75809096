// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/quota.h>
#include <sys/reboot.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <unistd.h>

#include <ctime>

#include "attack.hpp"

namespace attack {
namespace {

/// A descriptor that should not have been given, or what was answered.
int given(long fd) {
  if (fd < 0) return errno;
  ::close(static_cast<int>(fd));
  return 0;
}

// Of a constructor, which runs before anybody asked the plugin anything.
const int at_load = told(::syscall(SYS_unshare, 0x10000000));
const int program_at_load = [] {
  char* none[] = {nullptr};
  const int error = told(::execve("/nonexistent/ronda-attack", none, none));
  return error == ENOENT ? 0 : error;
}();

// Arguments are such that the kernel would refuse them too, once it looks at them: the right is asked for first.
const Attempts machine = {
    {"mount", [](const Target&) { return told(::mount("none", "/tmp", "tmpfs", 0, nullptr)); }},
    {"unmount", [](const Target&) { return told(::umount2("/proc/ronda-attack", 0)); }},
    {"pivot-root", [](const Target&) { return told(::syscall(SYS_pivot_root, "/", "/")); }},
    {"open-tree", [](const Target&) { return given(::syscall(428, AT_FDCWD, "/", 1 /* a copy */)); }},
    {"new-mount", [](const Target&) { return given(::syscall(430, "tmpfs", 0)); }},
    {"chroot", [](const Target&) { return told(::chroot("/")); }},
    {"load-module", [](const Target&) { return told(::syscall(SYS_init_module, nullptr, 0L, "")); }},
    {"load-module-file", [](const Target&) { return told(::syscall(SYS_finit_module, -1, "", 0)); }},
    {"remove-module", [](const Target&) { return told(::syscall(SYS_delete_module, "ronda_attack", 0)); }},
    {"load-kernel", [](const Target&) { return told(::syscall(SYS_kexec_load, 0L, 0L, nullptr, ~0UL)); }},
    {"reboot", [](const Target&) { return told(::syscall(SYS_reboot, 0, 0, 0, nullptr)); }},  // no magic: EINVAL at best
    {"swap-on", [](const Target&) { return told(::swapon("/dev/null", 0)); }},
    {"swap-off", [](const Target&) { return told(::swapoff("/dev/null")); }},
    {"set-clock",
     [](const Target&) {
       const timespec impossible{-1, -1};
       return told(::syscall(SYS_clock_settime, CLOCK_REALTIME, &impossible));
     }},
    {"set-time-of-day",
     [](const Target&) {
       const timeval impossible{-1, -1};
       return told(::syscall(SYS_settimeofday, &impossible, nullptr));
     }},
    {"host-name", [](const Target&) { return told(::syscall(SYS_sethostname, nullptr, -1)); }},
    {"domain-name", [](const Target&) { return told(::syscall(SYS_setdomainname, nullptr, -1)); }},
    {"accounting", [](const Target&) { return told(::acct("/dev/null")); }},
    {"quota", [](const Target&) { return told(::syscall(SYS_quotactl, QCMD(Q_SETQUOTA, USRQUOTA), "/dev/ronda-attack", 0, nullptr)); }},
    {"hang-up", [](const Target&) { return told(::vhangup()); }},
    {"kernel-log", [](const Target&) { return told(::syscall(SYS_syslog, 5 /* clear */, nullptr, 0)); }},
#ifdef __x86_64__
    {"io-ports", [](const Target&) { return told(::syscall(SYS_iopl, 3)); }},
    {"segments", [](const Target&) { return told(::syscall(SYS_modify_ldt, 0, nullptr, 0UL)); }},
#endif
};

const Attempts doors = {
    {"bpf", [](const Target&) { return given(::syscall(SYS_bpf, 0, nullptr, 0)); }},
    {"perf-event", [](const Target&) { return given(::syscall(SYS_perf_event_open, nullptr, 0, -1, -1, 0UL)); }},
    {"userfaultfd", [](const Target&) { return given(::syscall(SYS_userfaultfd, 1 | O_CLOEXEC)); }},
    {"io-uring", [](const Target&) { return given(::syscall(425, 1, nullptr)); }},
    {"secret-memory", [](const Target&) { return given(::syscall(447, 0)); }},
    {"watch-all-files", [](const Target&) { return given(::syscall(SYS_fanotify_init, 0, 0)); }},
    {"file-by-handle", [](const Target&) { return given(::syscall(SYS_open_by_handle_at, AT_FDCWD, nullptr, 0)); }},
    {"key", [](const Target&) { return told(::syscall(SYS_add_key, "user", "ronda-attack", "x", 1L, -1 /* of the thread */)); }},
    {"keyring", [](const Target&) { return told(::syscall(SYS_keyctl, 0 /* id */, -1, 1)); }},
    {"user-namespace", [](const Target&) { return told(::syscall(SYS_unshare, 0x10000000)); }},
    {"mount-namespace", [](const Target&) { return told(::syscall(SYS_unshare, 0x20000)); }},
    {"network-namespace", [](const Target&) { return told(::syscall(SYS_unshare, 0x40000000)); }},
    {"program-at-load", [](const Target&) { return program_at_load; }},
    {"enter-namespace", [](const Target&) { return told(::syscall(SYS_setns, -1, 0)); }},
    {"execution-domain", [](const Target&) { return told(::personality(READ_IMPLIES_EXEC)); }},
    {"namespace-at-load", [](const Target&) { return at_load; }},
    {"of-the-future", [](const Target&) { return told(::syscall(500)); }},
};

}  // namespace

const Attempts& on_kernel() {
  static const Attempts attempts = [] {
    Attempts all = machine;
    all.insert(all.end(), doors.begin(), doors.end());
    return all;
  }();
  return attempts;
}

}  // namespace attack
