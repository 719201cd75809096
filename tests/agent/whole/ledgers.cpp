// SPDX-License-Identifier: Apache-2.0
#include "ledgers.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

#include "base/descriptor.hpp"

namespace ronda::test {
namespace {

bool names_alert(const Receipt& one) {
  return one.alert != "-" && one.alert != "?";
}

void find_lost(const Ledgers& ledgers, std::vector<std::string>& wrong) {
  std::set<std::string> told;
  for (const Receipt& one : ledgers.received) told.insert(one.notifier + " " + one.alert + " " + one.event);
  for (const Promise& promise : ledgers.accepted) {
    for (const std::string& notifier : ledgers.notifiers) {
      const std::string owed = notifier + " " + promise.alert + " " + promise.event;
      if (!told.contains(owed)) wrong.push_back("lost: " + owed);
    }
  }
}

void find_repeated(const Ledgers& ledgers, std::vector<std::string>& wrong) {
  std::map<std::string, int> times;
  std::set<std::pair<std::string, int>> numbers;
  std::map<std::string, std::string> first_ids;
  for (const Receipt& one : ledgers.received) {
    const auto flying = ledgers.in_flight.find(one.id);
    if (++times[one.id] > 1 + (flying == ledgers.in_flight.end() ? 0 : flying->second)) wrong.push_back("too often: " + one.id);
    if (!numbers.emplace(one.id, one.attempt).second)
      wrong.push_back("number twice: " + one.id + " attempt " + std::to_string(one.attempt));
    if (!ledgers.stored.contains(one.id)) wrong.push_back("never stored: " + one.id);
    if (one.alert == "?") wrong.push_back("without its text: " + one.id);
    if (!names_alert(one) || std::ranges::find(ledgers.events, one.event) == ledgers.events.end()) continue;  // there may be several
    const std::string what = one.notifier + " " + one.alert + " " + one.event;
    const auto [known, is_new] = first_ids.emplace(what, one.id);
    if (!is_new && known->second != one.id) wrong.push_back("told anew: " + what + " as " + known->second + " and " + one.id);
  }
}

/// By when each came first: what is sent once more may be written down late.
void find_disorder(const Ledgers& ledgers, std::vector<std::string>& wrong) {
  std::map<std::string, std::map<std::ptrdiff_t, std::size_t>> lanes;
  for (std::size_t at = 0; at < ledgers.received.size(); ++at) {
    const Receipt& one = ledgers.received[at];
    const auto rank = std::ranges::find(ledgers.events, one.event) - ledgers.events.begin();
    const bool is_owed = rank < std::ssize(ledgers.events);
    if (names_alert(one) && is_owed) lanes[one.notifier + " " + one.alert].try_emplace(rank, at);
  }
  for (const auto& [lane, firsts] : lanes) {
    std::size_t last = 0;
    for (const auto& [rank, at] : firsts) {
      if (at < last) wrong.push_back("out of order: " + lane + " " + ledgers.received[at].event);
      last = std::max(last, at);
    }
  }
}

}  // namespace

void append_line(const std::string& path, const std::string& line) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  const std::string whole = line + "\n";
  if (::write(file.get(), whole.data(), whole.size()) != static_cast<ssize_t>(whole.size())) std::abort();
}

std::vector<Promise> read_accepted(const std::string& path) {
  std::ifstream in(path);
  std::vector<Promise> out;
  for (Promise one; in >> one.alert >> one.event;) out.push_back(one);
  return out;
}

std::vector<Receipt> read_received(const std::string& path) {
  std::ifstream in(path);
  std::vector<Receipt> out;
  for (Receipt one; in >> one.notifier >> one.alert >> one.event >> one.id >> one.attempt;) out.push_back(one);
  return out;
}

std::vector<std::string> find_wrong(const Ledgers& ledgers) {
  std::vector<std::string> wrong;
  find_lost(ledgers, wrong);
  find_repeated(ledgers, wrong);
  find_disorder(ledgers, wrong);
  return wrong;
}

int count_repeats(const Ledgers& ledgers) {
  std::set<std::string> ids;
  int out = 0;
  for (const Receipt& one : ledgers.received) out += ids.insert(one.id).second ? 0 : 1;
  return out;
}

}  // namespace ronda::test
