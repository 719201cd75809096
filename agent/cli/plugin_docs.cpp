// SPDX-License-Identifier: Apache-2.0
// `ronda plugin docs`: the manual from the manifest, as Markdown or for man, and the tables of a README kept equal to it.
#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "cli/plugin_tools.hpp"
#include "plugin/docs.hpp"
#include "plugin/manual_page.hpp"

namespace ronda::cli {
namespace {

Result<std::string> read_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  if (!in || !(out << in.rdbuf())) return Error(Errc::not_found, "cannot read " + path);
  return out.str();
}

/// Exit code 0: it was right already or is now.
int renew(const Options& options, const std::string& readme, const plugin::Manifest& manifest) {
  const auto before = read_text(readme);
  if (!before) {
    complain(before.error().message());
    return exit_failed;
  }
  const auto after = plugin::renew_tables(*before, manifest);
  if (!after) {
    complain(readme + ": " + after.error().message());
    return exit_failed;
  }
  const auto told = [&](bool renewed) {
    if (options.json)
      std::cout << boost::json::serialize(boost::json::object{{"format", 1}, {"id", manifest.id}, {"file", readme}, {"renewed", renewed}})
                << "\n";
    else if (renewed)
      std::cout << "renewed the tables of " << readme << "\n";
    return exit_done;
  };
  if (*after == *before) return told(false);
  std::ofstream out(readme, std::ios::binary | std::ios::trunc);
  out << *after;
  out.close();
  if (!out) {
    complain("cannot write " + readme);
    return exit_failed;
  }
  return told(true);
}

void tell(const Options& options, const plugin::Manifest& manifest, std::string_view form, const std::string& text) {
  if (!options.json) {
    std::cout << text;
    return;
  }
  boost::json::object out{{"format", 1}, {"id", manifest.id}};
  out[form] = text;
  std::cout << boost::json::serialize(out) << "\n";
}

int print_page(const Options& options, const plugin::Manifest& manifest) {
  const auto page = plugin::manual_page(manifest);
  if (!page) {
    complain(page.error().message());
    return exit_failed;
  }
  tell(options, manifest, "man", *page);
  return exit_done;
}

}  // namespace

int plugin_docs(const Options& options) {
  if (options.has("into") && options.has("man")) {
    complain("--into renews a README, --man prints a manual page: say one of them");
    return exit_usage;
  }
  const auto file = open_plugin(options, options.arguments[0]);
  if (!file) return complain_of(file.error());
  if (options.has("into")) return renew(options, options.value("into"), *file->manifest);
  if (options.has("man")) return print_page(options, *file->manifest);
  tell(options, *file->manifest, "markdown", plugin::manual(*file->manifest));
  return exit_done;
}

}  // namespace ronda::cli
