// SPDX-License-Identifier: Apache-2.0
// What the verbs of `ronda plugin` share: finding plugin files, reading them without running any of their
// code, asking. Each verb is a function in the file of its name; its arguments begin after the verb.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/cli.hpp"
#include "cli/layout.hpp"
#include "plugin/catalogue.hpp"
#include "plugin/plugin_file.hpp"

namespace ronda::cli {

/// One plugin file as far as it can be read; `refusal` says why no further.
struct PluginFile {
  std::string path;
  plugin::PluginBytes content;
  plugin::ElfFacts facts;
  std::optional<plugin::Manifest> manifest;
  std::uint32_t entry_major = 0;      // 0: this agent cannot call it
  std::vector<std::string> problems;  // of the manifest: errors where it is refused, else warnings
  std::optional<plugin::Refusal> refusal;
};

/// What the agent would see in these directories, without a stage. A trust.toml that cannot be read is said
/// on stderr and taken as absent.
plugin::Catalogue scan(const Options& options, std::vector<std::string> directories);

/// A path, or the id or the file's name ("exec") of a plugin in the plugin directories.
Result<std::string> find_plugin_file(const Options& options, const std::string& file_or_id);
PluginFile read_plugin_file(const std::string& path);
/// The same of bytes that were read before.
PluginFile examine_plugin(const std::string& path, plugin::PluginBytes content);
/// The two together, for verbs that need a whole manifest: an error says what is wrong with place and remedy.
Result<PluginFile> open_plugin(const Options& options, const std::string& file_or_id);

/// The procedure of that name, or the only one when the name is empty. Names are few: an error lists them.
Result<const plugin::Procedure*> choose_procedure(const plugin::Manifest& manifest, std::string_view name);

/// Says an error of these, and gives the exit code: a name that there is not was typed wrong, all else is how things are.
int complain_of(const Error& error);

/// The words of a list with ", " between them, "none" when it is empty.
std::string join(const std::vector<std::string>& words);
std::vector<std::string> grant_words(const std::vector<plugin::Grant>& grants);

/// Rows as columns two blanks apart; the last column is not padded.
std::string columns(const std::vector<std::vector<std::string>>& rows);

// the verbs
int plugin_list(const Options& options);
int plugin_inspect(const Options& options);
int plugin_why(const Options& options);
int plugin_clear(const Options& options);
int plugin_docs(const Options& options);
int plugin_schema(const Options& options);
int plugin_lint(const Options& options);
int plugin_test(const Options& options);
int plugin_run(const Options& options);
int plugin_new(const Options& options);
int plugin_ld_args(const Options& options);
int plugin_install(const Options& options);

}  // namespace ronda::cli
