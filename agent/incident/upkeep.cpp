// SPDX-License-Identifier: Apache-2.0
#include "incident/upkeep.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "base/units.hpp"

namespace ronda::incident {
namespace {

using What = WindowNotice::What;

std::vector<Firing> covered(const Coverage& what, std::span<const Firing> firing) {
  std::vector<Firing> out;
  std::ranges::copy_if(firing, std::back_inserter(out), [&](const Firing& one) {
    return what.covers({one.alert, one.check, one.service, one.level, one.tags});
  });
  return out;
}

std::string key_of(const std::string& window, std::int64_t begin_ns, std::string_view what) {
  return "window/" + window + "@" + std::to_string(begin_ns / second_ns) + "-" + std::string(what);
}

std::int64_t told_at(const Occurrence& open) {
  return open.end_ns - std::min(tell_end_before_ns, (open.end_ns - open.begin_ns) / 10);
}

/// Incidents at P1 among them that nobody was told of yet, noted as told.
std::vector<Firing> untold_p1(const std::vector<Firing>& hidden, std::set<std::string>& told) {
  std::vector<Firing> out;
  for (const Firing& one : hidden) {
    if (one.level == config::Level::p1 && told.insert(one.incident).second) out.push_back(one);
  }
  return out;
}

WindowNotice about(const Window& window, What what, const Occurrence& when) {
  return {what, {}, window.name, window.title, when, window.what, window.notify, {}, {}, window.owner, window.reason};
}

WindowNotice about(const OneOff& one, What what, const Occurrence& when) {
  return {what, {}, one.id, one.reason, when, one.what, one.notify, one.owner, {}, {}, {}};
}

Occurrence planned(const OneOff& one) {
  return {one.from_ns, one.from_ns + one.lasts_ns};
}

void add_p1(WindowNotice notice, const std::vector<Firing>& untold, std::vector<WindowNotice>& out) {
  for (const Firing& one : untold) {
    notice.key = key_of(notice.window, notice.when.begin_ns, "p1-" + one.incident);
    notice.firing = {one};
    out.push_back(notice);
  }
}

/// Whether the mark changed.
bool watch(const Window& window, WindowMark& mark, std::span<const Firing> firing, std::int64_t now_ns,
           std::vector<WindowNotice>& notices) {
  const auto open = active_at(window, now_ns, firing);
  if (!open) return false;
  bool changed = false;
  if (mark.begin_ns != open->begin_ns) mark = {open->begin_ns, false, {}};
  const auto hidden = covered(window.what, firing);
  const auto untold = untold_p1(hidden, mark.p1_told);
  changed = !untold.empty();
  add_p1(about(window, What::hides_p1, *open), untold, notices);
  // of one that hides nothing nobody needs to know that it ends
  if (!mark.end_told && now_ns >= told_at(*open) && !hidden.empty()) {
    mark.end_told = changed = true;
    WindowNotice notice = about(window, What::ends_soon, *open);
    notice.key = key_of(window.name, open->begin_ns, "end");
    notice.firing = hidden;
    notices.push_back(std::move(notice));
  }
  return changed;
}

bool watch(OneOff& one, std::span<const Firing> firing, std::int64_t now_ns, std::vector<WindowNotice>& notices) {
  if (one.ended_ns != 0 || now_ns < one.from_ns) return false;
  const auto open = active_at(one, now_ns, firing);
  if (!open) {
    // not asked again: what it hid until it was ok is heard when it fails once more
    const std::int64_t latest = one.from_ns + std::max(one.lasts_ns, one.at_most_ns);
    one.ended_ns = one.until_ok ? std::min(now_ns, latest) : latest;
    notices.push_back(over_notice(one, firing));
    return true;
  }
  bool changed = false;
  if (!one.begin_told) {
    one.begin_told = changed = true;
    WindowNotice notice = about(one, What::begins, *open);
    notice.key = key_of(one.id, one.from_ns, "begin");
    notices.push_back(std::move(notice));
  }
  const auto hidden = covered(one.what, firing);
  const auto untold = untold_p1(hidden, one.p1_told);
  add_p1(about(one, What::hides_p1, *open), untold, notices);
  changed = changed || !untold.empty();
  if (one.end_told || now_ns < told_at(*open)) return changed;
  one.end_told = true;
  WindowNotice notice = about(one, What::ends_soon, *open);
  notice.key = key_of(one.id, one.from_ns, "end");
  notice.firing = hidden;
  notices.push_back(std::move(notice));
  return true;
}

/// More than are due within any time that a wall clock is set back by, as far as that is a mend and no jump of years.
constexpr std::size_t announced_kept = 200;

void announce_once(UpkeepBook& book, WindowNotice notice, UpkeepChange& out) {
  if (std::ranges::find(book.announced, notice.key) != book.announced.end()) return;
  book.announced.push_back(notice.key);
  if (book.announced.size() > announced_kept) book.announced.erase(book.announced.begin());
  out.notices.push_back(std::move(notice));
  out.cursor_moved = true;
}

/// Where the clock was set back over a restart, instants come again and what was told at them does not.
void announce(UpkeepBook& book, std::span<const Window> windows, std::int64_t now_ns, UpkeepChange& out) {
  const bool any = std::ranges::any_of(windows, [](const Window& one) { return !one.announce_ns.empty(); }) ||
                   std::ranges::any_of(book.one_offs, [](const OneOff& one) { return one.ended_ns == 0 && !one.announce_ns.empty(); });
  if (!any) {
    book.announced_ns = 0;  // what is added later is announced from then on
    return;
  }
  const bool is_first = book.announced_ns == 0 || book.announced_ns > now_ns;
  const std::int64_t after = is_first ? now_ns : book.announced_ns;
  out.cursor_moved = is_first;
  for (const Announcement& one : announcements(windows, after, now_ns)) {
    const auto window = std::ranges::find(windows, one.window, &Window::name);
    WindowNotice notice = about(*window, What::comes, one.when);
    notice.key = "window/" + one.key();
    announce_once(book, std::move(notice), out);
  }
  for (const OneOff& one : book.one_offs) {
    for (const std::int64_t before : one.announce_ns) {
      const std::int64_t due = one.from_ns - before;
      if (one.ended_ns != 0 || due <= after || due > now_ns || one.from_ns <= now_ns) continue;
      WindowNotice notice = about(one, What::comes, planned(one));
      notice.key = key_of(one.id, one.from_ns, format_duration(Nanos(before)));
      announce_once(book, std::move(notice), out);
    }
  }
  book.announced_ns = now_ns;
}

/// Keeps the earliest of several instants after one.
class Earliest {
 public:
  explicit Earliest(std::int64_t after_ns) : after_(after_ns) {}
  void add(std::int64_t at_ns) {
    if (at_ns > after_ && (!at_ || at_ns < *at_)) at_ = at_ns;
  }
  void add(std::optional<std::int64_t> at_ns) {
    if (at_ns) add(*at_ns);
  }
  std::optional<std::int64_t> take() const { return at_; }

