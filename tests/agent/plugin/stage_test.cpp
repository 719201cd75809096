// SPDX-License-Identifier: Apache-2.0
#include "plugin/stage.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "built_plugin.hpp"
#include "catch.hpp"
#include "plugin/sha256.hpp"
#include "skip.hpp"

using namespace ronda;
using namespace ronda::plugin;
using namespace ronda::test;

namespace {

std::string open_refusal(const TempDir& dir, const std::string& name) {
  auto directory = open_plugin_directory(dir.path(), geteuid());
  if (!directory) return directory.error().text();
  auto file = open_plugin_entry(directory->get(), name, geteuid());
  return file ? "accepted" : file.error().text();
}

PluginBytes bytes_of(std::string_view text) {
  PluginBytes out;
  out.bytes.assign(text.begin(), text.end());
  out.sha256 = sha256_hex(out.bytes);
  return out;
}

std::string content_of(const StagedFile& staged) {
  const auto bytes = read_plugin_bytes(staged.file.get());
  return bytes ? std::string(bytes->bytes.begin(), bytes->bytes.end()) : bytes.error().text();
}

/// A tmpfs of this process alone; false where the sandbox does not allow one.
class PrivateMount {
 public:
  PrivateMount(const std::string& path, unsigned long flags, const char* options) : path_(path) {
    static const bool own_namespace = unshare(CLONE_NEWNS) == 0 && mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
    mounted_ = own_namespace && mount("tmpfs", path.c_str(), "tmpfs", flags, options) == 0;
  }
  PrivateMount(const PrivateMount&) = delete;
  PrivateMount& operator=(const PrivateMount&) = delete;
  ~PrivateMount() {
    if (mounted_) umount2(path_.c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }

 private:
  std::string path_;
  bool mounted_ = false;
};

}  // namespace

TEST_CASE("the hash is SHA-256", "[plugin]") {
  CHECK(bytes_of("abc").sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(is_sha256(bytes_of("").sha256));
  CHECK_FALSE(is_sha256("abc"));
}

TEST_CASE("what is no regular file of a trusted owner is not opened", "[plugin]") {
  const TempDir dir;
  write_file(dir / "good.so", "x");
  CHECK(open_refusal(dir, "good.so") == "accepted");
  CHECK(open_refusal(dir, "none.so") == "open/unreadable: cannot be opened: No such file or directory; check the file");

  mkdir((dir / "dir.so").c_str(), 0755);
  CHECK(open_refusal(dir, "dir.so") == "open/not_regular: is a directory, not a plugin; take it out of the directory");
  mkfifo((dir / "fifo.so").c_str(), 0644);
  CHECK(open_refusal(dir, "fifo.so") == "open/not_regular: is a FIFO, not a plugin; take it out of the directory");
  symlink("good.so", (dir / "link.so").c_str());
  symlink("loop.so", (dir / "loop.so").c_str());
  CHECK(open_refusal(dir, "link.so") == "open/symlink: is a symbolic link; put the file itself into the directory");
  CHECK(open_refusal(dir, "loop.so") == "open/symlink: is a symbolic link; put the file itself into the directory");
  const std::string sparse = dir / "sparse.so";
  write_file(sparse, "");
  REQUIRE(truncate(sparse.c_str(), off_t{2} << 30) == 0);
  CHECK(open_refusal(dir, "sparse.so") ==
        "open/too_large: has 2147483648 bytes; a plugin has at most 64 MiB; "
        "strip it, or link its libraries dynamically");
  chmod((dir / "good.so").c_str(), 0664);
  CHECK(open_refusal(dir, "good.so") ==
        "open/writable_by_others: has mode 0664: others than its owner can change it; correct it with chmod go-w");
  CHECK(open_refusal(dir, "../good.so").starts_with("open/unreadable: "));
}

TEST_CASE("a device is not opened", "[plugin]") {
  const TempDir dir;
  if (mknod((dir / "null.so").c_str(), S_IFCHR | 0644, makedev(1, 3)) != 0)
    return ronda::test::skipped("other-users", "only root can make a device");
  CHECK(open_refusal(dir, "null.so") == "open/not_regular: is a device, not a plugin; take it out of the directory");
}

TEST_CASE("files and directories of other owners are refused", "[plugin]") {
  if (geteuid() != 0) return ronda::test::skipped("other-users", "only root can make files of somebody else");
  const TempDir dir;
  write_file(dir / "theirs.so", "x");
  REQUIRE(chown((dir / "theirs.so").c_str(), 65534, 65534) == 0);
  CHECK(open_refusal(dir, "theirs.so") == "open/wrong_owner: is owned by uid 65534, not by root; correct it with chown");
  REQUIRE(chown(dir.path().c_str(), 65534, 65534) == 0);
  CHECK(open_refusal(dir, "theirs.so").starts_with("open/unsafe_ancestor: " + dir.path() + " is owned by uid 65534"));
  REQUIRE(chown(dir.path().c_str(), 0, 0) == 0);
  chmod(dir.path().c_str(), 0775);
  CHECK(open_refusal(dir, "theirs.so").starts_with("open/unsafe_ancestor: " + dir.path() + " has mode 0775: others than"));
  chmod(dir.path().c_str(), 0755);
  CHECK(open_plugin_directory(dir / "none", 0).error().reason == LoadReason::no_directory);
}

TEST_CASE("a staged file is named by its hash, read-only, and shared by equal bytes", "[plugin]") {
  const TempDir state;
  Stage stage(state.path(), geteuid());
  CHECK(stage.trouble().empty());
  const PluginBytes plugin = bytes_of("the code");
  const auto first = stage.put(plugin);
  const auto second = stage.put(plugin);
  REQUIRE(first);
  REQUIRE(second);
  CHECK(first->path == state / ("stage/" + plugin.sha256 + ".so"));
  CHECK(first->note.empty());
  CHECK(content_of(*first) == "the code");
  struct stat a {
  }, b{};
  REQUIRE(fstat(first->file.get(), &a) == 0);
  REQUIRE(fstat(second->file.get(), &b) == 0);
  CHECK(a.st_ino == b.st_ino);
  CHECK((a.st_mode & 07777) == 0555);
  CHECK((fcntl(first->file.get(), F_GETFL) & O_ACCMODE) == O_RDONLY);
}

TEST_CASE("a damaged staged file is replaced, and who has it open keeps the old one", "[plugin]") {
  const TempDir state;
  Stage stage(state.path(), geteuid());
  const PluginBytes plugin = bytes_of("the code");
  const auto first = stage.put(plugin);
  REQUIRE(first);
  chmod(first->path.c_str(), 0755);
  write_file(first->path, "the c0de");
  const auto second = stage.put(plugin);
  REQUIRE(second);
  CHECK(content_of(*second) == "the code");
  CHECK(content_of(*first) == "the c0de");
}

TEST_CASE("pruning keeps what is named and removes the rest", "[plugin]") {
  const TempDir state;
  Stage stage(state.path(), geteuid());
  const auto kept = stage.put(bytes_of("kept"));
  const auto unused = stage.put(bytes_of("unused"));
  REQUIRE(kept);
  REQUIRE(unused);
  write_file(state / "stage/.staging-1", "half");
  write_file(state / "stage/notes.txt", "of a person");
  stage.prune({kept->sha256});
  CHECK(std::filesystem::exists(kept->path));
  CHECK_FALSE(std::filesystem::exists(unused->path));
  CHECK_FALSE(std::filesystem::exists(state / "stage/.staging-1"));
  CHECK(std::filesystem::exists(state / "stage/notes.txt"));
  CHECK(content_of(*unused) == "unused");
}

TEST_CASE("without a usable directory a sealed memory file stands in", "[plugin]") {
  const TempDir state;
  write_file(state / "stage", "a file, not a directory");
  Stage stage(state.path(), geteuid());
  CHECK(stage.trouble() == state / "stage" + " is a regular file, not a directory");
  const auto staged = stage.put(bytes_of("the code"));
  REQUIRE(staged);
  CHECK(staged->path.empty());
  CHECK(staged->note == stage.trouble() + "; it is loaded from memory, which debuggers cannot follow");
  CHECK(content_of(*staged) == "the code");
  CHECK(ftruncate(staged->file.get(), 0) != 0);
  CHECK(pwrite(staged->file.get(), "x", 1, 0) < 0);
}

TEST_CASE("noexec, read-only and full staging directories are named and worked around", "[plugin]") {
  const TempDir state;
  const std::string path = state.path();
  SECTION("noexec") {
    const PrivateMount mount(path, MS_NOEXEC, "mode=755");
    if (!mount.mounted()) return skipped("own-mounts", "this user may not mount");
    Stage stage(path, geteuid());
    CHECK(stage.trouble() == path + "/stage is mounted noexec");
    const auto staged = stage.put(bytes_of("the code"));
    REQUIRE(staged);
    CHECK(content_of(*staged) == "the code");
  }
  SECTION("read-only") {
    const PrivateMount mount(path, MS_RDONLY, "mode=755");
    if (!mount.mounted()) return skipped("own-mounts", "this user may not mount");
    Stage stage(path, geteuid());
    CHECK(stage.trouble() == "cannot create " + path + "/stage: Read-only file system");
    REQUIRE(stage.put(bytes_of("the code")));
  }
  SECTION("full") {
    const PrivateMount mount(path, 0, "mode=755,size=8k");
    if (!mount.mounted()) return skipped("own-mounts", "this user may not mount");
    Stage stage(path, geteuid());
    const PluginBytes plugin = bytes_of(std::string(100'000, 'x'));
    const auto staged = stage.put(plugin);
    REQUIRE(staged);
    CHECK(staged->note == "cannot write " + path + "/stage/" + plugin.sha256 +
                              ".so: No space left on device; it is loaded from memory, which debuggers cannot follow");
    CHECK(content_of(*staged) == std::string(100'000, 'x'));
  }
}

TEST_CASE("the hash and the staged bytes agree while the file is swapped and overwritten", "[plugin]") {
  const TempDir plugins;
  const TempDir state;
  const std::string one(300'000, '1');
  const std::string two(200'000, '2');
  write_file(plugins / "x.so", one);
  std::atomic<bool> stop = false;
  std::thread swapper([&] {
    for (unsigned round = 0; !stop; ++round) {
      const std::string& text = round % 2 == 0 ? two : one;
      if (round % 4 < 2) {
        write_file(plugins / "next", text);
        std::filesystem::rename(plugins / "next", plugins / "x.so");
      } else {
        write_file(plugins / "x.so", text);  // in place, as cp does
      }
    }
  });
  Stage stage(state.path(), geteuid());
  const auto directory = open_plugin_directory(plugins.path(), geteuid());
  REQUIRE(directory);
  std::size_t staged_count = 0;
  for (int i = 0; i < 200; ++i) {
    const auto file = open_plugin_entry(directory->get(), "x.so", geteuid());
    if (!file) continue;
    const auto bytes = read_plugin_bytes(file->get());
    if (!bytes) continue;
    const auto staged = stage.put(*bytes);
    REQUIRE(staged);
    const auto again = read_plugin_bytes(staged->file.get());
    REQUIRE(again);
    CHECK(again->sha256 == staged->sha256);
    ++staged_count;
  }
  stop = true;
  swapper.join();
  CHECK(staged_count > 0);
}
