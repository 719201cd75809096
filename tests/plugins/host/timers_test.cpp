// SPDX-License-Identifier: Apache-2.0
#include "timers.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include "temp_folder.hpp"
#include "under_test.hpp"

using namespace host;
using ronda::status;

namespace {

std::optional<std::string> calendar(std::string_view line) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t blank = line.find(' ');
    parts.push_back(line.substr(0, blank));
    if (blank == std::string_view::npos) break;
    line.remove_prefix(blank + 1);
  }
  return parts.size() == 5 ? cron_to_calendar(parts[0], parts[1], parts[2], parts[3], parts[4])
                           : std::nullopt;
}

}  // namespace

TEST_CASE("five fields of cron become a calendar expression", "[host]") {
  auto [cron, expected] = GENERATE(table<std::string, std::string>({
      {"0 3 * * *", "*-*-* 3:0:00"},
      {"*/15 * * * *", "*-*-* *:0,15,30,45:00"},
      {"0 */6 * * *", "*-*-* 0,6,12,18:0:00"},
      {"30 2 * * 1-5", "Mon..Fri *-*-* 2:30:00"},
      {"0 2 * * 0", "Sun *-*-* 2:0:00"},
      {"0 2 * * 7", "Sun *-*-* 2:0:00"},
      {"0 2 * * sat,SUN", "Sat,Sun *-*-* 2:0:00"},
      {"0 0 1,15 jan-MAR *", "*-1..3-1,15 0:0:00"},
      {"0-30/10 8-18 * * *", "*-*-* 8..18:0,10,20,30:00"},
      {"* * * * *", "*-*-* *:*:00"},
      {"0 2 * * 0-7", "*-*-* 2:0:00"},
      {"5/20 1 * * *", "*-*-* 1:5,25,45:00"},
  }));
  INFO(cron);
  CHECK(calendar(cron).value_or("nothing") == expected);
}

TEST_CASE("what the calendar cannot say, or cron does not mean, is left to a person", "[host]") {
  auto cron = GENERATE("0 2 1-7 * 0", "60 * * * *", "* 24 * * *", "*/0 * * * *", "5-1 * * * *", "x * * * *",
                       "* * 0 * *", "* * * 13 *", "* * * * 8", ", * * * *", "1, * * * *",
                       "99999999999999999999 * * * *");
  INFO(cron);
  CHECK_FALSE(calendar(cron));
}

TEST_CASE("a crontab: comments, assignments, shortcuts and users", "[host]") {
  const auto jobs = parse_crontab(
      "SHELL=/bin/sh\n# a comment\n\nPATH = /usr/bin\n"
      "0 3 * * *  root  /usr/local/bin/backup.sh --full\n"
      "@daily www-data php /srv/clean.php\n"
      "@reboot root /usr/bin/true\n"
      "0 2 1-7 * 0 root first-sunday\n"
      "CRON_TZ=\"America/Argentina/Buenos_Aires\"\n"
      "0 8 * * * root report\n"
      "half a line\n",
      "/etc/crontab", true);
  REQUIRE(jobs.size() == 5);
  CHECK(jobs[0].source == "/etc/crontab:5");
  CHECK(jobs[0].command == "/usr/local/bin/backup.sh --full");
  CHECK(jobs[0].expect == "*-*-* 3:0:00");
  CHECK(jobs[1].expect == "*-*-* 00:00:00");
  CHECK(jobs[1].command == "php /srv/clean.php");
  CHECK(jobs[2].expect.empty());
  CHECK(jobs[3].note.find("day of month or day of week") != std::string::npos);
  CHECK(jobs[4].expect == "*-*-* 8:0:00 America/Argentina/Buenos_Aires");
}

TEST_CASE("a timer: calendars, monotonic times and its unit", "[host]") {
  const auto jobs = parse_timer(
      "[Timer]\nOnCalendar=*-*-* 02:00\nOnCalendar=\nOnCalendar=Sun 03:00\nOnUnitActiveSec=6h\n"
      "RandomizedDelaySec=1h\nUnit=backup-full.service\n",
      "/etc/systemd/system/backup.timer");
  REQUIRE(jobs.size() == 2);
  CHECK(jobs[0].expect == "Sun 03:00");
  CHECK(jobs[0].command == "backup-full.service");
  CHECK(jobs[0].note == "starts up to 1h later: raise start_within");
  CHECK(jobs[1].expect.empty());
  CHECK(jobs[1].note ==
        "every 6h after its last run: write that as a duration; starts up to 1h later: raise start_within");
}

