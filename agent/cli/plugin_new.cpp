// SPDX-License-Identifier: Apache-2.0
// `ronda plugin new` and `ld-args`: the start of a plugin, from what the SDK installs.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "base/text.hpp"
#include "cli/plugin_tools.hpp"

namespace ronda::cli {
namespace fs = std::filesystem;

namespace {

/// Where the files of the SDK lie.
struct SdkPaths {
  fs::path templates, include, version_script;
  bool complete() const { return fs::exists(templates) && fs::exists(include / "ronda" / "abi.h") && fs::exists(version_script); }
};

/// Seen from this program, so that a prefix can be moved; a build tree has a link to the sources' sdk/ there.
Result<SdkPaths> find_sdk() {
  std::error_code error;
  const fs::path prefix = fs::read_symlink("/proc/self/exe", error).parent_path().parent_path();
  const fs::path built = prefix / "share" / "ronda" / "sdk";
  const std::array<SdkPaths, 3> candidates = {
      {{built / "template", built / "include", built / "cmake" / "ronda_plugin.map"},
       {prefix / RONDA_REL_DATADIR / "ronda/sdk/template", prefix / RONDA_REL_INCLUDEDIR,
        prefix / RONDA_REL_LIBDIR / "cmake/ronda-sdk/ronda_plugin.map"},
       {fs::path(RONDA_DATADIR) / "ronda/sdk/template", RONDA_INCLUDEDIR, fs::path(RONDA_LIBDIR) / "cmake/ronda-sdk/ronda_plugin.map"}}};
  for (const SdkPaths& paths : candidates)
    if (paths.complete()) return paths;
  return Error(Errc::not_found, "the SDK is not installed: there is no " + candidates.back().templates.string());
}

/// "disk-space" as "DiskSpace".
std::string class_name(std::string_view name) {
  std::string out;
  bool upper = true;
  for (const char c : name) {
    if (c == '-') {
      upper = true;
      continue;
    }
    out += upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    upper = false;
  }
  return out;
}

/// [a-z][a-z0-9-]*: it names files, a CMake target and a class.
bool is_plugin_name(std::string_view name) {
  return is_object_name(name) && name.front() >= 'a' && name.find('_') == std::string_view::npos;
}

/// Reverse DNS, as a manifest takes it.
bool is_plugin_id(std::string_view id) {
  std::size_t parts = 0;
  for (std::size_t from = 0; from <= id.size(); ++parts) {
    const std::size_t dot = std::min(id.find('.', from), id.size());
    if (!is_object_name(id.substr(from, dot - from))) return false;
    from = dot + 1;
  }
  return parts >= 2;
}

struct Names {
  std::string name, class_name, id;
};

std::string filled(std::string text, const Names& names) {
  const std::array<std::pair<std::string_view, std::string_view>, 3> words = {
      {{"@NAME@", names.name}, {"@CLASS@", names.class_name}, {"@ID@", names.id}}};
  for (const auto& [word, value] : words) {
    for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + value.size()))
      text.replace(at, word.size(), value);
  }
  return text;
}

Status copy_file(const fs::path& from, const fs::path& to, const Names& names) {
  std::ostringstream text;
  text << std::ifstream(from, std::ios::binary).rdbuf();
  fs::create_directories(to.parent_path());
  std::ofstream out(to, std::ios::binary);
  out << filled(text.str(), names);
  out.close();
  if (!out) return Error(Errc::system, "cannot write " + to.string());
  return done();
}

Status copy_template(const fs::path& from, const fs::path& to, const Names& names) {
  if (!fs::create_directory(to)) return Error(Errc::exists, "cannot make the directory " + to.string());
  for (const auto& entry : fs::recursive_directory_iterator(from)) {
    if (!entry.is_regular_file()) continue;
    const fs::path relative(filled(fs::relative(entry.path(), from).string(), names));
    RONDA_TRY([[maybe_unused]] const Unit copied, copy_file(entry.path(), to / relative, names));
  }
  return done();
}

