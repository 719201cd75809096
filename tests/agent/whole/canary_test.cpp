// SPDX-License-Identifier: Apache-2.0
// Secrets of every notifier and of the door, against servers that take a message, refuse it, fail or break off, and each time
// say back what they were given: nothing of it is found where it is not needed, in no form of it.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <set>

#include "catch.hpp"
#include "certificates.hpp"
#include "door_client.hpp"
#include "plugin/hmac.hpp"
#include "plugins/smtp/stub.hpp"
#include "sink.hpp"
#include "skip.hpp"
#include "whole_agent.hpp"

using namespace ronda;
using namespace ronda::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

enum class Mode { takes, refuses, fails, breaks_off };

/// By its head it is found, also cut off or percent-encoded; behind that stands what other forms change.
struct Canary {
  const char* name;
  const char* head;  // eight characters that stand nowhere else
  std::string whole() const { return head + std::string("+k=9!Zq2"); }
};

constexpr Canary hook_path{"hook-path", "Hq71xwZp"}, hook_login{"hook-login", "Lw82kdVn"}, hook_query{"hook-query", "Qz93mfBt"},
    hook_key{"hook-key", "Ks04pgRx"}, slack_url{"slack-url", "Uv15rhMw"}, slack_token{"slack-token", "Tx26sjNc"},
    pager{"pager", "Pb37tkFd"}, alert_login{"alert-login", "Af48vlGh"}, sms{"sms", "Sg59wmJk"}, mail_user{"mail-user", "Mu60xnYz"},
    mail_password{"mail-password", "Mp71yoCb"}, program_file{"program-file", "Gf82zpDv"}, program_env{"program-env", "Ge93aqWs"},
    proxy{"proxy", "Xr04brEt"}, twilio{"twilio", "Tw15csQy"}, wall{"wall", "Wt26dtUi"}, ops{"ops", "Oo37euPl"};

/// PagerDuty's keys have 32 letters and digits.
std::string pager_key() {
  return pager.head + std::string("0123456789abcdefghijklmn");
}

std::string encoded(const std::string& text, std::size_t before = 0) {
  constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::string all = std::string(before, 'x') + text;
  std::string out;
  for (std::size_t i = 0; i < all.size(); i += 3) {
    unsigned three = 0;
    for (std::size_t k = i; k < i + 3; ++k) three = three << 8 | (k < all.size() ? static_cast<unsigned char>(all[k]) : 0U);
    for (int shift = 18; shift >= 0; shift -= 6) out += digits[three >> shift & 63];
  }
  return out;
}

/// What tells that the canary is there, whatever stands around it.
std::vector<std::string> marks_of(const Canary& canary) {
  std::vector<std::string> out{canary.head};
  for (std::size_t before = 0; before < 3; ++before) out.push_back(encoded(canary.head, before).substr((before * 8 + 5) / 6, 9));
  return out;
}

