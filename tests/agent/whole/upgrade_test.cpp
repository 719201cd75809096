// SPDX-License-Identifier: Apache-2.0
// Plugin files come, change, move and go under an agent that runs.
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <thread>

#include "catch.hpp"
#include "subject_plugin.hpp"
#include "whole_agent.hpp"

using namespace ronda;
using namespace ronda::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

std::string summary_of(const WholeAgent& agent, const std::string& name = "subject") {
  const json::value one = agent.check(name);
  return one.is_object() && one.at("summary").is_string() ? std::string(one.at("summary").as_string()) : std::string();
}

std::int64_t runs_of(const WholeAgent& agent, const std::string& name = "subject") {
  const json::value explained = agent.get("/v1/explain/" + name);
  return explained.is_object() ? explained.at("runs").to_number<std::int64_t>() : -1;
}

bool says(const WholeAgent& agent, const std::string& text) {
  return eventually([&] { return summary_of(agent) == text; });
}

/// "1 kept, 0 replaced, 0 added, 0 removed, 0 failed", of a reload.
std::string reload(const WholeAgent& agent) {
  const std::string out = agent.ronda({"reload"}).out;
  const std::size_t colon = out.find(": ");
  return colon == std::string::npos ? out : out.substr(colon + 2, out.size() - colon - 3);
}

const std::string kept = "1 kept, 0 replaced, 0 added, 0 removed, 0 failed";
const std::string one_replaced = "0 kept, 1 replaced, 0 added, 0 removed, 0 failed";

std::string exec_check(const std::string& name) {
  return "[check." + name + "]\nuse = \"exec.nagios\"\nevery = \"1s\"\ncommand = [\"/bin/echo\", \"well\"]\n";
}

}  // namespace

namespace {

std::string sha_of(const WholeAgent& agent) {
  const json::object plugin = agent.plugin("org.example.subject");
  return plugin.contains("sha256") ? std::string(plugin.at("sha256").as_string()) : std::string();
}

bool is_staged(const WholeAgent& agent, const std::string& sha256) {
  return fs::exists(agent.state_directory() + "/stage/" + sha256 + ".so");
}

}  // namespace

TEST_CASE("staged code stays for one generation after its own, and longer while a runner has it", "[whole]") {
  const bool in_use = GENERATE(false, true);
  WholeAgent agent;
  const std::string plugins = agent.copy_plugins();
  put_subject(plugins, in_use ? subject_with("::sleep(600); return ronda::ok(\"one\");") : subject("one"));
  agent.configure("10.toml", subject_check + "timeout = \"900s\"\n");
  REQUIRE(agent.start());
  REQUIRE((in_use ? eventually([&] { return agent.get("/v1/explain/subject").at("running").as_bool(); }) : says(agent, "one")));
  const std::string first = sha_of(agent);
  REQUIRE(is_staged(agent, first));

  put_subject(plugins, subject("two"));
  CHECK(reload(agent) == one_replaced);
  const std::string second = sha_of(agent);
  CHECK(first != second);
  CHECK(is_staged(agent, first));
  CHECK(is_staged(agent, second));
  if (!in_use) REQUIRE(says(agent, "two"));

  put_subject(plugins, subject("three"));
  CHECK(reload(agent) == one_replaced);
  CHECK(is_staged(agent, first) == in_use);
  CHECK(is_staged(agent, second));
  CHECK(is_staged(agent, sha_of(agent)));
  CHECK(agent.stop() == 0);
}

