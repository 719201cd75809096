// SPDX-License-Identifier: Apache-2.0
#include "store/owner.hpp"

#include <pthread.h>

#include <algorithm>
#include <csignal>
#include <future>
#include <utility>

namespace ronda::store {
namespace {

constexpr std::int64_t second = 1'000'000'000, hour = 3600 * second;
constexpr std::int64_t tick_when_well = 5 * second;
constexpr std::size_t batch_jobs_max = 512, batch_bytes_max = std::size_t{8} * 1024 * 1024;
constexpr std::size_t queue_jobs_max = 50'000, queue_bytes_max = std::size_t{64} * 1024 * 1024;
constexpr std::size_t observed_runs_max = 4096;  // then they are written before their time
constexpr std::size_t observed_instances_max = 150'000, held_runs_max = 40'000, held_samples_max = 20'000;
constexpr std::int64_t retention_rows = 200, retention_rows_when_full = 20;
constexpr int backup_pages = 256;

Error unavailable(const std::string& why) {
  return {Errc::unavailable, "the store does not work: " + why};
}

void refuse(const Job& job) {
  if (job.refused) job.refused();
}

}  // namespace

Owner::Owner(Options options)
    : options_(std::move(options)),
      keeper_(
          options_, [this](const Health& health) { publish(health); },
          [this] {
            end_backup(unavailable("it was closed while the backup ran"));
            book_.forget();
          }) {}

Owner::~Owner() {
  stop();
}

Status Owner::start() {
  const auto opened = std::make_shared<std::promise<Status>>();  // set_value() may still run when get() is back
  auto result = opened->get_future();
  // Signals are the main thread's; SIGXFSZ too, so that a file size limit is an error and not the end. Not those
  // that this thread can only cause itself: blocked, they would pass by whoever reports crashes.
  sigset_t all, before;
  sigfillset(&all);
  for (const int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS}) sigdelset(&all, own);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this, opened] { loop([opened](Status status) { opened->set_value(std::move(status)); }); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return result.get();
}

void Owner::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Owner::submit(Job job) {
  std::optional<Error> refused;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_)
      refused = unavailable("it is closed");
    else if (queue_.size() >= queue_jobs_max || queued_bytes_ + job.bytes > queue_bytes_max)
      refused = unavailable("it is behind, " + std::to_string(queue_.size()) + " writes wait; try again later");
    else {
      queued_bytes_ += job.bytes;
      queue_.push_back(std::move(job));
    }
  }
  if (refused) {
    refuse(job);
    return send({job.answer(*refused)});
  }
  wake_.notify_one();
}

void Owner::observe(std::vector<Observed> batch, std::vector<Sampled> samples) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || (batch.empty() && samples.empty())) return;
    const bool enough = observed_runs_ >= observed_runs_max;
    wake = holds_nothing();
    if (wake) flush_at_ = options_.mono_ns() + std::chrono::nanoseconds(options_.flush_after).count();
    for (Observed& one : batch) keep(std::move(one));
    hold(std::move(samples));
    wake |= !enough && observed_runs_ >= observed_runs_max;
  }
  if (wake) wake_.notify_one();
}

void Owner::keep(Observed one) {
  const auto known = observed_.find(one.state.id);
  if (known == observed_.end() && observed_.size() >= observed_instances_max) {
    ++dropped_;
    return;
  }
  Observation& entry = known == observed_.end() ? observed_[one.state.id] : known->second;
  entry.state = std::move(one.state);
  hold(entry.runs, std::move(one.run));
  ++observed_runs_;
}

// More than kept_runs would not survive the flush either. When nothing can be flushed, one of each instance stays.
void Owner::hold(std::vector<Run>& runs, Run run) {
  const std::size_t most = held_runs_ < held_runs_max ? kept_runs : 1;
  while (runs.size() >= most) {
    runs.erase(runs.begin());
    --held_runs_;
    if (most == 1) ++dropped_;
  }
  runs.push_back(std::move(run));
  ++held_runs_;
}

/// When nothing can be flushed, the newest stay.
void Owner::hold(std::vector<Sampled> samples) {
  samples_.insert(samples_.end(), std::make_move_iterator(samples.begin()), std::make_move_iterator(samples.end()));
  if (samples_.size() <= held_samples_max) return;
  const std::size_t most = held_samples_max * 9 / 10;  // not one at a time: each moves all
  dropped_ += samples_.size() - most;
  samples_.erase(samples_.begin(), samples_.end() - static_cast<std::ptrdiff_t>(most));
}

Health Owner::health() const {
  const std::lock_guard lock(mutex_);
  return health_;
}

void Owner::publish(const Health& health) {
  {
    const std::lock_guard lock(mutex_);
    health_ = health;
  }
  if (options_.on_health) options_.post([call = options_.on_health, health] { call(health); });
}

