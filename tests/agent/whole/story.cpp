// SPDX-License-Identifier: Apache-2.0
#include "story.hpp"

#include <cstdlib>
#include <filesystem>

namespace ronda::test {
namespace {

constexpr const char* strace = "/usr/bin/strace";

}  // namespace

Story::Story(KillBench& bench) : bench_(bench), step_(bench.ledgers().accepted.size()) {
  taken_ = replaced(read_file(bench.agent().scratch() / "taken"), "\n", "");
}

bool Story::go_on(std::chrono::milliseconds limit) {
  while (step_ < 2) {
    if (!post()) return false;
  }
  if (!await_told(limit) || !take()) return false;
  if (step_ == 2 && !post()) return false;
  return await_told(limit);
}

std::string Story::end(std::chrono::milliseconds limit) {
  WholeAgent& agent = bench_.agent();
  agent.lead_by({});
  if (!bench_.start()) return "it does not start\n";
  std::string wrong;
  if (!go_on(limit) || !eventually([&] { return bench_.is_drained(); }, limit)) wrong += "it does not go on\n";
  const json::value incident = agent.get("/v1/incidents/" + taken_);
  if (!incident.is_object() || incident.at("stage").as_string() != "resolved") {
    wrong += "the incident is not over\n";
  } else {
    bool is_taken = false;
    for (const json::value& event : incident.at("timeline").as_array()) is_taken = is_taken || event.at("kind").as_string() == "acked";
    if (!is_taken) wrong += "nobody has taken it\n";
  }
  if (agent.stop() != 0) wrong += "it does not stop\n";
  return wrong + bench_.said_wrong();
}

bool Story::lives() const {
  return is_alive(bench_.agent().pid());
}

bool Story::post() {
  if (!bench_.post("A1", step_)) return false;
  ++step_;
  return true;
}

bool Story::await_told(std::chrono::milliseconds limit) const {
  eventually([&] { return bench_.is_told() || !lives(); }, limit);
  return lives() && bench_.is_told();
}

bool Story::take() {
  if (!taken_.empty()) return true;
  const json::value all = bench_.agent().get("/v1/incidents");
  if (!all.is_array() || all.as_array().size() != 1) return false;
  const std::string id(all.as_array().at(0).at("id").as_string());
  if (bench_.agent().ronda({"incident", "ack", id}).code != 0) return false;
  append_line(bench_.agent().scratch() / "taken", id);
  taken_ = id;
  return true;
}

bool may_trace() {
  return std::filesystem::exists(strace) && std::system("/usr/bin/strace -D -f -o /dev/null /bin/true 2>/dev/null") == 0;
}

std::vector<std::string> traced(const WholeAgent& agent, const std::string& calls, bool of_files, const std::vector<std::string>& more) {
  std::vector<std::string> out{strace, "-D", "-f", "-b", "execve", "-q", "-y", "-e", "trace=" + calls};
  if (of_files) {
    const std::string state = agent.state_directory();
    out.insert(out.end(), {"-P", state});
    for (const char* name :
         {"ronda.db", "ronda.db-wal", "ronda.db-journal", "starts", "generation", "generation.new", "door.key", "door.key.new"})
      out.insert(out.end(), {"-P", state + "/" + name});
  }
  out.insert(out.end(), more.begin(), more.end());
  return out;
}

}  // namespace ronda::test
