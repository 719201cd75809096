// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <filesystem>
#include <map>
#include <sstream>

#include "plot_steps.hpp"
#include "plots.hpp"

namespace ronda::test {
namespace {

const std::string remark = "a new fuse";

// ---- a task each second: each second stands in the store once, as done or as missed, and none was run twice

constexpr std::string_view slots_cast = R"([task.tick]
use = "exec.command"
at = "*-*-* *:*:*"
severity = "p4"
command = ["/bin/sh", "-c", "echo run >> OPEN/runs"]
)";

std::int64_t runs_of_task(const WholeAgent& agent) {
  return std::ranges::count(read_file(agent.open_directory() + "/runs"), '\n');
}

Step runs(int more) {
  const std::string name = std::to_string(more) + " runs";
  return await(name, [=](Story& s) {
    if (s.recall("runs").empty()) s.note("runs", std::to_string(runs_of_task(s.agent())));
    return runs_of_task(s.agent()) >= std::stoi(s.recall("runs")) + more;
  });
}

std::string wrong_of_slots(const KillBench& bench) {
  std::map<std::int64_t, int> said;  // of each second, how often
  const auto count = [&](const std::string& query) {
    for (const std::string& row : bench.rows(query)) {
      std::istringstream in(row);
      std::int64_t first = 0, last = 0;
      in >> first >> last;
      for (std::int64_t second = first; second <= last; ++second) ++said[second];
    }
  };
  count("SELECT (scheduled / 1000000000) || ' ' || (scheduled / 1000000000) FROM slot WHERE name = 'tick'");
  count("SELECT (first / 1000000000) || ' ' || (last / 1000000000) FROM missed WHERE name = 'tick'");
  std::string wrong;
  for (const auto& [second, times] : said) wrong += wrong_if(times != 1, "a slot is said " + std::to_string(times) + " times");
  const auto span = said.empty() ? 0 : said.rbegin()->first - said.begin()->first + 1;
  wrong += wrong_if(span == 0 || std::cmp_not_equal(said.size(), span), "a slot is forgotten");
  if (!wrong.empty()) {
    for (const std::string& row : bench.rows("SELECT (scheduled / 1000000000) || ' ' || state || ' ' || outcome FROM slot UNION "
                                             "SELECT (first / 1000000000) || ' to ' || (last / 1000000000) || ' ' || reason FROM missed"))
      wrong += row + "\n";
  }
  const auto number = [&](const std::string& where) { return std::stoll(bench.rows("SELECT count(*) FROM slot WHERE " + where).front()); };
  const std::int64_t ran = runs_of_task(bench.agent());
  wrong += wrong_if(ran > number("name = 'tick'"), "a slot was run twice");
  wrong += wrong_if(ran < number("name = 'tick' AND outcome = 'ok'"), "a run is said that never was");
  return wrong + wrong_if(number("state = 0") != 0, "a run has no outcome");
}

Plot slots() {
  Plot plot{"slots", {std::string(slots_cast), {}, {}}, {runs(1)}, {runs(3)}, {}, wrong_of_slots};
  plot.plants = {{"it forgets a slot",
                  "DELETE FROM slot WHERE scheduled = (SELECT scheduled FROM slot ORDER BY scheduled LIMIT 1 OFFSET 1)", "a slot is "}};
  return plot;
}

// ---- maintenance hides what breaks, and at its end that is told

constexpr std::string_view ana_cast = R"([contact.ana]
channels = [{ notifier = "a" }]
[escalation.default.p1]
steps = [{ from = "0m", notify = ["ana"] }]
)";

/// What is planned for that reason; null: nothing.
json::value window_of(Story& s) {
  const json::value all = s.agent().get("/v1/maintenance?all=1");
  if (!all.is_array()) return nullptr;
  for (const json::value& one : all.as_array()) {
    const json::value* reason = one.as_object().if_contains("reason");
    if (reason != nullptr && reason->is_string() && reason->as_string() == json::string_view(remark)) return one;
  }
  return nullptr;
}

