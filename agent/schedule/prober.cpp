// SPDX-License-Identifier: Apache-2.0
#include "schedule/prober.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>

#include "base/clock.hpp"
#include "ronda/abi.h"

namespace ronda::schedule {

namespace {

constexpr std::size_t losses_most = 3;  // of runners of one plugin, before the rest of its instances is left untried

}  // namespace

std::string Prober::Failure::text() const {
  return label_of(subject->kind, subject->name) + " cannot be made: plugin " + subject->procedure->plugin->id + ": " + why;
}

Prober::Prober(boost::asio::io_context& loop, std::vector<const Prepared*> subjects, const MakeSupervisor& make, Present present,
               std::chrono::nanoseconds limit)
    : loop_(loop), subjects_(std::move(subjects)), present_(std::move(present)), limit_(limit) {
  for (std::uint32_t i = 0; i < subjects_.size(); ++i) {
    const PluginRef& plugin = *subjects_[i]->procedure->plugin;
    const RunAs as = run_as(*subjects_[i]);
    Lane& lane = lanes_[plugin.sha256 + "/" + key_of(as)];
    if (lane.supervisor == nullptr) lane.supervisor = make(plugin, as, *this);
    lane.subjects.push_back(i);
    lane_of_.push_back(&lane);
  }
  open_lanes_ = lanes_.size();
}

Prober::~Prober() = default;

void Prober::start(std::function<void(Findings)> done) {
  done_ = std::move(done);
  until_ = limit_ == std::chrono::nanoseconds(0) ? std::chrono::nanoseconds::max() : monotonic() + limit_;
  if (open_lanes_ == 0) return boost::asio::post(loop_, [this, lives = std::weak_ptr(lives_)] { lives.expired() ? void() : finish(); });
  for (auto& [key, lane] : lanes_) advance(lane);
}

/// One at a time: who crashes or hangs is then known, and the loop has its turn between two of them.
void Prober::advance(Lane& lane) {
  const bool is_late = lane.next > 0 && monotonic() >= until_;
  if (lane.next > 0) lane.supervisor->forget(lane.subjects[lane.next - 1] + 1);  // thousands of them would fill the runner
  if (lane.next < lane.subjects.size() && !lane.is_hopeless && !is_late) return lane.supervisor->probe(lane.subjects[lane.next++] + 1);
  findings_.untried += lane.subjects.size() - lane.next;
  lane.next = lane.subjects.size();
  if (--open_lanes_ == 0) finish();
}

wire::Create Prober::describe(std::uint32_t instance) {
  const Prepared& subject = *subjects_[instance - 1];
  return {instance,
          static_cast<wire::Kind>(subject.kind),
          subject.procedure->name,
          subject.name,
          subject.options.str(),
          subject.procedure->plugin->state_version,
          present_.state_from(subject)};
}

void Prober::on_probed(std::uint32_t instance, bool ok, std::string_view error) {
  if (instance == 0 || instance > subjects_.size()) return;
  Lane& lane = *lane_of_[instance - 1];
  if (lane.next == 0 || lane.subjects[lane.next - 1] != instance - 1) return;
  findings_.tried.push_back(subjects_[instance - 1]);
  if (!ok) {
    findings_.failures.push_back({subjects_[instance - 1], std::string(error)});
    const plugin::SupervisorStatus status = lane.supervisor->status();
    lane.losses += status.runners.empty() ? 1 : 0;
    lane.is_hopeless = !status.refused.empty() || std::max(lane.losses, status.deaths) >= losses_most;
  }
  // not from inside a supervisor, which what follows may end
  boost::asio::post(loop_, [this, &lane, lives = std::weak_ptr(lives_)] { lives.expired() ? void() : advance(lane); });
}

void Prober::on_request(wire::Request request, std::function<void(std::int32_t, std::string)> reply) {
  if (request.instance == 0 || request.instance > subjects_.size()) return reply(RONDA_E_NOTFOUND, {});
  present_.answer(*subjects_[request.instance - 1], request, std::move(reply));
}

void Prober::finish() {
  if (done_) std::exchange(done_, nullptr)(std::move(findings_));
}

}  // namespace ronda::schedule
