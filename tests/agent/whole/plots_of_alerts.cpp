// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "door_client.hpp"
#include "plot_steps.hpp"
#include "plots.hpp"

namespace ronda::test {
namespace {

const std::string remark = "the fuse is being changed";

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// ---- one alert: it fires, is told, gets worse, is taken by a person, ends and is told again

std::vector<Step> life_of_alert(const std::vector<Step>& meanwhile = {}) {
  std::vector<Step> out{post("A1", "open:p2"), post("A1", "open:p1"), told("that it is p1"), found("A1"), by_hand("ack")};
  out.insert(out.end(), meanwhile.begin(), meanwhile.end());
  out.insert(out.end(), {post("A1", "resolve:p1"), told("its end")});
  return out;
}

std::string wrong_of_life(Story& s) {
  return wrong_if(!s.is_at("resolved"), "the incident is not over") + wrong_if(s.times_in_timeline("acked") == 0, "nobody has taken it");
}

const std::vector<Plant> plants_of_life = {
    {"it forgets an event", "DELETE FROM incident_event WHERE kind = 'acked'", "nobody has taken it"},
    {"it forgets what it owes", "UPDATE outbox SET state = 0, attempts = 0", "too often: "},
};

Plot alert() {
  Plot plot{"alert", KillBench::cast_of({"a"}, KillBench::Way::straight), {}, life_of_alert(), wrong_of_life};
  plot.plants = plants_of_life;
  return plot;
}

Plot fallback() {
  Plot plot{"fallback", KillBench::cast_of({"a"}, KillBench::Way::by_fallback), {}, life_of_alert(), wrong_of_life};
  plot.plants = plants_of_life;
  return plot;
}

Plot people() {
  const Step silence = act("silence", [](Story& s) {
    return s.does({"silence", "add", "check=quick", "--for", "1h", "--reason", remark});
  });
  const Step reload = act("reload", [](Story& s) {
    s.agent().configure("20.toml", "[check.later]\nuse = \"exec.nagios\"\nevery = \"1h\"\ncommand = [\"/bin/true\"]\n");
    return s.does({"reload"});
  });
  const auto wrong = [](Story& s) {
    return wrong_of_life(s) + wrong_if(!has(s.agent().ronda({"silence", "list"}).out, remark), "the silence is gone") +
           wrong_if(s.times_in_timeline("note") == 0, "the note is gone") +
           wrong_if(!s.agent().check("later").is_object(), "the configuration that was taken is gone");
  };
  Plot plot{"people",
            KillBench::cast_of({"a"}, KillBench::Way::straight),
            {},
            life_of_alert({silence, by_hand("note", {remark}), reload}),
            wrong};
  plot.plants = {{"it forgets a silence", "DELETE FROM silence", "the silence is gone"}};
  return plot;
}

// ---- a job reports: that it failed, and then that it did not

constexpr std::string_view job_cast = R"([check.job]
use = "heartbeat.job"
every = "1h"
expect = "1d"
severity = "p1"
[contact.ana]
channels = [{ notifier = "a" }]
[escalation.default.p1]
steps = [{ from = "0m", notify = ["ana"] }]
)";

int runs_of_job(Story& s) {
  const json::value job = s.agent().check("job");
  const json::value* runs = job.is_object() ? job.at("metrics").as_object().if_contains("runs") : nullptr;
  return runs == nullptr ? -1 : runs->at("value").to_number<int>();
}

Plot job() {
  const auto report = [](const std::string& how) { return act(how, [=](Story& s) { return s.does({"ping", "job", how}); }); };
  const Step wrapped = act("wrapped", [](Story& s) {  // it exits as the command does; that it could not report it says
    const Finished done = s.agent().ronda({"wrap", "job", "--", "/bin/true"});
    return done.code == 0 && done.err.empty();
  });
  const auto is = [](const std::string& status) {
    return await(status, [=](Story& s) { return s.agent().check_status("job") == status; });
  };
  // fail and the wrapped one, each once more where its answer was lost
  const auto wrong = [](Story& s) {
    s.does({"check", "job"});  // what a check measured is not known before its first run
    const bool counted = eventually([&] { return runs_of_job(s) >= 3; }, std::chrono::seconds(5));
    const int runs = runs_of_job(s);
    return wrong_if(!counted || runs > 4, "3 reports were taken, " + std::to_string(runs) + " are counted") +
           wrong_if(!s.is_at("resolved"), "the incident is not over");
  };
  Plot plot{"job",
            {std::string(job_cast) + hook("a"), {"a"}, {"open:p1", "resolve:p1"}},
            {report("success"), is("ok")},
            {report("fail"), heard("a", "job", "open:p1"), found("job"), wrapped, heard("a", "job", "resolve:p1")},
            wrong};
  plot.plants = {{"it forgets what a check keeps", "DELETE FROM kv", "reports were taken"}};
  return plot;
}

// ---- a person opens an incident and sees it through to its document

constexpr std::string_view ana_cast = R"([contact.ana]
channels = [{ notifier = "a", shared = false }]
[escalation.default.p1]
steps = [{ from = "0m", notify = ["ana"] }]
[escalation.default.p2]
steps = [{ from = "0m", notify = ["ana"] }]
)";

