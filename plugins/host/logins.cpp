// SPDX-License-Identifier: Apache-2.0
#include "logins.hpp"

#include <stdexcept>

#include "file_facts.hpp"
#include "follow.hpp"
#include "text.hpp"

namespace host {
namespace {

/// --quiet leaves out what journalctl would say where there is no journal, or none that this user may read.
template <class Ran>
std::string why_failed(const Ran& done) {
  if (done.timed_out) return "it did not end within the timeout; give this check a longer one";
  const std::string_view said = trim(done.err);
  if (!said.empty()) return shown(said);
  return ronda::text(
      "it ended with exit code ", done.exit_code,
      R"( and said nothing: is there a journal here, and may this user read it? user = "root" may, where trust.toml allows it)");
}

}  // namespace

Logins::Logins() {
  if (logs_.empty() && !journal_) throw std::invalid_argument("with logs = [] and without journal = true nothing would be watched");
}

ronda::result Logins::run(ronda::call& c) {
  FailureCount count;
  Verdict unread;
  for (const std::string& path : logs_) read_file_log(c, path, count, unread);
  if (journal_) read_journal(c, count, unread);
  return judge(c, count, unread);
}

void Logins::read_file_log(ronda::call& c, const std::string& path, FailureCount& count, Verdict& unread) {
  const std::string key = "position " + path.substr(0, 240);
  auto position = parse_position(kv().get(key).value_or(""));
  FailureReader reader;
  const auto on_line = [&](std::string_view line) {
    if (const auto failure = reader.read(line)) count.add(*failure);
  };
  const Followed followed = follow(path, position, {}, on_line, [&] { return c.cancelled(); });
  if (position) kv().put(key, format(*position));
  if (followed.error != 0) unread.add(ronda::status::unknown, shown(path) + ": " + cannot_read(followed.error));
  if (followed.lost) unread.add(ronda::status::warning, shown(path) + ": the end of the rotated file was not found: failures may be missing");
  if (followed.backlog > 0) {
    unread.add(ronda::status::ok,
               shown(path) + ": " + ronda::human_bytes(static_cast<double>(followed.backlog)) + " are left for the next run");
  }
}

void Logins::read_journal(ronda::call& c, FailureCount& count, Verdict& unread) {
  const auto cursor = kv().get("cursor");
  // the first time only the place is remembered, as with files
  const bool all = read_journal_from(c, cursor ? std::optional<std::string_view>(*cursor) : std::nullopt, count, unread);
  if (all) return;
  // the end of what it said is cut off, and with it the place to go on from: that of the newest entry, lest these be counted again
  FailureCount none;
  read_journal_from(c, std::nullopt, none, unread);
  unread.add(ronda::status::warning, "the journal had more than can be read in one run: the newest entries are not counted; run it more often");
}

bool Logins::read_journal_from(ronda::call& c, std::optional<std::string_view> cursor, FailureCount& count, Verdict& unread) {
  std::vector<std::string> argv = {"/usr/bin/journalctl",   "--quiet",           "--no-pager",
                                   "--output=short-iso",    "--identifier=sshd", "--identifier=sshd-session",
                                   "--identifier=postgres", "--show-cursor"};
  argv.push_back(cursor ? "--lines=20000" : "--lines=0");
  if (cursor) argv.push_back("--after-cursor=" + std::string(*cursor));
  ronda::exec_options how;
  how.output_limit = 512 << 10;  // the most that there is
  const auto done = exec().run(c, argv, how);
  if (!done || done->timed_out || done->exit_code != 0) {
    unread.add(ronda::status::unknown, "journalctl: " + (done ? why_failed(*done) : done.error()));
    return true;
  }
  constexpr std::string_view cursor_line = "-- cursor: ";
  FailureReader reader;
  std::string_view text = done->out;
  std::string_view line;
  while (next_line(text, line)) {
    if (line.substr(0, cursor_line.size()) == cursor_line) {
      kv().put("cursor", line.substr(cursor_line.size()));
    } else if (const auto failure = reader.read(line)) {
      count.add(*failure);
    }
  }
  return done->out_total <= done->out.size();
}

ronda::result Logins::judge(ronda::call& c, const FailureCount& count, const Verdict& unread) const {
  c.metric("failures", count.total());
  for (const char* service : {"sshd", "postgresql"}) {
    c.metric("failures_of", count.of_service(service), ronda::none, {}, {}, {{"service", service}});
  }
  const auto top = count.top(top_);
  std::string detail;
  for (const auto& source : top) {
    c.metric("failures_from", source.count, ronda::none, {}, {}, {{"source", source.address}});
    detail += ronda::text(source.address, ": ", source.count, " as");
    for (const std::string& user : source.users) detail += " " + shown(user, 64);
    detail += "\n";
  }
  Verdict verdict;
  verdict.add(count.total() >= in_all_ ? ronda::status::warning : ronda::status::ok,
              ronda::text(count.total(), count.total() == 1 ? " failed login" : " failed logins"));
  if (!top.empty()) {
    verdict.add(top[0].count >= from_one_source_ ? ronda::status::warning : ronda::status::ok,
                ronda::text(top[0].count, " from ", top[0].address));
  }
  if (!unread.text.empty()) verdict.add(unread.level, unread.text);
  return verdict.result().with_detail(detail);
}

}  // namespace host
