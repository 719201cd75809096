// SPDX-License-Identifier: Apache-2.0
#include "runner/syscall_filter.hpp"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>

namespace ronda::runner {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t native = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t native = AUDIT_ARCH_AARCH64;
#else
#error "the filter of system calls knows the numbers of x86_64 and aarch64 only"
#endif

using Code = std::vector<sock_filter>;
using Rules = std::map<std::uint32_t, Code>;  // by number; what has no rule is allowed

constexpr std::uint32_t allow = SECCOMP_RET_ALLOW;
constexpr std::uint32_t refuse = SECCOMP_RET_ERRNO | EPERM;
constexpr std::uint32_t absent = SECCOMP_RET_ERRNO | ENOSYS;
// The newest call that was judged: mseal. Beyond it, and with the bit of the x32 numbers, lies what nobody looked at.
constexpr std::uint32_t newest = 462;
constexpr std::uint32_t namespaces =
    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

// Numbers that older kernel headers lack; from 424 on they are the same everywhere.
constexpr std::uint32_t nr_open_tree = 428, nr_move_mount = 429, nr_fsopen = 430, nr_fsconfig = 431, nr_fsmount = 432, nr_fspick = 433,
                        nr_clone3 = 435, nr_pidfd_getfd = 438, nr_process_madvise = 440, nr_mount_setattr = 442, nr_quotactl_fd = 443,
                        nr_memfd_secret = 447, nr_process_mrelease = 448, nr_pidfd_send_signal = 424, nr_io_uring_setup = 425,
                        nr_io_uring_enter = 426, nr_io_uring_register = 427;

// Takes over, watches or changes the machine, or other processes; has been a way into the kernel more than once. Programs
// that are worth running as a check do without.
constexpr std::uint32_t refused_to_all[] = {
    __NR_init_module,
    __NR_finit_module,
    __NR_delete_module,
    __NR_kexec_load,
    __NR_reboot,
    __NR_swapon,
    __NR_swapoff,
    __NR_mount,
    __NR_umount2,
    __NR_pivot_root,
    __NR_chroot,
    __NR_acct,
    __NR_sethostname,
    __NR_setdomainname,
    __NR_settimeofday,
    __NR_clock_settime,
    __NR_vhangup,
    __NR_ptrace,
    __NR_process_vm_readv,
    __NR_process_vm_writev,
    __NR_kcmp,
    __NR_bpf,
    __NR_perf_event_open,
    __NR_userfaultfd,
    __NR_fanotify_init,
    __NR_fanotify_mark,
    __NR_open_by_handle_at,
    __NR_lookup_dcookie,
    __NR_add_key,
    __NR_request_key,
    __NR_keyctl,
    __NR_unshare,
    __NR_setns,
    __NR_migrate_pages,
    __NR_move_pages,
    __NR_sched_setattr,
    nr_open_tree,
    nr_move_mount,
    nr_fsopen,
    nr_fsconfig,
    nr_fsmount,
    nr_fspick,
    nr_pidfd_getfd,
    nr_process_madvise,
    nr_mount_setattr,
    nr_memfd_secret,
    nr_process_mrelease,
#ifdef __NR_kexec_file_load
    __NR_kexec_file_load,
#endif
#ifdef __x86_64__
    __NR_iopl,
    __NR_ioperm,
    __NR_modify_ldt,
    __NR_uselib,
    __NR__sysctl,
    __NR_create_module,
    __NR_get_kernel_syms,
    __NR_query_module,
    __NR_nfsservctl,
    __NR_sysfs,
    __NR_ustat,
#endif
};

// What only matters to who starts programs, or waits for others to come.
constexpr std::uint32_t refused_without_programs[] = {
    __NR_execve,   __NR_execveat,  __NR_listen, __NR_accept, __NR_accept4,
    __NR_quotactl, nr_quotactl_fd, __NR_tkill,  __NR_syslog, nr_pidfd_send_signal,
#ifdef __x86_64__
    __NR_fork,     __NR_vfork,
#endif
};

// Libraries try these and have another way.
constexpr std::uint32_t absent_to_all[] = {nr_clone3, nr_io_uring_setup, nr_io_uring_enter, nr_io_uring_register};

// ---- instructions ---------------------------------------------------------------------------

constexpr sock_filter load(std::size_t offset) {
  return {BPF_LD | BPF_W | BPF_ABS, 0, 0, static_cast<std::uint32_t>(offset)};
}
constexpr sock_filter answer(std::uint32_t action) {
  return {BPF_RET | BPF_K, 0, 0, action};
}
constexpr sock_filter jump(std::uint16_t kind, std::uint32_t value, std::uint8_t when_true, std::uint8_t when_false) {
  return {static_cast<std::uint16_t>(BPF_JMP | kind | BPF_K), when_true, when_false, value};
}
/// The low half of an argument: what is judged here are ints. Both architectures are little-endian.
constexpr sock_filter argument(unsigned number) {
  return load(offsetof(seccomp_data, args) + 8 * std::size_t{number});
}

void append(Code& to, const Code& more) {
  to.insert(to.end(), more.begin(), more.end());
}

/// `then` when the argument under the mask is one of the values, else `otherwise`.
Code choose(unsigned number, std::uint32_t mask, std::span<const std::uint32_t> values, std::uint32_t then, std::uint32_t otherwise) {
  Code out = {argument(number)};
  if (mask != ~0U) out.push_back({BPF_ALU | BPF_AND | BPF_K, 0, 0, mask});
  for (std::size_t i = 0; i < values.size(); ++i) out.push_back(jump(BPF_JEQ, values[i], static_cast<std::uint8_t>(values.size() - i), 0));
  out.push_back(answer(otherwise));
  out.push_back(answer(then));
  return out;
}

Code only(unsigned number, std::uint32_t mask, std::initializer_list<std::uint32_t> values) {
  return choose(number, mask, {values.begin(), values.size()}, allow, refuse);
}
Code never(unsigned number, std::uint32_t mask, std::initializer_list<std::uint32_t> values) {
  return choose(number, mask, {values.begin(), values.size()}, refuse, allow);
}

// ---- rules ----------------------------------------------------------------------------------

/// Calls that are judged by an argument.
void judge_arguments(const FilterNeeds& needs, Rules& rules) {
  const auto self = static_cast<std::uint32_t>(needs.self);
  rules[__NR_clone] = only(0, needs.programs ? namespaces : namespaces | CLONE_THREAD, {needs.programs ? 0U : std::uint32_t{CLONE_THREAD}});
  // nothing can be aimed at who is outside, whatever its number; a thread's own end goes through tgkill
  if (!needs.programs) {
    for (const std::uint32_t number :
         std::initializer_list<std::uint32_t>{__NR_kill, __NR_tgkill, __NR_rt_sigqueueinfo, __NR_rt_tgsigqueueinfo})
      rules[number] = only(0, ~0U, {self});
    rules[__NR_prlimit64] = only(0, ~0U, {0, self});
  }
  if (!needs.programs && needs.network) rules[__NR_socket] = only(0, ~0U, {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK});
  if (!needs.programs && !needs.network) rules[__NR_socket] = only(0, ~0U, {AF_UNIX, AF_NETLINK});
  if (needs.programs) rules[__NR_socket] = only(0, ~0U, {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET});
  // a program may make itself undumpable, nobody may undo it
  rules[__NR_prctl] = {argument(0),   jump(BPF_JEQ, PR_SET_DUMPABLE, 0, 2), argument(1), jump(BPF_JEQ, 0, 0, 1), answer(allow),
                       answer(refuse)};
  rules[__NR_personality] = only(0, ~0U, {0, 0xffffffff});
  rules[__NR_mknodat] = never(2, S_IFMT, {S_IFCHR, S_IFBLK});
  rules[__NR_sched_setscheduler] = only(1, ~std::uint32_t{SCHED_RESET_ON_FORK}, {SCHED_OTHER, SCHED_BATCH, SCHED_IDLE});
#ifdef __x86_64__
  rules[__NR_mknod] = never(1, S_IFMT, {S_IFCHR, S_IFBLK});
#endif
}

struct Range {
  std::uint32_t first;
  Code code;
};

/// Every number has exactly one range; neighbours of the same answer share one.
std::vector<Range> ranges_of(const Rules& rules) {
  std::vector<Range> out = {{0, {answer(allow)}}};
  const auto add = [&](std::uint32_t first, const Code& code) {
    const Code& last = out.back().code;
    if (code.size() == 1 && last.size() == 1 && code[0].k == last[0].k) return;
    if (out.back().first == first) out.pop_back();
    out.push_back({first, code});
  };
  for (const auto& [number, code] : rules) {
    add(number, code);
    if (!rules.contains(number + 1)) add(number + 1, {answer(allow)});
  }
  add(newest + 1, {answer(absent)});
  return out;
}

/// A tree over the ranges: a handful of comparisons whatever the number is.
Code decide(std::span<const Range> ranges) {
  if (ranges.size() == 1) return ranges[0].code;
  const std::size_t middle = ranges.size() / 2;
  const Code low = decide(ranges.first(middle)), high = decide(ranges.subspan(middle));
  Code out;
  if (low.size() <= UINT8_MAX) {
    out.push_back(jump(BPF_JGE, ranges[middle].first, static_cast<std::uint8_t>(low.size()), 0));
  } else {  // a conditional jump reaches 255 instructions, another one any number
    out.push_back(jump(BPF_JGE, ranges[middle].first, 0, 1));
    out.push_back({BPF_JMP | BPF_JA, 0, 0, static_cast<std::uint32_t>(low.size())});
  }
  append(out, low);
  append(out, high);
  return out;
}

}  // namespace

Code make_syscall_filter(const FilterNeeds& needs) {
  Rules rules;
  judge_arguments(needs, rules);
  for (const std::uint32_t number : refused_to_all) rules[number] = {answer(refuse)};
  if (!needs.programs) {
    for (const std::uint32_t number : refused_without_programs) rules[number] = {answer(refuse)};
  }
  for (const std::uint32_t number : absent_to_all) rules[number] = {answer(absent)};
  // of another architecture the numbers would mean something else
  Code out = {load(offsetof(seccomp_data, arch)), jump(BPF_JEQ, native, 1, 0), answer(refuse), load(offsetof(seccomp_data, nr))};
  append(out, decide(ranges_of(rules)));
  return out;
}

Status install_syscall_filter(const std::vector<sock_filter>& filter) {
  const sock_fprog program{static_cast<unsigned short>(filter.size()), const_cast<sock_filter*>(filter.data())};
  // SPEC_ALLOW: what is refused here is no reason to slow the plugin's own code down
  if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) != 0) return system_error("seccomp", errno);
  return done();
}

}  // namespace ronda::runner
