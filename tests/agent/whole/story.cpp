// SPDX-License-Identifier: Apache-2.0
#include "story.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace ronda::test {
namespace fs = std::filesystem;

namespace {

constexpr const char* strace = "/usr/bin/strace";
constexpr std::array<const char*, 5> books = {"accepted", "received", "received.text", "words", "acts"};

/// Those of a directory itself, with their modes; `starts` counts quick ends, and those are ours.
void copy_files(const std::string& from, const std::string& to) {
  fs::create_directories(to);
  for (const auto& entry : fs::directory_iterator(from)) {
    const std::string name = entry.path().filename();
    if (entry.is_regular_file() && name != "starts") fs::copy_file(entry.path(), to + "/" + name, fs::copy_options::overwrite_existing);
  }
}

}  // namespace

Story::Story(KillBench& bench, const Plot& plot) : bench_(bench), plot_(plot) {
  std::ifstream acts(bench.agent().scratch() / "acts"), words(bench.agent().scratch() / "words");
  for (std::string name; std::getline(acts, name);) acts_.insert(name);
  for (std::string what, word; words >> what && std::getline(words >> std::ws, word);) words_[what] = word;
}

bool Story::prepare(std::chrono::milliseconds limit) {
  return tell(plot_.before, limit) && eventually([&] { return bench_.is_drained(); }, limit);
}

bool Story::go_on(std::chrono::milliseconds limit) {
  return tell(plot_.steps, limit);
}

bool Story::tell(const std::vector<Step>& steps, std::chrono::milliseconds limit) {
  for (const Step& step : steps) {
    if (acts_.contains(step.name)) continue;
    const bool is_so = step.is_awaited ? eventually([&] { return !lives() || step.how(*this); }, limit) && lives() : step.how(*this);
    if (!is_so) {
      stuck_ = lives() ? step.name : "";
      return false;
    }
    append_line(agent().scratch() / "acts", step.name);
    acts_.insert(step.name);
  }
  return true;
}

std::string Story::end(std::chrono::milliseconds limit) {
  agent().lead_by({});
  if (!bench_.start()) return "it does not start\n";
  std::string wrong;
  if (!go_on(limit) || !eventually([&] { return bench_.is_drained(); }, limit)) {
    wrong += "it does not go on\n" + (stuck_.empty() ? std::string() : "what does not come: " + stuck_ + "\n");
  } else if (plot_.find_wrong) {
    wrong += plot_.find_wrong(*this);
  }
  if (agent().stop() != 0) wrong += "it does not stop\n";
  if (plot_.find_wrong_in_store) wrong += plot_.find_wrong_in_store(bench_);
  return wrong + bench_.said_wrong();
}

bool Story::lives() const {
  return is_alive(bench_.agent().pid());
}

bool Story::does(const std::vector<std::string>& words) {
  return agent().ronda(words).code == 0;
}

std::string Story::recall(const std::string& what) const {
  const auto found = words_.find(what);
  return found == words_.end() ? std::string() : found->second;
}

bool Story::note(const std::string& what, const std::string& word) {
  if (recall(what) != word) append_line(agent().scratch() / "words", what + " " + word);
  words_[what] = word;
  return true;
}

bool Story::find_incident(const std::string& alert) {
  const json::value all = agent().get("/v1/incidents");
  if (!all.is_array()) return false;
  std::vector<std::string> found;  // there may be one of the agent's own, about a notifier
  for (const json::value& one : all.as_array()) {
    if (!one.at("root").is_string()) continue;
    const std::string root(one.at("root").as_string());
    if (root == alert || root.ends_with("/" + alert)) found.emplace_back(one.at("id").as_string());
  }
  return found.size() == 1 && note("incident", found.front());
}

json::value Story::incident() {
  return agent().get("/v1/incidents/" + recall("incident"));
}

int Story::times_in_timeline(const std::string& kind) {
  const json::value shown = incident();
  if (!shown.is_object()) return 0;
  return static_cast<int>(std::ranges::count_if(
      shown.at("timeline").as_array(), [&](const json::value& event) { return event.at("kind").as_string() == json::string_view(kind); }));
}

bool Story::is_at(const std::string& stage) {
  const json::value shown = incident();
  return shown.is_object() && shown.at("stage").as_string() == json::string_view(stage);
}

int Story::heard(const std::string& notifier, const std::string& alert, const std::string& event) const {
  std::set<std::string> ids;  // what was on its way at a kill may come twice
  for (const Receipt& one : bench_.ledgers().received) {
    if (one.notifier == notifier && one.alert == alert && one.event == event) ids.insert(one.id);
  }
  return static_cast<int>(ids.size());
}

Kept::Kept(KillBench& bench) {
  const WholeAgent& agent = bench.agent();
  copy_files(agent.state_directory(), scratch_ / "state");
  copy_files(agent.open_directory(), scratch_ / "open");
  for (const char* book : books) {
    if (fs::exists(agent.scratch() / book)) fs::copy_file(agent.scratch() / book, scratch_ / book);
  }
}

void Kept::put_into(KillBench& bench) const {
  const WholeAgent& agent = bench.agent();
  copy_files(scratch_ / "state", agent.state_directory());
  copy_files(scratch_ / "open", agent.open_directory());
  for (const auto& entry : fs::directory_iterator(agent.open_directory()))
    fs::permissions(entry.path(), fs::perms(0666));  // whoever wrote them
  for (const char* book : books) {
    if (fs::exists(scratch_ / book)) fs::copy_file(scratch_ / book, agent.scratch() / book, fs::copy_options::overwrite_existing);
  }
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
