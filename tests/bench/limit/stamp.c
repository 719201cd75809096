// SPDX-License-Identifier: Apache-2.0
// What an exec check runs to say when it started: stamp FILE NUMBER [MARKER] appends both, in ns of CLOCK_BOOTTIME. It is
// critical while MARKER is there.
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char** argv) {
  struct timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  if (argc != 3 && argc != 4) return 3;
  char line[64];
  const int length =
      snprintf(line, sizeof line, "%s %lld%09ld\n", argv[2], (long long)now.tv_sec, now.tv_nsec);
  const int file = open(argv[1], O_WRONLY | O_APPEND | O_CLOEXEC);
  if (file < 0 || length <= 0 || write(file, line, (size_t)length) != length) return 3;
  return argc == 4 && access(argv[3], F_OK) == 0 ? 2 : 0;
}