std::string percent_encoded(const std::string& text) {
  constexpr char hex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0)
      out += c;
    else
      out += std::string("%") + hex[static_cast<unsigned char>(c) >> 4] + hex[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

constexpr std::string_view words = "w0rds-of-a-sink";  // those of all servers, which a viewer is not shown

/// As a server that repeats what it was given, in every way that one does.
std::string echo_of(const std::vector<std::string>& secrets) {
  std::string out(words);
  for (const std::string& one : secrets) out += " " + one + " " + encoded("login:" + one) + " " + percent_encoded(one) + " " + encoded(one);
  return out;
}

/// `taken` is the body of an answer that takes the message.
Sink::Answer answers(Mode mode, const std::string& taken, const std::string& echo, int refusal = 403) {
  return [=](const SinkRequest&) {
    switch (mode) {
      case Mode::takes:
        return http_answer(taken.starts_with("{\"sid") ? 201 : taken.starts_with("{\"status\": \"success") ? 202 : 200, taken);
      case Mode::refuses:
        return http_answer(refusal, echo);
      case Mode::fails:
        return http_answer(503, echo);
      case Mode::breaks_off:
        return "HTTP/1.1 200 said\r\nContent-Length: 100000\r\n\r\n" + echo;
    }
    return std::string();
  };
}

std::string quoted(const std::string& text) {
  return json::serialize(json::value(text));
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

const std::vector<std::string>& notifier_names() {
  static const std::vector<std::string> names = {"hook",  "slackhook", "slackbot", "pager",   "am",
                                                 "phone", "mail",      "program",  "proxied", "lines"};
  return names;
}

/// An agent with all notifiers, and what each sends to.
class House {
 public:
  explicit House(Mode mode)
      : mode_(mode),
        hook_(answers(mode, echo_of({hook_path.whole(), hook_login.whole(), hook_query.whole(), hook_key.whole()}),
                      echo_of({hook_path.whole(), hook_login.whole(), hook_query.whole(), hook_key.whole()}))),
        slack_hook_(answers(mode, "ok", echo_of({slack_url.whole()}))),
        slack_bot_(answers(mode, R"({"ok": true, "channel": "C0123", "ts": )" + quoted(echo_of({slack_token.whole()})) + "}",
                           R"({"ok": false, "error": )" + quoted(echo_of({slack_token.whole()})) + "}", 200)),
        pager_(answers(mode, R"({"status": "success", "dedup_key": )" + quoted(echo_of({pager_key()})) + "}", echo_of({pager_key()}))),
        alerts_(answers(mode, echo_of({alert_login.whole()}), echo_of({alert_login.whole()}))),
        phone_(answers(mode, R"({"sid": )" + quoted(echo_of({sms.whole()})) + R"(, "status": "queued"})",
                       R"({"code": 21610, "message": )" + quoted(echo_of({sms.whole()})) + "}")),
        proxy_(answers(mode, echo_of({proxy.whole()}), echo_of({proxy.whole()}), 407)),
        mail_(mail_options(), [this](const std::string& command, int) { return mail_answer(command); }) {
    if (::geteuid() == 0) agent_.become_nobody();
    for (const std::string& directory : {secrets(), lines_directory()}) fs::create_directory(directory);
    if (::geteuid() == 0 && ::chown(lines_directory().c_str(), 65534, 65534) != 0) throw std::runtime_error("chown " + lines_directory());
    for (const Canary& one : {hook_login, hook_key, alert_login, sms, mail_user, program_file, proxy, twilio})
      secret(one.name, one.whole());
    secret(slack_url.name, slack_hook_.base() + "/services/" + slack_url.whole());
    secret(pager.name, pager_key());
    secret("environment", std::string("CANARY_SLACK=") + slack_token.whole() + "\nCANARY_MAIL=" + mail_password.whole() +
                              "\nCANARY_PROGRAM=" + program_env.whole() + "\n");
    agent_.configure("10.toml", configuration());
  }

  void start() {
    REQUIRE(agent_.start({}, {"CREDENTIALS_DIRECTORY=" + secrets(), std::string("CANARY_SLACK=") + slack_token.whole(),
                              std::string("CANARY_MAIL=") + mail_password.whole(), std::string("CANARY_PROGRAM=") + program_env.whole()}));
    REQUIRE(eventually([&] { return port_of_door(agent_.log()) != 0; }));
  }
  WholeAgent& agent() { return agent_; }
  std::string secrets() const { return agent_.scratch() / "secrets"; }
  std::string lines_directory() const { return agent_.scratch() / "lines"; }  // open to nobody else, as the notifier wants it

  /// A P1 by hand, which everybody is told by every way; its id once each has tried. `meanwhile` is done all the time.
  std::string tell_all(const std::function<void()>& meanwhile) {
    REQUIRE(agent_.ronda({"incident", "open", "--level", "p1", "the till is slow"}).code == 0);
    std::string id;
    const auto all_tried = [&] {
      meanwhile();
      const json::value open = agent_.get("/v1/incidents");
      for (const json::value& one : open.as_array()) {
        if (has(std::string(one.at("title").as_string()), "till")) id = std::string(one.at("id").as_string());
      }
      std::set<std::string> tried;
      const json::value whole = id.empty() ? json::value() : agent_.get("/v1/incidents/" + id);
      if (!whole.is_object()) return false;
      for (const json::value& row : whole.at("deliveries").as_array()) {
        const json::value* trail = row.as_object().if_contains("trail");
        if (trail != nullptr && !trail->as_array().empty()) tried.insert(std::string(row.at("notifier").as_string()));
      }
      tried_ = json::serialize(json::value_from(std::vector<std::string>(tried.begin(), tried.end())));
      return std::ranges::all_of(notifier_names(), [&](const std::string& name) { return tried.contains(name); });
    };
    const bool all = eventually(all_tried, 120s);
    INFO("tried: " << tried_ << "\n" << agent_.log());
    REQUIRE(all);
    return id;
  }

  /// What each server was sent, by notifier.
  std::map<std::string, std::string> received() const {
    std::map<std::string, std::string> out;
    for (const auto& [name, sink] : std::initializer_list<std::pair<const char*, const Sink*>>{{"hook", &hook_},
                                                                                               {"slackhook", &slack_hook_},
                                                                                               {"slackbot", &slack_bot_},
                                                                                               {"pager", &pager_},
                                                                                               {"am", &alerts_},
                                                                                               {"phone", &phone_},
                                                                                               {"proxied", &proxy_}}) {
      for (const SinkRequest& one : sink->requests()) {
        out[name] += one.target + "\n" + one.body + "\n";
        for (const auto& [header, value] : one.headers) out[name] += header + ": " + value + "\n";
      }
    }
    for (const std::string& line : mail_.lines()) out["mail"] += line + "\n";
    for (const SmtpStub::Mail& one : mail_.mails()) out["mail"] += one.text;
    out["program"] = read_file(agent_.open_directory() + "/heard");
    out["lines"] = read_file(lines_directory() + "/lines");
    return out;
  }

 private:
  SmtpStub::Options mail_options() const {
    make_certificates(certificates_.path(), {{"server", {"DNS:localhost", "IP:127.0.0.1"}, -3600, 86400, false}});
    ::chmod(certificates_.path().c_str(), 0755);
    SmtpStub::Options out;
    out.certificate = certificates_.path() + "/server.crt";
    out.key = certificates_.path() + "/server.key";
    return out;
  }
  std::string mail_answer(const std::string& command) const {
    const std::string echo = echo_of({mail_user.whole(), mail_password.whole()});
    if (mode_ == Mode::takes && command == ".") return "250 queued as " + echo;
    if (mode_ == Mode::refuses && command == "AUTH") return "535 5.7.8 " + echo;
    if (mode_ == Mode::fails && command == "MAIL") return "451 " + echo;
    if (mode_ == Mode::breaks_off && command == "MAIL") return SmtpStub::close;
    return {};
  }
  void secret(const std::string& name, const std::string& text) const {
    const std::string path = secrets() + "/" + name;
    std::ofstream(path) << text;
    ::chmod(path.c_str(), 0600);
    if (::geteuid() == 0 && ::chown(path.c_str(), 65534, 65534) != 0) throw std::runtime_error("chown " + path);
  }

  std::string configuration() const {
    const auto file = [&](const Canary& one) { return "${file:" + secrets() + "/" + one.name + "}"; };
    const char* user = ::geteuid() == 0 ? "nobody" : ::getenv("USER");
    const std::string ends[] = {"cat >> $OUT", "echo >&2 \"$SAID\"; exit 1", "echo >&2 \"$SAID\"; exit 75",
                                "echo >&2 \"$SAID\"; kill -9 $$"};
    std::string out = "[agent]\nheartbeat = { notifier = \"hook\", every = \"1s\" }\n";
    out += "[api]\nlisten = \"127.0.0.1:0\"\npublic_url = \"https://ronda.example/\"\ntwilio_auth_token = \"" + file(twilio) + "\"\n";
    out += "[token.wall]\nrole = \"viewer\"\nsha256 = \"" + plugin::sha256_hex(wall.whole()) + "\"\n";
    out += "[token.ops]\nrole = \"operator\"\nsha256 = \"" + plugin::sha256_hex(ops.whole()) + "\"\n";
    out += "[notifier.hook]\nuse = \"webhook\"\nurl = \"http://u5er:" + file(hook_login) + "@" + hook_.peer() + "/in/" + hook_path.whole() +
           "?sig=" + hook_query.whole() + "\"\nsecret = \"" + file(hook_key) + "\"\n";
    out += "[notifier.slackhook]\nuse = \"slack\"\nwebhook_url = \"" + file(slack_url) + "\"\n";
    out += "[notifier.slackbot]\nuse = \"slack\"\ntoken = \"${env:CANARY_SLACK}\"\nchannel = \"C0123\"\napi_base = \"" + slack_bot_.base() +
           "\"\n";
    out += "[notifier.pager]\nuse = \"pagerduty\"\nrouting_key = \"${cred:" + std::string(pager.name) + "}\"\napi_base = \"" +
           pager_.base() + "\"\n";
    out += "[notifier.am]\nuse = \"alertmanager\"\nurl = \"http://ops:" + file(alert_login) + "@" + alerts_.peer() + "/am\"\n";
    out += "[notifier.phone]\nuse = \"sms\"\naccount_sid = \"AC1\"\nauth_token = \"" + file(sms) +
           "\"\nfrom = \"+15550001111\"\napi_base = \"" + phone_.base() + "\"\n";
    out += "[notifier.mail]\nuse = \"smtp\"\nserver = \"localhost:" + std::to_string(mail_.port()) +
           "\"\nfrom = \"ronda@shop.example\"\nusername = \"" + file(mail_user) + "\"\npassword = \"${env:CANARY_MAIL}\"\ntls = { ca = \"" +
           certificates_.path() + "/ca.crt\" }\n";
    out += "[notifier.program]\nuse = \"command\"\nenv = { TOKEN = \"" + file(program_file) +
           "\", OTHER = \"a ${env:CANARY_PROGRAM} b\", OUT = \"" + agent_.open_directory() +
           "/heard\" }\ncommand = [\"/bin/sh\", \"-c\", " +
           quoted("SAID=\"" + std::string(words) + " $TOKEN $OTHER $(printf %s \"$TOKEN\" | base64) $(printf %s \"$OTHER\" | base64)\"; " +
                  ends[static_cast<std::size_t>(mode_)]) +
           "]\n";
    out += "[notifier.proxied]\nuse = \"webhook\"\nurl = \"http://sink.example/in\"\nproxy = \"http://pr0xy:" + file(proxy) + "@" +
           proxy_.peer() + "\"\n";
    out += "[notifier.lines]\nuse = \"logfile\"\npath = \"" + lines_directory() + "/lines\"\ntext = \"both\"\n";
    std::string channels;
    for (const std::string& name : notifier_names()) {
      const std::string to = name == "phone" ? ", to = \"+5491155550000\"" : name == "mail" ? ", to = \"ana@shop.example\"" : "";
      channels += (channels.empty() ? "" : ", ") + ("{ notifier = \"" + name + "\"" + to + " }");
    }
    out += "[contact.ana]\nname = \"Ana\"\nunix = [\"" + std::string(user == nullptr ? "nobody" : user) + "\"]\nchannels = [" + channels +
           "]\n";
    for (const char* level : {"p1", "p2"})
      out += "[escalation.default." + std::string(level) + "]\nsteps = [{ from = \"0m\", notify = [\"ana\"] }]\n";
    return out;
  }

  TempDir certificates_;
  Mode mode_;
  Sink hook_, slack_hook_, slack_bot_, pager_, alerts_, phone_, proxy_;
  SmtpStub mail_;
  WholeAgent agent_;
  std::string tried_;
};

/// The canaries of one notifier or of the door.
struct Owned {
  std::string owner;
  Canary canary;
  bool is_of_environment = false;  // the agent itself was given it so
};

std::vector<Owned> all_canaries() {
  return {{"hook", hook_path},
          {"hook", hook_login},
          {"hook", hook_query},
          {"hook", hook_key},
          {"slackhook", slack_url},
          {"slackbot", slack_token, true},
          {"pager", pager},
          {"am", alert_login},
          {"phone", sms},
          {"mail", mail_user},
          {"mail", mail_password, true},
          {"program", program_file},
          {"program", program_env, true},
          {"proxied", proxy},
          {"door", twilio},
          {"door", wall},
          {"door", ops}};
}

/// What is shown somewhere, and where.
class Shown {
 public:
  void add(const std::string& where, const std::string& text) { all_.emplace_back(where, text); }
  void expect_no_canary() const {
    for (const std::string& one : canaries()) FAIL_CHECK(one);
  }
  /// Each that is shown, and what stands around it.
  std::vector<std::string> canaries() const {
    std::vector<std::string> out;
    for (const Owned& one : all_canaries()) {
      for (const std::string& mark : marks_of(one.canary)) {
        for (const auto& [where, text] : all_) {
          const std::size_t at = text.find(mark);
          if (at == std::string::npos) continue;
          out.push_back(one.canary.name + (" as " + mark) + " in " + where + ": " + text.substr(at < 150 ? 0 : at - 150, 300));
        }
      }
    }
    return out;
  }
  bool says(std::string_view part) const {
    return std::ranges::any_of(all_, [&](const auto& one) { return has(one.second, part); });
  }
  /// Where it is said.
  std::string where_says(std::string_view part) const {
    for (const auto& [where, text] : all_) {
      if (const std::size_t at = text.find(part); at != std::string::npos) return where + ": " + text.substr(at < 150 ? 0 : at - 150, 300);
    }
    return {};
  }

 private:
  std::vector<std::pair<std::string, std::string>> all_;
};

/// Command lines and environments of the agent and all that it started.
void look_at_processes(const WholeAgent& agent) {
  std::vector<pid_t> all = descendants(agent.pid());
  all.push_back(agent.pid());
  for (const pid_t pid : all) {
    const std::string base = "/proc/" + std::to_string(pid);
    const std::string command = read_file(base + "/cmdline"), environment = read_file(base + "/environ");
    const bool is_program = !has(command, "ronda");  // the program of `command` is given its own
    for (const Owned& one : all_canaries()) {
      INFO(command << " has " << one.canary.name);
      for (const std::string& mark : marks_of(one.canary)) {
        if (has(command, mark)) FAIL_CHECK("in a command line");
        const bool may_be = is_program || (one.is_of_environment && !has(command, "ronda-runner"));
        if (!may_be && has(environment, mark)) FAIL_CHECK("in an environment");
      }
    }
  }
}

void look_at_files(const std::string& directory, Shown& shown) {
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file()) shown.add(entry.path(), read_file(entry.path()));
  }
}

