// SPDX-License-Identifier: Apache-2.0
#include "base/process_tree.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "base/descriptor.hpp"

namespace ronda {
namespace {

/// Its parent; nothing when it cannot be read, and errno then says why.
std::optional<pid_t> parent_of(pid_t pid) {
  const Descriptor file(::open(("/proc/" + std::to_string(pid) + "/stat").c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return {};
  std::array<char, 512> text{};
  const ssize_t size = ::read(file.get(), text.data(), text.size() - 1);
  if (size <= 0) return {};
  const std::string_view stat(text.data(), static_cast<std::size_t>(size));
  const std::size_t name_end = stat.rfind(')');  // a name may hold anything
  if (name_end == std::string_view::npos || stat.size() < name_end + 5) return errno = EINVAL, std::nullopt;
  return static_cast<pid_t>(std::strtol(text.data() + name_end + 4, nullptr, 10));  // ") S 123"
}

enum class Place { below, elsewhere, lost };  // lost: an ancestor was not there

Place place_of(pid_t pid) {
  constexpr int deepest = 1000;
  const pid_t asked = pid;
  for (int depth = 0; depth < deepest && pid > 1; ++depth) {
    const auto parent = parent_of(pid);
    if (!parent) return pid != asked && (errno == ENOENT || errno == ESRCH) ? Place::lost : Place::below;
    if (*parent == ::getpid()) return Place::below;
    pid = *parent;
  }
  return Place::elsewhere;
}

}  // namespace

bool is_below_us(pid_t pid) {
  constexpr int looks = 3;  // an ancestor may end between two looks, and its children have another then
  for (int i = 0; i < looks; ++i) {
    const Place place = place_of(pid);
    if (place != Place::lost) return place == Place::below;
  }
  return false;
}

}  // namespace ronda
