// Runs the plugin's file against a fake host: no agent, no test framework.
#include <ronda/testing.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace std::chrono_literals;
namespace fs = std::filesystem;

int main(int, char** argv) {
  char name[] = "/tmp/@NAME@-XXXXXX";
  fs::path dir = mkdtemp(name);
  std::ofstream(dir / "old") << "x";
  std::ofstream(dir / "new") << "x";
  fs::last_write_time(dir / "old", fs::file_time_type::clock::now() - 48h);

  ronda::testing::library file(argv[1]);
  ronda::testing::host host;
  host.set("dir", dir.string()).set("older_than", 24h);
  auto clean = file.create(host, RONDA_KIND_TASK, "@NAME@");

  ronda::testing::run_options dry;
  dry.dry_run = true;
  RONDA_EXPECT(clean.run(dry).is(ronda::task_status::changed));
  RONDA_EXPECT(fs::exists(dir / "old"));

  auto report = clean.run();
  RONDA_EXPECT(report.is(ronda::task_status::changed));
  RONDA_EXPECT(!fs::exists(dir / "old"));
  RONDA_EXPECT(fs::exists(dir / "new"));
  RONDA_EXPECT(clean.run().is(ronda::task_status::unchanged));
  RONDA_EXPECT(host.broken().empty());

  fs::remove_all(dir);
  RONDA_EXPECT(clean.run().is(ronda::task_status::failed));
  return ronda::testing::failures();
}