/// Done, or found to be done already: the answer may have been lost.
Step unless(const Step& step, std::function<bool(Story&)> is_done) {
  return act(step.name, [=](Story& s) { return is_done(s) || step.how(s); });
}

Plot by_hand_alone() {
  const Step open = act("open", [](Story& s) {
    const json::value all = s.agent().get("/v1/incidents");
    if (!all.is_array()) return false;
    if (all.as_array().empty() && !s.does({"incident", "open", "--level", "p2", "the till is slow"})) return false;
    const json::value now = s.agent().get("/v1/incidents");
    return now.is_array() && now.as_array().size() == 1 && s.note("incident", std::string(now.at(0).at("id").as_string()));
  });
  const auto is_at_level = [](const std::string& level) {
    return [=](Story& s) {
      const json::value shown = s.incident();
      return shown.is_object() && shown.at("level").as_string() == json::string_view(level);
    };
  };
  const Step raise = unless(by_hand("raise", {"--level", "p1", "nobody can pay"}), is_at_level("p1"));
  const Step lower = unless(by_hand("lower", {"--level", "p2", "cash works"}), is_at_level("p2"));
  const Step resolve = unless(by_hand("resolve", {"a new cable"}), [](Story& s) { return s.is_at("resolved") || s.is_at("closed"); });
  const Step review = by_hand("review", {"--set", "summary=a worn cable", "--set", "impact=queues", "--set", "root_cause=" + remark,
                                         "--set", "action_items=spares", "--set", "customer=none", "--set", "next_steps=none"});
  const Step close = unless(by_hand("close"), [](Story& s) { return s.is_at("closed"); });
  const auto wrong = [](Story& s) {
    std::string out = wrong_if(!s.is_at("closed"), "the incident is not closed");
    for (const char* kind : {"opened", "acked", "raised", "lowered", "resolved", "reviewed", "closed"})
      out += wrong_if(s.times_in_timeline(kind) == 0, std::string("nothing is known of it: ") + kind);
    for (const char* kind : {"opened", "raised", "lowered", "resolved", "closed"})
      out += wrong_if(s.times_in_timeline(kind) > 1, std::string("it was done twice: ") + kind);
    out += wrong_if(!has(s.agent().ronda({"incident", "review", s.recall("incident"), "--markdown"}).out, remark), "the document is gone");
    const json::value all = s.agent().get("/v1/incidents?all=1");
    return out + wrong_if(!all.is_array() || all.as_array().size() != 1, "there is not one incident");
  };
  Plot plot{"by-hand",
            {std::string(ana_cast) + hook("a"), {}, {}},
            {},
            {open, heard("a", "-", "open:p2"), raise, heard("a", "-", "open:p1"), by_hand("ack"), lower, resolve,
             heard("a", "-", "resolve:p2"), review, close},
            wrong};
  plot.plants = {{"it forgets a document", "DELETE FROM incident_event WHERE kind = 'reviewed'", "the document is gone"}};
  return plot;
}

// ---- Alertmanager at the door, and the link that is good once

// sha256 of "prom-canary-11"
constexpr std::string_view door_cast = R"([api]
listen = "127.0.0.1:0"
public_url = "https://ronda.example/"
[token.prometheus]
role = "reporter"
inbox = ["@alertmanager"]
sha256 = "896e2dcf68fb5ba784984d2d12d25990e50faec936f01765371ebfb07fdb680b"
)";

Answer at_door(Story& s, const std::string& method, const std::string& target, const std::vector<std::string>& headers,
               const std::string& body = {}) {
  const int port = port_of_door(s.agent().log());  // of the life before, for a moment
  return port == 0 ? Answer() : ask_door(port, method, target, headers, body);
}