struct NewPlugin {
  std::string kind;
  Names names;
};

Result<NewPlugin> asked_for(const Options& options) {
  const bool kind_first = options.arguments.size() == 2;
  if (kind_first && options.has("kind")) return Error(Errc::invalid, "the kind is given twice");
  NewPlugin out;
  out.kind = kind_first ? options.arguments[0] : options.value("kind", "check");
  constexpr std::array<std::string_view, 3> kinds = {"check", "task", "notifier"};
  if (std::ranges::find(kinds, out.kind) == kinds.end())
    return Error(Errc::invalid, "a plugin provides a check, a task or a notifier, not a \"" + escape_controls(out.kind) + "\"");
  const std::string& name = options.arguments.back();
  if (!is_plugin_name(name)) return Error(Errc::invalid, "a name is [a-z][a-z0-9-]*, not \"" + escape_controls(name) + "\"");
  if (std::ranges::find(kinds, name) != kinds.end())
    return Error(Errc::invalid, "the name is missing: \"" + name + "\" is a kind; for example: ronda plugin new " + name + " disk-space");
  out.names = {name, class_name(name), options.value("id", "org.example." + name)};
  if (!is_plugin_id(out.names.id))
    return Error(Errc::invalid, "an id is reverse DNS, like org.example.disk, not \"" + escape_controls(out.names.id) + "\"");
  return out;
}

std::string shell_quoted(const std::string& word) {
  const bool plain = word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+,=:") == std::string::npos;
  return plain ? word : "'" + word + "'";
}

}  // namespace

int plugin_new(const Options& options) {
  const auto wanted = asked_for(options);
  if (!wanted) {
    complain(wanted.error().message());
    return exit_usage;
  }
  const auto sdk = find_sdk();
  const std::string& name = wanted->names.name;
  Status made = done();
  try {
    made = sdk ? copy_template(sdk->templates / wanted->kind, name, wanted->names) : Status(sdk.error());
  } catch (const fs::filesystem_error& e) {
    made = Error(Errc::system, e.what());
  }
  if (!made) {
    complain(made.error().message());
    return exit_failed;
  }
  if (options.json) {
    std::cout << boost::json::serialize(boost::json::object{
                     {"format", 1}, {"directory", name}, {"kind", wanted->kind}, {"name", name}, {"id", wanted->names.id}})
              << "\n";
    return exit_done;
  }
  std::cout << "made " << name << "/, a " << wanted->kind << " with the id " << wanted->names.id << "\n"
            << "  build    cmake -S " << name << " -B " << name << "/build && cmake --build " << name << "/build\n"
            << "  test     ctest --test-dir " << name << "/build && ronda plugin test " << name << "/build/" << name << ".so\n"
            << "  package  (cd " << name << "/build && cpack)\n";
  return exit_done;
}

int plugin_ld_args(const Options& options) {
  const auto sdk = find_sdk();
  if (!sdk) {
    complain(sdk.error().message());
    return exit_failed;
  }
  const std::vector<std::string> compile = {"-I" + sdk->include.string(), "-fPIC", "-fvisibility=hidden"};
  const std::vector<std::string> link = {"-shared", "-Wl,--version-script=" + sdk->version_script.string(),
                                         "-Wl,-z,defs,-z,now,-z,relro,-z,noexecstack", "-Wl,--build-id"};
  if (options.json) {
    boost::json::array compile_json, link_json;
    for (const std::string& word : compile) compile_json.push_back(boost::json::value(word));
    for (const std::string& word : link) link_json.push_back(boost::json::value(word));
    std::cout << boost::json::serialize(
                     boost::json::object{{"format", 1}, {"compile", std::move(compile_json)}, {"link", std::move(link_json)}})
              << "\n";
    return exit_done;
  }
  std::string line;
  for (const auto& list : {compile, link})
    for (const std::string& word : list) line += (line.empty() ? "" : " ") + shell_quoted(word);
  std::cout << line << "\n";
  return exit_done;
}

}  // namespace ronda::cli
