// SPDX-License-Identifier: Apache-2.0
// The museum: plugins as they were built with each released minor of the SDK. Today's reader must read them,
// and today's host must run them, for ever. A piece is never built again; museum/build.sh adds halls.
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>

#include "catch.hpp"
// the matchers need Catch2 before them
#include <ronda/testing_catch.hpp>

#include "museum_halls.hpp"
#include "plugin/abi_window.hpp"
#include "plugin/elf_note.hpp"
#include "plugin/manifest.hpp"
#include "plugin/plugin_file.hpp"

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using ronda::test::museum_halls;
using ronda::test::museum_pieces;
using ronda::testing::Ended;
using ronda::testing::HasMetric;
using ronda::testing::host;
using ronda::testing::library;

namespace {

std::string text_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The minors that layout.golden knows: "1.0", ...
std::set<std::string> released() {
  std::set<std::string> minors;
  std::ifstream golden(RONDA_SOURCE_DIR "/sdk/abi/layout.golden");
  for (std::string line; std::getline(golden, line);)
    if (line.rfind("1.", 0) == 0) minors.insert(line.substr(0, line.find(' ')));
  return minors;
}

ronda::plugin::Manifest manifest_of(const ronda::plugin::ElfFacts& facts) {
  ronda::config::Diagnostics diagnostics;
  auto manifest = ronda::plugin::parse_manifest(facts.manifest, 0, diagnostics);
  INFO(ronda::config::render_all(diagnostics, {{"plugin.toml", facts.manifest}}));
  REQUIRE(manifest);
  CHECK(diagnostics.all().empty());
  return *manifest;
}

}  // namespace

TEST_CASE("each minor of the golden layout has a hall in the museum, and each hall its minor", "[sdk]") {
  std::set<std::string> shown;
  for (const fs::path& hall : museum_halls()) shown.insert(hall.filename());
  CHECK(shown == released());
}

TEST_CASE("a piece of the museum is as it was built", "[sdk]") {
  for (const fs::path& hall : museum_halls()) {
    const std::string built = text_of(hall / "BUILT");
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator(hall)) {
      if (entry.path().extension() != ".so") continue;
      CAPTURE(entry.path());
      ++count;
      CHECK(entry.file_size() <= 40 * 1024);
      const auto file = ronda::plugin::read_any_plugin(entry.path());
      REQUIRE(file);
      CHECK(built.find(file->sha256 + "  " + entry.path().filename().string() + "\n") != std::string::npos);
    }
    CHECK(count == 2);
  }
}

TEST_CASE("today's reader takes every piece without running it", "[sdk]") {
  for (const auto& [stem, id, kinds] : {std::tuple("check-c", "org.example.museum-check", 1),
                                        std::tuple("kinds-cpp", "org.example.museum-kinds", 3)}) {
    for (const fs::path& piece : museum_pieces(stem)) {
      CAPTURE(piece);
      const auto file = ronda::plugin::read_any_plugin(piece);
      REQUIRE(file);
      const auto facts = ronda::plugin::read_plugin_elf(file->bytes);
      REQUIRE(facts);
      const auto manifest = manifest_of(*facts);
      CHECK(manifest.id == id);
      CHECK(manifest.provides.size() == static_cast<std::size_t>(kinds));
      const auto entry =
          ronda::plugin::choose_entry(ronda::plugin::this_agents_abi(), facts->entry_majors, manifest.abi);
      REQUIRE(entry);
      CHECK(*entry == 1);
    }
  }
}

#if defined(__x86_64__)

TEST_CASE("a C check of every minor runs", "[sdk]") {
  for (const fs::path& piece : museum_pieces("check-c")) {
    CAPTURE(piece);
    const library file(piece);
    host h;
    h.set("path", "/var")
        .set("limit", 0.8)
        .set("loud", true)
        .set("sizes", ronda::testing::node::list{5, 6, 7});
    h.set_fact("instance.name", "old");
    {
      auto made = file.create(h, RONDA_KIND_CHECK, "piece");
      const auto report = made.run();
      CHECK_THAT(report, Ended(ronda::status::warning, "old: 18 bytes in /var"));
      CHECK_THAT(report, HasMetric("sum", 18, {{"path", "/var"}}));
      CHECK_THAT(report, HasMetric("limit", 0.8));
      CHECK(report.find("limit")->counter);
      CHECK(report.find("sum")->crit == "20");
      CHECK(report.detail == "more");
      CHECK(report.again_at == h.wall() + 1s);
      CHECK(report.events.at(0).text == "an old piece");
      CHECK(report.progress.at(0).share == 0.5);
      CHECK(made.migrate(1, 2) == RONDA_OK);
      CHECK(made.migrate(1, 3) == RONDA_E_INVALID);
      CHECK(made.error() == "one step at a time");
    }
    CHECK(h.logs().at(0).fields == ronda::testing::fields{{"path", "/var"}});
    CHECK(h.broken() == std::vector<std::string>{});
    CHECK(file.create(h, RONDA_KIND_CHECK, "other").error() == "no such piece");
    CHECK(file.create(h, RONDA_KIND_TASK, "piece").error() == "the plugin has no kind ronda.task/1");
  }
}

TEST_CASE("a C++ check of every minor keeps its state and opens its secret", "[sdk]") {
  for (const fs::path& piece : museum_pieces("kinds-cpp")) {
    CAPTURE(piece);
    const library file(piece);
    host h;
    h.set_secret("password", "s3cr3t").send("success", "done");
    h.on_calendar([](std::string_view, ronda::wall_time at, bool) { return at + 60s; });
    {
      auto kept = file.create(h, RONDA_KIND_CHECK, "piece.kept");
      const auto first = kept.run();
      CHECK_THAT(first, Ended(ronda::status::ok, "run 1, secret of 6, 1 events"));
      CHECK_THAT(first, HasMetric("runs", 1, {{"of", "piece"}}));
      CHECK(first.again_at == h.wall() + 60s);
      CHECK_THAT(kept.run(), Ended(ronda::status::warning, "run 2, secret of 6, 0 events"));
      h.deny(RONDA_SERVICE_KV);
      CHECK_THAT(kept.run(), Ended(ronda::status::unknown, "kv: not granted"));
    }
    CHECK(h.kept().at("runs") == "2");
    CHECK(h.secrets_open() == 0);
    CHECK(h.broken() == std::vector<std::string>{});
  }
}

TEST_CASE("a C++ task and a notifier of every minor run", "[sdk]") {
  for (const fs::path& piece : museum_pieces("kinds-cpp")) {
    CAPTURE(piece);
    const library file(piece);
    host h;
    h.set("program", "/bin/cat").run_programs();
    auto change = file.create(h, RONDA_KIND_TASK, "change");
    CHECK_THAT(change.run(), Ended(ronda::task_status::changed, "typed"));
    ronda::testing::run_options dry;
    dry.dry_run = true;
    CHECK_THAT(change.run(dry), Ended(ronda::task_status::changed, "would run /bin/cat"));
    CHECK(h.programs().size() == 1);

    auto tell = file.create(h, RONDA_KIND_NOTIFIER, "tell");
    ronda::testing::message_options m;
    m.to = "ops";
    m.fields = {{"value", "0.93"}};
    const auto first = tell.deliver(m);
    CHECK_THAT(first, Ended(ronda::delivery_status::retry));
    CHECK(first.again_at == h.wall() + 5s);
    m.attempt = 2;
    CHECK_THAT(tell.deliver(m), Ended(ronda::delivery_status::delivered, "m-1 to ops: title, 0.93"));
    CHECK(h.broken() == std::vector<std::string>{});
  }
}

#endif
