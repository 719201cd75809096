// SPDX-License-Identifier: Apache-2.0
// Starts the runner where the calls of seccomp(2) and Landlock do not exist, as on a kernel built without them.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>

int main(int, char** argv) {
  constexpr unsigned first_of_landlock = 444, last_of_landlock = 446;
  std::array<sock_filter, 6> code = {{{BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
                                      {BPF_JMP | BPF_JEQ | BPF_K, 2, 0, __NR_seccomp},
                                      {BPF_JMP | BPF_JGE | BPF_K, 0, 2, first_of_landlock},
                                      {BPF_JMP | BPF_JGT | BPF_K, 1, 0, last_of_landlock},
                                      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | ENOSYS},
                                      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}}};
  const sock_fprog program{code.size(), code.data()};
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) return 125;
  argv[0] = const_cast<char*>(RONDA_RUNNER);
  ::execv(RONDA_RUNNER, argv);
  return 126;
}
