// SPDX-License-Identifier: Apache-2.0
#include "cli/plugin_session.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <map>
#include <memory>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "cli/stage_directory.hpp"
#include "plugin/grade.hpp"
#include "plugin/runner_process.hpp"
#include "plugin/runner_spec.hpp"
#include "plugin/stage.hpp"
#include "ronda/abi.h"
#include "ronda/version.h"
#include "schedule/calendar.hpp"

namespace ronda::cli {
namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr std::uint32_t the_instance = 1;
constexpr std::uint64_t the_call = 1;
constexpr auto leave_limit = 5s;  // for the runner to be gone after its call
constexpr std::size_t logs_kept = 1000;

std::string host_name() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

std::string_view level_word(std::int64_t level) {
  constexpr std::array<std::string_view, 4> words = {"debug", "info", "warning", "error"};
  return words[static_cast<std::size_t>(std::clamp<std::int64_t>(level, 0, 3))];
}

class Session final : public plugin::SupervisorClient {
 public:
  Session(const SessionRequest& request, plugin::RunnerSpec spec)
      : request_(request), signals_(loop_, SIGINT, SIGTERM), supervisor_(loop_, std::move(spec), *this) {}

  SessionReport run();

  wire::Create describe(std::uint32_t instance) override {
    return {instance, static_cast<wire::Kind>(request_.procedure.kind), request_.procedure.name, "try", request_.options};
  }
  void on_call_end(plugin::CallEnd end) override {
    report_.metrics = plugin::decode_metrics(end.outcome.metrics);
    report_.end = std::move(end);
    ended_ = true;
    loop_.stop();
  }
  void on_probed(std::uint32_t, bool, std::string_view) override {}
  void on_log(std::string_view, std::uint32_t, std::int64_t level, std::string_view text) override {
    if (report_.logs.size() < logs_kept) report_.logs.push_back(std::string(level_word(level)) + ": " + escape_controls(text));
  }
  void on_event(const wire::Event& event) override { report_.events.push_back(escape_controls(event.name + ": " + event.text)); }
  void on_progress(const wire::Progress&) override {}
  void on_request(wire::Request request, std::function<void(std::int32_t, std::string)> reply) override;
  void on_trouble(std::string_view, std::uint32_t, std::string_view text) override {
    report_.logs.push_back("error: " + escape_controls(text));
  }

 private:
  void watch_signals();
  void commit(std::vector<wire::KvWrite> writes);
  std::string kept_under(std::string_view prefix) const;
  void ask_calendar(const wire::Request& request, const std::function<void(std::int32_t, std::string)>& reply);

