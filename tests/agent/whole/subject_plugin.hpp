// SPDX-License-Identifier: Apache-2.0
// A plugin made by the compiler for one test, in as many versions as that wants, all of one id.
#pragma once

#include <filesystem>
#include <string>

#include "../plugin/built_plugin.hpp"

namespace ronda::test {

inline const std::string subject_manifest = R"(manifest = 1
[plugin]
id = "org.example.subject"
version = "1.0.0"
license = "Apache-2.0"
abi = { major = 1, minor = 0 }
needs = ["state"]
[[provides]]
kind = "ronda.check/1"
name = "subject.check"
summary = "says which version it is"
)";

/// `body` ends with the statement that returns the result of a run; `more` stands before the class, `made` runs when an
/// instance is made.
inline PluginSource subject_with(const std::string& body, const std::string& more = {}, const std::string& made = {}) {
  PluginSource source =
      PluginSource::with_cpp("#include <ronda/plugin.hpp>\n#include <unistd.h>\n#include <cstdlib>\n#include <stdexcept>\n" + more +
                             "\nstruct Subject : ronda::check {\n  Subject() { " + made +
                             " }\n  ronda::result run(ronda::call& c) override { (void)c; " + body + " }\n};\nRONDA_PLUGIN(Subject)\n");
  source.flags = {"-std=c++17", "-I" RONDA_SOURCE_DIR "/sdk/include", "-fvisibility=hidden"};
  source.manifest = subject_manifest;
  return source;
}

/// Its check says `version`.
inline PluginSource subject(const std::string& version, const std::string& more = {}, const std::string& made = {}) {
  return subject_with("return ronda::ok(\"" + version + "\");", more, made);
}

inline PluginSource subject_whose_entry_aborts() {
  PluginSource source =
      PluginSource::with_code("#include <stdlib.h>\nconst void *ronda_plugin_entry_1(const void *h, void *e) { abort(); }\n");
  source.manifest = subject_manifest;
  return source;
}

/// Renames a fresh build to `plugins`/subject.so.
inline void put_subject(const std::string& plugins, const PluginSource& source) {
  const TempDir built;
  std::filesystem::copy_file(build_plugin(built, "subject", source), plugins + "/subject.new",
                             std::filesystem::copy_options::overwrite_existing);
  std::filesystem::rename(plugins + "/subject.new", plugins + "/subject.so");
}

inline const std::string subject_check = "[check.subject]\nuse = \"subject.check\"\nevery = \"1s\"\n";

}  // namespace ronda::test
