// SPDX-License-Identifier: Apache-2.0
#include "incident/maintenance.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <tuple>

#include "base/text.hpp"
#include "base/units.hpp"
#include "incident/alert_names.hpp"

namespace ronda::incident {
namespace {

using schedule::sys_seconds;

constexpr std::size_t most_listed = 20;

sys_seconds second_of(std::int64_t at_ns) {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::sys_time<Nanos>(Nanos(at_ns)));
}
std::int64_t ns_of(sys_seconds at) {
  return std::chrono::duration_cast<Nanos>(at.time_since_epoch()).count();
}

bool holds(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

/// Alerts alone: what a person opened ends by a person, who must hear of it for that.
bool any_covered(const Coverage& what, std::span<const Firing> firing) {
  return std::ranges::any_of(firing, [&](const Firing& one) {
    return !one.alert.empty() && what.covers({one.alert, one.check, one.service, one.level, one.tags});
  });
}

/// One that is `begin + lasts` long, or with until_ok up to `at_most` while it has something to hide.
std::optional<Occurrence> open_at(std::int64_t begin_ns, std::int64_t lasts_ns, bool until_ok, std::int64_t at_most_ns,
                                  const Coverage& what, std::int64_t at_ns, std::span<const Firing> firing) {
  if (at_ns < begin_ns) return std::nullopt;
  const Occurrence planned{begin_ns, begin_ns + lasts_ns};
  if (at_ns < planned.end_ns) return planned;
  if (!until_ok || at_ns >= begin_ns + at_most_ns || !any_covered(what, firing)) return std::nullopt;
  return Occurrence{begin_ns, begin_ns + at_most_ns};
}

std::vector<Matcher> matchers_of(const Coverage& what) {
  std::vector<Matcher> out;
  if (!what.services.empty()) out.push_back({.alerts = {}, .checks = {}, .services = what.services, .tags = {}, .levels = {}});
  if (!what.checks.empty()) out.push_back({.alerts = {}, .checks = what.checks, .services = {}, .tags = {}, .levels = {}});
  if (!what.tags.empty()) out.push_back({.alerts = {}, .checks = {}, .services = {}, .tags = what.tags, .levels = {}});
  return out;
}

Mute mute_for(std::string name, const Coverage& what, std::int64_t until_ns) {
  return {std::move(name), matchers_of(what), what.all(), until_ns};
}

}  // namespace

bool Coverage::covers(const Subject& subject) const {
  if (is_of_lost_messages(subject.alert)) return false;
  if (all()) return true;
  const bool has_tag = std::ranges::any_of(subject.tags, [&](const std::string& tag) { return holds(tags, tag); });
  return holds(services, subject.service) || holds(checks, subject.check) || has_tag;
}

std::optional<Occurrence> active_at(const Window& window, std::int64_t at_ns, std::span<const Firing> firing) {
  const auto begin = window.calendar.previous(second_of(at_ns));
  if (!begin) return std::nullopt;
  return open_at(ns_of(*begin), window.lasts_ns, window.until_ok, window.at_most_ns, window.what, at_ns, firing);
}

std::optional<Occurrence> active_at(const OneOff& one_off, std::int64_t at_ns, std::span<const Firing> firing) {
  if (one_off.ended_ns != 0 && at_ns >= one_off.ended_ns) return std::nullopt;
  return open_at(one_off.from_ns, one_off.lasts_ns, one_off.until_ok, one_off.at_most_ns, one_off.what, at_ns, firing);
}

std::optional<std::int64_t> next_boundary(const Window& window, std::int64_t after_ns) {
  std::optional<std::int64_t> out;
  const auto add = [&](std::int64_t at_ns) {
    if (at_ns > after_ns && (!out || at_ns < *out)) out = at_ns;
  };
  if (const auto begin = window.calendar.previous(second_of(after_ns))) {
    add(ns_of(*begin) + window.lasts_ns);
    if (window.until_ok) add(ns_of(*begin) + window.at_most_ns);
  }
  if (const auto begin = window.calendar.next(second_of(after_ns))) add(ns_of(*begin));
  return out;
}

std::optional<std::int64_t> next_boundary(const OneOff& one_off, std::int64_t after_ns) {
  std::optional<std::int64_t> out;
  const auto add = [&](std::int64_t at_ns) {
    if (at_ns > after_ns && (!out || at_ns < *out)) out = at_ns;
  };
  if (one_off.ended_ns != 0) return std::nullopt;
  add(one_off.from_ns);
  add(one_off.from_ns + one_off.lasts_ns);
  if (one_off.until_ok) add(one_off.from_ns + one_off.at_most_ns);
  return out;
}

Result<OneOff> make_one_off(OneOffRequest request, std::int64_t now_ns, std::uint64_t random) {
  if (trim(request.reason).empty()) return Error(Errc::invalid, "maintenance needs a reason: --reason TEXT");
  RONDA_TRY([[maybe_unused]] auto begins, check_begin("maintenance", request.from_ns, now_ns));
  if (request.at_most_ns != 0 && !request.until_ok)
    return Error(Errc::invalid, "--at-most is the end of maintenance that lasts --until-ok; without that its length is its end");
  if (request.lasts_ns <= 0) return Error(Errc::invalid, "maintenance needs a length, like 2h");
  const std::int64_t at_most =
      request.at_most_ns != 0 ? request.at_most_ns : std::min(2 * std::min(request.lasts_ns, longest_window_ns), longest_window_ns);
  if (request.lasts_ns > longest_window_ns || at_most > longest_window_ns)
    return Error(Errc::range, "maintenance lasts at most " + format_duration(Nanos(longest_window_ns)));
  if (request.until_ok && at_most < request.lasts_ns) return Error(Errc::invalid, "the maximum is shorter than the maintenance itself");
  OneOff out;
  out.id = "M-" + random_word(random, 8);
  out.what = std::move(request.what);
  out.owner = std::move(request.owner);
  out.reason = repair_utf8(trim(request.reason), max_text_bytes);
  out.from_ns = std::max(request.from_ns, now_ns);
  if (out.from_ns - now_ns > 366 * day_ns) return Error(Errc::range, "maintenance begins within a year");
  out.lasts_ns = request.lasts_ns;
  out.until_ok = request.until_ok;
  if (out.until_ok) out.at_most_ns = at_most;
  if (request.announce_ns.size() > most_listed || request.notify.size() > most_listed)
    return Error(Errc::range, "maintenance is announced at most " + std::to_string(most_listed) + " times, to as many names");
  out.announce_ns = std::move(request.announce_ns);
  std::ranges::sort(out.announce_ns, std::greater<>());
  if (!out.announce_ns.empty() && (out.announce_ns.back() <= 0 || out.announce_ns.front() > longest_window_ns))
    return Error(Errc::range, "maintenance is announced at most " + format_duration(Nanos(longest_window_ns)) + " ahead");
  out.notify = std::move(request.notify);
  return out;
}

Status check_names(const Coverage& what, const KnownNames& known) {
  for (const auto& [names, of, kind] : {std::tuple(&what.services, &known.services, "service"),
                                        std::tuple(&what.checks, &known.checks, "check"), std::tuple(&what.tags, &known.tags, "tag")}) {
    for (const std::string& name : *names) {
      if (holds(*of, name) || (of == &known.checks && is_inbound_name(name))) continue;
      const std::vector<std::string_view> views(of->begin(), of->end());
      const std::string_view near = nearest(name, views);
      return Error(Errc::invalid, "there is no " + std::string(kind) + " `" + escape_controls(repair_utf8(name, 64)) + "`" +
                                      (near.empty() ? std::string() : "; did you mean `" + std::string(near) + "`?"));
    }
  }
  return done();
}

Result<OneOff> end_one_off(OneOff one_off, const Author& author, std::int64_t now_ns) {
  if (one_off.ended_ns != 0)
    return Error(Errc::exists, "maintenance " + one_off.id + " has ended already" +
                                   (one_off.ended_by.kind == Author::Kind::agent ? std::string() : ", by " + to_text(one_off.ended_by)));
  const std::int64_t end = one_off.from_ns + std::max(one_off.lasts_ns, one_off.at_most_ns);
  if (now_ns >= end) return Error(Errc::exists, "maintenance " + one_off.id + " has ended already");
  one_off.ended_ns = now_ns;
  one_off.ended_by = author;
  return one_off;
}

std::vector<Mute> mutes_at(std::span<const Window> windows, std::span<const OneOff> one_offs, const SilenceBook& silences,
                           std::span<const Firing> firing, std::int64_t now_ns) {
  std::vector<Mute> out;
  for (const Window& window : windows) {
    if (const auto open = active_at(window, now_ns, firing)) out.push_back(mute_for("window:" + window.name, window.what, open->end_ns));
  }
  for (const OneOff& one_off : one_offs) {
    if (const auto open = active_at(one_off, now_ns, firing)) out.push_back(mute_for("window:" + one_off.id, one_off.what, open->end_ns));
  }
  for (const Silence& silence : silences.silences) {
    if (silence.is_active(now_ns)) out.push_back({"silence:" + silence.id, {silence.what}, false, silence.until_ns});
  }
  std::ranges::sort(out, {}, &Mute::name);
  return out;
}

std::string Announcement::key() const {
  return window + "@" + std::to_string(when.begin_ns / second_ns) + "-" + format_duration(Nanos(before_ns));
}

std::vector<Announcement> announcements(std::span<const Window> windows, std::int64_t after_ns, std::int64_t upto_ns) {
  constexpr std::size_t most = 1000;
  std::vector<Announcement> out;
  for (const Window& window : windows) {
    for (const std::int64_t before : window.announce_ns) {
      // windows that begin in (after + before, upto + before] and have not yet
      for (auto begin = window.calendar.next(second_of(std::max(after_ns + before, upto_ns))); begin && out.size() < most;
           begin = window.calendar.next(*begin)) {
        const std::int64_t begin_ns = ns_of(*begin);
        if (begin_ns - before > upto_ns) break;
        if (begin_ns - before > after_ns)
          out.push_back({window.name, window.title, before, {begin_ns, begin_ns + window.lasts_ns}, window.what});
      }
    }
  }
  std::ranges::sort(out, {}, [](const Announcement& one) { return std::pair(one.when.begin_ns - one.before_ns, one.window); });
  return out;
}

std::optional<std::int64_t> next_announcement(std::span<const Window> windows, std::int64_t after_ns) {
  std::optional<std::int64_t> out;
  for (const Window& window : windows) {
    for (const std::int64_t before : window.announce_ns) {
      const auto begin = window.calendar.next(second_of(after_ns + before));
      if (begin && (!out || ns_of(*begin) - before < *out)) out = ns_of(*begin) - before;
    }
  }
  return out;
}

}  // namespace ronda::incident
