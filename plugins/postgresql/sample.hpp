// SPDX-License-Identifier: Apache-2.0
// Counters of the server as they stood at one moment, kept in kv until the next run, and what happened between
// two of them. A counter that went back, or a new epoch (statistics were reset), is a reset and never a negative
// or a huge number. Pure but for load and save.
#pragma once

#include <ronda/plugin.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postgresql {

using Counters = std::vector<std::int64_t>;

struct Sample {
  std::int64_t wall_ns = 0;
  std::string epoch;     // when the server's statistics began, as it says it
  bool complete = true;  // false: the list was cut; a row that is missing is not known to be new
  std::map<std::string, Counters, std::less<>> rows;  // keys without blanks: oids and query ids
};

struct Difference {
  bool first = false;  // nothing to compare with
  bool reset = false;  // the statistics began anew in between
  double seconds = 0;
  std::map<std::string, Counters, std::less<>> rows;
};

Difference difference(const std::optional<Sample>& before, const Sample& now);

/// In pieces that fit into kv: of 10,000 statements 600 kB at most, commonly 250.
std::vector<std::string> encode(const Sample& sample, std::size_t piece_bytes);
/// Nothing if it is damaged, or not all of it is of one sample: the next sample is then a first one.
std::optional<Sample> decode(const std::vector<std::string>& pieces);

std::optional<Sample> load_sample(const ronda::kv_service& kv);
/// What the run ends with where it could not be kept. What does not fit into one commit is committed in between: a run that is
/// ended there leaves no sample.
std::optional<ronda::result> save_sample(const ronda::kv_service& kv, const Sample& sample);

/// The summary for a run that has nothing to compare with; nothing if it has.
std::optional<std::string> no_difference(const Difference& diff);

}  // namespace postgresql