bool post_webhook(Story& s, const std::string& status) {
  const std::string body = R"({"version": "4", "status": ")" + status +
                           R"(", "receiver": "ronda", "groupLabels": {}, "alerts": [{"status": ")" + status +
                           R"(", "labels": {"alertname": "Slow", "severity": "critical"}, "annotations": {}, "fingerprint": "9af3c2d1"}]})";
  return at_door(s, "POST", "/v1/alertmanager", {"Authorization: Bearer prom-canary-11", "Content-Type: application/json"}, body).status ==
         200;
}

std::string link_of(const Story& s, const std::string& text) {
  const std::string start = "https://ronda.example/ack/" + s.recall("incident");
  const std::size_t at = text.find(start);
  return at == std::string::npos ? "" : text.substr(at + 21, text.find_first_of(" \\\r\n\"<", at) - at - 21);
}

/// As who presses the button of the page; that it was good already says who had pressed it before.
bool use_link(Story& s) {
  const std::string link = link_of(s, s.bench().received_text());
  if (link.empty()) return false;
  const Answer form = at_door(s, "GET", link, {});
  if (form.status == 410) return s.is_at("acknowledged");
  const std::size_t at = form.body.find("value=\"");
  if (form.status != 200 || at == std::string::npos) return false;
  const std::string seen = form.body.substr(at + 7, form.body.find('"', at + 7) - at - 7);
  return at_door(s, "POST", link, {"Content-Type: application/x-www-form-urlencoded"}, "based_on=" + seen).status == 200;
}

Plot door() {
  const auto webhook = [](const std::string& status) { return await(status, [=](Story& s) { return post_webhook(s, status); }); };
  const auto wrong = [](Story& s) {
    const std::string link = link_of(s, s.bench().received_text());
    return wrong_if(!s.is_at("resolved"), "the incident is not over") +
           wrong_if(s.times_in_timeline("acked") != 1, "it was taken " + std::to_string(s.times_in_timeline("acked")) + " times") +
           wrong_if(!eventually([&] { return at_door(s, "GET", link, {}).status == 410; }, std::chrono::seconds(5)),
                    "the link is good still");
  };
  Plot plot{"door",
            {std::string(door_cast) + std::string(ana_cast) + hook("a"), {"a"}, {"open:p1", "resolve:p1"}},
            {},
            {webhook("firing"), heard("a", "Slow", "open:p1"), found("Slow"), await("link", use_link), webhook("resolved"),
             heard("a", "Slow", "resolve:p1")},
            wrong};
  plot.plants = {{"it forgets who used the link", "DELETE FROM incident_event WHERE kind = 'acked'", "it was taken 0 times"}};
  return plot;
}

// ---- it comes and goes: the second end is no end, and nobody hears of it

Plot flapping() {
  const auto wrong = [](Story& s) {
    return wrong_if(s.heard("a", "A1", "open:p1") != 2, "called " + std::to_string(s.heard("a", "A1", "open:p1")) + " times") +
           wrong_if(s.heard("a", "A1", "resolve:p1") != 1,
                    "said to be over " + std::to_string(s.heard("a", "A1", "resolve:p1")) + " times") +
           wrong_if(s.times_in_timeline("flapping") != 1, "it does not flap");
  };
  const auto again = [](Step step) {
    step.name += " again";
    return step;
  };
  Plot plot{"flapping",
            {std::string(ana_cast) + hook("a"), {"a"}, {}},
            {},
            {post("A1", "open:p1"), heard("a", "A1", "open:p1"), found("A1"), post("A1", "resolve:p1"), heard("a", "A1", "resolve:p1"),
             again(post("A1", "open:p1")), heard("a", "A1", "open:p1", 2), again(tell("A1", "resolve:p1")),
             await("flapping", [](Story& s) { return s.times_in_timeline("flapping") == 1; })},
            wrong};
  plot.plants = {{"it forgets that it flaps", "DELETE FROM incident_event WHERE kind = 'flapping'", "it does not flap"}};
  return plot;
}

}  // namespace

std::vector<Plot> plots_of_alerts() {
  return {alert(), people(), fallback(), job(), by_hand_alone(), door(), flapping()};
}

std::vector<Plot> all_plots() {
  std::vector<Plot> out = plots_of_alerts();
  for (Plot& plot : plots_of_time()) out.push_back(std::move(plot));
  return out;
}

Plot plot_named(const std::string& name) {
  for (Plot& plot : all_plots()) {
    if (plot.name == name) return std::move(plot);
  }
  std::cerr << "there is no plot " << name << std::endl;
  std::abort();
}

}  // namespace ronda::test
