// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <set>

#include "checks.hpp"
#include "redact.hpp"
#include "remedy.hpp"

namespace postgresql {
namespace {

enum Field { userid, dbid, queryid, calls, microseconds, row_count, epoch, entries, hidden };

/// "1.10" -> 110
int version_number(std::string_view text) {
  int major = 0, minor = 0;
  const char* end = text.data() + text.size();
  const auto [dot, problem] = std::from_chars(text.data(), end, major);
  if (problem == std::errc() && dot != end) std::from_chars(dot + 1, end, minor);
  return major * 100 + minor;
}

struct Activity {
  std::string id;  // the query id
  std::int64_t calls, microseconds, rows;
  double mean() const { return static_cast<double>(microseconds) / 1e6 / static_cast<double>(calls); }
};

/// One query id may have run for several roles and in several databases. `own` are "role:query id".
std::vector<Activity> ran(const Difference& diff, const std::set<std::string>& own) {
  std::map<std::string, Activity> by_id;
  for (const auto& [key, counters] : diff.rows) {
    if (counters.size() != 3 || counters[0] == 0) continue;
    const std::string id = key.substr(key.rfind(':') + 1);
    if (own.count(key.substr(0, key.find(':') + 1) + id) != 0) continue;
    Activity& one = by_id.emplace(id, Activity{id, 0, 0, 0}).first->second;
    one.calls += counters[0];
    one.microseconds += counters[1];
    one.rows += counters[2];
  }
  std::vector<Activity> all;
  for (auto& [id, one] : by_id) all.push_back(std::move(one));
  std::sort(all.begin(), all.end(), [](const Activity& a, const Activity& b) { return a.mean() > b.mean(); });
  return all;
}

/// How many statements of ours may stand among the slowest without taking a place in the list from another.
constexpr std::size_t own_at_most = 50;

}  // namespace

struct SlowStatements::Extension {
  std::string schema;
  int version;
};

struct SlowStatements::Texts {
  std::map<std::string, std::string, std::less<>> by_id;
  std::set<std::string> own;  // "role:query id"
};

Answer<SlowStatements::Extension> SlowStatements::find_extension(Client& client) {
  const auto rows = ask(client, Statement::statements_extension);
  if (!rows) return rows.failure();
  if (rows->count() == 0)
    return Failure{Cause::statement,
                   "the extension pg_stat_statements is not installed in this database: put it into "
                   "shared_preload_libraries, restart the server, then CREATE EXTENSION pg_stat_statements here",
                   ""};
  return Extension{std::string(rows->text(0, 0)), version_number(rows->text(0, 1))};
}

Answer<Sample> SlowStatements::read_counters(Client& client, const Extension& extension) {
  const std::string text = sql_for(Statement::statements_counters, extension.version);
  if (text.empty())
    return Failure{Cause::statement, "pg_stat_statements is too old: ALTER EXTENSION pg_stat_statements UPDATE", ""};
  const std::string sql = substitute(substitute(substitute(text, "schema", extension.schema), "all", all_databases_ ? "true" : "false"),
                               "limit", std::to_string(limit_));
  const auto rows = client.query(sql);
  if (!rows && rows.failure().sqlstate == "42501")
    return Failure{Cause::statement, rows.failure().text + " (GRANT USAGE ON SCHEMA " + extension.schema + " TO " + role() +
                                         ", and pg_monitor)", ""};
  if (!rows) return rows.failure();
  if (const auto unseen = rows->count() > 0 ? rows->integer(0, hidden) : 0; unseen > 0)
    return Failure{Cause::statement, ronda::text(unseen, " statements of others are hidden from this role"), "42501"};
  Sample now{clock().wall().time_since_epoch().count(), "", true, {}};
  if (rows->count() > 0) {
    now.epoch = rows->text(0, epoch);
    now.complete = rows->integer(0, entries) <= limit_;
  }
  for (int row = 0; row < rows->count(); ++row)
    now.rows.emplace(ronda::text(rows->text(row, userid), ":", rows->text(row, dbid), ":", rows->text(row, queryid)),
                     Counters{rows->integer(row, calls), rows->integer(row, microseconds), rows->integer(row, row_count)});
  return now;
}

/// The texts of those that may be listed, and which are our own. The server reads all texts for it, so it is asked once.
Answer<SlowStatements::Texts> SlowStatements::read_texts(Client& client, const Extension& extension, const Difference& diff) {
  Texts texts;
  const std::vector<Activity> all = ran(diff, {});
  if (all.empty()) return texts;
  std::string ids;
  for (std::size_t i = 0; i < std::min(all.size(), static_cast<std::size_t>(top_) + own_at_most); ++i)
    ids += (i == 0 ? "" : ", ") + all[i].id;
  const auto sql = substitute(substitute(sql_for(Statement::statements_texts, extension.version), "schema", extension.schema), "ids", ids);
  const auto rows = client.query(sql);
  if (!rows) return rows.failure();
  for (int row = 0; row < rows->count(); ++row) {
    if (rows->integer(row, 3) != 0) {
      texts.own.insert(ronda::text(rows->text(row, 0), ":", rows->text(row, 1)));
    } else {
      texts.by_id.emplace(rows->text(row, 1), without_literals(rows->text(row, 2), 300));
    }
  }
  return texts;
}

ronda::result SlowStatements::report(ronda::call& call, const Texts& texts, const Difference& diff) {
  const std::vector<Activity> all = ran(diff, texts.own);
  std::int64_t calls_sum = 0, time_sum = 0;
  for (const Activity& one : all) calls_sum += one.calls, time_sum += one.microseconds;
  const auto slow = std::count_if(all.begin(), all.end(), [this](const Activity& s) { return s.mean() > slow_.count(); });
  call.metric("slow", static_cast<std::int64_t>(slow));
  call.metric("calls", calls_sum);
  call.metric("exec_time", Seconds(static_cast<double>(time_sum) / 1e6));
  call.metric("slowest_mean", Seconds(all.empty() ? 0 : all.front().mean()));
  const auto shown = std::min(all.size(), static_cast<std::size_t>(top_));
  std::string detail;
  for (std::size_t i = 0; i < shown; ++i) {
    const ronda::label id("queryid", all[i].id);
    const auto text = texts.by_id.find(all[i].id);
    const Seconds total(static_cast<double>(all[i].microseconds) / 1e6), mean(all[i].mean());
    call.metric("mean", mean, {}, {}, {id});
    call.metric("statement_calls", all[i].calls, ronda::none, {}, {}, {id});
    call.metric("statement_time", total, {}, {}, {id});
    call.metric("statement_rows", all[i].rows, ronda::none, {}, {}, {id});
    detail += ronda::text(mean, " mean, ", all[i].calls, " calls, ", total, " in all, ", all[i].rows, " rows: ",
                          text == texts.by_id.end() ? "" : text->second, " [", all[i].id, "]\n");
  }
  return ronda::ok(slow, " of ", all.size(), " statements took more than ", slow_, " on average in ", span_text(diff.seconds))
      .with_detail(detail);
}

ronda::result SlowStatements::measure(Client& client, ronda::call& call) {
  const auto extension = find_extension(client);
  if (!extension) return failed(extension.failure());
  const auto now = read_counters(client, *extension);
  if (!now) return failed(now.failure());
  const Difference diff = difference(load_sample(kv()), *now);
  if (auto refused = save_sample(kv(), *now)) return *std::move(refused);
  if (const auto nothing = no_difference(diff)) return ronda::ok(*nothing);
  const auto texts = read_texts(client, *extension, diff);
  if (!texts) return failed(texts.failure());
  return report(call, *texts, diff);
}

}  // namespace postgresql