TEST_CASE("a plugin is what its bytes are, whatever name, time and place of the file say", "[whole]") {
  WholeAgent agent;
  const std::string plugins = agent.copy_plugins();
  put_subject(plugins, subject("one"));
  agent.configure("10.toml", subject_check);
  REQUIRE(agent.start());
  REQUIRE(says(agent, "one"));
  const std::string file = plugins + "/subject.so";
  const auto time = fs::last_write_time(file);

  put_subject(plugins, subject("two"));
  fs::last_write_time(file, time);
  CHECK(reload(agent) == one_replaced);  // other bytes of the same time
  CHECK(says(agent, "two"));
  fs::last_write_time(file, time + 1h);
  CHECK(reload(agent) == kept);  // the same bytes of another time
  fs::rename(file, plugins + "/moved.so");
  CHECK(reload(agent) == kept);  // the same bytes of another name
  CHECK(says(agent, "two"));
  fs::rename(plugins + "/moved.so", file);
  put_subject(plugins, subject("one"));
  CHECK(reload(agent) == one_replaced);  // back to what was before
  CHECK(says(agent, "one"));
  CHECK(agent.stop() == 0);
}

TEST_CASE("two files with one id: a reload keeps the code that runs, a start has none for whoever uses it, and all others run", "[whole]") {
  WholeAgent agent;
  const std::string plugins = agent.copy_plugins(), file = plugins + "/subject.so", second = plugins + "/a-second.so";
  put_subject(plugins, subject("two"));
  fs::rename(file, second);
  put_subject(plugins, subject("one"));
  fs::rename(second, plugins + "/aside");
  agent.configure("10.toml", subject_check);
  REQUIRE(agent.start());
  REQUIRE(says(agent, "one"));
  fs::rename(plugins + "/aside", second);
  agent.configure("20.toml", exec_check("other"));
  const Finished reload = agent.ronda({"reload"});
  CHECK(reload.code == 1);
  CHECK(reload.out == "reload #1: 1 kept, 0 replaced, 1 added, 0 removed, 1 failed\n");
  CHECK(reload.err.find("org.example.subject keeps its running code: " + second) != std::string::npos);
  CHECK(reload.err.find("has the id 'org.example.subject', as " + file + " has; remove one of the two files") != std::string::npos);
  const std::int64_t before = runs_of(agent);
  CHECK(eventually([&] { return runs_of(agent) >= before + 2; }));
  CHECK(summary_of(agent) == "one");
  CHECK(agent.ronda({"plugin", "why", "org.example.subject"}).code == 1);

  const auto told = [&](const std::string& text, const std::string& place) {
    const std::size_t at = text.find(place + "the plugin that provides 'subject.check' is refused: " + second);
    return at != std::string::npos && text.find("as " + file + " has; remove one of the two files", at) != std::string::npos;
  };
  const Finished validate = agent.ronda({"validate"});
  CHECK(validate.code == 1);
  CHECK(told(validate.err, "10.toml:2:7: error: "));
  CHECK(validate.out.find(" 1 error,") != std::string::npos);
  REQUIRE(agent.stop() == 0);
  REQUIRE(agent.start());
  CHECK(told(agent.log(), "10.toml:2:7: "));
  CHECK(eventually([&] { return agent.check_status("other") == "ok"; }));
  CHECK(agent.ronda({"check", "subject"}).code == 3);
  fs::remove(file);
  CHECK(agent.ronda({"reload"}).code == 0);
  CHECK(says(agent, "two"));
  CHECK(agent.stop() == 0);
}

TEST_CASE("plugins are switched with a symlink of their directory, and a file that is written slowly is taken when it is whole",
          "[whole]") {
  WholeAgent agent;
  const std::string plugins = agent.copy_plugins(), first = plugins + "-1", second = plugins + "-2";
  put_subject(plugins, subject("one"));
  fs::rename(plugins, first);
  fs::copy(first, second, fs::copy_options::recursive);
  put_subject(second, subject("two"));
  fs::create_directory_symlink(first, plugins);
  agent.configure("10.toml", subject_check);
  REQUIRE(agent.start());
  REQUIRE(says(agent, "one"));
  fs::create_directory_symlink(second, plugins + ".new");
  fs::rename(plugins + ".new", plugins);
  CHECK(reload(agent) == one_replaced);
  CHECK(says(agent, "two"));

  const TempDir built;
  const std::string bytes = read_file(build_plugin(built, "subject", subject("three")));
  std::ofstream out(second + "/subject.so", std::ios::binary | std::ios::trunc);
  constexpr std::size_t parts = 8;
  for (std::size_t part = 0; part < parts; ++part) {
    const std::size_t from = bytes.size() * part / parts, to = bytes.size() * (part + 1) / parts;
    const std::string taken = reload(agent);
    // with its segments complete it loads, although the symbols for debuggers are not there yet
    if (part < parts / 2) CHECK(taken == "1 kept, 0 replaced, 0 added, 0 removed, 1 failed");
    out.write(bytes.data() + from, static_cast<std::streamsize>(to - from)).flush();
  }
  CHECK(reload(agent) == one_replaced);  // the last part has changed the bytes again
  CHECK(says(agent, "three"));
  CHECK(agent.stop() == 0);
}

