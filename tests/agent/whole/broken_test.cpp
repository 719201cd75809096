// SPDX-License-Identifier: Apache-2.0
// "No typo may silence a P1": the shipped conf.d with sinks of the test's own, each of its files broken in turn, at a start
// and at a reload. Somebody hears of what fails, and of what is wrong with the configuration, or the agent says that nobody can.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <thread>

#include "catch.hpp"
#include "plugins/smtp/stub.hpp"
#include "sink.hpp"
#include "skip.hpp"
#include "whole_agent.hpp"

using namespace ronda;
using namespace ronda::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

enum class Break { syntax, unreadable, open, owner, removed, empty };
constexpr Break all_breaks[] = {Break::syntax, Break::unreadable, Break::open, Break::owner, Break::removed, Break::empty};

std::string_view name_of(Break how) {
  constexpr std::string_view names[] = {"syntax", "unreadable", "open to all", "another's", "removed", "empty"};
  return names[static_cast<std::size_t>(how)];
}

constexpr std::string_view people_file = "50-people.toml";

/// The file is there and nothing of it can be taken.
bool is_refused(Break how) {
  return how != Break::removed && how != Break::empty;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::vector<std::string> shipped_files() {
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator(RONDA_SOURCE_DIR "/conf.d")) {
    if (entry.path().extension() == ".toml") out.push_back(entry.path().filename());
  }
  std::ranges::sort(out);
  return out;
}

/// The incident of which an alert is a member; null: there is none.
json::value incident_with(const WholeAgent& agent, std::string_view alert) {
  const json::value all = agent.get("/v1/incidents");
  if (!all.is_array()) return nullptr;
  for (const json::value& one : all.as_array()) {
    for (const json::value& member : one.at("alerts").as_array()) {
      if (member.at("name").as_string() == json::string_view(alert.data(), alert.size())) return one;
    }
  }
  return nullptr;
}

/// The shop with a door that is broken: a P1 from the first run on, of a drop-in of its own.
class Shop {
 public:
  Shop()
      : slack_(http_answer(200, "ok")),
        sms_(http_answer(201, R"({"sid": "SM1", "status": "queued"})")),
        mail_(SmtpStub::Options{{}, {}, {}, false}, [](const std::string&, int) { return std::string(); }) {
    if (::geteuid() == 0) agent_.become_nobody();  // to root every file is readable
    for (const std::string& name : shipped_files()) texts_[name] = read_file(RONDA_SOURCE_DIR "/conf.d/" + name);
    std::string& sms = texts_.at("47-sms.toml");
    sms = replaced(sms, "https://sms.shop.example", sms_.base());
    std::string& mail = texts_.at("46-mail.toml");
    mail = replaced(mail, "username = \"ronda\"\npassword = \"${env:SMTP_PASSWORD:-none}\"", "security = \"none\"");
    for (const auto& [name, text] : texts_) agent_.configure(name, text);
    agent_.configure("70-own.toml",
                     "[check.door]\nuse = \"exec.nagios\"\nevery = \"1h\"\nseverity = \"p1\"\n"
                     "command = [\"/bin/sh\", \"-c\", \"echo the hinge; exit 2\"]\n");
  }

  bool start() {
    return agent_.start({}, {"SLACK_WEBHOOK=" + slack_.base() + "/hook", "SMTP_SERVER=127.0.0.1:" + std::to_string(mail_.port())});
  }
  void spoil(const std::string& name, Break how) const {
    const std::string path = agent_.config_directory() + "/" + name;
    switch (how) {
      case Break::syntax:
        return agent_.configure(name, texts_.at(name) + "\n[unclosed\n");
      case Break::unreadable:
        return static_cast<void>(::chmod(path.c_str(), 0));
      case Break::open:
        return static_cast<void>(::chmod(path.c_str(), 0666));
      case Break::owner:
        if (::chown(path.c_str(), 12345, 12345) != 0) throw std::runtime_error("chown " + path);
        return;
      case Break::removed:
        return agent_.configure(name, "");
      case Break::empty:
        return agent_.configure(name, "\n");
    }
  }
  void mend(const std::string& name) const { agent_.configure(name, texts_.at(name)); }
  WholeAgent& agent() { return agent_; }

