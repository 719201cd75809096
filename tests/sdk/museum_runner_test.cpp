// SPDX-License-Identifier: Apache-2.0
// The museum's pieces in the runner that hosts use: a process of its own, the wire, the services.
#include <fcntl.h>
#include <boost/asio/io_context.hpp>

#include <functional>

#include "catch.hpp"
#include "museum_halls.hpp"
#include "plugin/encode_options.hpp"
#include "plugin/grade.hpp"
#include "plugin/plugin_file.hpp"
#include "plugin/supervisor.hpp"
#include "ronda/abi.h"

#if defined(__x86_64__)

using namespace ronda;
using namespace std::chrono_literals;
using plugin::OptionNode;
using test::museum_pieces;

namespace {

constexpr std::int64_t tomorrow = 4'000'000'000'000'000'000;

/// Stands for the agent around one instance: its options, its state, its inbox, and how its calls ended.
struct OneInstance final : plugin::SupervisorClient {
  wire::Create spec;
  std::optional<plugin::CallEnd> end;
  std::vector<std::string> logs, events, troubles;

  wire::Create describe(std::uint32_t) override { return spec; }
  void on_call_end(plugin::CallEnd ended) override { end = std::move(ended); }
  void on_probed(std::uint32_t, bool, std::string_view) override {}
  void on_log(std::string_view, std::uint32_t, std::int64_t, std::string_view text) override { logs.emplace_back(text); }
  void on_event(const wire::Event& event) override { events.push_back(event.text); }
  void on_progress(const wire::Progress&) override {}
  void on_trouble(std::string_view, std::uint32_t, std::string_view text) override { troubles.emplace_back(text); }
  void on_request(wire::Request request, std::function<void(std::int32_t, std::string)> reply) override {
    std::string payload;
    wire::Writer w(payload);
    if (request.ask == wire::Ask::kv_get) return reply(RONDA_E_NOTFOUND, {});
    if (request.ask == wire::Ask::inbox_take) {
      w.array(1);
      w.bytes("success"), w.integer(1), w.integer(0), w.bytes("done");
    } else if (request.ask == wire::Ask::calendar_next) {
      w.integer(tomorrow);
    }
    reply(RONDA_OK, payload);
  }
};

/// One plugin file in a runner of its own; `run` waits for a call's end.
class Running {
 public:
  Running(const std::filesystem::path& piece, wire::Kind kind, const std::string& procedure, plugin::OptionTable options) {
    client_.spec = {1, kind, procedure, "old", plugin::encode_options(OptionNode(std::move(options)))};
    const auto file = plugin::read_any_plugin(piece);
    REQUIRE(file);
    plugin::RunnerSpec spec;
    spec.runner_path = RONDA_RUNNER;
    spec.plugin_id = "org.example.museum";
    spec.sha256 = file->sha256;
    spec.plugin_fd = std::make_shared<const Descriptor>(::open(piece.c_str(), O_RDONLY | O_CLOEXEC));
    spec.setup.build = RONDA_BUILD;
    spec.setup.plugin_id = spec.plugin_id;
    spec.setup.grants = {"state", "secrets", "exec", "inbox"};
    spec.setup.kinds = {kind};
    supervisor_.emplace(loop_, std::move(spec), client_);
  }
  ~Running() {
    supervisor_->kill_all();
    loop_.run_for(100ms);
  }

  plugin::CallEnd run(std::uint32_t flags = 0, std::shared_ptr<const wire::Message> message = {}) {
    plugin::CallSpec call;
    call.id = ++calls_;
    call.instance = 1;
    call.kind = client_.spec.kind;
    call.timeout = 20s;
    call.flags = flags;
    call.message = std::move(message);
    client_.end.reset();
    supervisor_->dispatch({std::move(call)});
    const auto give_up = std::chrono::steady_clock::now() + 60s;
    while (!client_.end && std::chrono::steady_clock::now() < give_up) loop_.run_one_for(1s);
    REQUIRE(client_.end);
    INFO(client_.end->cause);
    REQUIRE(client_.end->fate == plugin::Fate::finished);
    CHECK(client_.end->outcome.end == wire::End::reported);
    CHECK(client_.troubles == std::vector<std::string>{});
    return *client_.end;
  }
  const OneInstance& client() const { return client_; }

 private:
  boost::asio::io_context loop_;
  OneInstance client_;
  std::optional<plugin::Supervisor> supervisor_;
  std::uint64_t calls_ = 0;
};

OptionNode node(OptionNode::Data data) {
  return OptionNode(std::move(data));
}

}  // namespace

TEST_CASE("a C check of every minor runs in today's runner", "[sdk]") {
  for (const auto& piece : museum_pieces("check-c")) {
    CAPTURE(piece);
    Running check(piece, wire::Kind::check, "piece",
                  {{"path", node(std::string("/var"))},
                   {"limit", node(0.8)},
                   {"loud", node(true)},
                   {"sizes", node(plugin::OptionList{node(std::int64_t{5}), node(std::int64_t{6})})}});
    const auto end = check.run();
    CHECK(end.outcome.summary == "old: 11 bytes in /var");
    CHECK(end.outcome.detail == "more");
    CHECK(end.outcome.status == RONDA_STATUS_WARNING);
    const auto metrics = plugin::decode_metrics(end.outcome.metrics);
    REQUIRE(metrics.size() == 2);
    CHECK(metrics[0].name == "sum");
    CHECK(metrics[0].value == 11);
    CHECK(metrics[0].labels == wire::Pairs{{"path", "/var"}});
    CHECK(metrics[1].counter);
    CHECK(check.client().events == std::vector<std::string>{"an old piece"});
    CHECK(check.client().logs == std::vector<std::string>{"loud path=/var"});
  }
}

TEST_CASE("a C++ check of every minor has its services in today's runner", "[sdk]") {
  for (const auto& piece : museum_pieces("kinds-cpp")) {
    CAPTURE(piece);
    Running check(piece, wire::Kind::check, "piece.kept", {{"password", node(plugin::Secret{"s3cr3t"})}});
    const auto end = check.run();
    CHECK(end.outcome.summary == "run 1, secret of 6, 1 events");
    CHECK(end.outcome.status == RONDA_STATUS_OK);
    CHECK(end.outcome.again_at_wall_ns == tomorrow);
    CHECK(end.outcome.took_inbox);
    REQUIRE(end.outcome.kv.size() == 1);
    CHECK(end.outcome.kv[0].key == "runs");
    CHECK(end.outcome.kv[0].value == "1");
  }
}

TEST_CASE("a C++ task and a notifier of every minor run in today's runner", "[sdk]") {
  for (const auto& piece : museum_pieces("kinds-cpp")) {
    CAPTURE(piece);
    Running task(piece, wire::Kind::task, "change", {{"program", node(std::string("/bin/cat"))}});
    CHECK(task.run().outcome.summary == "typed");
    CHECK(task.run(RONDA_CALL_DRY_RUN).outcome.summary == "would run /bin/cat");

    Running notifier(piece, wire::Kind::notifier, "tell", {});
    wire::Message message;
    message.id = "m-1", message.to = "ops", message.title = "title";
    message.fields = {{"value", "0.93"}};
    CHECK(notifier.run(0, std::make_shared<wire::Message>(message)).outcome.status == RONDA_DELIVERY_RETRY);
    message.attempt = 2;
    CHECK(notifier.run(0, std::make_shared<wire::Message>(message)).outcome.summary == "m-1 to ops: title, 0.93");
  }
}

#endif
