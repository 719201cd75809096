// SPDX-License-Identifier: Apache-2.0
// A store in memory in place of the real one: the same class to its callers, with another inside. It answers in its order,
// late if it is told so, refuses while it is full, and at a kill loses what it had not written. What the real one does with
// its file is tested beside it (tests/agent/store).
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "store/store.hpp"

namespace ronda::sim {

/// What may be planted to see that it is found. The first ones are the disk's, the others those of whoever carries messages.
enum class Fault : std::uint8_t {
  none,
  lost_message,       // one message of a decision is not written
  lost_event,         // one event of a decision is not written
  early_answer,       // it says "written" before it is
  forgotten_end,      // that messages were delivered is not written
  forgotten_silence,  // silences are not read at a start
  forgotten_ack,      // events "acked" are not read at a start
  swapped_order,      // messages are read in another order
  page_after_ack,     // a call is made of what somebody has
  swallowed_end,      // one attempt never ends
  double_delivery,    // one message is handed over twice
  false_end,          // one message is called delivered and did not arrive
};
inline constexpr int faults = 12;
const char* fault_name(Fault fault);

/// What lasts from one life to the next.
class Disk {
 public:
  enum class Mode : std::uint8_t { well, late, full };

  std::map<std::string, std::vector<store::IncidentEvent>> events;  // by incident
  std::map<std::string, std::int64_t> closed;
  std::map<std::string, store::AlertState> alerts;
  std::map<std::string, store::SilenceRow> silences;
  std::map<std::string, store::OutboxRow> outbox;
  std::vector<store::InstanceState> checks;
  std::set<std::string> revived;  // was a dead letter, and is owed again

  Fault fault = Fault::none;
  std::function<void(const store::Decision&)> on_decide;   // as it is handed over
  std::function<void(const store::Decision&)> on_written;  // whoever gave it has been told so
  std::function<void(const store::IncidentEvent&)> on_event;
  std::function<void(const store::OutboxChange&)> on_change;
  std::function<void(std::string)> on_broken;

  /// A store over it, of one life.
  std::unique_ptr<store::Store> open(boost::asio::io_context& loop, std::function<void(const store::Health&)> on_health);
  void set_mode(Mode mode, std::int64_t latency_ns);
  Mode mode() const { return mode_; }
  std::int64_t latency_ns() const { return latency_ns_; }
  bool is_idle() const;
  /// The life over it ends now: some of what waits is written all the same, nobody hears of it.
  void crash(std::size_t written);

  Result<Unit> write(const store::Decision& decision);

  struct Life;

 private:
  void write_event(const store::IncidentEvent& event);
  void check_step(const store::Decision& decision);

  Mode mode_ = Mode::well;
  std::int64_t latency_ns_ = 0;
  Life* life_ = nullptr;
  std::size_t rows_seen_ = 0, events_seen_ = 0;
  std::set<std::string> refused_;  // messages whose decision was once refused: what is changed of them meanwhile stands in their rows
};

}  // namespace ronda::sim