void Owner::loop(std::function<void(Status)> opened) {
  Status status = keeper_.open();
  report_ = keeper_.report();
  const bool refused = !status;
  // before open() returns: the first hour counts from the opening, not from when this thread goes on
  next_tick_ = options_.mono_ns();
  next_hourly_ = next_tick_ + 60 * second;
  opened(std::move(status));
  if (refused) return;
  while (true) {
    Batch batch = next_batch();
    const bool stop = batch.stop;
    handle(std::move(batch));
    if (stop) break;
    duties();
  }
  end_backup(unavailable("the agent is stopping"));
  keeper_.close();
}

std::chrono::nanoseconds Owner::until_next_duty() {
  if (backup_ || forgetting_ || rolling_) return std::chrono::nanoseconds(0);
  std::int64_t next = std::min(next_tick_, next_hourly_);
  if (!holds_nothing() && !keeper_.tight()) next = std::min(next, flush_at_);
  return std::chrono::nanoseconds(std::max<std::int64_t>(next - options_.mono_ns(), 0));
}

Owner::Batch Owner::next_batch() {
  std::unique_lock lock(mutex_);
  const bool was_empty = holds_nothing();
  wake_.wait_for(lock, until_next_duty(),
                 [&] { return !queue_.empty() || stopping_ || observed_runs_ >= observed_runs_max || holds_nothing() != was_empty; });
  Batch batch;
  std::size_t bytes = 0;
  while (!queue_.empty() && batch.jobs.size() < batch_jobs_max && bytes < batch_bytes_max) {
    bytes += queue_.front().bytes;
    batch.observed |= queue_.front().after_observed;
    batch.jobs.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  queued_bytes_ -= bytes;
  batch.stop = stopping_ && queue_.empty();
  batch.observed |= batch.stop || observed_runs_ >= observed_runs_max || (!holds_nothing() && options_.mono_ns() >= flush_at_);
  return batch;
}

void Owner::handle(Batch batch) {
  const Status observed = batch.observed ? flush() : done();
  std::vector<Job> jobs;
  for (Job& job : batch.jobs) {
    if (job.backup.empty())
      jobs.push_back(std::move(job));
    else
      start_backup(std::move(job));
  }
  if (jobs.empty()) return;
  const std::size_t count = jobs.size();
  std::vector<Status> statuses(count, done());
  const Status committed = commit(jobs, statuses, observed);
  if (!committed && count > 1 && keeper_.usable()) {
    // The disk is full: each for itself, so that a large one does not take the small ones and the reads with it.
    for (std::size_t i = 0; i < count; ++i) {
      const Status alone = commit({&jobs[i], 1}, {&statuses[i], 1}, observed);
      if (!alone) {
        statuses[i] = alone;
        refuse(jobs[i]);
      }
      keeper_.committed();
    }
  } else if (!committed) {
    statuses.assign(count, committed);
    std::ranges::for_each(jobs, refuse);
  }
  Answers answers;
  for (std::size_t i = 0; i < count; ++i) answers.push_back(jobs[i].answer(statuses[i]));
  send(std::move(answers));
  if (committed) keeper_.committed();
}

// The batch once, and once more when there is reason to believe that it goes better then.
Status Owner::commit(std::span<Job> jobs, std::span<Status> statuses, const Status& observed) {
  for (int attempt = 1;; ++attempt) {
    Database* db = keeper_.database();
    if (db == nullptr) return unavailable(keeper_.health().reason);
    std::ranges::fill(statuses, done());
    db->clear_trouble();
    const Status status = db->transaction([&] { return run_jobs(jobs, statuses, observed, *db); });
    if (status) {
      if (const Status safe = keeper_.confirm(); !safe) return unavailable(safe.error().message());
      return done();
    }
    if (!keeper_.settle() || attempt == 3) return unavailable(status.error().message());
  }
}

// A job that fails takes back its own part; trouble with the file ends the whole batch.
Status Owner::run_jobs(std::span<Job> jobs, std::span<Status> statuses, const Status& observed, Database& db) {
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (Status point = db.run("SAVEPOINT job"); !point) return point;
    statuses[i] = jobs[i].run({db, keeper_.meta().host, options_.wall_ns(), observed});
    if (db.trouble() != Trouble::none) return statuses[i] ? Status(Error(Errc::system, db.trouble_text())) : statuses[i];
    if (!statuses[i]) {
      if (Status undone = db.run("ROLLBACK TO job"); !undone) return undone;
    }
    if (Status released = db.run("RELEASE job"); !released) return released;
  }
  return done();
}

Status Owner::flush() {
  std::map<InstanceId, Observation> observed;
  std::vector<Sampled> samples;
  {
    const std::lock_guard lock(mutex_);
    std::swap(observed, observed_);
    std::swap(samples, samples_);
    observed_runs_ = held_runs_ = 0;
  }
  Status status = done();
  if (!observed.empty() || !samples.empty()) {
    if (!keeper_.usable())
      status = unavailable(keeper_.health().reason);
    else if (keeper_.tight())
      status = unavailable("what room is left is kept for what is owed");
    else
      status = save(observed, samples);
    if (!status) take_back(std::move(observed), std::move(samples));
  }
  std::uint64_t dropped = 0;
  {
    const std::lock_guard lock(mutex_);
    dropped = dropped_;
  }
  keeper_.set_dropped(dropped);
  return status;
}