std::vector<std::vector<std::string>> asked_of_agent(const std::string& id) {
  std::vector<std::vector<std::string>> out = {{"status"},
                                               {"alert", "list"},
                                               {"incident", "list", "--all"},
                                               {"incident", "show", id},
                                               {"incident", "review", id, "--markdown"},
                                               {"notify", "list"},
                                               {"notify", "list", "--incident", id},
                                               {"notify", "retry"},
                                               {"plugin", "list"},
                                               {"oncall", "show"},
                                               {"slo"}};
  for (const std::string& name : notifier_names()) out.push_back({"explain", name});
  return out;
}

/// As text and as JSON.
template <class Run>
void ask_all(const std::string& who, const std::vector<std::vector<std::string>>& commands, Run run, Shown& shown) {
  for (const auto& words_of : commands) {
    for (const bool as_json : {false, true}) {
      std::vector<std::string> argv = words_of;
      if (as_json) argv.insert(argv.end(), {"--output", "json"});
      std::string where = who + ":";
      for (const std::string& word : argv) where += " " + word;
      const Finished done = run(argv);
      shown.add(where, done.out + done.err);
    }
  }
}

Finished as_viewer(const WholeAgent& agent, const std::vector<std::string>& arguments) {
  std::vector<std::string> argv = {"/usr/bin/setpriv", "--reuid", "65533",         "--regid",  "65533",
                                   "--clear-groups",   "--",      ronda_program(), "--socket", agent.socket()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  const std::string base = agent.open_directory() + "/viewer";
  fs::remove(base + ".out");
  fs::remove(base + ".err");
  Finished out;
  out.code = wait_program(start_program(argv, base + ".out", base + ".err"), 60s);
  out.out = read_file(base + ".out");
  out.err = read_file(base + ".err");
  return out;
}

void ask_door_all(const WholeAgent& agent, const Canary& token, const std::string& id, Shown& shown) {
  const int port = port_of_door(agent.log());
  std::vector<std::string> targets = {"/healthz",
                                      "/v1/status",
                                      "/v1/alerts",
                                      "/v1/incidents?all=1",
                                      "/v1/incidents/" + id,
                                      "/v1/incidents/" + id + "/document",
                                      "/v1/outbox",
                                      "/v1/outbox?incident=" + id,
                                      "/v1/dead-letters",
                                      "/v1/plugins",
                                      "/v1/config",
                                      "/v1/journal",
                                      "/v1/slos",
                                      "/v1/rules",
                                      "/v1/silences",
                                      "/v1/maintenance",
                                      "/v1/overrides",
                                      "/v1/nothing",
                                      "/v1/status?token=" + token.whole(),
                                      "/ack/" + token.whole()};
  for (const std::string& name : notifier_names()) targets.push_back("/v1/explain/" + name);
  for (const std::string& target : targets) {
    Answer answer;
    INFO(target);
    CHECK(eventually([&] { return (answer = ask_door(port, "GET", target, {"Authorization: Bearer " + token.whole()})).status != 0; }));
    shown.add(std::string("door as ") + token.name + ": " + target.substr(0, target.find('?')), answer.head + answer.body);
  }
}

}  // namespace

