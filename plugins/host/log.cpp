// SPDX-License-Identifier: Apache-2.0
#include "log.hpp"

#include <cerrno>

#include "file_facts.hpp"
#include "text.hpp"
#include "verdict.hpp"

namespace host {

Log::Log()
    : found_(status_named(ronda::cfg<std::string>("found"))),
      missing_(status_named(ronda::cfg<std::string>("missing"))),
      lost_(status_named(ronda::cfg<std::string>("lost"))),
      limits_{ronda::cfg<std::size_t>("line_limit"), ronda::cfg<std::uint64_t>("read_limit")} {
  for (const auto& expression : ronda::cfg<std::vector<std::string>>("exclude"))
    exclude_.emplace_back(expression);
}

ronda::result Log::run(ronda::call& c) {
  auto position = parse_position(kv().get("position").value_or(""));
  Matches matches;
  const Followed followed = follow(
      path_, position, limits_, [&](std::string_view line) { match(line, matches); },
      [&] { return c.cancelled(); });
  if (position) kv().put("position", format(*position));
  c.metric("lines", followed.lines);
  c.metric("matches", matches.count);
  c.metric("backlog", followed.backlog, ronda::bytes);
  if (!followed.first) emit_rate(c, matches.count);
  if (!matches.last.empty()) kv().put("last_match", matches.last);
  return judge(followed, matches);
}

void Log::match(std::string_view line, Matches& matches) const {
  if (!pattern_.found_in(line)) return;
  for (const Pattern& pattern : exclude_) {
    if (pattern.found_in(line)) return;
  }
  ++matches.count;
  matches.last = shown(line, 400);
}

ronda::result Log::judge(const Followed& followed, const Matches& matches) const {
  if (followed.error == ENOENT && matches.count == 0) return {missing_, shown(path_) + " does not exist"};
  if (followed.error != 0 && followed.error != ENOENT) {
    return ronda::unknown(shown(path_), ": ", cannot_read(followed.error));
  }
  if (followed.first) return ronda::ok("watching ", shown(path_), " from its end on");
  Verdict verdict;
  verdict.add(matches.count >= at_least_ ? found_ : ronda::status::ok,
              ronda::text(matches.count, " of ", followed.lines, " new lines match"));
  if (followed.rotated) verdict.add(ronda::status::ok, "the file was rotated");
  if (followed.truncated) verdict.add(ronda::status::ok, "the file was begun anew");
  if (followed.lost) verdict.add(lost_, "the end of the rotated file was not found: lines may be missing");
  if (followed.backlog > 0) {
    verdict.add(ronda::status::ok,
                ronda::human_bytes(static_cast<double>(followed.backlog)) + " are left for the next run");
  }
  ronda::result result = verdict.result();
  if (!matches.last.empty()) {
    result.summary += "; last: " + matches.last;
  } else if (const auto last = kv().get("last_match")) {
    result.detail = "last match: " + *last;
  }
  return result;
}

void Log::emit_rate(ronda::call& c, std::uint64_t count) {
  const std::int64_t now = clock().wall().time_since_epoch().count();
  const auto before = kv().get_i64("read_at_ns");
  kv().put("read_at_ns", now);
  if (!before || now <= *before) return;
  c.metric("rate", static_cast<double>(count) / (static_cast<double>(now - *before) / 60e9));
}

}  // namespace host