  /// All that people were sent.
  std::string heard() const {
    std::string out;
    for (const SinkRequest& one : slack_.requests()) out += one.body + "\n";
    for (const SinkRequest& one : sms_.requests()) out += one.form()["Body"] + "\n";
    for (const SmtpStub::Mail& one : mail_.mails()) out += replaced(one.text, "=\r\n", "") + "\n";
    return out;
  }
  /// By the room and by the address of the notifier `mail`, which needs nobody of the people.
  bool last_resort_heard(std::string_view id) const {
    const auto posts = slack_.requests();
    const auto mails = mail_.mails();
    return std::ranges::any_of(posts, [&](const SinkRequest& one) { return has(one.body, id); }) &&
           std::ranges::any_of(mails, [&](const SmtpStub::Mail& one) {
             return has(one.to, "<admin@shop.example>") && has(replaced(one.text, "=\r\n", ""), id);
           });
  }
  /// Files through whose objects messages leave.
  std::vector<std::string> ways() const {
    std::vector<std::string> out;
    for (const auto& [name, text] : texts_) {
      if (has(text, "\n[notifier.")) out.push_back(name);
    }
    return out;
  }
  json::value incident_of(std::string_view alert) const { return incident_with(agent_, alert); }
  std::string config_trouble() const {
    const json::value status = agent_.status();
    const json::value* word = status.is_object() ? &status.at("agent").at("config") : nullptr;
    return word != nullptr && word->is_string() ? std::string(word->as_string()) : std::string();
  }

 private:
  std::map<std::string, std::string> texts_;
  Sink slack_, sms_;
  SmtpStub mail_;
  WholeAgent agent_;
};

/// What is not as it must be; Catch is not for threads.
class Findings {
 public:
  explicit Findings(std::string about) : about_(std::move(about)) {}
  bool want(bool is_so, const std::string& what) {
    if (!is_so) all_.push_back(about_ + ": " + what);
    return is_so;
  }
  std::vector<std::string> all_;

 private:
  std::string about_;
};

std::string text_of(const json::value& one, const char* key) {
  return one.is_object() && one.at(key).is_string() ? std::string(one.at(key).as_string()) : std::string();
}

/// Somebody hears of that incident, by its id, within a time that is a busy machine's.
bool is_told(const Shop& shop, const std::string& id) {
  return !id.empty() && eventually([&] { return has(shop.heard(), id); }, 20s);
}

/// A start with that file broken, on a state without a past.
std::vector<std::string> start_broken(const std::string& file, Break how) {
  Findings findings("a start with " + file + " " + std::string(name_of(how)));
  Shop shop;
  shop.spoil(file, how);
  if (!findings.want(shop.start(), "does not answer: " + shop.agent().log())) return findings.all_;
  json::value door;
  findings.want(eventually([&] { return (door = shop.incident_of("door")).is_object(); }), "the P1 is no incident");
  findings.want(text_of(door, "level") == "p1", "the P1 is " + text_of(door, "level"));
  findings.want(is_told(shop, text_of(door, "id")), "nobody hears of the P1; the log: " + shop.agent().log());

  const std::string trouble = shop.config_trouble();
  if (is_refused(how)) {
    findings.want(has(trouble, file), "status does not name the file: " + trouble);
    findings.want(has(shop.agent().log(), " error " + shop.agent().config_directory() + "/" + file), "the log does not name the file");
  }
  if (!trouble.empty()) {
    const json::value own = shop.incident_of("ronda/config");
    findings.want(text_of(own, "level") == "p2", "its own trouble is no incident: " + json::serialize(own));
    findings.want(is_told(shop, text_of(own, "id")), "nobody hears of the configuration");
  }
  const Finished status = shop.agent().ronda({"status"});
  findings.want(status.code == 2, "ronda status ends with " + std::to_string(status.code));
  if (file == people_file) {
    findings.want(eventually([&] { return shop.last_resort_heard(text_of(door, "id")); }, 20s), "the last resort does not hear of the P1");
  }
  shop.mend(file);
  findings.want(shop.agent().ronda({"reload"}).code == 0, "a reload of all files as shipped fails");
  findings.want(is_told(shop, text_of(door, "id")), "nobody hears of the P1 after the reload");
  findings.want(eventually([&] { return shop.incident_of("ronda/config").is_null() && shop.incident_of("ronda/route").is_null(); }),
                "its own trouble does not end with the reload");
  findings.want(shop.agent().stop() == 0, "it does not stop well");
  return findings.all_;
}

