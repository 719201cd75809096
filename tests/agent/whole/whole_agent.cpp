// SPDX-License-Identifier: Apache-2.0
#include "whole_agent.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <sstream>
#include <thread>

namespace ronda::test {
namespace fs = std::filesystem;
using namespace std::chrono_literals;

bool eventually(const std::function<bool()>& is_so, std::chrono::milliseconds limit) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (true) {
    const bool is_last = std::chrono::steady_clock::now() >= until;  // read before the look: one may stand still between the two
    if (is_so()) return true;
    if (is_last) return false;
    std::this_thread::sleep_for(20ms);
  }
}

pid_t start_program(const std::vector<std::string>& argv, const std::string& out, const std::string& err,
                    const std::vector<std::string>& environment) {
  std::vector<char*> words, variables;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  for (char** one = environ; *one != nullptr; ++one) variables.push_back(*one);
  for (const std::string& one : environment) variables.push_back(const_cast<char*>(one.c_str()));
  variables.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const int out_fd = ::open(out.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  const int err_fd = ::open(err.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  ::dup2(null, STDIN_FILENO);
  ::dup2(out_fd, STDOUT_FILENO);
  ::dup2(err_fd, STDERR_FILENO);
  ::execve(words[0], words.data(), variables.data());
  ::_exit(127);
}

int wait_program(pid_t pid, std::chrono::milliseconds limit) {
  int status = 0;
  if (!eventually([&] { return ::waitpid(pid, &status, WNOHANG) == pid; }, limit)) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string read_file(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}

namespace {

/// State and parent of a process: the fields after its name, which may hold anything.
std::pair<char, pid_t> state_and_parent(const std::string& pid) {
  const std::string stat = read_file("/proc/" + pid + "/stat");
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) return {'X', 0};
  std::istringstream rest(stat.substr(name_end + 1));
  char state = 'X';
  pid_t parent = 0;
  rest >> state >> parent;
  return {state, parent};
}

}  // namespace

std::vector<pid_t> descendants(pid_t root) {
  std::multimap<pid_t, pid_t> children;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
    const std::string name = entry.path().filename();
    if (std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; }))
      children.emplace(state_and_parent(name).second, std::stoi(name));
  }
  std::vector<pid_t> out{root};
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto [first, last] = children.equal_range(out[i]);
    for (auto at = first; at != last; ++at) out.push_back(at->second);
  }
  out.erase(out.begin());
  return out;
}

bool is_alive(pid_t pid) {
  const char state = state_and_parent(std::to_string(pid)).first;
  return state != 'X' && state != 'Z';
}

bool is_stopped(pid_t pid) {
  return state_and_parent(std::to_string(pid)).first == 'T';
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size()) text.replace(at, what.size(), by);
  return text;
}

std::string ronda_program() {
  return RONDA_BINARY_DIR "/bin/ronda";
}

WholeAgent::WholeAgent()
    : open_(scratch_ / "open"), plugins_(RONDA_BINARY_DIR "/plugins"), log_(scratch_ / "agent.log"), socket_(scratch_ / "ronda.sock"), program_(ronda_program()) {
  ::chmod(scratch_.path().c_str(), 0755);
  fs::create_directories(open_);
  ::chmod(open_.c_str(), 0777);
  fs::create_directories(config_directory());
  fs::create_directories(state_directory());
  ::chmod(state_directory().c_str(), 0700);
}

WholeAgent::~WholeAgent() {
  if (pid_ > 0 && stop() == -1) kill_hard();
}

void WholeAgent::configure(const std::string& name, std::string_view text) const {
  const std::string path = config_directory() + "/" + name;
  if (text.empty()) {
    fs::remove(path);
    return;
  }
  const std::string fresh = scratch_.write("fresh", text);
  fs::rename(fresh, path);
}

std::string WholeAgent::copy_plugins() {
  const std::string own = scratch_ / "plugins";
  fs::create_directories(own);
  for (const auto& entry : fs::directory_iterator(plugins_)) {
    if (entry.path().extension() == ".so") fs::copy_file(entry.path(), fs::path(own) / entry.path().filename());
  }
  plugins_ = own;
  return own;
}

std::vector<std::string> WholeAgent::options() const {
  return {"--config",        config_directory(), "--plugins", plugins_,  "--state",
          state_directory(), "--socket",         socket(),    "--trust", scratch_ / "no-trust.toml"};
}

bool WholeAgent::see_instead(const std::string& directory, const std::string& target) {
  become_ = {"/usr/bin/unshare", "--mount", "/bin/sh", "-c", "mount --bind '" + directory + "' '" + target + "' && exec \"$0\" \"$@\""};
  std::vector<std::string> trial = become_;
  trial.push_back("/bin/true");
  return ::geteuid() == 0 && wait_program(start_program(trial, "/dev/null", "/dev/null"), std::chrono::seconds(30)) == 0;
}

