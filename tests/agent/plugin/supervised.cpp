// SPDX-License-Identifier: Apache-2.0
#include "supervised.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/clock.hpp"
#include "plugin/encode_options.hpp"
#include "ronda/abi.h"

namespace ronda::test {
namespace {

constexpr std::int64_t nobody = 65534;

wire::Setup setup_of(const PluginUnderTest& plugin) {
  wire::Setup setup;
  setup.build = plugin.build;
  setup.plugin_id = plugin.id;
  setup.exec_path = plugin.path;
  setup.concurrency = plugin.concurrency;
  setup.memory_bytes = plugin.memory_bytes;
  setup.pids = plugin.pids;
  setup.fds = plugin.fds;
  setup.grants = plugin.grants;
  setup.kinds = plugin.kinds;
  setup.facts = {{"hostname", plugin.hostname}};
  if (is_root() && !plugin.as_root) setup.uid = setup.gid = nobody;
  return setup;
}

/// State and parent from /proc/PID/stat; the name in it may hold anything but ends with the last parenthesis.
bool read_stat(int pid, char& state, int& parent) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  if (!std::getline(in, text)) return false;
  const std::size_t close = text.rfind(')');
  return close != std::string::npos && std::sscanf(text.c_str() + close + 1, " %c %d", &state, &parent) == 2;
}

}  // namespace

bool is_root() {
  return ::geteuid() == 0;
}

bool has_pid_namespaces() {
  static const bool can = std::getenv("RONDA_TEST_HOST_PIDS") == nullptr && plugin::can_use_pid_namespace();
  return can;
}

Supervised::Supervised(boost::asio::io_context& loop, const PluginUnderTest& plugin) : loop_(loop) {
  plugin::RunnerSpec spec;
  spec.runner_path = plugin.runner;
  spec.plugin_id = plugin.id;
  spec.setup = setup_of(plugin);
  spec.plugin_fd = std::make_shared<const Descriptor>(::open(plugin.path.c_str(), O_RDONLY | O_CLOEXEC));
  spec.pid_namespace = plugin.pid_namespace;
  spec.detached = plugin.detached;
  spec.cgroups = plugin.cgroups;
  spec.starts = plugin.starts;
  spec.group = plugin.group;
  REQUIRE(*spec.plugin_fd);
  supervisor_ = std::make_unique<plugin::Supervisor>(loop, std::move(spec), *this);
}

/// Everything that was started is gone before the next test begins.
Supervised::~Supervised() {
  supervisor_->kill_all();
  const auto limit = monotonic() + 10s;
  while (!supervisor_->is_empty() && monotonic() < limit) turn_for(10ms);
}

std::uint32_t Supervised::add(wire::Kind kind, const std::string& procedure, plugin::OptionTable options) {
  static std::atomic<std::uint32_t> next{1};  // unique over all supervisors of the process, as the agent has it
  const std::uint32_t id = next++;
  instances_[id] = {id, kind, procedure, "instance-" + std::to_string(id), plugin::encode_options(plugin::OptionNode(std::move(options)))};
  return id;
}

std::uint32_t Supervised::chaos(const std::string& mode, std::int64_t n, wire::Kind kind) {
  constexpr std::array<const char*, 3> names = {"chaos.check", "chaos.task", "chaos.notifier"};
  return add(kind, names[static_cast<std::size_t>(kind)],
             {{"mode", plugin::OptionNode(plugin::OptionNode::Data(mode))}, {"n", plugin::OptionNode(plugin::OptionNode::Data(n))}});
}

std::vector<std::uint64_t> Supervised::dispatch_together(const std::vector<std::uint32_t>& instances, std::chrono::nanoseconds timeout,
                                                         bool quick) {
  std::vector<plugin::CallSpec> calls;
  std::vector<std::uint64_t> ids;
  for (const std::uint32_t instance : instances) {
    plugin::CallSpec spec;
    spec.id = next_call_++;
    spec.instance = instance;
    spec.kind = instances_.at(instance).kind;
    spec.timeout = timeout;
    spec.quick = quick;
    spec.exclusive = exclusive;
    if (spec.kind == wire::Kind::notifier) spec.message = std::make_shared<const wire::Message>(message);
    ids.push_back(spec.id);
    calls.push_back(std::move(spec));
  }
  supervisor_->dispatch(std::move(calls));
  return ids;
}