 private:
  std::int64_t after_;
  std::optional<std::int64_t> at_;
};

}  // namespace

const OneOff* UpkeepBook::find(std::string_view id) const {
  const auto found = std::ranges::find(one_offs, id, &OneOff::id);
  return found == one_offs.end() ? nullptr : &*found;
}

void add(UpkeepBook& book, OneOff one_off) {
  const auto place = std::ranges::lower_bound(book.one_offs, one_off.id, {}, &OneOff::id);
  if (place != book.one_offs.end() && place->id == one_off.id)
    *place = std::move(one_off);
  else
    book.one_offs.insert(place, std::move(one_off));
}

void add(UpkeepBook& book, OnCallOverride one) {
  const auto known = std::ranges::find(book.overrides, one.id, &OnCallOverride::id);
  if (known != book.overrides.end()) {
    *known = std::move(one);
    return;
  }
  // of two for one time the later word holds, whatever order the store gives them back in
  const auto place = std::ranges::upper_bound(book.overrides, one.made_ns, {}, &OnCallOverride::made_ns);
  book.overrides.insert(place, std::move(one));
}

Result<OnCallOverride> make_override(OnCallOverride wanted, std::int64_t now_ns, std::uint64_t random) {
  if (trim(wanted.reason).empty()) return Error(Errc::invalid, "an override needs a reason: --reason TEXT");
  RONDA_TRY([[maybe_unused]] auto begins, check_begin("override", wanted.from_ns, now_ns));
  wanted.from_ns = std::max(wanted.from_ns, now_ns);
  if (wanted.until_ns == 0) return Error(Errc::invalid, "an override needs an end: --for DURATION or --to TIME");
  if (wanted.until_ns <= wanted.from_ns) return Error(Errc::invalid, "the override ends before it begins");
  if (wanted.until_ns - now_ns > longest_override_ns)
    return Error(Errc::range, "an override ends within " + format_duration(Nanos(longest_override_ns)) + "; longer ones stand in conf.d");
  wanted.reason = repair_utf8(trim(wanted.reason), max_text_bytes);
  wanted.made_ns = now_ns;
  wanted.id = "O-" + random_word(random, 8);
  wanted.ended_ns = 0;
  wanted.ended_by = {};
  return wanted;
}

Result<OnCallOverride> end_override(OnCallOverride one, const Author& author, std::int64_t now_ns) {
  if (one.is_over(now_ns)) {
    return Error(Errc::exists,
                 "override " + one.id + " has ended already" + (one.ended_ns == 0 ? std::string() : ", by " + to_text(one.ended_by)));
  }
  one.ended_ns = now_ns;
  one.ended_by = author;
  return one;
}

WindowNotice over_notice(const OneOff& one, std::span<const Firing> firing) {
  WindowNotice out = about(one, What::over, {one.from_ns, std::max(one.ended_ns, one.from_ns)});
  out.key = key_of(one.id, one.from_ns, "over");
  out.firing = covered(one.what, firing);
  return out;
}

UpkeepChange tick(UpkeepBook& book, std::span<const Window> windows, std::span<const Firing> firing, std::int64_t now_ns) {
  UpkeepChange out;
  announce(book, windows, now_ns, out);
  for (const Window& window : windows) {
    if (watch(window, book.marks[window.name], firing, now_ns, out.notices)) out.marked.push_back(window.name);
  }
  for (OneOff& one : book.one_offs) {
    if (watch(one, firing, now_ns, out.notices)) out.changed.push_back(one);
  }
  return out;
}

std::optional<std::int64_t> next_wake(const UpkeepBook& book, std::span<const Window> windows, std::int64_t now_ns) {
  Earliest out(now_ns);
  out.add(next_announcement(windows, now_ns));
  for (const Window& window : windows) {
    if (const auto open = active_at(window, now_ns)) out.add(told_at(*open));
  }
  for (const OneOff& one : book.one_offs) {
    out.add(next_boundary(one, now_ns));
    if (one.ended_ns != 0) continue;
    for (const std::int64_t before : one.announce_ns) out.add(one.from_ns - before);
    if (!one.end_told) out.add(told_at(planned(one)));
    if (one.until_ok && !one.end_told) out.add(told_at({one.from_ns, one.from_ns + one.at_most_ns}));
  }
  return out.take();
}

std::vector<std::string> drop_ended(UpkeepBook& book, std::span<const Window> windows, std::int64_t before_ns) {
  std::vector<std::string> out;
  // as long as what it tells of may be open the window may come back, and must not repeat what it said
  std::erase_if(book.marks, [&](const auto& one) {
    const bool over =
        one.second.begin_ns + longest_window_ns < before_ns && std::ranges::find(windows, one.first, &Window::name) == windows.end();
    if (over) out.push_back(mark_row_id(one.first));
    return over;
  });
  std::erase_if(book.one_offs, [&](const OneOff& one) {
    const bool over = one.ended_ns != 0 && one.ended_ns < before_ns;
    if (over) out.push_back(one.id);
    return over;
  });
  std::erase_if(book.overrides, [&](const OnCallOverride& one) {
    const bool over = one.until_ns < before_ns;
    if (over) out.push_back(one.id);
    return over;
  });
  return out;
}

}  // namespace ronda::incident
