#include <ronda/testing.hpp>

int main(int, char** argv) {
  ronda::testing::library file(argv[1]);
  ronda::testing::host host;
  host.set("warn_at", 1e6).set("crit_at", 1e6).set("span", "1m");
  auto load = file.create(host, RONDA_KIND_CHECK, "loadavg");

  auto first = load.run();
  RONDA_EXPECT(first.is(ronda::status::ok));
  RONDA_EXPECT(first.find("change") == nullptr);
  RONDA_EXPECT(load.run().find("change") != nullptr);
  RONDA_EXPECT(host.kept().count("per_cpu") == 1);

  host.deny(RONDA_SERVICE_KV);  // it goes on without the grant
  auto poor = load.run();
  RONDA_EXPECT(poor.is(ronda::status::ok));
  RONDA_EXPECT(host.logs().back().text == "the change since the last run will be missing");
  RONDA_EXPECT(host.broken().empty());
  return ronda::testing::failures();
}
