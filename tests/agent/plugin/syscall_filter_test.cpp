// SPDX-License-Identifier: Apache-2.0
// The filter of system calls as the kernel runs it, on a small machine of the test's own: what each call is answered,
// and in how many steps.
#include "runner/syscall_filter.hpp"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <catch.hpp>
#include <cerrno>
#include <cstring>

using namespace ronda;
using runner::make_syscall_filter;

namespace {

#ifdef __x86_64__
constexpr std::uint32_t native_arch = AUDIT_ARCH_X86_64;
constexpr std::uint32_t foreign = AUDIT_ARCH_I386;
#else
constexpr std::uint32_t native_arch = AUDIT_ARCH_AARCH64;
constexpr std::uint32_t foreign = AUDIT_ARCH_ARM;
#endif

struct Answer {
  int error = -1;  // 0: allowed
  int steps = 0;
};

Answer run(const std::vector<sock_filter>& filter, const seccomp_data& data) {
  std::uint32_t a = 0;
  int steps = 0;
  for (std::size_t at = 0; at < filter.size(); ++at) {
    const sock_filter& now = filter[at];
    ++steps;
    switch (now.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        std::memcpy(&a, reinterpret_cast<const char*>(&data) + now.k, 4);
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        a &= now.k;
        break;
      case BPF_JMP | BPF_JA:
        at += now.k;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        at += a == now.k ? now.jt : now.jf;
        break;
      case BPF_JMP | BPF_JGE | BPF_K:
        at += a >= now.k ? now.jt : now.jf;
        break;
      case BPF_RET | BPF_K:
        return {now.k == SECCOMP_RET_ALLOW ? 0 : static_cast<int>(now.k & SECCOMP_RET_DATA), steps};
      default:
        return {};
    }
  }
  return {};  // fell off the end
}

Answer call(const std::vector<sock_filter>& filter, long number, std::initializer_list<std::uint64_t> arguments = {}) {
  seccomp_data data{};
  data.arch = native_arch;
  data.nr = static_cast<int>(number);
  std::copy(arguments.begin(), arguments.end(), data.args);
  return run(filter, data);
}

}  // namespace

TEST_CASE("every system call has an answer within a few steps", "[plugin]") {
  const bool programs = GENERATE(false, true), network = GENERATE(false, true);
  const auto filter = make_syscall_filter({programs, network, 7});
  CHECK(filter.size() < 4096);  // the kernel's limit
  int most = 0;
  for (long number = 0; number < 2000; ++number) {
    const Answer answer = call(filter, number);
    REQUIRE(answer.error >= 0);
    most = std::max(most, answer.steps);
  }
  CHECK(most <= 20);
  CHECK(call(filter, SYS_read).error == 0);
  CHECK(call(filter, SYS_read).steps <= 12);
}

TEST_CASE("numbers of another architecture, of x32 and of the future are not let through", "[plugin]") {
  const auto filter = make_syscall_filter({true, true, 7});
  seccomp_data data{};
  data.arch = foreign;
  data.nr = SYS_read;
  CHECK(run(filter, data).error == EPERM);
  CHECK(call(filter, 0x40000000L | SYS_read).error == ENOSYS);
  CHECK(call(filter, 463).error == ENOSYS);
  CHECK(call(filter, 462).error == 0);
  CHECK(call(filter, -1).error == ENOSYS);
}

TEST_CASE("arguments decide where a call is needed and feared", "[plugin]") {
  const auto plain = make_syscall_filter({false, false, 7}), net = make_syscall_filter({false, true, 7}),
             exec = make_syscall_filter({true, true, 7});
  const std::uint64_t thread = CLONE_VM | CLONE_THREAD;
  CHECK(call(plain, SYS_clone, {thread}).error == 0);
  CHECK(call(plain, SYS_clone, {17}).error == EPERM);
  CHECK(call(exec, SYS_clone, {17}).error == 0);
  CHECK(call(exec, SYS_clone, {17 | CLONE_NEWUSER}).error == EPERM);
  CHECK(call(plain, SYS_clone, {thread | CLONE_NEWNS}).error == EPERM);
  CHECK(call(plain, SYS_kill, {7}).error == 0);
  CHECK(call(plain, SYS_kill, {8}).error == EPERM);
  CHECK(call(plain, SYS_kill, {static_cast<std::uint64_t>(-1)}).error == EPERM);
  CHECK(call(exec, SYS_kill, {8}).error == 0);
  CHECK(call(plain, SYS_socket, {AF_UNIX}).error == 0);
  CHECK(call(plain, SYS_socket, {AF_INET}).error == EPERM);
  CHECK(call(net, SYS_socket, {AF_INET6}).error == 0);
  CHECK(call(net, SYS_socket, {AF_ALG}).error == EPERM);
  CHECK(call(plain, SYS_prctl, {4, 0}).error == 0);
  CHECK(call(plain, SYS_prctl, {4, 1}).error == EPERM);
  CHECK(call(plain, SYS_prctl, {15, 1}).error == 0);
  CHECK(call(plain, SYS_mknodat, {0, 0, 0010644}).error == 0);
  CHECK(call(plain, SYS_mknodat, {0, 0, 0020644}).error == EPERM);
  CHECK(call(plain, SYS_execve).error == EPERM);
  CHECK(call(exec, SYS_execve).error == 0);
  CHECK(call(exec, SYS_ptrace).error == EPERM);
  CHECK(call(exec, 435).error == ENOSYS);
}