  const SessionRequest& request_;
  asio::io_context loop_{1};
  asio::signal_set signals_;
  schedule::ZoneDatabase zones_;
  std::map<std::string, std::string> kept_;
  SessionReport report_;
  bool ended_ = false, cancelled_ = false;
  plugin::Supervisor supervisor_;
};

void Session::watch_signals() {
  signals_.async_wait([this](const boost::system::error_code& error, int) {
    if (error) return;
    if (std::exchange(cancelled_, true))
      supervisor_.kill_all();
    else
      supervisor_.cancel(the_call);
    watch_signals();
  });
}

SessionReport Session::run() {
  watch_signals();
  plugin::CallSpec call;
  call.id = the_call;
  call.instance = the_instance;
  call.kind = static_cast<wire::Kind>(request_.procedure.kind);
  call.timeout = request_.timeout;
  call.reason = RONDA_REASON_MANUAL;
  call.flags = request_.dry_run ? RONDA_CALL_DRY_RUN : 0;
  call.scheduled_wall_ns = wall_clock().count();
  if (call.kind == wire::Kind::notifier) {
    auto message = std::make_shared<wire::Message>();
    message->id = "try-1", message->title = "A message to try this notifier", message->body = "Sent by: ronda plugin run",
    message->level = "p4", message->event = "test";
    call.message = std::move(message);
  }
  supervisor_.dispatch({call});
  loop_.run();
  supervisor_.retire();
  const auto until = monotonic() + leave_limit;
  loop_.restart();
  while (!supervisor_.is_empty() && monotonic() < until) loop_.run_for(20ms);
  if (!supervisor_.is_empty()) supervisor_.kill_all();
  while (!supervisor_.is_empty() && monotonic() < until + leave_limit) loop_.run_for(20ms);
  return std::move(report_);
}

void Session::commit(std::vector<wire::KvWrite> writes) {
  for (wire::KvWrite& write : writes) {
    if (write.erase)
      kept_.erase(write.key);
    else
      kept_[write.key] = std::move(write.value);
  }
}

std::string Session::kept_under(std::string_view prefix) const {
  std::size_t count = 0;
  for (const auto& [key, value] : kept_) count += key.starts_with(prefix) ? 1 : 0;
  std::string out;
  wire::Writer w(out);
  w.map(count);
  for (const auto& [key, value] : kept_)
    if (key.starts_with(prefix)) w.bytes(key), w.bytes(value);
  return out;
}

void Session::ask_calendar(const wire::Request& request, const std::function<void(std::int32_t, std::string)>& reply) {
  auto zone = zones_.find("UTC");
  if (!zone) return reply(RONDA_E_INTERNAL, {});
  const auto calendar = schedule::parse_calendar(request.text, zones_, *zone);
  if (!calendar) return reply(RONDA_E_INVALID, {});
  const schedule::sys_seconds at(std::chrono::floor<std::chrono::seconds>(std::chrono::nanoseconds(request.at_wall_ns)));
  const auto found = request.ask == wire::Ask::calendar_next ? calendar->next(at) : calendar->previous(at);
  if (!found) return reply(RONDA_E_NOTFOUND, {});
  std::string out;
  wire::Writer(out).integer(std::chrono::nanoseconds(found->time_since_epoch()).count());
  reply(RONDA_OK, std::move(out));
}

void Session::on_request(wire::Request request, std::function<void(std::int32_t, std::string)> reply) {
  switch (request.ask) {
    case wire::Ask::kv_get: {
      const auto found = kept_.find(request.text);
      return found == kept_.end() ? reply(RONDA_E_NOTFOUND, {}) : reply(RONDA_OK, found->second);
    }
    case wire::Ask::kv_each:
      return reply(RONDA_OK, kept_under(request.text));
    case wire::Ask::kv_commit:
      commit(std::move(request.kv));
      return reply(RONDA_OK, {});
    case wire::Ask::inbox_take: {
      std::string none;
      wire::Writer(none).array(0);
      return reply(RONDA_OK, std::move(none));
    }
    case wire::Ask::calendar_previous:
    case wire::Ask::calendar_next:
      return ask_calendar(request, reply);
  }
}

}  // namespace

Result<SessionReport> run_session(const SessionRequest& request) {
  const StageDirectory directory;
  plugin::Stage stage(directory.path(), ::geteuid());
  auto staged = stage.put(request.file.content);
  if (!staged) return Error(Errc::system, staged.error().text());
  plugin::PluginEntry entry;
  entry.sha256 = request.file.content.sha256;
  entry.manifest = *request.file.manifest;
  entry.manifest.max_concurrency = 1;
  // what only trust.toml can give stays ungiven here
  if (auto grants = plugin::judge_trust({}, entry.manifest, entry.sha256)) entry.grants = *std::move(grants);
  entry.staged = std::make_shared<const plugin::StagedFile>(std::move(*staged));
  const plugin::RunnerSettings settings{
      runner_path(),
      plugin::can_use_pid_namespace(),
      ::geteuid() == 0,
      {},
      {{"hostname", host_name()}, {"agent.version", RONDA_VERSION}, {"language", "en"}, {"tz", "UTC"}}};
  return Session(request, plugin::make_runner_spec(entry, settings)).run();
}

}  // namespace ronda::cli
