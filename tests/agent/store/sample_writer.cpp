// SPDX-License-Identifier: Apache-2.0
// Writes one sample a second of its own clock, as fast as it can, until it is killed, and says on standard output which
// were acknowledged: "sample N". It goes on where the file ends; its clock begins at what was acknowledged last.
// Usage: sample_writer DIRECTORY LAST
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "agent/store/samples_support.hpp"

using namespace ronda::store;
using namespace ronda::store::test;

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  static std::atomic<std::int64_t> now{at_number(std::atoll(argv[2]))};
  Options options = options_at(argv[1]);
  options.wall_ns = [] { return now.load(); };
  options.flush_after = std::chrono::milliseconds(0);
  auto opened = Store::open(std::move(options));
  if (!opened) {
    std::fprintf(stderr, "%s\n", opened.error().message().c_str());
    return 1;
  }
  Store& store = **opened;
  store.keep_samples({365 * day, 365 * day, 365 * day});
  std::int64_t number = last_number(store) + 1;
  const auto series = std::make_shared<SeriesKey>(counted_series());
  while (true) {
    std::vector<Sampled> batch;
    for (int i = 0; i < 50; ++i, ++number) batch.push_back({at_number(number), {{series, static_cast<double>(number)}}});
    store.observe({}, std::move(batch));
    must<ronda::Unit>(store, &Store::flush);
    now = at_number(number - 1);
    const std::string line = "sample " + std::to_string(number - 1) + "\n";
    if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) return 3;
  }
}