TEST_CASE("a key of a timer that is none takes nothing back and ends nothing", "[host]") {
  for (const char* key : {"On", "OnS", "Sec", "OnSec", "OnFailure", ""}) {
    INFO(key);
    CHECK(parse_timer(std::string("[Timer]\nOnCalendar=daily\n") + key + "=\n", "x.timer").size() == 1);
  }
}

TEST_CASE("proposals are comments only, with names of their own and hostile text made harmless", "[host]") {
  const auto text = propose({{"/etc/cron.d/x:1", "/opt/Back Up.sh", "*-*-* 3:0:00", ""},
                             {"/etc/cron.d/x:2", "/opt/back", "1d", ""},
                             {"/etc/cron.d/x:3", "/opt/back", "a\"b\n[check.evil]", "note\n[check.evil]"},
                             {"/etc/cron.d/x:4", "\x1B\n", "1h", ""}});
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(line.size() + 1);
    CHECK((line.empty() || line[0] == '#'));
  }
  CHECK(text.find("# [check.back]\n# use = \"heartbeat.job\"\n# expect = \"*-*-* 3:0:00\"\n") !=
        std::string::npos);
  CHECK(text.find("# [check.back-2]\n") != std::string::npos);
  CHECK(text.find("# [check.back-3]\n") != std::string::npos);
  CHECK(text.find("# [check.job]\n") != std::string::npos);
  CHECK(text.find("# expect = \"a\\\"b\\\\x0a[check.evil]\"\n") != std::string::npos);
}

