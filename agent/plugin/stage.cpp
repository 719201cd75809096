// SPDX-License-Identifier: Apache-2.0
#include "plugin/stage.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "base/safe_path.hpp"
#include "plugin/sha256.hpp"

namespace ronda::plugin {
namespace {

constexpr std::string_view temporary_prefix = ".staging-";
constexpr unsigned memfd_exec_flag = 0x0010U;  // MFD_EXEC, since Linux 6.3

std::string errno_text(int code) { return std::strerror(code); }

Refusal refuse(std::string message, std::string remedy) {
  return {LoadStep::stage, LoadReason::cannot_stage, std::move(message), std::move(remedy)};
}

bool write_all(int file, std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = write(file, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(wrote));
  }
  return true;
}

bool is_staged_name(std::string_view name) {
  return name.size() == 67 && name.ends_with(".so") && is_sha256(name.substr(0, 64));
}

/// The bytes in a file without a name; invalid when the directory cannot do that.
Descriptor write_nameless(int directory, std::span<const std::uint8_t> bytes) {
  Descriptor file(openat(directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!file) return file;
  if (write_all(file.get(), bytes) && fchmod(file.get(), 0555) == 0) return file;
  const int code = errno;
  file.reset();
  errno = code;
  return file;
}

/// For file systems without O_TMPFILE and for a /proc that is not there: a name that prune() knows.
Descriptor write_named(int directory, const std::string& name, std::span<const std::uint8_t> bytes) {
  unlinkat(directory, name.c_str(), 0);
  Descriptor file(openat(directory, name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return file;
  if (write_all(file.get(), bytes) && fchmod(file.get(), 0555) == 0) return file;
  const int code = errno;
  unlinkat(directory, name.c_str(), 0);
  file.reset();
  errno = code;
  return file;
}

bool link_nameless(int file, int directory, const std::string& name) {
  const std::string source = "/proc/self/fd/" + std::to_string(file);
  return linkat(AT_FDCWD, source.c_str(), directory, name.c_str(), AT_SYMLINK_FOLLOW) == 0;
}

/// Writes `bytes` under `name`; 0 or errno.
int write_as(int directory, const std::string& name, std::span<const std::uint8_t> bytes) {
  const Descriptor nameless = write_nameless(directory, bytes);
  if (nameless) {
    if (link_nameless(nameless.get(), directory, name)) return 0;
  } else if (errno == ENOSPC || errno == EDQUOT || errno == EROFS) {
    return errno;
  }
  const std::string temporary = std::string(temporary_prefix) + std::to_string(getpid());
  const Descriptor named = write_named(directory, temporary, bytes);
  if (!named) return errno;
  if (renameat(directory, temporary.c_str(), directory, name.c_str()) == 0) return 0;
  const int code = errno;
  unlinkat(directory, temporary.c_str(), 0);
  return code;
}

Descriptor open_staged(int directory, const std::string& name) {
  return Descriptor(openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
}

Descriptor make_memory_file(const std::string& name) {
  const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  const int fd = memfd_create(name.c_str(), flags | memfd_exec_flag);
  if (fd >= 0 || errno != EINVAL) return Descriptor(fd);
  return Descriptor(memfd_create(name.c_str(), flags));
}

}  // namespace

Stage::Stage(const std::string& state_directory, uid_t uid)
    : directory_path_(state_directory + "/stage"), uid_(uid) {
  if (mkdir(directory_path_.c_str(), 0755) != 0 && errno != EEXIST) {
    trouble_ = "cannot create " + directory_path_ + ": " + errno_text(errno);
    return;
  }
  auto directory = open_trusted_directory(directory_path_, uid);
  if (!directory) {
    trouble_ = directory.error().message();
    return;
  }
  struct statvfs facts {};
  if (fstatvfs(directory->get(), &facts) != 0) {
    trouble_ = "cannot look at " + directory_path_ + ": " + errno_text(errno);
  } else if ((facts.f_flag & ST_NOEXEC) != 0) {
    trouble_ = directory_path_ + " is mounted noexec";
  } else {
    directory_ = *std::move(directory);
  }
}

bool Stage::is_whole(int file, const PluginBytes& plugin) const {
  struct stat facts {};
  if (fstat(file, &facts) != 0 || !S_ISREG(facts.st_mode) || !distrust(facts, uid_).empty()) return false;
  if (static_cast<std::size_t>(facts.st_size) != plugin.bytes.size()) return false;
  const auto now = read_plugin_bytes(file);
  return now && now->sha256 == plugin.sha256;
}

Loaded<StagedFile> Stage::put(const PluginBytes& plugin) {
  if (!directory_) return put_in_memory(plugin, trouble_);
  std::string why_not;
  auto staged = put_on_disk(plugin, why_not);
  if (staged) return staged;
  return put_in_memory(plugin, why_not);
}

Loaded<StagedFile> Stage::put_on_disk(const PluginBytes& plugin, std::string& why_not) {
  const std::string name = plugin.sha256 + ".so";
  const std::string path = directory_path_ + "/" + name;
  Descriptor file = open_staged(directory_.get(), name);
  if (!file || !is_whole(file.get(), plugin)) {
    // not there, or damaged by a power cut: the name goes first, whoever has it mapped keeps the old inode
    unlinkat(directory_.get(), name.c_str(), 0);
    const int code = write_as(directory_.get(), name, plugin.bytes);
    if (code == 0) file = open_staged(directory_.get(), name);
    if (code != 0 || !file || !is_whole(file.get(), plugin)) {
      why_not = "cannot write " + path + ": " + (code == 0 ? "it reads back differently" : errno_text(code));
      return refuse(why_not, "");
    }
  }
  StagedFile out;
  out.sha256 = plugin.sha256;
  out.file = std::move(file);
  out.path = path;
  out.size = plugin.bytes.size();
  return out;
}

Loaded<StagedFile> Stage::put_in_memory(const PluginBytes& plugin, const std::string& why) {
  const std::string remedy = "make " + directory_path_ + " writable and executable, or allow memory files";
  Descriptor memory = make_memory_file("ronda-" + plugin.sha256.substr(0, 12));
  if (!memory) return refuse(why + ", and no memory file: " + errno_text(errno), remedy);
  const bool written = write_all(memory.get(), plugin.bytes) && fchmod(memory.get(), 0555) == 0;
  const int seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
  if (!written || fcntl(memory.get(), F_ADD_SEALS, seals) != 0)
    return refuse(why + ", and no memory file: " + errno_text(errno), remedy);
  StagedFile out;
  out.sha256 = plugin.sha256;
  out.file = std::move(memory);
  out.note = why + "; it is loaded from memory, which debuggers cannot follow";
  out.size = plugin.bytes.size();
  return out;
}

void Stage::prune(const std::set<std::string, std::less<>>& keep) {
  if (!directory_) return;
  const int copy = openat(directory_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (copy < 0) return;
  const std::unique_ptr<DIR, int (*)(DIR*)> list(fdopendir(copy), closedir);
  if (!list) {
    close(copy);
    return;
  }
  while (const dirent* entry = readdir(list.get())) {
    const std::string_view name = entry->d_name;
    const bool unused = is_staged_name(name) && !keep.contains(name.substr(0, 64));
    if (unused || name.starts_with(temporary_prefix)) unlinkat(directory_.get(), entry->d_name, 0);
  }
}

}  // namespace ronda::plugin