TEST_CASE("a run in flight ends on the code it began with, counts once, and what was kept is there for the next", "[whole]") {
  const auto counting = [](const std::string& version, const std::string& pause) {
    return subject_with("const auto n = kv().get_i64(\"n\").value_or(0) + 1; kv().put(\"n\", n); ::usleep(" + pause +
                        "); return ronda::ok(\"" + version + " \", n);");
  };
  WholeAgent agent;
  const std::string plugins = agent.copy_plugins();
  put_subject(plugins, counting("one", "2000000"));
  agent.configure("10.toml", "[check.subject]\nuse = \"subject.check\"\nevery = \"1h\"\n");
  REQUIRE(agent.start());
  REQUIRE(says(agent, "one 1"));
  REQUIRE(runs_of(agent) == 1);
  put_subject(plugins, counting("two", "1"));  // built before the run begins: a compiler may take longer than that
  Finished by_hand;
  std::thread asking([&] { by_hand = agent.ronda({"check", "subject"}); });
  CHECK(eventually([&] { return agent.get("/v1/explain/subject").at("running").as_bool(); }));
  CHECK(reload(agent) == one_replaced);
  CHECK(agent.get("/v1/explain/subject").at("running").as_bool());
  asking.join();
  INFO(by_hand.out << by_hand.err);
  CHECK(by_hand.out.find("one 2") != std::string::npos);
  CHECK(agent.ronda({"check", "subject"}).out.find("two 3") != std::string::npos);
  CHECK(agent.ronda({"check", "subject"}).out.find("two 4") != std::string::npos);
  CHECK(agent.stop() == 0);
}

TEST_CASE("a version that drops a key still in use is not taken by reload, and at a start costs that check alone", "[whole]") {
  WholeAgent agent;
  const std::string plugins = agent.copy_plugins();
  PluginSource with_key = subject("has the key");
  with_key.manifest += "  [provides.config]\n  word = { type = \"string\", default = \"x\", doc = \"any\" }\n";
  put_subject(plugins, with_key);
  agent.configure("10.toml", subject_check + "word = \"hello\"\n");
  agent.configure("20.toml", exec_check("other"));
  REQUIRE(agent.start());
  REQUIRE(says(agent, "has the key"));
  put_subject(plugins, subject("has no key"));
  const Finished refused = agent.ronda({"reload"});
  CHECK(refused.code == 1);
  CHECK(refused.err.find("10.toml:4:1: error: ") != std::string::npos);
  const std::int64_t before = runs_of(agent);
  CHECK(eventually([&] { return runs_of(agent) >= before + 2; }));
  CHECK(summary_of(agent) == "has the key");
  CHECK(agent.stop() == 0);

  REQUIRE(agent.start());
  CHECK(eventually([&] { return agent.check_status("other") == "ok"; }));
  CHECK(agent.check("subject").is_null());
  CHECK(agent.ronda({"status"}).out.find("subject") != std::string::npos);
  CHECK(agent.status().at("agent").at("state").as_string() == "degraded");
  agent.configure("10.toml", subject_check);
  CHECK(agent.ronda({"reload"}).code == 0);
  CHECK(says(agent, "has no key"));
  CHECK(agent.stop() == 0);
}

