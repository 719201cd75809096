// SPDX-License-Identifier: Apache-2.0
#include "incident/silence.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "base/units.hpp"

namespace ronda::incident {
namespace {

Silence* find_in(SilenceBook& book, std::string_view id) {
  const auto found = std::ranges::find(book.silences, id, &Silence::id);
  return found == book.silences.end() ? nullptr : &*found;
}

bool covers(const Silence& silence, const Firing& firing) {
  return silence.what.covers({firing.alert, firing.check, firing.service, firing.level, firing.tags});
}

std::vector<std::string> owner(const Silence& silence) {
  if (silence.owner.is_named()) return {silence.owner.name};
  return {};
}

std::string line_of(const Firing& firing) {
  std::string level(config::level_name(firing.level));
  std::ranges::transform(level, level.begin(), [](char c) { return c == 'p' ? 'P' : c; });
  return level + " " + firing.name() + (firing.incident.empty() ? "" : " (" + firing.incident + ")");
}

Notice about(const Silence& silence, SilenceNews::What what, std::span<const Firing> hidden, std::int64_t now_ns, std::string reason) {
  Notice out;
  SilenceNews& news = out.silence.emplace(SilenceNews{
      what, silence.id, to_text(silence.what), silence.what.services, silence.owner.name, silence.reason, silence.until_ns, {}});
  for (const Firing& one : hidden) news.hides.push_back(line_of(one));
  out.level = what == SilenceNews::What::hides_p1 ? config::Level::p1 : config::Level::p3;
  out.event = notice::reminder;
  out.contacts = owner(silence);
  out.at_ns = now_ns;
  out.reason = std::move(reason);
  return out;
}

std::int64_t told_at(const Silence& silence) {
  return silence.until_ns - std::min(tell_end_before_ns, (silence.until_ns - silence.from_ns) / 10);
}

/// until_ok: whether no alert that it covers has fired for long enough. An incident that a person opened ends by a person, who
/// must hear of it for that.
bool follow_ok(Silence& silence, std::span<const Firing> hidden, std::int64_t now_ns) {
  if (!silence.until_ok) return false;
  if (std::ranges::any_of(hidden, [](const Firing& one) { return !one.alert.empty(); })) {
    const bool changed = silence.ok_since_ns != 0;
    silence.ok_since_ns = 0;
    return changed;
  }
  if (silence.ok_since_ns != 0) return false;
  silence.ok_since_ns = now_ns;
  return true;
}

bool tell_p1(Silence& silence, std::span<const Firing> hidden, std::int64_t now_ns, std::vector<Notice>& notices) {
  bool changed = false;
  for (const Firing& firing : hidden) {
    if (firing.level != config::Level::p1 || !silence.p1_told.insert(firing.incident).second) continue;
    changed = true;
    notices.push_back(
        about(silence, SilenceNews::What::hides_p1, {&firing, 1}, now_ns,
              "your silence " + silence.id + " (" + to_text(silence.what) + ") hides a P1: " + firing.name() + " in " + firing.incident));
  }
  return changed;
}

/// Whether anything of it changed.
bool watch(Silence& silence, std::span<const Firing> firing, std::int64_t now_ns, std::vector<Notice>& notices) {
  if (silence.ended_ns != 0 || now_ns < silence.from_ns) return false;
  const auto hidden = hidden_by(silence, firing);
  if (now_ns >= silence.until_ns) {
    silence.ended_ns = silence.until_ns;
    if (!hidden.empty())
      notices.push_back(
          about(silence, SilenceNews::What::ended, hidden, now_ns,
                "your silence " + silence.id + " has ended; it hid " + hidden.front().name() + (hidden.size() == 1 ? "" : " and others")));
    return true;
  }
  bool changed = follow_ok(silence, hidden, now_ns);
  if (silence.until_ok && silence.ok_since_ns != 0 && now_ns - silence.ok_since_ns >= ok_for_ns) {
    silence.ended_ns = now_ns;
    return true;
  }
  changed = tell_p1(silence, hidden, now_ns, notices) || changed;
  if (!silence.end_told && now_ns >= told_at(silence)) {
    silence.end_told = changed = true;
    notices.push_back(about(silence, SilenceNews::What::ends_soon, hidden, now_ns,
                            "your silence " + silence.id + " (" + to_text(silence.what) + ") ends in " +
                                format_duration(std::chrono::floor<std::chrono::seconds>(Nanos(silence.until_ns - now_ns)))));
  }
  return changed;
}

}  // namespace

Status check_begin(std::string_view what, std::int64_t from_ns, std::int64_t now_ns) {
  if (from_ns == 0 || from_ns > now_ns - minute_ns) return done();
  return Error(Errc::invalid, "the " + std::string(what) + " would begin " +
                                  format_duration(std::chrono::floor<std::chrono::seconds>(Nanos(now_ns - from_ns))) +
                                  " ago; without --from it begins now");
}

Result<Silence> make_silence(SilenceRequest request, std::int64_t now_ns, std::uint64_t random) {
  if (request.what.empty())
    return Error(Errc::invalid, "a silence must say what it covers: service=..., check=..., alert=..., tag=... or level=...");
  if (trim(request.reason).empty()) return Error(Errc::invalid, "a silence needs a reason: --reason TEXT");
  RONDA_TRY([[maybe_unused]] auto begins, check_begin("silence", request.from_ns, now_ns));
  if (request.for_ns <= 0 && !request.until_ok) return Error(Errc::invalid, "a silence needs an end: a duration like 2h, or --until-ok");
  const std::int64_t longest = request.until_ok ? longest_until_ok_ns : longest_silence_ns;
  if (request.for_ns > longest)
    return Error(Errc::range,
                 "a silence lasts at most " + format_duration(Nanos(longest)) + "; make it a window, or take the alert out of conf.d");
  Silence out;
  out.id = "S-" + random_word(random, 8);
  out.what = std::move(request.what);
  out.owner = std::move(request.owner);
  out.reason = repair_utf8(trim(request.reason), max_text_bytes);
  out.from_ns = std::max(request.from_ns, now_ns);
  if (out.from_ns - now_ns > longest_silence_ns)
    return Error(Errc::range, "a silence begins within " + format_duration(Nanos(longest_silence_ns)));
  out.until_ns = out.from_ns + (request.for_ns > 0 ? request.for_ns : longest);
  out.until_ok = request.until_ok;
  return out;
}

const Silence* SilenceBook::find(std::string_view id) const {
  const auto found = std::ranges::find(silences, id, &Silence::id);
  return found == silences.end() ? nullptr : &*found;
}

void add(SilenceBook& book, Silence silence) {
  if (Silence* known = find_in(book, silence.id)) {
    *known = std::move(silence);
    return;
  }
  const auto place = std::ranges::upper_bound(book.silences, silence.id, {}, &Silence::id);
  book.silences.insert(place, std::move(silence));
}

Result<Silence> expire(SilenceBook& book, std::string_view id, const Author& author, std::uint64_t based_on, std::int64_t now_ns) {
  Silence* silence = find_in(book, id);
  if (silence == nullptr) return Error(Errc::not_found, "there is no silence `" + repair_utf8(id, 64) + "`; see `ronda silence list`");
  if (silence->ended_ns != 0 || now_ns >= silence->until_ns) {
    const bool by_person = silence->ended_by.kind != Author::Kind::agent;
    return Error(Errc::exists, "silence " + silence->id + " has ended already" + (by_person ? ", by " + to_text(silence->ended_by) : ""));
  }
  if (based_on != 0 && based_on != silence->revision)
    return Error(Errc::exists, "silence " + silence->id + " was changed meanwhile; look at it again");
  silence->ended_ns = now_ns;
  silence->ended_by = author;
  ++silence->revision;
  return *silence;
}

SilenceChange tick(SilenceBook& book, std::span<const Firing> firing, std::int64_t now_ns) {
  SilenceChange out;
  for (Silence& silence : book.silences) {
    if (!watch(silence, firing, now_ns, out.notices)) continue;
    if (silence.ended_ns != 0) ++silence.revision;
    out.changed.push_back(silence);
  }
  return out;
}

std::optional<std::int64_t> next_wake(const SilenceBook& book, std::int64_t now_ns) {
  std::optional<std::int64_t> out;
  const auto add = [&](std::int64_t at_ns) {
    if (!out || at_ns < *out) out = at_ns;
  };
  for (const Silence& silence : book.silences) {
    if (silence.ended_ns != 0) continue;
    if (silence.from_ns > now_ns) {
      add(silence.from_ns);
      continue;
    }
    add(silence.until_ns);
    if (!silence.end_told) add(told_at(silence));
    if (silence.until_ok && silence.ok_since_ns != 0) add(silence.ok_since_ns + ok_for_ns);
  }
  return out;
}

std::vector<Firing> hidden_by(const Silence& silence, std::span<const Firing> firing) {
  std::vector<Firing> out;
  std::ranges::copy_if(firing, std::back_inserter(out), [&](const Firing& one) { return covers(silence, one); });
  return out;
}

void drop_ended(SilenceBook& book, std::int64_t before_ns) {
  std::erase_if(book.silences, [&](const Silence& silence) { return silence.ended_ns != 0 && silence.ended_ns < before_ns; });
}

}  // namespace ronda::incident
