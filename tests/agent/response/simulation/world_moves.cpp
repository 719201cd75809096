// SPDX-License-Identifier: Apache-2.0
// What people, checks and others do in a world.
#include <algorithm>
#include <array>
#include <utility>

#include "estate.hpp"
#include "world.hpp"

namespace ronda::sim {
namespace {

using incident::Author;
using incident::Verb;

Author author_of(std::uint32_t dice) {
  constexpr std::array people = {"ana", "bo", "cy"};
  if (dice % 8 == 7) return {Author::Kind::unix, "root"};
  return {Author::Kind::contact, people[dice % people.size()]};
}

config::Level level_of(std::uint32_t dice) {
  return static_cast<config::Level>(1 + dice % 4);
}

}  // namespace

void World::make(const Move& move) {
  switch (move.what) {
    case Move::What::status:
      return set_status(move, false);
    case Move::What::flap:
      return set_status(move, true);
    case Move::What::say:
      return say(move);
    case Move::What::silence:
      return silence(move);
    case Move::What::expire:
      return expire(move);
    case Move::What::maintain:
      return maintain(move);
    case Move::What::end_maintenance:
      return end_maintenance(move);
    case Move::What::stand_in:
      return stand_in(move);
    case Move::What::inbound:
      return inbound(move);
    case Move::What::sink:
      return turn_sink(move);
    case Move::What::disk:
      return turn_disk(move);
    case Move::What::clock:
      return set_clock(move);
    case Move::What::reload:
      judge_.forget_pace();
      reloaded_ = true;
      plan_ = 1 - plan_;
      return response_->use(plan(plan_));
    case Move::What::stop:
      return end(true, 0, move.a % 3 == 0 ? move.b : 0);
    case Move::What::kill:
      return end(false, move.c % 4, move.a % 3 == 0 ? move.b : 0);
    case Move::What::retry:
      return retry(move);
  }
}

/// Back by seconds; forward by less than a step, by more, by hours or days, or for a moment by ten years.
void World::set_clock(const Move& move) {
  constexpr std::array<std::int64_t, 7> units = {1, 7, 1, 7, 60, 3600, 86'400};
  if (move.a % 2 == 0) return step_clock(-static_cast<std::int64_t>(move.b) * (move.c % 3 == 0 ? 7 : 1) * second_ns);
  const std::int64_t much = move.c % 8 == 0 ? move.b % 60 : move.b;
  if (move.c % 8 != 7) return step_clock(much * units[move.c % 8] * second_ns);
  constexpr std::int64_t ten_years = std::int64_t{3652} * 86'400 * second_ns;
  step_clock(ten_years);
  pass((1 + move.b % 8) * second_ns);
  step_clock(-ten_years);
}

void World::step_clock(std::int64_t by_ns) {
  if (judge_.broken()) return;
  time_.step_wall(by_ns);
  clock_set_at_ = time_.passed_ns();
  judge_.on_clock_set(time_.passed_ns());
  response_->on_clock_set();
}

void World::set_status(const Move& move, bool flaps) {
  using plugin::CheckStatus;
  constexpr std::array all = {CheckStatus::ok,       CheckStatus::ok,       CheckStatus::warning,
                              CheckStatus::critical, CheckStatus::critical, CheckStatus::unknown};
  Check& check = checks_[move.a % checks_.size()];
  check.flaps = flaps ? 2 + move.b % 12 : 0;
  const CheckStatus status = flaps ? check.entry.status : all[move.b % all.size()];
  if (check.entry.status == status) return;
  check.entry.status = status;
  check.entry.since_wall = time_.wall_ns();
  if (up_ && move.c % 2 == 0) give_result(check);  // else its next turn brings it
}

void World::say(const Move& move) {
  constexpr std::array verbs = {Verb::ack,   Verb::ack,   Verb::ack,      Verb::unack,   Verb::note,    Verb::update,
                                Verb::raise, Verb::lower, Verb::mitigate, Verb::resolve, Verb::resolve, Verb::close,
                                Verb::open,  Verb::role,  Verb::ticket,   Verb::answered};
  incident::Command command;
  command.verb = verbs[move.a % verbs.size()];
  command.author = author_of(move.b);
  command.source = "cli";
  command.text = "text";
  command.level = level_of(move.c);
  command.role = "commander";
  command.subject = command.verb == Verb::role ? "bo" : command.verb == Verb::ticket || command.verb == Verb::answered ? "locks" : "";
  if (command.verb == Verb::ticket) command.for_ns = move.c % 3 * 1'200'000'000'000;
  command.force = move.c % 3 == 0;
  if (command.verb == Verb::open && move.b % 2 == 0) command.service = "data";
  std::vector<const incident::Incident*> live, all;
  for (const auto& [id, one] : response_->desk().incidents().incidents) {
    all.push_back(&one);
    if (one.is_live()) live.push_back(&one);
  }
  const auto& choice = live.empty() || move.c % 8 == 7 ? all : live;
  if (!choice.empty()) {
    const incident::Incident& one = *choice[move.b % choice.size()];
    command.incident = one.id;
    // some saw what is there, some an older state, some do not say
    command.based_on = move.c % 4 == 0   ? one.sequence
                       : move.c % 4 == 1 ? one.sequence - std::min<std::uint64_t>(one.sequence - 1, move.c % 5)
                                         : 0;
  }
  response_->command(std::move(command), [this, life = lives_](const incident::Reply& reply) {
    ++replies_;
    if (life == lives_) judge_.on_reply(reply);
  });
}

void World::silence(const Move& move) {
  incident::SilenceRequest request;
  if (move.c % 3 == 0)
    request.what.services = {std::array{"shop", "data", "infra"}[move.a % 3]};
  else
    request.what.checks = {check_names[move.a % check_names.size()]};
  if (move.c % 5 == 0) request.what.levels = {level_of(move.b)};
  request.owner = author_of(move.b);
  request.reason = "deploy";
  request.for_ns = (1 + move.b % 60) * minute_ns;
  request.until_ok = move.c % 4 == 0;
  response_->silence(std::move(request), [this](const Result<incident::Silence>& made) {
    if (made && !disk_.silences.contains(made->id)) judge_.fail("a person was told of silence " + made->id + " before it was on the disk");
  });
}

void World::expire(const Move& move) {
  const auto& all = response_->desk().silences().silences;
  if (all.empty()) return;
  response_->expire_silence(all[move.a % all.size()].id, author_of(move.b), 0, [](const auto&) {});
}

void World::maintain(const Move& move) {
  incident::OneOffRequest request;
  if (move.c % 3 != 0) request.what.services = {std::array{"shop", "data", "infra"}[move.a % 3]};
  request.owner = author_of(move.b);
  request.reason = "new disk";
  request.lasts_ns = (1 + move.b % 45) * minute_ns;
  request.until_ok = move.c % 4 == 0;
  if (move.c % 5 == 0) request.announce_ns = {minute_ns};
  response_->maintain(std::move(request), [](const auto&) {});
}

void World::end_maintenance(const Move& move) {
  const auto& all = response_->desk().upkeep().one_offs;
  if (!all.empty()) response_->end_maintenance(all[move.a % all.size()].id, author_of(move.b), [](const auto&) {});
}

void World::stand_in(const Move& move) {
  const auto& all = response_->desk().upkeep().overrides;
  if (move.c % 3 == 0 && !all.empty()) return response_->end_override(all[move.a % all.size()].id, author_of(move.b), [](const auto&) {});
  incident::OnCallOverride wanted;
  wanted.rota = "ops";
  wanted.contact = author_of(move.a % 3).name;
  wanted.author = author_of(move.b);
  wanted.reason = "ill";
  wanted.until_ns = time_.wall_ns() + (10 + move.b) * minute_ns;
  response_->override_oncall(std::move(wanted), [](const auto&) {});
}

/// `b` 0: all that they said is over.
void World::inbound(const Move& move) {
  response::InboundBatch batch;
  batch.source = "alertmanager";
  batch.author = "token:prometheus";
  for (std::uint32_t key = 0; key < 3; ++key) {
    if (move.b != 0 && key != move.a % 3) continue;
    response::InboundAlert alert;
    alert.name = "inbound/prometheus/" + std::to_string(key);
    alert.check = "inbound/prometheus/word";
    alert.service = key == 0 ? "shop" : "";
    alert.level = move.b == 0 || move.b % 3 == 0 ? config::Level::none : level_of(move.c);
    alert.reason = "others say so";
    if (move.c % 2 == 0) alert.until_ns = time_.wall_ns() + (1 + move.b % 40) * minute_ns;
    batch.alerts.push_back(std::move(alert));
  }
  response_->inbound(std::move(batch), [](const auto&) {});
}

void World::turn_sink(const Move& move) {
  using Mode = Sink::Mode;
  constexpr std::array modes = {Mode::well, Mode::well,        Mode::well, Mode::refuse, Mode::drop,
                                Mode::slow, Mode::answer_lost, Mode::away, Mode::later};
  sinks_[sink_names[move.a % sink_names.size()]] = {modes[move.b % modes.size()], 1 + move.c % 300};
}

void World::turn_disk(const Move& move) {
  constexpr std::array modes = {Disk::Mode::well, Disk::Mode::late, Disk::Mode::full};
  const Disk::Mode mode = modes[move.a % modes.size()];
  disk_.set_mode(mode, mode == Disk::Mode::late ? (1 + move.b % 90) * second_ns : 0);
}

void World::retry(const Move& move) {
  std::vector<std::string> dead;
  for (const auto& [id, row] : disk_.outbox) {
    if (row.state == store::OutboxState::dead) dead.push_back(id);
  }
  if (dead.empty()) return;
  disk_.revived.insert(dead[move.a % dead.size()]);  // also where the disk is full and does not learn of it
  response_->retry(dead[move.a % dead.size()], [](const auto&) {});
}

}  // namespace ronda::sim