/// A few at once: each is an agent with its runners, and waits more than it works.
std::vector<std::string> in_parallel(const std::vector<std::function<std::vector<std::string>()>>& tasks) {
  constexpr std::size_t at_once = 6;
  std::vector<std::vector<std::string>> found(tasks.size());
  std::atomic<std::size_t> next{0};
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < at_once; ++i) {
    threads.emplace_back([&] {
      for (std::size_t at = next++; at < tasks.size(); at = next++) {
        try {
          found[at] = tasks[at]();
        } catch (const std::exception& error) {
          found[at] = {error.what()};
        }
      }
    });
  }
  for (std::thread& one : threads) one.join();
  std::vector<std::string> out;
  for (const auto& one : found) out.insert(out.end(), one.begin(), one.end());
  return out;
}

std::vector<Break> breaks_here() {
  std::vector<Break> out(std::begin(all_breaks), std::end(all_breaks));
  if (::geteuid() == 0) return out;
  skipped("other-users", "a file of another owner needs root");
  std::erase(out, Break::owner);
  return out;
}

/// A P1 that somebody posts; its id once it is an incident.
std::string post_alert(Shop& shop, const std::string& word) {
  const api::Response answer = shop.agent().ask("POST", "/v1/events", R"({"alert": ")" + word + R"(", "status": "firing", "level": "p1"})");
  if (answer.status != 200) return {};
  std::string id;
  eventually([&] {
    const json::value all = shop.agent().get("/v1/incidents");
    if (!all.is_array()) return false;
    for (const json::value& one : all.as_array()) {
      if (has(text_of(one, "title"), "/" + word)) id = text_of(one, "id");
    }
    return !id.empty();
  });
  return id;
}

}  // namespace

TEST_CASE("a start with any file of the shipped conf.d broken in any way leaves no P1 untold, and says what is wrong", "[whole]") {
  std::vector<std::function<std::vector<std::string>()>> tasks;
  for (const std::string& file : shipped_files()) {
    for (const Break how : breaks_here()) tasks.emplace_back([file, how] { return start_broken(file, how); });
  }
  REQUIRE(tasks.size() >= 12 * 5);
  for (const std::string& finding : in_parallel(tasks)) FAIL_CHECK(finding);
}

TEST_CASE("a reload with any file of the shipped conf.d broken changes nothing, is told, and leaves no P1 untold", "[whole]") {
  const auto reload_broken = [](Break how) {
    Findings findings("a reload with all files " + std::string(name_of(how)) + " in turn");
    Shop shop;
    if (!findings.want(shop.start(), "does not answer: " + shop.agent().log())) return findings.all_;
    const auto checks = [&] { return shop.agent().status().at("checks").as_array().size(); };
    const std::size_t before = checks();
    for (const std::string& file : shipped_files()) {
      const std::string about = file + ": ";
      shop.spoil(file, how);
      const Finished reload = shop.agent().ronda({"reload"});
      const std::string trouble = shop.config_trouble();
      findings.want((reload.code == 0) == trouble.empty() && reload.code <= 1, about + "reload ends with " + std::to_string(reload.code));
      if (is_refused(how)) {
        findings.want(reload.code == 1, about + "reload takes it");
        findings.want(has(reload.out + reload.err, file), about + "reload does not name it: " + reload.out + reload.err);
      }
      if (reload.code == 1) {
        findings.want(checks() == before, about + "what runs is another");
        findings.want(has(trouble, "the old one is active"), about + "status says " + trouble);
        const std::string own = text_of(shop.incident_of("ronda/config"), "id");
        findings.want(is_told(shop, own), about + "nobody hears of it; the log: " + shop.agent().log());
      }
      // what fails now is told as ever
      const std::string id = post_alert(shop, "word" + file.substr(0, 2));
      findings.want(is_told(shop, id), about + "nobody hears of the P1 " + id);
      shop.mend(file);
      findings.want(shop.agent().ronda({"reload"}).code == 0, about + "a reload of all files as shipped fails");
      findings.want(checks() == before, about + "after it what runs is another");
    }
    findings.want(shop.agent().stop() == 0, "it does not stop well");
    return findings.all_;
  };
  std::vector<std::function<std::vector<std::string>()>> tasks;
  for (const Break how : breaks_here()) tasks.emplace_back([&reload_broken, how] { return reload_broken(how); });
  REQUIRE(tasks.size() >= 5);
  for (const std::string& finding : in_parallel(tasks)) FAIL_CHECK(finding);
}

