// SPDX-License-Identifier: Apache-2.0
#include "checks.hpp"
#include "remedy.hpp"

namespace postgresql {

ronda::result CacheHit::measure(Client& client, ronda::call& call) {
  const auto rows = ask(client, Statement::cache_hit);
  if (!rows) return failed(rows.failure());
  if (rows->count() == 0) return ronda::unknown("the server keeps no statistics of this database yet");
  Sample now{clock().wall().time_since_epoch().count(), std::string(rows->text(0, 3)), true, {}};
  now.rows.emplace(rows->text(0, 0), Counters{rows->integer(0, 1), rows->integer(0, 2)});
  const Difference diff = difference(load_sample(kv()), now);
  if (auto refused = save_sample(kv(), now)) return *std::move(refused);
  if (const auto nothing = no_difference(diff)) return ronda::ok(*nothing);
  const Counters& blocks = diff.rows.begin()->second;
  const std::int64_t total = blocks[0] + blocks[1];
  call.metric("blocks", total);
  const std::string span = span_text(diff.seconds);
  // A handful of blocks says nothing: an idle database would be "0% hit" after one cold read.
  if (total < min_blocks_)
    return ronda::ok("only ", total, " blocks asked for in ", span, ": too few to judge (min_blocks = ", min_blocks_,
                     ")");
  const double hit = static_cast<double>(blocks[0]) / static_cast<double>(total);
  const auto warn = ronda::range::below(warn_), crit = ronda::range::below(crit_);
  call.metric("hit_ratio", hit, ronda::ratio, warn, crit);
  return ronda::grade(hit, warn, crit, ronda::percent(hit), " of ", total, " blocks came from the cache in ", span);
}

}  // namespace postgresql
