// SPDX-License-Identifier: Apache-2.0
// Bare durable commits, one after the other as fast as they go, into a new database FILE.
#include <cstdlib>

#include "durable.hpp"
#include "measure.hpp"

int main(int argc, char** argv) {
  if (argc != 3) return std::fprintf(stderr, "usage: commit FILE SECONDS\n"), 2;
  bench::Durable database(argv[1]);
  if (!database.good()) return std::fprintf(stderr, "%s: cannot be opened as a new database\n", argv[1]), 1;
  const bench::Meter meter;
  const std::int64_t until = bench::now_ns() + static_cast<std::int64_t>(std::atof(argv[2]) * 1e9);
  std::int64_t runs = 0;
  for (; bench::now_ns() < until; ++runs) {
    if (!database.commit(bench::now_ns())) return 1;
  }
  meter.print(runs);
  return 0;
}
