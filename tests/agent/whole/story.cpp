// SPDX-License-Identifier: Apache-2.0
#include "story.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace ronda::test {
namespace {

constexpr const char* strace = "/usr/bin/strace";
const std::string note = "the fuse is being changed";

}  // namespace

Story::Story(KillBench& bench, Plot plot) : bench_(bench), plot_(plot), step_(bench.ledgers().accepted.size()) {
  taken_ = replaced(read_file(bench.agent().scratch() / "taken"), "\n", "");
  std::ifstream acts(bench.agent().scratch() / "acts");
  for (std::string name; acts >> name;) acts_.insert(name);
  if (acts_.contains("reload")) configure_more();  // in a bench that is new
}

void Story::configure_more() const {
  bench_.agent().configure("20.toml", "[check.later]\nuse = \"exec.nagios\"\nevery = \"1h\"\ncommand = [\"/bin/true\"]\n");
}

bool Story::go_on(std::chrono::milliseconds limit) {
  while (step_ < 2) {
    if (!post()) return false;
  }
  if (!await_told(limit) || !take() || (plot_ == Plot::busy && !be_busy())) return false;
  if (step_ == 2 && !post()) return false;
  return await_told(limit);
}

bool Story::be_busy() {
  const auto is_done = [&](const std::vector<std::string>& words) { return bench_.agent().ronda(words).code == 0; };
  const auto silence = [&] { return is_done({"silence", "add", "check=quick", "--for", "1h", "--reason", note}); };
  const auto write = [&] { return is_done({"incident", "note", taken_, note}); };
  const auto reload = [&] {
    configure_more();
    return is_done({"reload"});
  };
  return act("silence", silence) && act("note", write) && act("reload", reload);
}

bool Story::act(const std::string& name, const std::function<bool()>& how) {
  if (acts_.contains(name)) return true;
  if (!how()) return false;
  append_line(bench_.agent().scratch() / "acts", name);
  return acts_.insert(name).second;
}

std::string Story::wrong_of_acts() const {
  const WholeAgent& agent = bench_.agent();
  std::string wrong;
  if (agent.ronda({"silence", "list"}).out.find(note) == std::string::npos) wrong += "the silence is gone\n";
  if (agent.ronda({"incident", "show", taken_}).out.find(note) == std::string::npos) wrong += "the note is gone\n";
  if (!agent.check("later").is_object()) wrong += "the configuration that was taken is gone\n";
  return wrong;
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
  if (plot_ == Plot::busy) wrong += wrong_of_acts();
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
  if (!all.is_array()) return false;
  std::vector<std::string> of_alert;  // there may be one of the agent's own, about a notifier
  for (const json::value& one : all.as_array()) {
    if (one.at("root").is_string() && std::string(one.at("root").as_string()).ends_with("/A1"))
      of_alert.emplace_back(one.at("id").as_string());
  }
  if (of_alert.size() != 1) return false;
  const std::string& id = of_alert.front();
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
