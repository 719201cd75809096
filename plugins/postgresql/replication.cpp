// SPDX-License-Identifier: Apache-2.0
#include "checks.hpp"
#include "remedy.hpp"

namespace postgresql {
namespace {

bool is_true(std::string_view text) { return text == "t"; }

}  // namespace

void Replication::judge_standbys(const Rows& rows, ronda::call& call, Findings& findings) const {
  int streaming = 0;
  for (int row = 0; row < rows.count(); ++row) {
    const std::string_view name = rows.text(row, 0), state = rows.text(row, 2);
    // A base backup is a walsender too; it lags by design.
    if (state == "backup") continue;
    if (state == "streaming") ++streaming;
    const double bytes = rows.number(row, 4), seconds = rows.number(row, 5);
    const std::vector<ronda::label> who = {{"standby", name}, {"address", rows.text(row, 1)}};
    call.metric("lag_bytes", bytes, ronda::bytes, warn_bytes_, crit_bytes_, who);
    call.metric("lag", Seconds(seconds), warn_time_.count(), crit_time_.count(), who);
    const auto status = ronda::worst(ronda::grade_status(bytes, warn_bytes_, crit_bytes_),
                                     ronda::grade_status(seconds, warn_time_.count(), crit_time_.count()));
    findings.push_back({status, ronda::text("standby ", name, " (", state, ", ", rows.text(row, 3), ") is ",
                                            ronda::human_bytes(bytes), " and ", span_text(seconds), " behind")});
  }
  call.metric("standbys", streaming);
  if (streaming < expect_standbys_)
    findings.push_back(ronda::critical(streaming, " of ", expect_standbys_, " expected standbys are streaming"));
}

void Replication::judge_slots(const Rows& rows, ronda::call& call, Findings& findings) const {
  for (int row = 0; row < rows.count(); ++row) {
    const std::string_view name = rows.text(row, 0), wal = rows.text(row, 3), invalid = rows.text(row, 5);
    const double retained = rows.number(row, 4);
    const bool active = is_true(rows.text(row, 2));
    call.metric("slot_retained", retained, ronda::bytes, slot_warn_, slot_crit_,
                {{"slot", name}, {"active", active ? "true" : "false"}});
    auto status = ronda::grade_status(retained, slot_warn_, slot_crit_);
    if (wal == "unreserved") status = ronda::worst(status, ronda::status::warning);
    if (wal == "lost" || !invalid.empty()) status = ronda::status::critical;
    findings.push_back({status, ronda::text("slot ", name, " (", active ? "active" : "not in use", ", WAL ", wal,
                                            invalid.empty() ? "" : ", invalidated: ", invalid, ") retains ",
                                            ronda::human_bytes(retained))});
  }
}

void Replication::judge_receiver(const Rows& rows, ronda::call& call, Findings& findings) const {
  const bool standby = is_true(rows.text(0, 0));
  call.metric("is_standby", standby ? 1 : 0);
  if (!standby) return;
  const std::string_view state = rows.text(0, 1);
  const double bytes = rows.number(0, 3), seconds = rows.number(0, 4), silent = rows.number(0, 5);
  call.metric("replay_lag_bytes", bytes, ronda::bytes, warn_bytes_, crit_bytes_);
  call.metric("replay_lag", Seconds(seconds), warn_time_.count(), crit_time_.count());
  auto status = ronda::worst(ronda::grade_status(bytes, warn_bytes_, crit_bytes_),
                             ronda::grade_status(seconds, warn_time_.count(), crit_time_.count()));
  const bool streaming_configured = is_true(rows.text(0, 6));
  if (streaming_configured && state != "streaming") {
    findings.push_back(ronda::critical("this standby is not streaming from its primary",
                                       state.empty() ? std::string() : ronda::text(" (", state, ")")));
    return;
  }
  call.metric("receiver_silent", Seconds(silent));
  findings.push_back({status, ronda::text("this standby of ", rows.text(0, 2), " has ", ronda::human_bytes(bytes),
                                          " to replay and is ", span_text(seconds), " behind")});
}

void Replication::judge_archiver(const Rows& rows, ronda::call& call, Findings& findings) const {
  if (rows.count() == 0 || rows.text(0, 0) == "off") return;
  call.metric("archived", rows.integer(0, 1), ronda::counter);
  call.metric("archive_failures", rows.integer(0, 2), ronda::counter);
  if (rows.number(0, 5) >= 0) call.metric("archive_age", Seconds(rows.number(0, 5)));
  if (is_true(rows.text(0, 3)))
    findings.push_back(ronda::warning("archiving fails: the last try of ", rows.text(0, 4),
                                      " did not succeed; see archive_command and the server's log"));
}

ronda::result Replication::measure(Client& client, ronda::call& call) {
  struct Step {
    Statement statement;
    void (Replication::*judge)(const Rows&, ronda::call&, Findings&) const;
  };
  constexpr Step steps[] = {{Statement::replication_receiver, &Replication::judge_receiver},
                            {Statement::replication_standbys, &Replication::judge_standbys},
                            {Statement::replication_slots, &Replication::judge_slots},
                            {Statement::replication_archiver, &Replication::judge_archiver}};
  Findings findings;
  for (const Step& step : steps) {
    const auto rows = ask(client, step.statement);
    if (!rows) return failed(rows.failure());
    (this->*step.judge)(*rows, call, findings);
  }
  if (findings.empty()) return ronda::ok("no standbys, no replication slots");
  std::string everything;
  for (const ronda::result& finding : findings) everything += finding.summary + "\n";
  return ronda::worst(findings).with_detail(everything);
}

}  // namespace postgresql
