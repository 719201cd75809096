// SPDX-License-Identifier: Apache-2.0
// Jobs that cron and systemd run, as text to propose heartbeat checks from. Pure: what a line names is never
// run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace host {

struct ScheduledJob {
  std::string source;   // "/etc/cron.d/backup:3", "/etc/systemd/system/backup.timer"
  std::string command;  // data; of a timer the unit it starts
  std::string expect;   // for heartbeat.job: a calendar expression or a duration; empty: it cannot be said so
  std::string note;     // why not, or what else to know
};

/// The five fields of cron as a calendar expression ("Mon..Fri *-*-* 2:30:00"), or nothing when they are
/// wrong, or when both day of month and day of week are given: cron then means either, which the calendar
/// cannot say.
std::optional<std::string> cron_to_calendar(std::string_view minute, std::string_view hour,
                                            std::string_view day, std::string_view month,
                                            std::string_view weekday);

/// A crontab; the one of the system and those of cron.d have a user before the command.
std::vector<ScheduledJob> parse_crontab(std::string_view text, std::string_view path, bool has_user);

/// A .timer unit, with its drop-ins behind it.
std::vector<ScheduledJob> parse_timer(std::string_view text, std::string_view path);

/// What a person can put into conf.d after reading it: all of it commented out. At most about `limit` bytes.
std::string propose(const std::vector<ScheduledJob>& jobs, std::size_t limit = 32 << 10);

}  // namespace host