TEST_CASE("very many jobs are not proposed without end", "[host]") {
  const std::vector<ScheduledJob> jobs(10'000, ScheduledJob{"/etc/crontab:1", "x", "1d", ""});
  CHECK(propose(jobs, 4096).size() < 5000);
}

TEST_CASE("jobs are found where cron and systemd keep them, enabled ones only", "[host]") {
  const TempFolder root;
  root.write("etc/crontab",
             "17 * * * * root cd / && run-parts --report /etc/cron.hourly\n0 3 * * * root backup\n");
  root.write("etc/cron.d/app", "*/5 * * * * app /srv/app/tick\n");
  root.write("etc/cron.d/app.bak", "*/5 * * * * app /srv/app/tock\n");
  root.write("var/spool/cron/crontabs/alice", "@hourly fetchmail\n");
  root.write("etc/cron.daily/logrotate", "#!/bin/sh\n");
  root.write("etc/cron.daily/disabled", "#!/bin/sh\n");
  REQUIRE(chmod(root.file("etc/cron.daily/logrotate").c_str(), 0755) == 0);
  root.write("usr/lib/systemd/system/apt-daily.timer", "[Timer]\nOnCalendar=*-*-* 6,18:00\n");
  root.write("usr/lib/systemd/system/unused.timer", "[Timer]\nOnCalendar=daily\n");
  root.write("etc/systemd/system/timers.target.wants/apt-daily.timer", "");
  const FoundJobs found = find_jobs(root.path());
  std::vector<std::string> commands;
  for (const auto& job : found.jobs) commands.push_back(job.command);
  CHECK(commands == std::vector<std::string>{"backup", "/srv/app/tick", "fetchmail",
                                             "/etc/cron.daily/logrotate", "apt-daily.service"});
  CHECK(found.unreadable.empty());
}

TEST_CASE("timers are read as systemd reads them: the nearest file, drop-ins by name, masks", "[host]") {
  const TempFolder root;
  const auto unit = [&](const std::string& where, const std::string& text) { root.write(where, "[Timer]\n" + text + "\n"); };
  const auto mask = [&](const std::string& where) {
    root.write(where, "");
    REQUIRE(unlink(root.file(where).c_str()) == 0);
    REQUIRE(symlink("/dev/null", root.file(where).c_str()) == 0);
  };
  const auto want = [&](const std::string& name, const std::string& place = "usr/lib") { root.write(place + "/systemd/system/timers.target.wants/" + name, ""); };
  for (const char* name : {"near.timer", "drop.timer", "masked.timer", "empty.timer", "unwanted.timer", "my-app-x.timer", "copy@a.timer"}) want(name);
  unit("usr/lib/systemd/system/near.timer", "OnCalendar=01:00");
  unit("run/systemd/system/near.timer", "OnCalendar=02:00");
  unit("etc/systemd/system/near.timer", "OnCalendar=03:00");
  unit("usr/lib/systemd/system/drop.timer", "OnCalendar=04:00\nRandomizedDelaySec=1h");
  unit("etc/systemd/system/drop.timer.d/20-later.conf", "OnCalendar=\nOnCalendar=06:00\nRandomizedDelaySec=0");
  unit("usr/lib/systemd/system/drop.timer.d/30-last.conf", "Unit=other.service");
  unit("usr/lib/systemd/system/drop.timer.d/10-hidden.conf", "OnCalendar=\nUnit=wrong.service");
  unit("etc/systemd/system/drop.timer.d/10-hidden.conf", "OnCalendar=05:00");
  unit("usr/lib/systemd/system/drop.timer.d/40-masked.conf", "OnCalendar=23:00");
  mask("etc/systemd/system/drop.timer.d/40-masked.conf");
  unit("etc/systemd/system/drop.timer.d/50-no.txt", "OnCalendar=22:00");
  unit("usr/lib/systemd/system/masked.timer", "OnCalendar=07:00");
  mask("etc/systemd/system/masked.timer");
  unit("usr/lib/systemd/system/empty.timer", "OnCalendar=08:00");
  root.write("run/systemd/system/empty.timer", "");
  unit("usr/lib/systemd/system/unwanted.timer", "OnCalendar=09:00");
  mask("etc/systemd/system/timers.target.wants/unwanted.timer");
  unit("usr/lib/systemd/system/my-app-x.timer", "OnCalendar=10:00");
  unit("etc/systemd/system/my-app-.timer.d/a.conf", "OnUnitActiveSec=6h");
  unit("etc/systemd/system/timer.d/b.conf", "RandomizedDelaySec=5m");
  unit("usr/lib/systemd/system/copy@.timer", "OnCalendar=11:00");
  std::vector<std::string> lines;
  for (const auto& job : find_jobs(root.path()).jobs) lines.push_back(job.command + " | " + job.expect + " | " + job.note + " | " + job.source);
  const std::string late = "starts up to 5m later: raise start_within", by = ", /etc/systemd/system/timer.d/b.conf";
  CHECK(lines == std::vector<std::string>{
                     "copy@a.service | 11:00 | " + late + " | /usr/lib/systemd/system/copy@.timer with /etc/systemd/system/timer.d/b.conf",
                     "other.service | 06:00 | " + late +
                         " | /usr/lib/systemd/system/drop.timer with /etc/systemd/system/drop.timer.d/10-hidden.conf, "
                         "/etc/systemd/system/drop.timer.d/20-later.conf, /usr/lib/systemd/system/drop.timer.d/30-last.conf" + by,
                     "my-app-x.service | 10:00 | " + late +
                         " | /usr/lib/systemd/system/my-app-x.timer with /etc/systemd/system/my-app-.timer.d/a.conf" + by,
                     "my-app-x.service |  | every 6h after its last run: write that as a duration; " + late +
                         " | /usr/lib/systemd/system/my-app-x.timer with /etc/systemd/system/my-app-.timer.d/a.conf" + by,
                     "near.service | 03:00 | " + late + " | /etc/systemd/system/near.timer with /etc/systemd/system/timer.d/b.conf"});
}

TEST_CASE("the jobs of this host are found and nothing is enabled", "[host]") {
  UnderTest<Timers> check;
  const auto report = check.run();
  CHECK_THAT(report, Ended(status::ok, "run by cron and systemd"));
  CHECK(report.find("jobs") != nullptr);
}