void WholeAgent::use_runner(const std::string& runner) {
  const std::string directory = scratch_ / "program";
  fs::create_directory(directory);
  program_ = directory + "/ronda";  // a link would lead back to the runner that it is built with
  fs::copy_file(ronda_program(), program_);
  fs::copy_file(runner, directory + "/ronda-runner");
}

void WholeAgent::become_nobody() {
  become_ = {"/usr/bin/setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--"};
  for (const std::string& path : {scratch_.path(), state_directory()}) {
    if (::chown(path.c_str(), 65534, 65534) != 0) throw std::runtime_error("chown " + path);
  }
}

void WholeAgent::launch(const std::vector<std::string>& arguments, const std::vector<std::string>& environment) {
  std::vector<std::string> argv = lead_;
  argv.insert(argv.end(), become_.begin(), become_.end());
  argv.insert(argv.end(), {program_, "run"});
  for (const std::string& option : options()) argv.push_back(option);
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  pid_ = start_program(argv, log_, log_, environment);
}

bool WholeAgent::start(const std::vector<std::string>& arguments, const std::vector<std::string>& environment) {
  launch(arguments, environment);
  return eventually([&] { return answers() || !is_alive(pid_); }, 60s) && answers();
}

bool WholeAgent::answers() const {
  return ask("GET", "/healthz").status == 200;
}
void WholeAgent::signal(int number) const {
  ::kill(pid_, number);
}

int WholeAgent::wait(std::chrono::milliseconds limit) {
  const int code = wait_program(pid_, limit);
  if (code != -1) pid_ = -1;
  return code;
}

int WholeAgent::stop() {
  signal(SIGTERM);
  return wait();
}

void WholeAgent::kill_hard() {
  signal(SIGKILL);
  wait();
}

api::Response WholeAgent::ask(std::string_view method, std::string_view target, std::string_view body) const {
  auto answer = api::call(socket(), method, target, body, 30s);
  return answer ? std::move(*answer) : api::Response{0, {}, {}};
}

json::value WholeAgent::get(std::string_view target) const {
  const api::Response response = ask("GET", target);
  boost::system::error_code error;
  json::value value = response.status == 200 ? json::parse(response.body, error) : json::value();
  return error ? json::value() : value;
}

json::value WholeAgent::check(std::string_view name) const {
  const json::value whole = status();
  if (!whole.is_object()) return nullptr;
  for (const json::value& one : whole.at("checks").as_array()) {
    if (one.at("name").as_string() == json::string_view(name.data(), name.size())) return one;
  }
  return nullptr;
}

std::string WholeAgent::check_status(std::string_view name) const {
  const json::value one = check(name);
  return one.is_object() ? std::string(one.at("status").as_string()) : std::string();
}

namespace {

json::object find_in(const json::value& list, std::string_view key, std::string_view wanted) {
  if (!list.is_array()) return {};
  for (const json::value& one : list.as_array()) {
    const json::value* name = one.as_object().if_contains(key);
    if (name != nullptr && name->is_string() && std::string_view(name->as_string()) == wanted) return one.as_object();
  }
  return {};
}

}  // namespace

json::object WholeAgent::plugin(std::string_view id) const {
  return find_in(get("/v1/plugins"), "id", id);
}

json::object WholeAgent::firing(std::string_view alert) const {
  const json::value whole = status();
  return whole.is_object() ? find_in(whole.at("alerts"), "name", alert) : json::object();
}

Finished WholeAgent::ronda(const std::vector<std::string>& arguments, std::chrono::milliseconds limit) const {
  std::vector<std::string> argv{ronda_program()};
  for (const std::string& option : options()) argv.push_back(option);
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return finish(argv, limit);
}

Finished WholeAgent::run_as_agent(const std::vector<std::string>& command) const {
  std::vector<std::string> argv = become_;
  argv.insert(argv.end(), command.begin(), command.end());
  return finish(argv, 60s);
}

Finished WholeAgent::finish(const std::vector<std::string>& argv, std::chrono::milliseconds limit) const {
  static std::atomic<int> number{0};  // so that no two commands of this test write to the same files
  const std::string base = scratch_ / ("command-" + std::to_string(++number));
  const pid_t pid = start_program(argv, base + ".out", base + ".err");
  Finished out;
  out.code = wait_program(pid, limit);
  if (out.code == -1) {
    ::kill(pid, SIGKILL);
    wait_program(pid, 10s);
  }
  out.out = read_file(base + ".out");
  out.err = read_file(base + ".err");
  return out;
}

pid_t hold_parser(const WholeAgent& agent) {
  const auto until = std::chrono::steady_clock::now() + 20s;
  while (std::chrono::steady_clock::now() < until) {
    for (const pid_t one : descendants(agent.pid())) {
      const std::string proc = "/proc/" + std::to_string(one);
      if (read_file(proc + "/cmdline").find("--parse-child") == std::string::npos) continue;
      ::kill(one, SIGSTOP);
      if (eventually([&] { return read_file(proc + "/status").find("State:\tT") != std::string::npos; }, 2s)) return one;
    }
  }
  return -1;
}

}  // namespace ronda::test
