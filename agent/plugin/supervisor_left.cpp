// SPDX-License-Identifier: Apache-2.0
// Detached calls: what their programs leave alive is told, and nobody ends it (decision 0023).
#include "plugin/supervisor_impl.hpp"

namespace ronda::plugin {

/// At the end of a call, which was the only one of this runner. With something left its runner takes no more, so that the next
/// call begins with none, and limits of memory and tasks are lifted from what stays.
void Supervisor::Impl::look_for_left_alive(Process& process, wire::Outcome& outcome, const InFlight& call) {
  if (!spec_.detached) return;
  process.last_instance = call.spec.instance;
  const std::vector<LeftAlive> left = left_alive_below(process.link->process().pid, process.worker);
  if (left.empty()) return;
  outcome.worn = wire::Worn::left_alive;
  process.has_told_left = true;
  if (client_ != nullptr) client_->on_left_alive(call.spec.instance, left);
}

/// Of a runner that is gone, whose keeper has written down who stays: of the call in flight, or of the last one where nothing was
/// found, for its result may have been read when runner and keeper were gone already. The worker could write there too: what is
/// said of processes that are older than the runner counts for nothing.
void Supervisor::Impl::tell_left_alive(const Process& process) {
  if (!spec_.detached || client_ == nullptr || process.has_told_left) return;
  const auto call = std::ranges::find_if(calls_, [&](const auto& one) { return one.second.process == &process; });
  const std::uint32_t instance = call == calls_.end() ? process.last_instance : call->second.spec.instance;
  if (instance == 0) return;  // it never had a call
  std::vector<pid_t> pids;
  for (const auto& place : process.link->process().blackbox->left) pids.push_back(place.load(std::memory_order_relaxed));
  const std::vector<LeftAlive> left = left_alive_of(pids, process.started_boot - 1s);
  if (!left.empty()) client_->on_left_alive(instance, left);
}

}  // namespace ronda::plugin
