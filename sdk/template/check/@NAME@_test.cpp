// Runs the plugin's file against a fake host: no agent, no test framework.
#include <ronda/testing.hpp>

using ronda::testing::host;

int main(int, char** argv) {
  ronda::testing::library file(argv[1]);

  host roomy;  // defaults are the agent's work: a test sets every key, in base units
  roomy.set("path", "/").set("warn_at", 1.0).set("crit_at", 1.0);
  auto report = file.create(roomy, RONDA_KIND_CHECK, "@NAME@").run();
  RONDA_EXPECT(report.is(ronda::status::ok));
  RONDA_EXPECT(report.find("used") != nullptr);
  RONDA_EXPECT(roomy.broken().empty());

  host lost;
  lost.set("path", "/no/such/path").set("warn_at", 0.8).set("crit_at", 0.95);
  report = file.create(lost, RONDA_KIND_CHECK, "@NAME@").run();
  RONDA_EXPECT(report.is(ronda::status::unknown));
  RONDA_EXPECT(report.summary == "statvfs /no/such/path: No such file or directory");

  return ronda::testing::failures();
}