TEST_CASE("what fired before a start with its file broken goes on, and ends when it is judged again", "[whole]") {
  Shop shop;
  const std::string dump = shop.agent().open_directory() + "/dump";
  shop.agent().configure("45-more.toml", "[check.dump]\nuse = \"host.file\"\nevery = \"1s\"\nseverity = \"p1\"\npath = \"" + dump + "\"\n");
  REQUIRE(shop.start());
  REQUIRE(eventually([&] { return shop.incident_of("dump").is_object(); }));
  const std::string id = text_of(shop.incident_of("dump"), "id");
  CHECK(is_told(shop, id));
  shop.agent().kill_hard();
  fs::remove(shop.agent().state_directory() + "/starts");
  const std::string path = shop.agent().config_directory() + "/45-more.toml", whole = read_file(path);
  shop.agent().configure("45-more.toml", whole + "[unclosed\n");
  REQUIRE(shop.start());
  CHECK(eventually([&] { return shop.incident_of("ronda/config").is_object(); }));
  CHECK(text_of(shop.incident_of("dump"), "id") == id);
  CHECK(text_of(shop.incident_of("dump"), "stage") == "open");
  fs::copy_file("/etc/passwd", dump);
  shop.agent().configure("45-more.toml", whole);
  CHECK(shop.agent().ronda({"reload"}).code == 0);
  CHECK(eventually([&] { return shop.incident_of("dump").is_null(); }));
  CHECK(shop.agent().stop() == 0);
}

TEST_CASE("with every file broken, or each that has a notifier, the agent runs, says that nobody can be told, and a reload mends it",
          "[whole]") {
  Shop shop;
  const bool all = GENERATE(true, false);
  const std::vector<std::string> files = all ? shipped_files() : shop.ways();
  REQUIRE(files.size() >= 3);
  for (const std::string& file : files) shop.spoil(file, Break::syntax);
  REQUIRE(shop.start());
  REQUIRE(eventually([&] { return shop.incident_of("ronda/route").is_object() && shop.incident_of("door").is_object(); }));
  CHECK(text_of(shop.incident_of("ronda/route"), "level") == "p1");
  const Finished status = shop.agent().ronda({"status"});
  CHECK(status.code == 2);
  CHECK(has(status.out, "nobody can be told of anything"));
  for (const std::string& file : files) CHECK(has(shop.agent().log(), " error " + shop.agent().config_directory() + "/" + file));
  CHECK(shop.agent().ronda({"reload"}).code == 1);
  CHECK(shop.heard().empty());
  const std::string id = text_of(shop.incident_of("door"), "id");
  for (const std::string& file : files) shop.mend(file);
  CHECK(shop.agent().ronda({"reload"}).code == 0);
  CHECK(is_told(shop, id));
  CHECK(eventually([&] { return shop.incident_of("ronda/route").is_null() && shop.incident_of("ronda/config").is_null(); }));
  CHECK(shop.agent().stop() == 0);
}

TEST_CASE("ladders without any notifier are a P1 of the agent, which starts all the same", "[whole][unheard]") {
  WholeAgent agent;
  const std::string people =
      "[check.quiet]\nuse = \"exec.nagios\"\ncommand = [\"/bin/true\"]\nevery = \"1h\"\n"  // or it would be refused as empty
      "[contact.ana]\nchannels = [{ notifier = \"paper\", to = \"ana\" }]\n"
      "[escalation.default.p1]\nsteps = [{ from = \"0m\", notify = [\"ana\"] }]\n";
  agent.configure("10.toml", people);
  REQUIRE(agent.start());
  CHECK(eventually([&] { return incident_with(agent, "ronda/route").is_object(); }));
  CHECK(text_of(incident_with(agent, "ronda/route"), "level") == "p1");
  CHECK(has(text_of(incident_with(agent, "ronda/route"), "title"), "there is no [notifier.*]"));
  CHECK(agent.ronda({"reload"}).code == 0);
  agent.configure("20.toml", "[notifier.paper]\nuse = \"command\"\ncommand = [\"/bin/true\"]\n");
  CHECK(agent.ronda({"reload"}).code == 0);
  CHECK(eventually([&] { return incident_with(agent, "ronda/route").is_null(); }));
  CHECK(agent.stop() == 0);
}

TEST_CASE("what an SMS gateway only took is accepted, with its word, by notify test and by notify list alike", "[whole]") {
  Shop shop;
  REQUIRE(shop.start());
  const std::string tested = shop.agent().ronda({"notify", "test", "cto"}).out, listed = shop.agent().ronda({"notify", "list"}).out;
  INFO(tested << listed);
  CHECK(tested.find("accepted  ") != std::string::npos);
  CHECK(tested.find("accepted as SM1: queued") != std::string::npos);
  CHECK(listed.find(" accepted  test ") != std::string::npos);
  CHECK(listed.find(": accepted as SM1: queued\n") != std::string::npos);
  CHECK(shop.agent().stop() == 0);
}
