// SPDX-License-Identifier: Apache-2.0
#include "plugin/lint.hpp"

#include <algorithm>
#include <filesystem>

#include "built_plugin.hpp"
#include "catch.hpp"
#include "plugin/host_libraries.hpp"

using namespace ronda;
using namespace ronda::plugin;
using namespace ronda::test;

namespace {

std::vector<LintFinding> lint_of(const PluginSource& source) {
  const TempDir dir;
  return lint(read_bytes(build_plugin(dir, "made", source)), system_library_directories());
}

/// "error stray_export" and so on, each rule once.
std::vector<std::string> rules_of(const std::vector<LintFinding>& findings) {
  std::vector<std::string> out;
  for (const LintFinding& finding : findings) {
    std::string rule = std::string(to_string(finding.severity)) + " " + finding.rule;
    if (std::ranges::find(out, rule) == out.end()) out.push_back(std::move(rule));
    CHECK_FALSE(finding.message.empty());
    CHECK_FALSE(finding.remedy.empty());
  }
  return out;
}

std::vector<std::string> rules_of(const PluginSource& source) {
  return rules_of(lint_of(source));
}

bool has_rule(const std::vector<std::string>& rules, std::string_view rule) {
  return std::ranges::find(rules, rule) != rules.end();
}

/// A file that only this rule finds fault with: hidden symbols, bound at load, a manifest with metrics.
PluginSource clean(std::string code = minimal_code, std::vector<std::string> flags = {}) {
  PluginSource source = PluginSource::with_code(std::move(code), std::move(flags));
  source.manifest += "open_metrics = true\n";
  source.flags.insert(source.flags.begin(), {"-Wl,-z,now", "-Wl,-z,noexecstack"});  // what was asked for comes last and wins
  return source;
}

}  // namespace

TEST_CASE("a plugin that is built as the SDK builds it has nothing to correct", "[plugin]") {
  CHECK(rules_of(clean()).empty());
}

TEST_CASE("every plugin of this tree passes lint", "[plugin]") {
  std::size_t seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(RONDA_BINARY_DIR "/plugins")) {
    if (entry.path().extension() != ".so") continue;
    INFO(entry.path());
    for (const LintFinding& finding : lint(read_bytes(entry.path().string()), system_library_directories()))
      FAIL_CHECK(finding.rule + ": " + finding.message);
    ++seen;
  }
  CHECK(seen >= 1);
}

TEST_CASE("lint finds what is wrong with the file", "[plugin]") {
  CHECK(rules_of(clean(minimal_code + "int helper(void) { return 1; }\n")) == std::vector<std::string>{"error stray_export"});
  CHECK(has_rule(rules_of(clean(minimal_code, {"-Wl,-z,execstack"})), "error executable_stack"));
  CHECK(has_rule(rules_of(clean(minimal_code, {"-Wl,-rpath,/tmp/mine"})), "error foreign_run_path"));
  CHECK(has_rule(rules_of(clean(minimal_code, {"-Wl,-rpath,/usr/lib"})), "warning foreign_run_path"));
  CHECK(has_rule(rules_of(clean(minimal_code, {"-Wl,-z,nodelete"})), "warning no_delete"));
  CHECK(has_rule(rules_of(clean(minimal_code, {"-Wl,--build-id=none"})), "warning no_build_id"));
  CHECK(has_rule(rules_of(clean(minimal_code, {"-Wl,-N", "-nostdlib"})), "error writable_code"));
  const std::string tls =
      "static __thread int mine;\nint *entry_of(void);\n__attribute__((visibility(\"hidden\"))) int "
      "*entry_of(void) { return &mine; }\n";
  CHECK(has_rule(rules_of(clean(minimal_code + tls, {"-ftls-model=initial-exec"})), "error static_tls"));
  CHECK(has_rule(rules_of(clean("extern int nowhere(void);\nconst void *ronda_plugin_entry_1(const void *h, void "
                                "*e) { return nowhere() ? h : 0; }\n")),
                 "error undefined_symbol"));
  CHECK(has_rule(rules_of(PluginSource::with_flags({"-Wl,-z,lazy"})), "warning lazy_binding"));
}

TEST_CASE("relocations in the code and unique symbols are errors of lint", "[plugin]") {
  const std::string code = "__asm__(\".text\\n.quad relocated\\n.data\\nrelocated: .quad 0\\n.text\\n\");\n" + minimal_code;
  CHECK(has_rule(rules_of(clean(code, {"-Wl,-z,notext"})), "error text_relocations"));

  // clang makes none by itself
  PluginSource unique = PluginSource::with_cpp(R"(
    #ifdef __clang__
    extern "C" int once;
    __asm__(".data\n.globl once\n.type once, @gnu_unique_object\nonce: .long 1\n.size once, 4\n.text\n");
    #else
    template <class T> struct Once { static int value; };
    template <class T> int Once<T>::value = 1;
    int &once = Once<int>::value;
    #endif
    extern "C" const void *ronda_plugin_entry_1(const void *, void *) { return &once; })");
  CHECK(has_rule(rules_of(unique), "error unique_symbols"));
}

