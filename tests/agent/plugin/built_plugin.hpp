// SPDX-License-Identifier: Apache-2.0
// Shared objects made by the compiler at test time, in a fresh directory that goes with the test.
#pragma once

#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace ronda::test {

using FileBytes = std::vector<std::uint8_t>;

/// A directory of its own, mode 0755, removed at the end.
class TempDir {
 public:
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "ronda-plugin-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    chmod(name.c_str(), 0755);
    path_ = name;
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline void write_file(const std::string& path, std::string_view text) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  chmod(path.c_str(), 0644);
}

inline std::string read_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

inline FileBytes read_bytes(const std::string& path) {
  const std::string text = read_text(path);
  return {text.begin(), text.end()};
}

/// Runs a program found on PATH and returns its exit code.
inline int run_program(const std::vector<std::string>& words) {
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  pid_t pid = 0;
  if (posix_spawnp(&pid, argv[0], nullptr, nullptr, argv.data(), environ) != 0) return -1;
  int status = 0;
  if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

inline const std::string minimal_manifest = R"(manifest = 1
[plugin]
id = "org.example.disk"
version = "1.0.0"
license = "Apache-2.0"
abi = { major = 1, minor = 0 }
needs = []
[[provides]]
kind = "ronda.check/1"
name = "disk"
summary = "free space"
)";

inline const std::string minimal_code = "const void *ronda_plugin_entry_1(const void *h, void *e) { return 0; }\n";

/// The assembler text that makes one manifest note of a file beside the source.
inline std::string note_of(const std::string& file) {
  return R"(__asm__(".pushsection .note.ronda.plugin,\"a\",%note\n.balign 4\n.long 6, 12f-11f, 0x524f\n"
        ".asciz \"RONDA\"\n.balign 4\n11: .incbin \")" +
         file + R"(\"\n12: .balign 4\n.popsection");)" + "\n";
}

struct PluginSource {
  std::string manifest = minimal_manifest;
  std::string code = minimal_code;
  std::vector<std::string> flags;
  std::string compiler = RONDA_CC;
  std::string suffix = ".c";

  static PluginSource with_manifest(std::string text) {
    PluginSource source;
    source.manifest = std::move(text);
    return source;
  }
  static PluginSource with_code(std::string text, std::vector<std::string> flags = {}) {
    PluginSource source;
    source.code = std::move(text);
    source.flags = std::move(flags);
    return source;
  }
  static PluginSource with_flags(std::vector<std::string> flags) {
    return with_code(minimal_code, std::move(flags));
  }
  static PluginSource with_cpp(std::string text) {
    PluginSource source = with_code(std::move(text));
    source.compiler = RONDA_CXX;
    source.suffix = ".cpp";
    return source;
  }
};

/// Compiles dir/name.so (mode 0644) and returns its path.
inline std::string build_plugin(const TempDir& dir, const std::string& name, const PluginSource& source = {}) {
  const TempDir work;
  write_file(work / "plugin.toml", source.manifest);
  std::string code = source.code;
  if (!source.manifest.empty()) code += note_of(work / "plugin.toml");
  write_file(work / ("plugin" + source.suffix), code);
  const std::string built = work / "plugin.so";
  std::vector<std::string> words = {source.compiler, "-shared", "-fPIC",  "-O1", "-w", "-Wl,--build-id",
                                    "-o",            built,     work / ("plugin" + source.suffix)};
  words.insert(words.end(), source.flags.begin(), source.flags.end());
  if (run_program(words) != 0) throw std::runtime_error("the compiler refused " + name);
  const std::string path = dir / (name + ".so");
  std::filesystem::copy_file(built, path, std::filesystem::copy_options::overwrite_existing);
  chmod(path.c_str(), 0644);
  return path;
}

}  // namespace ronda::test
