// SPDX-License-Identifier: Apache-2.0
#include "world.hpp"

#include <algorithm>
#include <utility>

#include "estate.hpp"
#include "ronda/abi.h"

namespace ronda::sim {
namespace {

/// Monday, 2026-01-05T00:00:00Z.
constexpr std::int64_t monday = 1'767'571'200 * second_ns;

/// What is over may be kept in memory or not, and mutes follow from the rest.
incident::State open_part(incident::State state) {
  state.mutes.clear();
  state.watched_since_ns = 0;
  state.restless = {};
  state.pausing.clear();  // who comes and goes is told anew
  std::erase_if(state.incidents, [](const auto& one) { return one.second.stage == incident::Stage::closed; });
  return state;
}

}  // namespace

World::World(Fault fault) : fault_(fault), time_(monday), work_(loop_.get_executor()), judge_(disk_), round_(loop_) {
  disk_.fault = fault;
  disk_.on_decide = [this](const store::Decision& decision) { on_decide(decision); };
  disk_.on_written = [this](const store::Decision& decision) { judge_.on_written(decision); };
  disk_.on_event = [this](const store::IncidentEvent& event) { judge_.on_event(event); };
  disk_.on_change = [this](const store::OutboxChange& change) { judge_.on_change(change); };
  disk_.on_broken = [this](std::string what) { judge_.fail(std::move(what)); };
  for (const char* name : sink_names) sinks_[name] = {};
  for (const char* name : check_names) {
    Check& check = checks_.emplace_back();
    check.entry.spec.kind = config::Kind::check;
    check.entry.spec.name = name;
    check.entry.status = plugin::CheckStatus::ok;
    check.entry.since_wall = monday;
    check.entry.has_result = true;
  }
  start();
}

World::~World() {
  response_.reset();
  store_.reset();
}

std::optional<std::string> World::run(const std::vector<Move>& moves) {
  settle();
  for (std::size_t i = 0; i < moves.size(); ++i) {
    pass(moves[i].after_s * second_ns);
    settle();
    if (!judge_.broken()) {
      judge_.note(time_.passed_ns(), "-- " + to_text(moves[i]));
      make(moves[i]);
    }
    settle();
    judge_.check_still(response_ == nullptr ? 0 : response_->now_ns());
    if (judge_.broken()) return *judge_.broken() + " (at move " + std::to_string(i + 1) + ")";
  }
  calm_down();
  if (judge_.broken()) return *judge_.broken() + " (after the last move)";
  return std::nullopt;
}

/// Everything outside is well: what is owed arrives. Then nothing fails: what is open ends.
void World::calm_down() {
  for (auto& [name, sink] : sinks_) sink = {};
  disk_.set_mode(Disk::Mode::well, 0);
  for (Check& check : checks_) check.flaps = 0;
  pass(3 * hour_ns);
  settle();
  // what became due in this very second is on its way yet
  const auto is_owed = [](const auto& row) {
    return row.second.state == store::OutboxState::queued || row.second.state == store::OutboxState::sending;
  };
  for (int i = 0; i < 10 && std::ranges::any_of(disk_.outbox, is_owed); ++i) pass(second_ns);
  settle();
  judge_.check_calm();
  for (Check& check : checks_) {
    if (check.entry.status != plugin::CheckStatus::ok) check.entry.since_wall = time_.wall_ns();
    check.entry.status = plugin::CheckStatus::ok;
  }
  if (!judge_.broken()) inbound({Move::What::inbound, 0, 0, 0, 0});
  pass(3 * hour_ns);
  settle();
  judge_.check_well();
}

// ---- time -----------------------------------------------------------------------------------

void World::pass(std::int64_t ns) {
  if (ns == 0 || judge_.broken()) return;
  bool over = false;
  boost::asio::steady_timer until(loop_, std::chrono::nanoseconds(ns));
  until.async_wait([&over](const boost::system::error_code& error) { over = !error; });
  while (!over && !judge_.broken()) {
    loop_.run_one();
    judge_now();
  }
  if (over) return;
  until.cancel();
  loop_.poll();
}

/// What is to be done at this instant.
void World::settle() {
  while (!judge_.broken() && loop_.poll_one() != 0) judge_now();
  judge_now();
}

void World::judge_now() {
  const std::int64_t instant = time_.passed_ns() / 1'000'000;
  if (std::exchange(instant_ms_, instant) != instant) at_instant_ = 0;
  if (++at_instant_ > 20'000) judge_.fail("no end of work at one instant");
  if (up_) judge_.check(time_.passed_ns());
}

// ---- lives ----------------------------------------------------------------------------------

void World::start() {
  ++lives_;
  reloaded_ = false;
  store_ = disk_.open(loop_, [this](const store::Health& health) {
    if (response_) response_->on_store_health(health);
  });
  const auto log = [this](std::int64_t level, std::string_view text) {
    const bool is_behind = text.ends_with("what was decided before it is not stored");  // that is on its way
    const bool is_refused = text.starts_with("a decision is not on the disk") && disk_.mode() != Disk::Mode::full && !is_behind;
    if (level == RONDA_LOG_ERROR && (is_refused || text.starts_with("not remembered"))) judge_.fail(std::string(text));
  };
  response_ = std::make_unique<response::Response>(
      response::Ports{loop_, *store_,
                      [this](std::string_view notifier, const std::shared_ptr<const wire::Message>& message, auto ended) {
                        hand_over(notifier, message, std::move(ended));
                      },
                      log, [this] { return time_.wall_ns(); }, [this] { return ++random_ * 0x9E3779B97F4A7C15; }},
      plan(plan_));
  judge_.watch(response_.get(), time_.passed_ns());
  response_->start([this, life = lives_] {
    if (life != lives_) return;
    up_ = true;
    if (left_) compare(*left_);
    left_.reset();
    round_.expires_after(std::chrono::seconds(2));
    round_.async_wait([this](const boost::system::error_code& error) {
      if (!error) look_round();
    });
  });
}

void World::end(bool in_order, std::size_t written, std::int64_t down_s) {
  if (in_order) {
    response_->stop();
    pass(20 * second_ns);
    settle();
    written = 1000;
  }
  left_ = down_s == 0 && !in_order ? what_is_left() : std::nullopt;
  up_ = false;
  ++lives_;
  round_.cancel();
  disk_.crash(written);
  judge_.watch(nullptr, time_.passed_ns());
  response_.reset();
  store_.reset();
  pass(down_s * second_ns);
  if (!judge_.broken()) start();
}

std::optional<World::Left> World::what_is_left() const {
  // what a life does not live to believe is time to the next one
  if (time_.passed_ns() - clock_set_at_ < response::IncidentTime::most_proof_ns + second_ns) return std::nullopt;
  if (!up_ || reloaded_ || !disk_.is_idle() || disk_.mode() != Disk::Mode::well || response_->courier().ring().size() != 0)
    return std::nullopt;
  const response::Desk& desk = response_->desk();
  Left left{open_part(desk.incidents()), desk.silences(), desk.upkeep(), {}};
  for (const rule::Alert& alert : desk.plan().rules.alerts) {
    if (const auto* held = desk.alert(alert.name)) left.levels[alert.name] = held->level;
  }
  return left;
}

/// A life begins at the instant at which the one before ended, and that owed the disk nothing: it goes on as that was.
void World::compare(const Left& left) {
  const response::Desk& desk = response_->desk();
  if (!(open_part(desk.incidents()) == left.state)) judge_.fail("after a kill the incidents are other ones than before");
  if (!(desk.silences() == left.silences)) judge_.fail("after a kill the silences are other ones than before");
  const incident::UpkeepBook& upkeep = desk.upkeep();
  // of a window that began and of which nothing was told, nothing is kept
  const bool marks_hold = std::ranges::all_of(left.upkeep.marks, [&](const auto& mark) {
    const auto found = upkeep.marks.find(mark.first);
    return (!mark.second.end_told && mark.second.p1_told.empty()) || (found != upkeep.marks.end() && found->second == mark.second);
  });
  if (!marks_hold || upkeep.one_offs != left.upkeep.one_offs || upkeep.overrides != left.upkeep.overrides)
    judge_.fail("after a kill maintenance and stand-ins are other ones than before");
  for (const auto& [name, level] : left.levels) {
    const auto* held = desk.alert(name);
    if (held == nullptr || held->level != level) judge_.fail("after a kill alert " + name + " has another level than before");
  }
}

// ---- checks and notifiers -------------------------------------------------------------------

void World::look_round() {
  for (Check& check : checks_) give_result(check);
  round_.expires_after(std::chrono::minutes(1));
  round_.async_wait([this](const boost::system::error_code& error) {
    if (!error) look_round();
  });
}

void World::give_result(Check& check) {
  using plugin::CheckStatus;
  if (check.flaps > 0) {
    --check.flaps;
    check.entry.status = check.entry.status == CheckStatus::ok ? CheckStatus::critical : CheckStatus::ok;
    check.entry.since_wall = time_.wall_ns();
  }
  check.entry.trip.started_wall = check.entry.trip.ended_wall = time_.wall_ns();
  response_->on_result(check.entry);
  const auto kept = static_cast<std::size_t>(&check - checks_.data());
  disk_.checks.resize(checks_.size());
  disk_.checks[kept] = {
      {"check", check.entry.spec.name}, static_cast<int>(check.entry.status), "", "", check.entry.since_wall, time_.wall_ns(), 0, 0};
  if (up_) judge_.check(time_.passed_ns());
}

/// A notifier is another machine: what has left arrives, whether the agent lives to hear of it or not.
void World::hand_over(std::string_view notifier, const std::shared_ptr<const wire::Message>& message,
                      std::function<void(const schedule::DeliveryEnd&)> ended) {
  using End = schedule::DeliveryEnd;
  using Mode = Sink::Mode;
  judge_.note(time_.passed_ns(), "handed " + message->id + " " + std::to_string(message->attempt));
  judge_.on_handed(std::string(notifier), *message);
  ++handed_;
  const auto found = sinks_.find(notifier);
  if (found == sinks_.end()) return judge_.fail("handed to a notifier that there is not: " + std::string(notifier));
  const Sink sink = found->second;
  const bool arrives = (sink.mode == Mode::well || sink.mode == Mode::slow || sink.mode == Mode::answer_lost) &&
                       !(fault_ == Fault::false_end && handed_ == 4);
  const std::int64_t takes_ns = sink.mode == Mode::slow                                     ? sink.takes_s * second_ns
                                : sink.mode == Mode::answer_lost || sink.mode == Mode::away ? 30 * second_ns
                                                                                            : second_ns / 10;
  End end;
  end.what = sink.mode == Mode::well || sink.mode == Mode::slow ? End::What::delivered
             : sink.mode == Mode::drop                          ? End::What::dropped
                                                                : End::What::retry;
  end.detail = "as it was told";
  if (sink.mode == Mode::later) end.again_at_wall_ns = time_.wall_ns() + sink.takes_s * 5 * second_ns;
  const bool swallowed = fault_ == Fault::swallowed_end && handed_ == 5;
  const bool twice = fault_ == Fault::double_delivery && handed_ == 3;
  const auto timer = std::make_shared<boost::asio::steady_timer>(loop_, std::chrono::nanoseconds(takes_ns / 2));
  timer->async_wait([this, timer, name = found->first, id = message->id, arrives, twice, swallowed, end, takes_ns, life = lives_,
                     ended = std::move(ended)](const boost::system::error_code& broken_off) {
    if (broken_off) return;
    if (arrives) judge_.on_received(name, id);
    if (arrives && twice) judge_.on_received(name, id);
    if (swallowed) return;
    timer->expires_after(std::chrono::nanoseconds(takes_ns / 2));
    timer->async_wait([this, timer, name, id, end, life, ended](const boost::system::error_code& error) {
      if (error || life != lives_) return;
      judge_.on_ended(name, id, end.what);
      ended(end);
    });
  });
}

void World::on_decide(const store::Decision& decision) {
  if (fault_ != Fault::page_after_ack || is_planted_ || !up_) return judge_.on_decide(decision, time_.passed_ns());
  for (const store::IncidentEvent& row : decision.events) {
    const incident::Incident* one = response_->desk().incidents().find(row.incident);
    if (one == nullptr || !one->is_taken() || row.kind != "note") continue;
    is_planted_ = true;
    store::Decision planted = decision;
    auto event = incident::parse_event(row.data);
    event->kind = incident::Kind::notice_sent;
    event->message = "planted";
    store::OutboxRow message;
    message.id = "planted";
    message.incident = row.incident;
    message.event = "open";
    planted.outbox.push_back(message);
    planted.events.push_back({row.incident, row.seq, row.at, "notice_sent", row.author, row.source, incident::to_json(*event)});
    return judge_.on_decide(planted, time_.passed_ns());
  }
  judge_.on_decide(decision, time_.passed_ns());
}

}  // namespace ronda::sim
