// SPDX-License-Identifier: Apache-2.0
// Counts its runs in state whose form differs by version: 1 keeps "count", 2 keeps "total". For tests of what becomes
// of that state; the two objects share the id.
#include <ronda/plugin.hpp>

struct Counter : ronda::check {
  static constexpr const char* key = COUNTER_VERSION == 1 ? "count" : "total";
  std::string mode = ronda::cfg<std::string>("mode");

  ronda::result run(ronda::call&) override {
    const std::int64_t now = kv().get_i64(key).value_or(0) + 1;
    kv().put(key, now);
    return ronda::ok(key, " ", now);
  }

  bool migrate(std::uint32_t from, std::uint32_t to) override {
    if (from != 1 || to != 2 || mode == "refuse") return false;
    const auto count = kv().get_i64("count");
    kv().put(key, count.value_or(-1000));
    if (mode == "commits" && !kv().commit()) return false;
    kv().del("count");
    return mode != "refuse-late";
  }
};

RONDA_PLUGIN(Counter)
