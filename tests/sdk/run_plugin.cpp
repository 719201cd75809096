// SPDX-License-Identifier: Apache-2.0
// sdk_run_plugin FILE KIND PROCEDURE [key=integer|key=text ..]: one run of a plugin's file against the fake
// host, for tests of plugins that were built elsewhere: other languages, the museum.
#include <ronda/testing.hpp>

using namespace ronda::testing;

int main(int argc, char** argv) {
  if (argc < 4) return std::fprintf(stderr, "usage: sdk_run_plugin FILE KIND PROCEDURE [key=value ..]\n"), 2;
  host h;
  for (int i = 4; i < argc; ++i) {
    std::string_view word = argv[i];
    std::size_t equals = word.find('=');
    std::string key(word.substr(0, equals)), text(word.substr(equals + 1));
    auto number = ronda::detail::parse_number(text);
    if (!number) h.set(key, text);
    else if (text.find('.') != std::string::npos) h.set(key, *number);
    else h.set(key, static_cast<std::int64_t>(*number));
  }
  try {
    auto made = library(argv[1]).create(h, argv[2], argv[3]);
    bool delivers = std::string_view(argv[2]) == RONDA_KIND_NOTIFIER;
    report r = delivers ? made.deliver() : made.run();
    std::printf("status %d: %s\n", r.status, r.summary.c_str());
    for (const metric& m : r.metrics) std::printf("%s = %g %s\n", m.name.c_str(), m.value, m.unit.c_str());
    for (const std::string& rule : h.broken()) std::printf("broken: %s\n", rule.c_str());
    return r.ended() && h.broken().empty() ? 0 : 1;
  } catch (const std::exception& e) {
    return std::fprintf(stderr, "%s\n", e.what()), 1;
  }
}
