// SPDX-License-Identifier: Apache-2.0
// A disk that is full, out of inodes or read-only: a tiny file system in a mount namespace of the test's own thread, and of
// what that starts from then on. For a test that is root.
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>

#include "scratch.hpp"
#include "skip.hpp"

namespace ronda::test {

class TinyDisk {
 public:
  /// An ext4 in a file, which can fail as a real one does; needs loop devices and mkfs.ext4.
  struct Real {
    std::string size;
  };
  explicit TinyDisk(const Real& real) : path_(scratch_ / "disk") {
    const std::string image = scratch_ / "image";
    if (!enter()) return;
    mounted_ = is_done("truncate -s " + real.size + " " + image) && is_done("mkfs.ext4 -q -F -m 0 " + image) &&
               is_done("mount -o loop " + image + " " + path_);
    if (!mounted_) missing_ = "no ext4 can be made in a file, or not mounted by a loop device";
  }
  /// A tmpfs of these settings.
  explicit TinyDisk(const std::string& settings) : path_(scratch_ / "disk") {
    if (!enter()) return;
    mounted_ = ::mount("ronda-test", path_.c_str(), "tmpfs", 0, (settings + ",mode=0700").c_str()) == 0;
    if (!mounted_) explain("mount");
  }
  ~TinyDisk() {
    hide();
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  TinyDisk(const TinyDisk&) = delete;
  TinyDisk& operator=(const TinyDisk&) = delete;

  /// Empty: the disk is there. Else why this machine cannot run the test.
  const std::string& missing() const { return missing_; }
  std::string state() const { return path_ + "/state"; }
  /// Its directory of state is seen there too.
  void show_at(const std::string& path) {
    std::filesystem::create_directories(state());
    std::filesystem::permissions(state(), std::filesystem::perms(0700));
    if (::mount(state().c_str(), path.c_str(), nullptr, MS_BIND, nullptr) != 0) return explain("bind");
    shown_ = path;
  }
  void hide() {
    if (!shown_.empty()) ::umount2(shown_.c_str(), MNT_DETACH);
    shown_.clear();
  }

  /// With nobody who may write into one of its files.
  bool remount(unsigned long flags) const { return ::mount("ronda-test", path_.c_str(), nullptr, MS_REMOUNT | flags, nullptr) == 0; }
  /// As the kernel does when it finds an error: whoever writes into one of its files is refused from now on. Of a real one.
  bool break_it() const { return ::mount("none", path_.c_str(), nullptr, MS_REMOUNT, "abort") == 0; }
  /// Takes the last byte.
  void fill() const {
    const int fd = ::open((path_ + "/filler").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    for (std::size_t size = 1024 * 1024; size > 0; size /= 4) {
      const std::string block(size, 'f');
      while (::write(fd, block.data(), block.size()) > 0) {
      }
    }
    ::close(fd);
  }
  void fill_inodes() const {
    std::filesystem::create_directory(path_ + "/many");
    for (int i = 0;; ++i) {
      const int fd = ::open((path_ + "/many/" + std::to_string(i)).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
      if (fd < 0) return;
      ::close(fd);
    }
  }
  void empty() const {
    std::filesystem::remove(path_ + "/filler");
    std::filesystem::remove_all(path_ + "/many");
  }

 private:
  bool enter() {
    std::filesystem::create_directory(path_);
    if (::unshare(CLONE_NEWNS) != 0)
      explain("unshare");
    else if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
      explain("make mounts private");
    return missing_.empty();
  }
  static bool is_done(const std::string& command) { return std::system((command + " >/dev/null 2>&1").c_str()) == 0; }
  void explain(const char* doing) { missing_ = std::string(doing) + ": " + std::strerror(errno); }

  Scratch scratch_;
  std::string path_, missing_, shown_;
  bool mounted_ = false;
};

}  // namespace ronda::test

#define RONDA_NEED_DISK(disk)                                    \
  if (!(disk).missing().empty()) {                               \
    return ronda::test::skipped("own-mounts", (disk).missing()); \
  }