Status Owner::save(const std::map<InstanceId, Observation>& observed, std::span<const Sampled> samples) {
  Database& db = *keeper_.database();
  std::uint64_t late = 0;
  db.clear_trouble();
  const Status status = db.transaction([&]() -> Status {
    for (const auto& [id, observation] : observed) {
      Status saved = save_observation(db, observation);
      if (!saved) return saved;
    }
    return samples.empty() ? done() : book_.write(db, samples, options_.wall_ns(), &late);
  });
  if (status) {
    keeper_.committed();
    const std::lock_guard lock(mutex_);
    dropped_ += late;
  } else {
    book_.forget();
    keeper_.settle();
  }
  return status;
}

// After a flush that failed: what came meanwhile goes on top.
void Owner::take_back(std::map<InstanceId, Observation> observed, std::vector<Sampled> samples) {
  const std::lock_guard lock(mutex_);
  std::swap(observed_, observed);
  std::swap(samples_, samples);
  hold(std::move(samples));
  held_runs_ = 0;
  for (const auto& [id, older] : observed_) held_runs_ += older.runs.size();
  for (auto& [id, newer] : observed) {
    Observation& entry = observed_[id];
    for (Run& run : newer.runs) hold(entry.runs, std::move(run));
    entry.state = std::move(newer.state);
  }
  observed_runs_ = 0;  // counts towards the early flush, which would not help now
  flush_at_ = options_.mono_ns() + std::chrono::nanoseconds(std::max(options_.flush_after, options_.retry_after)).count();
}

void Owner::duties() {
  const std::int64_t now = options_.mono_ns(), retry = std::chrono::nanoseconds(options_.retry_after).count();
  if (now >= next_tick_) {
    keeper_.tick();
    next_tick_ = options_.mono_ns() + tick_when_well;
  }
  // also when the trouble came after the last tick
  if (!keeper_.usable() || keeper_.tight()) next_tick_ = std::min(next_tick_, options_.mono_ns() + retry);
  if (now >= next_hourly_) {
    next_hourly_ = now + hour;
    keeper_.bump_generation();
    forgetting_ = true;
  }
  if (forgetting_) forget();
  roll_up();
  if (backup_) step_backup();
}

void Owner::keep_samples(const SampleRetention& retention) {
  const std::lock_guard lock(mutex_);
  retention_ = retention;
}

void Owner::forget() {
  std::int64_t gone = 0;
  Database* db = keeper_.database();
  forgetting_ = false;
  if (db == nullptr) return;
  const std::int64_t rows = keeper_.tight() ? retention_rows_when_full : retention_rows;
  db->clear_trouble();
  const Status status = db->transaction([&]() -> Status {
    RONDA_TRY(gone, retention_step(*db, options_.wall_ns(), rows));
    return done();
  });
  if (!status) {
    keeper_.settle();
    return;
  }
  keeper_.committed();
  forgetting_ = gone >= rows;
}

/// A piece of it after each batch, so that what is owed waits for one piece at most.
void Owner::roll_up() {
  rolling_ = false;
  {
    const std::lock_guard lock(mutex_);
    if (const auto said = std::exchange(retention_, std::nullopt)) book_.set_retention(*said);
  }
  const std::int64_t now = options_.wall_ns();  // before the flush: what was observed by then is in it
  if (!keeper_.usable() || keeper_.tight() || !book_.is_due(now)) return;
  // what is held may be of a time that is about to be closed, and would be too late then
  if (book_.is_idle() && !flush()) return;
  Database* db = keeper_.database();
  if (db == nullptr) return;
  db->clear_trouble();
  const std::int64_t commits = db->commits();
  if (const Status status = book_.step(*db, now); !status) {
    book_.forget();
    keeper_.settle();
    return;
  }
  if (db->commits() != commits) keeper_.committed();
  rolling_ = book_.is_due(options_.wall_ns());
}

void Owner::start_backup(Job job) {
  if (backup_) return send({job.answer(Error(Errc::unavailable, "another backup of the store is running"))});
  if (!keeper_.usable()) return send({job.answer(unavailable(keeper_.health().reason))});
  auto backup = Backup::start(*keeper_.database(), job.backup);
  if (!backup) return send({job.answer(backup.error())});
  backup_.emplace(BackupRun{*std::move(backup), std::move(job)});
}

void Owner::step_backup() {
  const auto complete = backup_->backup->step(backup_pages);
  if (!complete) return end_backup(complete.error());
  if (*complete) end_backup(backup_->backup->finish());
}

void Owner::end_backup(const Status& status) {
  if (!backup_) return;
  BackupRun run = std::move(*backup_);
  backup_.reset();
  run.backup.reset();
  send({run.job.answer(status)});
}

void Owner::send(Answers answers) {
  options_.post([answers = std::move(answers)] {
    for (const auto& answer : answers) answer();
  });
}

}  // namespace ronda::store
