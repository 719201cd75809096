// SPDX-License-Identifier: Apache-2.0
// The shell around the desk over a real store: notifiers and runs are lists that the test answers; time passes by itself
// and as much more as the test sets `now` forward.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <optional>

#include "agent/response/desk.hpp"
#include "response/response.hpp"
#include "scratch.hpp"

namespace ronda::test {

class Shell {
 public:
  struct Handed {  // to a notifier
    std::string notifier;
    std::shared_ptr<const wire::Message> message;
    std::function<void(const schedule::DeliveryEnd&)> ended;
  };
  struct Run {
    schedule::Kind kind;
    std::string name;
    std::function<void(const schedule::Entry&)> ended;
  };

  explicit Shell(const std::string& text, const std::string& directory) : plan_(plan_of(text)) {
    store::Options options;
    options.directory = directory;
    options.post = [this](std::function<void()> work) { boost::asio::post(loop, std::move(work)); };
    options.wall_ns = [] { return wall_clock().count(); };
    options.mono_ns = [] { return monotonic().count(); };
    options.on_health = [this](const store::Health& health) {
      if (response != nullptr) response->on_store_health(health);
    };
    options.retry_after = std::chrono::milliseconds(50);
    options.ballast_bytes = 0;
    auto opened = store::Store::open(std::move(options));
    REQUIRE(opened);
    store = *std::move(opened);
  }
  ~Shell() {
    if (response != nullptr) response->stop();
    response.reset();
    store->close();
    loop.restart();
    loop.poll();
  }
  Shell(const Shell&) = delete;
  Shell& operator=(const Shell&) = delete;

  void begin() {
    response = std::make_unique<response::Response>(
        response::Ports{
            loop,
            *store,
            [this](std::string_view notifier, std::shared_ptr<const wire::Message> message,
                   std::function<void(const schedule::DeliveryEnd&)> ended) {
              handed.push_back({std::string(notifier), std::move(message), std::move(ended)});
            },
            [this](std::int64_t, std::string_view line) { logs.emplace_back(line); },
            [this] { return wall(); },
            [this] { return ++random_ * 0x9E3779B97F4A7C15; },
            [this](std::string_view name) -> const schedule::Entry* {
              const auto found = entries.find(name);
              return found == entries.end() ? nullptr : &found->second;
            },
            [this](schedule::Kind kind, std::string_view name, std::function<void(const schedule::Entry&)> ended) -> Result<Unit> {
              runs.push_back({kind, std::string(name), std::move(ended)});
              return done();
            },
            {},
            [this] { return boottime().count() + now - monday; }},
        plan_);
    bool begun = false;
    response->start([&] { begun = true; });
    REQUIRE(until([&] { return begun; }));
  }
  bool until(const std::function<bool()>& condition) {
    const auto end = monotonic() + std::chrono::seconds(20);
    while (!condition()) {
      if (monotonic() > end) return false;
      loop.restart();
      loop.run_for(std::chrono::milliseconds(5));
    }
    return true;
  }
  /// Until the store has answered all that it was given, and what followed from that.
  void settle() {
    for (int i = 0; i < 3; ++i) {
      bool seen = false;
      store->load_outbox_rows({}, [&](const auto&) { seen = true; });
      REQUIRE(until([&] { return seen; }));
    }
  }
  void result(const std::string& check, Seen status) {
    schedule::Entry entry;
    entry.spec.kind = schedule::Kind::check;
    entry.spec.name = check;
    entry.has_result = true;
    entry.status = static_cast<plugin::CheckStatus>(status);
    entry.since_wall = entry.trip.started_wall = entry.trip.ended_wall = wall();
    response->on_result(entry);
    settle();
  }
  /// What there is to be run, for diagnoses.
  schedule::Entry& entry(schedule::Kind kind, const std::string& name) {
    schedule::Entry& out = entries[name];
    out.spec.kind = kind;
    out.spec.name = name;
    return out;
  }
  void end(const Handed& one, schedule::DeliveryEnd::What what, const std::string& detail = "") {
    one.ended({what, 0, detail});
    settle();
  }
  const Handed* find(const std::string& part_of_id) const {
    const auto found =
        std::ranges::find_if(handed, [&](const Handed& one) { return one.message->id.find(part_of_id) != std::string::npos; });
    return found == handed.end() ? nullptr : &*found;
  }
  /// The incident of that service, as the store has it.
  std::vector<incident::Event> timeline(const std::string& service) {
    std::vector<incident::Event> out;
    for (const auto& [id, one] : response->desk().incidents().incidents) {
      if (one.service != service) continue;
      std::optional<std::vector<store::IncidentEvent>> rows;
      store->load_incident(id, [&](Result<std::vector<store::IncidentEvent>> loaded) {
        rows = loaded ? *std::move(loaded) : std::vector<store::IncidentEvent>();
      });
      REQUIRE(until([&] { return rows.has_value(); }));
      for (const store::IncidentEvent& row : *rows) {
        auto event = incident::parse_event(row.data);
        REQUIRE(event);
        out.push_back(*std::move(event));
      }
    }
    return out;
  }
  std::vector<incident::Event> timeline(const std::string& service, incident::Kind kind) {
    std::vector<incident::Event> out = timeline(service);
    std::erase_if(out, [&](const incident::Event& event) { return event.kind != kind; });
    return out;
  }
  store::OutboxRow row(const std::string& id) {
    std::optional<std::vector<store::OutboxRow>> rows;
    store->load_outbox_rows(
        {id}, [&](Result<std::vector<store::OutboxRow>> loaded) { rows = loaded ? *std::move(loaded) : std::vector<store::OutboxRow>(); });
    REQUIRE(until([&] { return rows.has_value(); }));
    REQUIRE(rows->size() == 1);
    return rows->front();
  }

  std::int64_t wall() const { return now + set_by + boottime().count() - began_; }

  boost::asio::io_context loop;
  std::int64_t now = monday;
  std::int64_t set_by = 0;  // the wall clock alone
  std::vector<Handed> handed;
  std::vector<Run> runs;
  std::vector<std::string> logs;
  std::map<std::string, schedule::Entry, std::less<>> entries;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<response::Response> response;

 private:
  const std::int64_t began_ = boottime().count();
  std::shared_ptr<const response::Plan> plan_;
  std::uint64_t random_ = 0;
};

}  // namespace ronda::test