Plot maintenance() {
  const Step start = act("start", [](Story& s) {
    if (!window_of(s).is_object() && !s.does({"maintenance", "start", "2h", "--reason", remark})) return false;
    const json::value window = window_of(s);
    return window.is_object() && s.note("window", std::string(window.at("id").as_string()));
  });
  const Step hidden = await("hidden", [](Story& s) {
    const json::value shown = s.incident();
    return shown.is_object() && shown.at("suppressed_by").is_string() &&
           std::string(shown.at("suppressed_by").as_string()) == "window:" + s.recall("window");
  });
  const Step unheard = act("unheard", [](Story& s) { return s.heard("a", "A1", "open:p1") == 0; });
  const Step end = act("end", [](Story& s) {
    const bool was_ended = s.times_in_timeline("unsuppressed") > 0;
    if (!was_ended && !s.does({"maintenance", "end", s.recall("window")})) return false;
    s.bench().note_accepted("A1", "open:p1");
    return true;
  });
  const auto wrong = [](Story& s) {
    return wrong_if(!s.is_at("resolved"), "the incident is not over") + wrong_if(!window_of(s).is_object(), "the window is gone") +
           wrong_if(s.times_in_timeline("suppressed") != 1 || s.times_in_timeline("unsuppressed") != 1, "it was not hidden once");
  };
  Plot plot{"maintenance",
            {std::string(ana_cast) + hook("a"), {"a"}, {"open:p1", "resolve:p1"}},
            {},
            {start, tell("A1", "open:p1"), found("A1"), hidden, unheard, end, heard("a", "A1", "open:p1"), post("A1", "resolve:p1"),
             heard("a", "A1", "resolve:p1")},
            wrong};
  plot.plants = {{"it forgets a window", "DELETE FROM silence", "the window is gone"}};
  return plot;
}

// ---- by night: another one is on call, takes it, falls asleep, and is called again

constexpr std::string_view night_cast = R"([contact.ana]
channels = [{ notifier = "a" }]
[contact.bo]
channels = [{ notifier = "b" }]
[oncall.ops]
members = ["ana"]
[escalation.default.p1]
steps = [{ from = "0m", notify = ["ops"] }]
)";

Plot night() {
  const Step stands_in = act("override", [](Story& s) {
    return s.does({"oncall", "override", "ops", "bo", "--for", "8h", "--reason", remark});
  });
  const Step again = act("ack again", [](Story& s) { return s.does({"incident", "ack", s.recall("incident")}); });
  const auto wrong = [](Story& s) {
    const json::value all = s.agent().get("/v1/overrides");
    return wrong_if(!s.is_at("resolved"), "the incident is not over") +
           wrong_if(s.times_in_timeline("ack_expired") != 1,
                    "the ack expired " + std::to_string(s.times_in_timeline("ack_expired")) + " times") +
           wrong_if(!all.is_array() || all.as_array().size() != 1, "who stands in is forgotten") +
           wrong_if(s.heard("a", "A1", "open:p1") + s.heard("a", "A1", "escalation:p1") != 0, "who is not on call was called");
  };
  Plot plot{"night",
            {std::string(night_cast) + hook("a") + hook("b"), {"b"}, {}},
            {stands_in, post("A1", "open:p1"), heard("b", "A1", "open:p1"), found("A1"), by_hand("ack", {"--for", "1m"})},
            {await("expired", [](Story& s) { return s.times_in_timeline("ack_expired") > 0; }), heard("b", "A1", "open:p1", 2), again,
             post("A1", "resolve:p1"), heard("b", "A1", "resolve:p1")},
            wrong};
  plot.rest = std::chrono::seconds(61);  // no ack is shorter than a minute
  plot.plants = {{"it forgets who stands in", "DELETE FROM silence", "who stands in is forgotten"}};
  return plot;
}

