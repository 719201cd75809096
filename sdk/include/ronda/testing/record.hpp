// SPDX-License-Identifier: Apache-2.0
// What a fake host remembers of a run: plain values, all owned, to be compared by a test.
#pragma once

#include <ronda/reply.hpp>
#include <ronda/result.hpp>

#include <map>

namespace ronda::testing {

using fields = std::map<std::string, std::string>;

inline fields to_fields(const ronda_kv* first, std::uint64_t count) {
  fields all;
  for (std::uint64_t i = 0; first != nullptr && i < count; ++i)
    all.emplace(from_abi(first[i].key), from_abi(first[i].value));
  return all;
}

struct log_line {
  std::uint32_t level;
  std::string text;
  testing::fields fields;
};

struct metric {
  std::string name, unit;
  double value = 0;  // of integers too
  bool integer = false;
  bool counter = false;
  std::string warn, crit;  // ranges, as emitted
  fields labels;
};

struct event {
  std::uint32_t level;
  std::string name, text;
  testing::fields fields;
};

struct progress {
  double share;
  std::string what;
};

/// One run or delivery.
struct report {
  std::int32_t code = RONDA_OK;  // what the function returned
  std::string error;             // and its text
  std::int32_t results = 0;      // that were given; one is right
  std::int32_t status = RONDA_STATUS_UNKNOWN;
  std::string summary, detail;
  wall_time again_at{};  // the epoch: nothing
  std::vector<testing::metric> metrics;
  std::vector<testing::event> events;
  std::vector<testing::progress> progress;
  std::size_t dropped_metrics = 0;  // beyond what a host keeps of one call
  bool refused = false;             // the first result had a status that does not exist

  bool is(ronda::status s) const { return ended_with(static_cast<std::int32_t>(s)); }
  bool is(task_status s) const { return ended_with(static_cast<std::int32_t>(s)); }
  bool is(delivery_status s) const { return ended_with(static_cast<std::int32_t>(s)); }
  /// A function that failed or gave no result did not end: the host makes UNKNOWN of it.
  /// The first of two results stands, whatever became of the second.
  bool ended() const { return results >= 1 && !refused && (code == RONDA_OK || results > 1); }

  /// The first of that name, and of those labels if any are given; null when there is none.
  const testing::metric* find(std::string_view name, const fields& labels = {}) const {
    for (const testing::metric& m : metrics)
      if (m.name == name && (labels.empty() || m.labels == labels)) return &m;
    return nullptr;
  }

 private:
  bool ended_with(std::int32_t s) const { return ended() && status == s; }
};

struct exec_request {
  std::vector<std::string> argv;
  fields env;
  std::string dir, input;
  bool clear_env = false, merge_err = false;
  std::uint64_t output_limit = 65536;
  std::chrono::nanoseconds timeout{0};  // until the deadline that holds for it
};

struct exec_answer {
  std::int32_t exit_code = 0;
  std::string out = {}, err = {};
  std::int32_t signal = 0;
  bool timed_out = false;
  std::int32_t code = RONDA_OK;  // other than that: it was not started, and `err` says why
  std::uint64_t out_total = 0, err_total = 0;
  std::chrono::nanoseconds duration{0};
};

}  // namespace ronda::testing
