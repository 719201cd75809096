// SPDX-License-Identifier: Apache-2.0
// The child's side of parse_child.hpp.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>

#include "base/sanitized.hpp"
#include "config/build.hpp"
#include "config/parse_child.hpp"

namespace ronda::config {
namespace {

constexpr int damaged = 3;
constexpr int out_of_memory = 4;

/// `beyond`: the hard limit lies so much higher, where the signal of the soft one names the cause.
void limit(decltype(RLIMIT_CPU) what, rlim_t most, rlim_t beyond = 0) {
  rlimit now{};
  ::getrlimit(what, &now);
  const rlimit wanted{std::min(most, now.rlim_max), std::min(most + beyond, now.rlim_max)};
  ::setrlimit(what, &wanted);
}

void confine() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_DUMPABLE, 0);  // resolved secrets are in this memory
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (!is_sanitized) limit(RLIMIT_DATA, 512 << 20);
  limit(RLIMIT_CPU, 10, 2);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_NOFILE, 64);
  limit(RLIMIT_FSIZE, max_answer_bytes);
}

bool read_all(int in, std::string& bytes) {
  std::array<char, 65536> buffer;  // left uninitialised: filled by read
  while (bytes.size() <= max_request_bytes) {
    const ssize_t size = ::read(in, buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return size == 0;
    bytes.append(buffer.data(), static_cast<std::size_t>(size));
  }
  return false;
}

bool write_all(int out, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t size = ::write(out, bytes.data(), bytes.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

int answer_request(int in, int out) {
  std::string bytes;
  if (!read_all(in, bytes)) return damaged;
  auto request = decode_request(bytes);
  if (!request) return damaged;
  bytes = std::string();
  request->environment.read_file = trusted_file_reader(request->uid);
  ParseAnswer answer;
  answer.instances = build_generation(request->sources, request->environment, answer.diagnostics).instances.size();
  return write_all(out, encode_answer(answer)) ? 0 : damaged;
}

}  // namespace

int parse_child_main(int in, int out) {
  confine();
  try {
    return answer_request(in, out);
  } catch (const std::bad_alloc&) {
    return out_of_memory;
  }
}

}  // namespace ronda::config
