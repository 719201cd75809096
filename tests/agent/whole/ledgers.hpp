// SPDX-License-Identifier: Apache-2.0
// What a whole agent took of alerts and what its sinks received of them, each as others wrote it into files that only grow, and
// what is wrong between the two. Nothing here asks the agent.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

namespace ronda::test {

/// The agent took it: its answer came. `event` is what is owed for it, "open:p2".
struct Promise {
  std::string alert, event;
};

/// A sink got it; written before it answers.
struct Receipt {
  std::string notifier, alert, event, id;  // of what is about no alert of ours `alert` is "-", of what has no text "?"
  int attempt = 0;
};

struct Ledgers {
  std::vector<std::string> notifiers;  // each is owed everything
  std::vector<std::string> events;     // of one alert, in the order in which they are owed
  std::vector<Promise> accepted;
  std::vector<Receipt> received;
  std::map<std::string, int> in_flight;  // id: kills that found it on its way
  std::set<std::string> stored;          // ids that the store has at the end
};

/// Appends one line by one write. The program ends where that cannot be done: a ledger with a hole says nothing.
void append_line(const std::string& path, const std::string& line);
/// Lines "ALERT EVENT" and "NOTIFIER ALERT EVENT ID ATTEMPT".
std::vector<Promise> read_accepted(const std::string& path);
std::vector<Receipt> read_received(const std::string& path);

/// One line each: "lost: ", "told anew: ", "too often: ", "number twice: ", "out of order: ", "never stored: ",
/// "without its text: ".
std::vector<std::string> find_wrong(const Ledgers& ledgers);
/// Receipts beyond the first of each id.
int count_repeats(const Ledgers& ledgers);

}  // namespace ronda::test