TEST_CASE("of fifty files one is broken: the others run; none at all is a start too", "[whole]") {
  WholeAgent agent;
  for (int i = 0; i < 49; ++i) agent.configure("file" + std::to_string(i) + ".toml", exec_check("check" + std::to_string(i)));
  agent.configure("broken.toml", "[check.broken\nuse = \"exec.nagios\"\n");
  REQUIRE(agent.start());
  for (int i = 0; i < 49; ++i) CHECK(eventually([&] { return agent.check_status("check" + std::to_string(i)) == "ok"; }));
  const Finished status = agent.ronda({"status"});
  CHECK(status.code != 0);
  CHECK(agent.log().find("broken.toml:1:") != std::string::npos);
  CHECK(agent.stop() == 0);
  for (const auto& file : fs::directory_iterator(agent.config_directory())) fs::remove(file);
  REQUIRE(agent.start());
  CHECK(agent.status().at("checks").as_array().empty());
  CHECK(agent.stop() == 0);
}

namespace {

struct Size {
  std::size_t fds, threads, maps;
  long rss_kib;
};

Size size_of(pid_t pid) {
  const std::string proc = "/proc/" + std::to_string(pid);
  const auto entries = [](const std::string& path) {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(path), fs::directory_iterator()));
  };
  const std::string maps = read_file(proc + "/maps"), status = read_file(proc + "/status");
  return {entries(proc + "/fd"), entries(proc + "/task"), static_cast<std::size_t>(std::ranges::count(maps, '\n')),
          std::stol(status.substr(status.find("VmRSS:") + 6))};
}

/// Each reload finds other bytes: a tail behind the last section changes the hash and nothing else.
void reload_often(int times, int settled) {
  WholeAgent agent;
  const std::string plugins = agent.copy_plugins();
  put_subject(plugins, subject("well"));
  const std::string built = read_file(plugins + "/subject.so");
  agent.configure("10.toml", subject_check);
  REQUIRE(agent.start());
  REQUIRE(says(agent, "well"));
  Size early{};
  for (int i = 0; i < times; ++i) {
    agent.scratch().write("plugins/subject.new", built + std::to_string(i));
    fs::rename(plugins + "/subject.new", plugins + "/subject.so");
    REQUIRE(reload(agent) == one_replaced);
    if (i == settled) early = size_of(agent.pid());
  }
  CHECK(says(agent, "well"));
  CHECK(eventually([&] { return size_of(agent.pid()).fds <= early.fds + 8; }));
  const Size late = size_of(agent.pid());
  INFO("fds " << early.fds << " " << late.fds << ", threads " << early.threads << " " << late.threads << ", maps " << early.maps << " "
              << late.maps << ", KiB " << early.rss_kib << " " << late.rss_kib);
  CHECK(late.threads <= early.threads);
  CHECK(late.maps <= early.maps + 16);
  CHECK(late.rss_kib <= early.rss_kib + 4096);
  CHECK(eventually([&] { return descendants(agent.pid()).size() <= 4; }));
  const auto files_in = [](const std::string& path) { return std::distance(fs::directory_iterator(path), fs::directory_iterator()); };
  CHECK(files_in(agent.state_directory() + "/stage") <= files_in(plugins) + 6);
  CHECK(agent.stop() == 0);
}

}  // namespace

TEST_CASE("reloads with new code leave nothing in the agent", "[whole]") {
  reload_often(60, 20);
}

TEST_CASE("a thousand reloads with new code leave nothing in the agent", "[.long]") {
  reload_often(1000, 100);
}

