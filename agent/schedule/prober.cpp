// SPDX-License-Identifier: Apache-2.0
#include "schedule/prober.hpp"

#include <boost/asio/post.hpp>

#include "ronda/abi.h"

namespace ronda::schedule {

Prober::Prober(boost::asio::io_context& loop, std::vector<const Prepared*> subjects, const MakeSupervisor& make, Present present)
    : loop_(loop), present_(std::move(present)) {
  std::map<std::string, std::size_t> taken;
  for (const Prepared* subject : subjects) {
    const PluginRef& plugin = *subject->procedure->plugin;
    if (++taken[plugin.sha256] > instances_per_plugin) continue;
    subjects_.push_back(subject);
    const RunAs as = run_as(*subject);
    auto& supervisor = supervisors_[plugin.sha256 + "/" + key_of(as)];
    if (supervisor == nullptr) supervisor = make(plugin, as, *this);
  }
  open_.assign(subjects_.size(), true);
  open_count_ = subjects_.size();
}

Prober::~Prober() = default;

void Prober::start(std::function<void(Failures)> done) {
  done_ = std::move(done);
  if (open_count_ == 0) return boost::asio::post(loop_, [this] { finish(); });
  for (std::size_t i = 0; i < subjects_.size(); ++i) {
    const Prepared& subject = *subjects_[i];
    supervisors_[subject.procedure->plugin->sha256 + "/" + key_of(run_as(subject))]->probe(static_cast<std::uint32_t>(i + 1));
  }
}

wire::Create Prober::describe(std::uint32_t instance) {
  const Prepared& subject = *subjects_[instance - 1];
  return {instance, static_cast<wire::Kind>(subject.kind), subject.procedure->name, subject.name, subject.options.str(), subject.procedure->plugin->state_version,
          present_.state_from(subject)};
}

void Prober::on_probed(std::uint32_t instance, bool ok, std::string_view error) {
  if (instance == 0 || instance > open_.size() || !open_[instance - 1]) return;
  open_[instance - 1] = false;
  const Prepared& subject = *subjects_[instance - 1];
  if (!ok) failures_.emplace(subject.procedure->plugin->sha256, subject.name + ": " + std::string(error));
  if (--open_count_ > 0) return;
  boost::asio::post(loop_, [this] { finish(); });  // not from inside a supervisor that this ends
}

void Prober::on_request(wire::Request request, std::function<void(std::int32_t, std::string)> reply) {
  if (request.instance == 0 || request.instance > subjects_.size()) return reply(RONDA_E_NOTFOUND, {});
  present_.answer(*subjects_[request.instance - 1], request, std::move(reply));
}

void Prober::finish() {
  if (done_) std::exchange(done_, nullptr)(std::move(failures_));
}

}  // namespace ronda::schedule
