// SPDX-License-Identifier: Apache-2.0
// The thread that owns the database, and its queue. Jobs that wait together share one transaction and one sync;
// each is answered after it, all answers of a batch by one post. The queue is bounded: what does not fit is refused.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "store/backup.hpp"
#include "store/keeper.hpp"
#include "store/samples.hpp"
#include "store/store.hpp"
#include "store/tables.hpp"

namespace ronda::store {

/// What a job may use; the transaction is open.
struct Work {
  Database& db;
  const std::string& host;
  std::int64_t now;
  const Status& observed;  // whether what observe() gave was written; only told to jobs that are `after_observed`
};

struct Job {
  std::function<Status(const Work&)> run;  // again after a roll-back; keeps its result for `answer`
  std::function<std::function<void()>(const Status&)> answer;
  std::function<void()> refused;  // not promised: before any job behind it runs, and by any thread; may be empty
  std::size_t bytes = 0;
  bool after_observed = false;  // reads what observe() wrote
  std::string backup;           // instead of `run`: copy to this path
};

class Owner {
 public:
  explicit Owner(Options options);
  ~Owner();

  Status start();  // waits for the file to be open
  void stop();
  void submit(Job job);
  void observe(std::vector<Observed> batch, std::vector<Sampled> samples);
  void keep_samples(const SampleRetention& retention);
  /// For jobs, on the owner's thread.
  SampleBook& book() { return book_; }
  const OpenReport& report() const { return report_; }
  Health health() const;
  std::int64_t now() const { return options_.wall_ns(); }

 private:
  using Answers = std::vector<std::function<void()>>;
  struct Batch {
    std::vector<Job> jobs;
    bool observed = false, stop = false;
  };
  struct BackupRun {
    std::unique_ptr<Backup> backup;
    Job job;
  };

  void loop(std::function<void(Status)> opened);
  Batch next_batch();
  std::chrono::nanoseconds until_next_duty();
  void handle(Batch batch);
  Status commit(std::span<Job> jobs, std::span<Status> statuses, const Status& observed);
  Status run_jobs(std::span<Job> jobs, std::span<Status> statuses, const Status& observed, Database& db);
  void keep(Observed one);
  void hold(std::vector<Run>& runs, Run run);
  void hold(std::vector<Sampled> samples);
  Status flush();
  bool holds_nothing() const { return observed_.empty() && samples_.empty(); }
  Status save(const std::map<InstanceId, Observation>& observed, std::span<const Sampled> samples);
  void take_back(std::map<InstanceId, Observation> observed, std::vector<Sampled> samples);
  void roll_up();
  void duties();
  void forget();
  void start_backup(Job job);
  void step_backup();
  void end_backup(const Status& status);
  void send(Answers answers);
  void publish(const Health& health);

  const Options options_;
  SampleBook book_;  // this and the next two: the owner's thread only
  Keeper keeper_;
  std::optional<BackupRun> backup_;
  std::int64_t next_tick_ = 0, next_hourly_ = 0;
  bool forgetting_ = false, rolling_ = false;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> queue_;
  std::size_t queued_bytes_ = 0;
  std::map<InstanceId, Observation> observed_;
  std::vector<Sampled> samples_;   // held like observed_
  std::size_t observed_runs_ = 0;  // since the last flush
  std::size_t held_runs_ = 0;      // in observed_
  std::int64_t flush_at_ = 0;      // by mono_ns, when something is held
  std::uint64_t dropped_ = 0;
  std::optional<SampleRetention> retention_;  // said, and not known to the book yet
  Health health_;
  bool stopping_ = false;

  OpenReport report_;
  std::thread thread_;
};

}  // namespace ronda::store