TEST_CASE("a symbol in a library that is named is not undefined, wherever in the chain it is", "[plugin]") {
  const std::string code =
      "double cos(double);\nconst void *ronda_plugin_entry_1(const void *h, void *e) { return "
      "cos((double)(long)h) > 0 ? h : 0; }\n";
  CHECK(has_rule(rules_of(clean(code)), "error undefined_symbol"));
  CHECK(rules_of(clean(code, {"-fno-builtin", "-lm"})).empty());
}

TEST_CASE("a library that is not there is said once, without a list of symbols", "[plugin]") {
  const TempDir dir;
  const std::string library =
      build_plugin(dir, "libodd", PluginSource::with_code("int odd(void) { return 1; }\n", {"-Wl,-soname,libodd.so.7"}));
  const auto rules =
      rules_of(clean("int odd(void);\nconst void *ronda_plugin_entry_1(const void *h, void *e) { return odd() ? h : 0; }\n", {library}));
  CHECK(rules == std::vector<std::string>{"error missing_library"});
}

TEST_CASE("what ends, forks or changes the process is found among the imports", "[plugin]") {
  const auto with = [](const std::string& declaration, const std::string& use) {
    return lint_of(clean(declaration + "\nconst void *ronda_plugin_entry_1(const void *h, void *e) { " + use + "; return h; }\n"));
  };
  for (const std::string name : {"exit", "fork", "system", "signal", "popen", "_exit"}) {
    const auto found = with("long " + name + "(long, long);", name + "(0, 0)");
    INFO(name);
    REQUIRE(found.size() == 1);
    CHECK(found[0].severity == LintSeverity::error);
    CHECK(found[0].rule == "risky_import");
    CHECK(found[0].message == "uses " + name);
  }
  const auto cwd = with("int chdir(const char *);", "chdir(\"/\")");
  REQUIRE(cwd.size() == 1);
  CHECK(cwd[0].severity == LintSeverity::warning);
  const auto sockets = with("int socket(int, int, int);", "socket(1, 1, 0)");
  REQUIRE(sockets.size() == 1);
  CHECK(sockets[0].message == "uses socket and does not need the grant 'net'");
}

TEST_CASE("lint finds what is wrong with the manifest, all of it in one pass", "[plugin]") {
  const auto with = [](const std::string& text) {
    PluginSource source = clean();
    source.manifest = text;
    return lint_of(source);
  };
  CHECK(rules_of(with("")) == std::vector<std::string>{"error no_note"});
  CHECK(rules_of(with(minimal_manifest)) == std::vector<std::string>{"warning no_metrics"});
  CHECK(rules_of(with(minimal_manifest + "open_metrics = true\nsumary = \"x\"\n")) == std::vector<std::string>{"error unknown_key"});
  CHECK(rules_of(with("manifest = 1\n")) == std::vector<std::string>{"error bad_manifest"});

  const auto findings = with(minimal_manifest + R"(open_metrics = true
[provides.config]
low = { type = "percent", default = "90%", doc = "low" }
high = { type = "percent", default = "50%" }
must = { type = "string", required = true, doc = "always" }
[[provides.rule]]
assert = "low <= high"
message = "low must not exceed high"
)");
  REQUIRE(findings.size() == 2);
  CHECK(findings[0].rule == "defaults_break_rule");
  CHECK(findings[0].message == "the defaults of disk break its own rule: low must not exceed high (low <= high)");
  CHECK(findings[1].rule == "missing_doc");
  CHECK(findings[1].message == "plugin.toml:15: option 'high' has no doc");
}

TEST_CASE("a file that is no plugin at all is one finding, whatever its bytes", "[plugin]") {
  for (const std::string text : {"", "#!/bin/sh\n",
                                 "\x7f"
                                 "ELF",
                                 "not a plugin at all, only some words to fill the header of an ELF file"}) {
    const FileBytes bytes(text.begin(), text.end());
    const auto findings = lint(bytes, system_library_directories());
    REQUIRE(findings.size() == 1);
    CHECK(findings[0].severity == LintSeverity::error);
  }
  FileBytes bytes;
  {
    const TempDir dir;
    bytes = read_bytes(build_plugin(dir, "good", clean()));
  }
  for (std::size_t size = 0; size < bytes.size(); size += 512) {
    INFO(size);
    const auto findings = lint(std::span(bytes).first(size), {});
    // section headers stand at the end and mean nothing to the loader: a file without them is whole
    if (size <= bytes.size() / 2) CHECK_FALSE(findings.empty());
  }
}
