// SPDX-License-Identifier: Apache-2.0
#include "plugin/plugin_file.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/safe_path.hpp"
#include "plugin/elf_image.hpp"
#include "plugin/sha256.hpp"

namespace ronda::plugin {
namespace {

constexpr std::size_t chunk_bytes = 256U << 10U;

Refusal refuse(LoadReason reason, std::string message, std::string remedy) {
  return {LoadStep::open, reason, std::move(message), std::move(remedy)};
}

std::string errno_text(int code) { return std::strerror(code); }

/// One component, below `directory`, over no link. Kernels and filters without openat2: O_NOFOLLOW says the
/// same for a name without a slash.
int open_one(int directory, const std::string& name, int flags) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  const long fd = syscall(SYS_openat2, directory, name.c_str(), &how, sizeof how);
  if (fd >= 0 || (errno != ENOSYS && errno != EPERM)) return static_cast<int>(fd);
  return openat(directory, name.c_str(), flags | O_NOFOLLOW);
}

std::string_view kind_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return "is a directory";
    case S_IFIFO:
      return "is a FIFO";
    case S_IFSOCK:
      return "is a socket";
    case S_IFCHR:
    case S_IFBLK:
      return "is a device";
    default:
      return "is no file";
  }
}

std::optional<Refusal> check_kind(const struct stat& facts) {
  if (S_ISLNK(facts.st_mode))
    return refuse(LoadReason::symlink, "is a symbolic link", "put the file itself into the directory");
  if (!S_ISREG(facts.st_mode))
    return refuse(LoadReason::not_regular, std::string(kind_of(facts.st_mode)) + ", not a plugin",
                  "take it out of the directory");
  if (static_cast<std::uint64_t>(facts.st_size) > max_plugin_bytes)
    return refuse(LoadReason::too_large,
                  "has " + std::to_string(facts.st_size) + " bytes; a plugin has at most 64 MiB",
                  "strip it, or link its libraries dynamically");
  return std::nullopt;
}

/// What is wrong and, after "; ", what corrects it.
Refusal refuse_split(LoadReason reason, std::string message, std::string remedy) {
  const std::size_t cut = message.find("; ");
  if (cut != std::string::npos) {
    remedy = message.substr(cut + 2);
    message.resize(cut);
  }
  return refuse(reason, std::move(message), std::move(remedy));
}

std::optional<Refusal> check_trust(const struct stat& facts, uid_t uid) {
  const std::string why = distrust(facts, uid);
  if (why.empty()) return std::nullopt;
  const bool owner = facts.st_uid != 0 && facts.st_uid != uid;
  return refuse_split(owner ? LoadReason::wrong_owner : LoadReason::writable_by_others, why,
                      "make it root's alone");
}

}  // namespace

Loaded<Descriptor> open_plugin_directory(const std::string& path, uid_t uid) {
  auto directory = open_trusted_directory(path, uid);
  if (directory) return *std::move(directory);
  const Error& error = directory.error();
  if (error.code() == Errc::denied)
    return refuse_split(LoadReason::unsafe_ancestor, error.message(), "make it root's alone");
  return refuse(LoadReason::no_directory, error.message(), "create it, or name another with --plugins");
}

Loaded<Descriptor> open_plugin_entry(int directory, const std::string& name, uid_t uid) {
  // looked at through O_PATH first: opening a device or a FIFO for reading has effects of its own
  struct stat seen {};
  const Descriptor look(openat(directory, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!look || fstat(look.get(), &seen) != 0)
    return refuse(LoadReason::unreadable, "cannot be opened: " + errno_text(errno), "check the file");
  if (auto refusal = check_kind(seen)) return *std::move(refusal);
  Descriptor file(open_one(directory, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file) {
    if (errno == ELOOP)
      return refuse(LoadReason::symlink, "is a symbolic link", "put the file itself into the directory");
    return refuse(LoadReason::unreadable, "cannot be read: " + errno_text(errno), "check its mode");
  }
  // what counts is the file that is open now, whatever stood there before
  struct stat facts {};
  if (fstat(file.get(), &facts) != 0)
    return refuse(LoadReason::unreadable, "cannot be read: " + errno_text(errno), "check the file");
  if (auto refusal = check_kind(facts)) return *std::move(refusal);
  if (auto refusal = check_trust(facts, uid)) return *std::move(refusal);
  return file;
}

namespace {

Loaded<std::vector<std::uint8_t>> read_bytes(int file) {
  std::vector<std::uint8_t> out;
  struct stat facts {};
  // all at once: a vector that grows would copy megabytes again and again
  if (fstat(file, &facts) == 0 && facts.st_size > 0 && static_cast<std::uint64_t>(facts.st_size) <= max_plugin_bytes)
    out.reserve(static_cast<std::size_t>(facts.st_size) + chunk_bytes);
  while (true) {
    const std::size_t have = out.size();
    out.resize(have + chunk_bytes);
    const ssize_t got = pread(file, out.data() + have, chunk_bytes, static_cast<off_t>(have));
    if (got < 0 && errno == EINTR) {
      out.resize(have);
      continue;
    }
    if (got < 0) return refuse(LoadReason::unreadable, "cannot be read: " + errno_text(errno), "check the disk");
    out.resize(have + static_cast<std::size_t>(got));
    if (out.size() > max_plugin_bytes)
      return refuse(LoadReason::too_large, "has more than 64 MiB", "strip it, or link its libraries dynamically");
    if (got == 0) return out;
  }
}

/// Any regular file by any path.
Loaded<Descriptor> open_any(const std::string& path) {
  Descriptor file(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat facts {};
  if (!file || fstat(file.get(), &facts) != 0)
    return refuse(LoadReason::unreadable, "cannot be opened: " + errno_text(errno), "check the path");
  if (auto refusal = check_kind(facts)) return *std::move(refusal);
  return file;
}

FileMark mark_of(const struct stat& facts) {
  return {facts.st_dev, facts.st_ino, facts.st_size, std::int64_t{facts.st_mtim.tv_sec} * 1'000'000'000 + facts.st_mtim.tv_nsec};
}

}  // namespace

std::string_view compare_file(const std::string& path, const FileMark& read) {
  struct stat facts {};
  if (lstat(path.c_str(), &facts) != 0) return errno == ENOENT || errno == ENOTDIR ? "missing" : "differs";
  return mark_of(facts) == read ? "same" : "differs";
}

Loaded<PluginBytes> read_plugin_bytes(int file) {
  struct stat facts {};  // from before: what is written meanwhile makes it another
  if (fstat(file, &facts) != 0) return refuse(LoadReason::unreadable, "cannot be read: " + errno_text(errno), "check the file");
  auto bytes = read_bytes(file);
  if (!bytes) return bytes.error();
  Sha256 hash;
  hash.add(*bytes);
  return PluginBytes{std::move(*bytes), hash.hex(), mark_of(facts)};
}

Loaded<PluginBytes> read_any_plugin(const std::string& path) {
  const auto file = open_any(path);
  if (!file) return file.error();
  return read_plugin_bytes(file->get());
}

Loaded<std::vector<std::uint8_t>> read_library(const std::string& path) {
  const auto file = open_any(path);
  if (!file) return file.error();
  return read_bytes(file->get());
}

}  // namespace ronda::plugin
