// SPDX-License-Identifier: Apache-2.0
// Writes into a store until it is killed, and says on standard output what was acknowledged, one line each:
// "event N", "slot N", "batch N". Usage: store_writer DIRECTORY FIRST_EVENT
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <semaphore>
#include <string>
#include <vector>

#include "agent/store/support.hpp"

using namespace ronda::store;
using namespace ronda::store::test;

namespace {

constexpr int calls_in_flight = 16;
constexpr int batch_keys = 20;
constexpr std::size_t batch_value = 4000;  // each on pages of its own

void tell(const std::string& line) {
  // one write, so that a kill does not leave half a line; without a reader there is nothing left to do
  if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) std::_Exit(3);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  auto opened = Store::open(options_at(argv[1]));
  if (!opened) {
    std::fprintf(stderr, "%s\n", opened.error().message().c_str());
    return 1;
  }
  Store& store = **opened;
  std::counting_semaphore<> free_calls(calls_in_flight);
  const InstanceId task{"task", "dump"};
  std::int64_t slot = std::atoll(argv[2]) / 1'000'000 * 20;  // some were claimed by the writers before
  for (std::int64_t number = std::atoll(argv[2]);; ++number) {
    free_calls.acquire();
    store.append_journal(event_of(std::to_string(number)), [&free_calls, number](ronda::Result<ronda::Unit> result) {
      if (result) tell("event " + std::to_string(number) + "\n");
      free_calls.release();
    });
    if (number % 3 == 0) {
      free_calls.acquire();
      ++slot;
      store.claim_slot(task, slot, [&free_calls, slot](ronda::Result<Claim> result) {
        if (result && *result == Claim::claimed) tell("slot " + std::to_string(slot) + "\n");
        free_calls.release();
      });
    }
    store.observe({{"check", std::to_string(number % 50)}, 0, "fine", "", 1, number, number, 0}, {number, 1, 0, "fine"});
    if (number % 10 == 0) {
      const std::string value(static_cast<std::size_t>(number % 5000), 'v');
      store.write_kv({task, "p"}, 1, {{std::to_string(number % 7), value, 0}}, [](auto) {});
    }
    if (number % 5 == 0) {
      free_calls.acquire();
      std::vector<KvWrite> batch;
      for (int key = 0; key < batch_keys; ++key)
        batch.push_back({std::to_string(key), std::to_string(number) + std::string(batch_value, 'b'), 0});
      store.write_kv({task, "batch"}, 1, std::move(batch), [&free_calls, number](ronda::Result<ronda::Unit> result) {
        if (result) tell("batch " + std::to_string(number) + "\n");
        free_calls.release();
      });
    }
  }
}