TEST_CASE("what notifiers and the door keep secret is found nowhere, whatever the other side says back", "[whole]") {
  const Mode mode = GENERATE(Mode::takes, Mode::refuses, Mode::fails, Mode::breaks_off);
  CAPTURE(static_cast<int>(mode));
  House house(mode);
  house.start();
  WholeAgent& agent = house.agent();
  const std::string id = house.tell_all([&] { look_at_processes(agent); });
  if (mode == Mode::refuses) CHECK(eventually([&] { return has(agent.ronda({"alert", "list"}).out, "ronda/sink/"); }));

  Shown by_operator, by_viewer, kept;
  const auto run = [&](const std::vector<std::string>& argv) { return agent.ronda(argv); };
  ask_all("operator", asked_of_agent(id), run, by_operator);
  const std::string environment = house.secrets() + "/environment";
  ask_all("operator",
          {{"config", "show", "--env-file", environment},
           {"config", "--env-file", environment},
           {"validate", "--env-file", environment},
           {"escalation", "simulate", "p1", "--env-file", environment},
           {"reload"},
           {"notify", "test", "ana", "--wait", "3s"}},
          run, by_operator);
  ask_door_all(agent, ops, id, by_operator);
  ask_door_all(agent, wall, id, by_viewer);
  if (::geteuid() == 0)
    ask_all(
        "viewer", asked_of_agent(id), [&](const std::vector<std::string>& argv) { return as_viewer(agent, argv); }, by_viewer);
  else
    skipped("other-users", "another user at the socket needs root; the door is asked as a viewer");

  by_operator.expect_no_canary();
  by_viewer.expect_no_canary();
  if (mode == Mode::refuses) CHECK(by_operator.says(words));  // so what is not found could be
  INFO(by_viewer.where_says(words));
  CHECK_FALSE(by_viewer.says(words));

  kept.add("the log", agent.log());
  look_at_files(agent.state_directory(), kept);  // with the WAL as it is written
  CHECK(kept.says("the till is slow"));
  const auto received = house.received();
  for (const Owned& one : all_canaries()) {
    for (const auto& [notifier, text] : received) {
      if (notifier == one.owner) continue;
      INFO(notifier << " was sent " << one.canary.name);
      CHECK_FALSE(has(text, one.canary.head));
    }
  }
  for (const std::string& name : notifier_names()) {
    if (name == "program" && mode != Mode::takes) continue;
    INFO(name);
    CHECK_FALSE(received.at(name).empty());
  }
  look_at_processes(agent);
  CHECK(agent.stop() == 0);
  look_at_files(agent.state_directory(), kept);
  kept.add("the log", agent.log());
  kept.expect_no_canary();
}

TEST_CASE("a hole in what hides secrets is found", "[whole]") {
  House house(Mode::refuses);
  house.agent().use_runner(RONDA_HOLED_RUNNER);  // it knows no secret but as it is written: base64 and the like are let through
  house.start();
  const std::string id = house.tell_all([] {});
  Shown shown;
  ask_all(
      "operator", asked_of_agent(id), [&](const std::vector<std::string>& argv) { return house.agent().ronda(argv); }, shown);
  CHECK(house.agent().stop() == 0);
  look_at_files(house.agent().state_directory(), shown);
  const std::vector<std::string> found = shown.canaries();
  for (const std::string& place : {std::string("operator: "), house.agent().state_directory()}) {
    INFO(place);
    const auto is_there = [&](const std::string& one) { return has(one.substr(0, one.find(": ") + 2), " in " + place); };
    CHECK(std::ranges::any_of(found, is_there));
  }
}