// ---- a message that nobody took is sent once more by a person

constexpr std::string_view letter_cast = R"([contact.ana]
channels = [{ notifier = "late" }]
[contact.bo]
channels = [{ notifier = "b" }]
[escalation.default.p1]
steps = [{ from = "0m", notify = ["ana"] }]
[escalation.default.p2]
steps = [{ from = "0m", notify = ["bo"] }]
)";

bool has_dead_letter(const WholeAgent& agent) {
  const json::value all = agent.get("/v1/dead-letters");
  return all.is_array() && !all.as_array().empty();
}

Plot letter() {
  const Step dead = await("dead", [](Story& s) { return has_dead_letter(s.agent()); });
  const Step retry = act("retry", [](Story& s) {
    s.bench().mend_late();
    return s.does({"notify", "retry", "--all"});
  });
  const auto wrong = [](Story& s) { return wrong_if(!s.is_at("resolved"), "the incident is not over"); };
  Plot plot{"letter",
            {std::string(letter_cast) + hook("late") + hook("b"), {"late"}, {"open:p1", "resolve:p1"}},
            {},
            {post("A1", "open:p1"), found("A1"), dead, retry, heard("late", "A1", "open:p1"), post("A1", "resolve:p1"),
             heard("late", "A1", "resolve:p1")},
            wrong};
  plot.plants = {{"it forgets that it has sent it", "UPDATE outbox SET state = 0, attempts = 0 WHERE notifier = 'late'", "too often: "}};
  return plot;
}

// ---- a store of the first agent is brought to the form of today

constexpr std::string_view first_tables = "'meta','instance','run','slot','missed','kv_space','kv','inbox','journal','quarantine'";

void make_older(const KillBench& bench) {
  std::string sql;
  for (const std::string& table :
       bench.rows("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT IN (" +
                  std::string(first_tables) + ")"))
    sql += "DROP TABLE " + table + "; ";
  bench.plant(sql + "PRAGMA user_version = 1; UPDATE meta SET value = 1 WHERE name = 'schema'");
}

Plot older() {
  const std::vector<Plot> others = plots_of_alerts();
  Plot plot = *std::ranges::find(others, "job", &Plot::name);
  plot.name = "older-store";
  plot.alter = make_older;
  return plot;
}

// ---- copies of the store while it works: there is none, or a whole one

std::string copy_path(const WholeAgent& agent, int number) {
  return agent.scratch() / ("copy-" + std::to_string(number) + ".db");
}

Step backup(int number) {
  return act("backup " + std::to_string(number), [=](Story& s) {
    const std::string path = copy_path(s.agent(), number);
    return std::filesystem::exists(path) || s.does({"state", "backup", path});
  });
}

Plot copies() {
  const auto wrong = [](const KillBench& bench) {
    std::string out;
    for (const int number : {1, 2}) {
      const std::string path = copy_path(bench.agent(), number);
      out += wrong_if(column_of(path, "PRAGMA integrity_check") != std::vector<std::string>{"ok"}, "a copy is not whole");
      out += wrong_if(column_of(path, "SELECT count(*) FROM incident") != std::vector<std::string>{"1"},
                      "a copy lacks what had been accepted");
    }
    return out;
  };
  Plot plot{"copies", {std::string(ana_cast) + hook("a"), {"a"}, {"open:p1", "resolve:p1"}},
            {},       {post("A1", "open:p1"), backup(1), told("it"), backup(2), post("A1", "resolve:p1"), told("its end")},
            {},       wrong};
  plot.plants = {{"it forgets what it has sent", "UPDATE outbox SET state = 0, attempts = 0", "too often: "}};
  plot.is_everywhere = true;
  return plot;
}

}  // namespace

std::vector<Plot> plots_of_time() {
  return {slots(), maintenance(), night(), letter(), older(), copies()};
}

}  // namespace ronda::test