namespace {

/// Copies of one file under ids and names of their own: the id of the manifest is as long as theirs.
void spread_copies(const std::string& bytes, const std::string& plugins, int from, int to) {
  for (int i = from; i < to; ++i) {
    std::string number = std::to_string(10000 + i).substr(1), own = bytes;
    for (std::size_t at = own.find("subject"); at != std::string::npos; at = own.find("subject", at)) own.replace(at, 7, "sub" + number);
    std::ofstream(plugins + "/sub" + number + ".so", std::ios::binary) << own;
    ::chmod((plugins + "/sub" + number + ".so").c_str(), 0644);
  }
}

std::string check_of(int i) {
  const std::string name = "sub" + std::to_string(10000 + i).substr(1);
  return "[check." + name + "]\nuse = \"" + name + ".check\"\nevery = \"5s\"\n";
}

/// What a process and all below it take of the memory, each page shared out among those that have it.
struct Share {
  long kib = 0;
  std::size_t processes = 0;  // that told it
};

Share share_of(pid_t root) {
  std::vector<pid_t> all = descendants(root);
  all.push_back(root);
  Share out;
  for (const pid_t one : all) {
    const std::string told = read_file("/proc/" + std::to_string(one) + "/smaps_rollup");
    const std::size_t at = told.find("\nPss:");
    if (at == std::string::npos) continue;  // it has ended, or does not let itself be looked into
    out.kib += std::stol(told.substr(at + 5));
    ++out.processes;
  }
  return out;
}

// What the design allows, in bytes: an agent with nothing configured, a runner, a check.
constexpr long of_agent = 7L << 20, of_runner = 600'000, of_check = 2'000;

}  // namespace

TEST_CASE("two hundred plugins, one of them bad: the others are on time, and small; all of them bad: the agent is up and says why",
          "[whole]") {
  constexpr int plugins_wanted = 200, bad = 77;
  WholeAgent agent;
  const std::string plugins = agent.copy_plugins();
  const TempDir built;
  const std::string good_bytes = read_file(build_plugin(built, "good", subject("well")));
  const std::string bad_bytes = read_file(build_plugin(built, "bad", subject_whose_entry_aborts()));
  std::string text;
  for (int i = 0; i < plugins_wanted; ++i) text += check_of(i);
  agent.configure("10.toml", text);
  spread_copies(good_bytes, plugins, 0, plugins_wanted);
  spread_copies(bad_bytes, plugins, bad, bad + 1);
  const auto begun = std::chrono::steady_clock::now();
  REQUIRE(agent.start());
  CHECK(std::chrono::steady_clock::now() - begun < 10s);
  const auto count = [&](std::string_view status) {
    int found = 0;
    const json::value all = agent.status();
    if (!all.is_object()) return -1;
    for (const json::value& one : all.at("checks").as_array()) found += one.at("status").as_string() == status ? 1 : 0;
    return found;
  };
  CHECK(eventually([&] { return count("ok") == plugins_wanted - 1 && count("unknown") == 1; }, 60s));
  const auto all_known = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  INFO(summary_of(agent, "sub0077"));
  CHECK(summary_of(agent, "sub0077").find("SIGABRT") != std::string::npos);
  CHECK(eventually([&] { return runs_of(agent, "sub0000") >= 3; }));
  const json::value lateness = agent.status().at("agent").at("lateness");
  INFO(lateness);
  CHECK(lateness.at("p99_s").to_number<double>() <= 0.25);
  std::cout << plugins_wanted << " plugins: each has a result " << all_known << " s after the start; lateness "
            << json::serialize(lateness) << "\n";
  const auto most_kib = [](int runners) { return (of_agent + runners * of_runner + plugins_wanted * of_check) / 1024; };
  const Share with_one_bad = share_of(agent.pid());
  std::cout << plugins_wanted << " plugins: " << with_one_bad.kib / 1024 << " MiB in " << with_one_bad.processes << " processes\n";
  CHECK(with_one_bad.processes >= static_cast<std::size_t>(plugins_wanted));
  CHECK(with_one_bad.kib <= most_kib(plugins_wanted));
  CHECK(agent.stop() == 0);

  spread_copies(bad_bytes, plugins, 0, plugins_wanted);
  REQUIRE(agent.start());
  CHECK(eventually([&] { return count("unknown") == plugins_wanted; }, 60s));
  CHECK(summary_of(agent, "sub0000").find("SIGABRT") != std::string::npos);
  CHECK(share_of(agent.pid()).kib <= most_kib(plugins_wanted));
  CHECK(agent.stop() == 0);
}