std::uint64_t Supervised::dispatch(std::uint32_t instance, std::chrono::nanoseconds timeout) {
  return dispatch_together({instance}, timeout).front();
}

bool Supervised::until(const std::function<bool()>& condition, std::chrono::nanoseconds limit) {
  const auto end = monotonic() + limit;
  while (!condition()) {
    if (monotonic() > end) return false;
    loop_.restart();
    loop_.run_one_for(20ms);
  }
  return true;
}

void Supervised::turn_for(std::chrono::nanoseconds span) {
  loop_.restart();
  loop_.run_for(span);
}

const plugin::CallEnd& Supervised::end_of(std::uint64_t call, std::chrono::nanoseconds limit) {
  INFO("call " << call << ", last trouble: " << status().last_trouble);
  REQUIRE(until([&] { return ends.contains(call); }, limit));
  return ends[call].front();
}

int Supervised::runner_pid() const {
  const auto runners = supervisor_->status().runners;
  return runners.empty() ? -1 : runners.back().keeper;
}

int Supervised::worker_pid() const {
  const auto runners = supervisor_->status().runners;
  return runners.empty() ? -1 : runners.back().pid;
}

bool Supervised::has_log(std::string_view part) const {
  return std::ranges::any_of(logs, [&](const std::string& line) { return line.find(part) != std::string::npos; });
}

void Supervised::on_call_end(plugin::CallEnd end) {
  ended_at[end.id] = monotonic();
  for (const wire::KvWrite& write : end.outcome.kv) {
    if (write.erase)
      state.erase(write.key);
    else
      state[write.key] = write.value;
  }
  ends[end.id].push_back(std::move(end));
}

void Supervised::on_log(std::string_view, std::uint32_t instance, std::int64_t, std::string_view text) {
  logs.emplace_back(text);
  logged_by[logs.back()] = instance;
}

void Supervised::on_trouble(std::string_view, std::uint32_t, std::string_view text) {
  troubles.emplace_back(text);
}

void Supervised::on_request(wire::Request request, std::function<void(std::int32_t, std::string)> reply) {
  if (leave_unanswered && leave_unanswered(request)) return;
  std::string payload;
  wire::Writer w(payload);
  switch (request.ask) {
    case wire::Ask::kv_get: {
      const auto found = state.find(request.text);
      return found == state.end() ? reply(RONDA_E_NOTFOUND, {}) : reply(RONDA_OK, found->second);
    }
    case wire::Ask::kv_each:
      w.map(state.size());
      for (const auto& [key, value] : state) w.bytes(key), w.bytes(value);
      return reply(RONDA_OK, payload);
    case wire::Ask::inbox_take:
      w.array(inbox.size());
      for (const auto& [event, text] : inbox) w.bytes(event), w.integer(0), w.integer(0), w.bytes(text);
      return reply(RONDA_OK, payload);
    case wire::Ask::calendar_next:
    case wire::Ask::calendar_previous:
      w.integer(86'400'000'000'000);
      return reply(RONDA_OK, payload);
    case wire::Ask::kv_commit:
      return reply(RONDA_E_DENIED, {});
  }
}

std::vector<int> descendants_of(int pid) {
  std::multimap<int, int> children;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    char state = 0;
    int parent = 0;
    if (read_stat(std::stoi(name), state, parent)) children.emplace(parent, std::stoi(name));
  }
  std::vector<int> out, open = {pid};
  while (!open.empty()) {
    const int next = open.back();
    open.pop_back();
    const auto [first, last] = children.equal_range(next);
    for (auto it = first; it != last; ++it) out.push_back(it->second), open.push_back(it->second);
  }
  return out;
}

bool has_process(std::string_view name) {
  constexpr int looks = 20;
  for (int look = 0; look < looks; ++look) {
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      std::ifstream in(entry.path() / "comm");
      std::string found;
      if (std::getline(in, found) && found == name) return true;
    }
  }
  return false;
}

bool is_alive(int pid) {
  char state = 0;
  int parent = 0;
  return read_stat(pid, state, parent) && state != 'Z' && state != 'X';
}

}  // namespace ronda::test
