// SPDX-License-Identifier: Apache-2.0
// Any bytes as the files of conf.d (a form feed, which TOML does not know, begins the next one): they become a generation or
// diagnostics that people can read, the same ones each time; nothing is disabled in silence, no place lies outside of the
// files, and no message tells a secret.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "config/build.hpp"
#include "config/parse_wire.hpp"

using namespace ronda::config;

namespace {

constexpr const char* secret = "s3cret-of-a-file";

// no variable, no credential and no file of the host: an input means the same everywhere
Environment narrow_environment() {
  Environment environment;
  environment.variables.emplace("NAME", "value");
  environment.credentials_directory = "/nowhere";
  environment.read_file = [](const std::string& path, FileUse use) -> ronda::Result<std::string> {
    if (path.find("missing") != std::string::npos) return ronda::Error(ronda::Errc::not_found, path + ": no such file");
    return use == FileUse::secret ? std::string(secret) + "\n" : std::string("FROM_FILE=one\nbad line\n");
  };
  return environment;
}

Sources files_of(std::string_view bytes) {
  Sources sources;
  for (const std::string name : {"10-a", "20-b", "30-c"}) {
    const std::size_t end = bytes.find('\f');
    sources.push_back({"conf.d/" + name + ".toml", std::string(bytes.substr(0, end))});
    if (end == std::string_view::npos) break;
    bytes.remove_prefix(end + 1);
  }
  return sources;
}

void expect(bool holds) {
  if (!holds) std::abort();
}

bool is_inside(Place place, const Sources& sources) {
  if (place.file == no_file) return true;
  if (place.file >= sources.size()) return false;
  const std::string& text = sources[place.file].text;
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  return place.line <= lines;
}

void look_at(const Generation& generation, const Diagnostics& diagnostics, const Sources& sources) {
  const bool is_written =
      std::any_of(sources.begin(), sources.end(), [](const Source& one) { return one.text.find(secret) != std::string::npos; });
  expect(generation.disabled.empty() || diagnostics.has_errors());
  for (const Diagnostic& one : diagnostics.all()) {
    expect(!one.message.empty() && is_inside(one.where, sources));
    expect(!one.first || is_inside(*one.first, sources));
    // a secret is in no message, unless a file itself has it in the open
    expect(is_written || one.message.find(secret) == std::string::npos);
  }
  for (const Instance& instance : generation.instances) {
    expect(!instance.name.empty() && generation.find(instance.kind, instance.name) == &instance);
    expect(is_inside(instance.place, sources));
  }
  // what people and programs get to see of it
  static_cast<void>(render_all(diagnostics, sources));
  static_cast<void>(to_json(diagnostics, sources));
  static_cast<void>(to_sarif(diagnostics, sources, "0"));
}

void comes_back_from_the_child(const Generation& generation, const Diagnostics& diagnostics, const Sources& sources) {
  const auto answer = decode_answer(encode_answer({diagnostics, generation.instances.size()}), sources);
  expect(answer.has_value() && answer->instances == generation.instances.size());
  expect(answer->diagnostics.errors() == diagnostics.errors() && answer->diagnostics.all().size() == diagnostics.all().size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Environment environment = narrow_environment();
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Sources sources = files_of(bytes);
  Diagnostics diagnostics;
  const Generation generation = build_generation(sources, environment, diagnostics);
  look_at(generation, diagnostics, sources);
  comes_back_from_the_child(generation, diagnostics, sources);

  Diagnostics again;
  const Generation second = build_generation(sources, environment, again);
  expect(second.fingerprint == generation.fingerprint && render_all(again, sources) == render_all(diagnostics, sources));

  // any bytes as what a parser child answers
  static_cast<void>(decode_answer(bytes, sources));
  static_cast<void>(decode_request(bytes));
  return 0;
}
