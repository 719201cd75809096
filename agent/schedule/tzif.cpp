// SPDX-License-Identifier: Apache-2.0
#include "schedule/tzif.hpp"

#include <algorithm>

#include "schedule/posix_rule.hpp"

namespace ronda::schedule {
namespace {

using namespace std::chrono;

constexpr int last_year = 2200;
constexpr std::size_t header_bytes = 44;
constexpr std::size_t type_bytes = 6;

struct Counts {
  std::size_t is_utc, is_standard, leaps, times, types, chars;
  std::size_t data_bytes(std::size_t time_bytes) const {
    return times * (time_bytes + 1) + types * type_bytes + chars + leaps * (time_bytes + 4) + is_standard +
           is_utc;
  }
};

std::int64_t big_endian(std::string_view bytes) {
  std::uint64_t value = static_cast<unsigned char>(bytes[0]) >= 0x80 ? ~std::uint64_t{0} : 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return static_cast<std::int64_t>(value);
}

bool read_header(std::string_view bytes, Counts& out) {
  if (bytes.size() < header_bytes || !bytes.starts_with("TZif")) return false;
  std::size_t* const fields[] = {&out.is_utc, &out.is_standard, &out.leaps,
                                 &out.times,  &out.types,       &out.chars};
  std::size_t at = 20;
  for (std::size_t* field : fields) {
    const std::int64_t value = big_endian(bytes.substr(at, 4));
    if (value < 0 || value > 10'000) return false;
    *field = static_cast<std::size_t>(value);
    at += 4;
  }
  return out.types > 0;
}

class Body {
 public:
  Body(std::string_view bytes, const Counts& counts) : bytes_(bytes), counts_(counts) {}

  std::int64_t time(std::size_t i) const { return big_endian(bytes_.substr(i * 8, 8)); }
  std::size_t type(std::size_t i) const { return static_cast<unsigned char>(bytes_[counts_.times * 8 + i]); }
  seconds offset(std::size_t type) const {
    return seconds(big_endian(bytes_.substr(counts_.times * 9 + type * type_bytes, 4)));
  }

 private:
  std::string_view bytes_;
  const Counts& counts_;
};

bool read_transitions(const Body& body, const Counts& counts, std::vector<Transition>& out) {
  for (std::size_t i = 0; i < counts.types; ++i) {
    if (abs(body.offset(i)) > Zone::max_offset) return false;
  }
  for (std::size_t i = 0; i < counts.times; ++i) {
    if (body.type(i) >= counts.types) return false;
    // zic writes a first entry far before history; nothing of ours is earlier than 1900
    const std::int64_t at =
        std::max<std::int64_t>(body.time(i), Zone::begin_of_time.time_since_epoch().count());
    const sys_seconds instant{
        seconds(std::min<std::int64_t>(at, Zone::end_of_time.time_since_epoch().count()))};
    if (!out.empty() && instant < out.back().at) return false;
    if (!out.empty() && instant == out.back().at) out.pop_back();
    out.push_back({instant, body.offset(body.type(i))});
  }
  return true;
}

/// What the rule says after the last transition that the file lists.
void extend(const PosixRule& rule, std::vector<Transition>& list) {
  const sys_seconds known = list.empty() ? Zone::begin_of_time : list.back().at;
  if (!rule.has_summer) return;  // the last transition already says it
  const auto first_year = static_cast<int>(year_month_day(floor<days>(known)).year());
  std::vector<Transition> later;
  for (int y = first_year; y <= last_year; ++y) {
    later.push_back({sys_seconds((rule.begin.in(y)-rule.standard).time_since_epoch()), rule.summer});
    later.push_back({sys_seconds((rule.end.in(y)-rule.summer).time_since_epoch()), rule.standard});
  }
  std::ranges::stable_sort(later, {}, &Transition::at);
  for (const Transition& transition : later) {
    if (transition.at > known) list.push_back(transition);
  }
}

}  // namespace

Result<Zone> parse_tzif(const std::string& name, std::string_view bytes) {
  const auto damaged = [&](std::string_view why) {
    return Error(Errc::corrupt, "time zone " + name + ": the tzdata file is damaged (" + std::string(why) +
                                    "); install the package tzdata again");
  };
  Counts counts{};
  if (!read_header(bytes, counts)) return damaged("no TZif header");
  if (bytes[4] < '2') return damaged("version 1");
  // the first block has 32-bit times and is there for old readers
  const std::size_t skip = header_bytes + counts.data_bytes(4);
  if (bytes.size() < skip) return damaged("cut short");
  bytes.remove_prefix(skip);
  if (!read_header(bytes, counts)) return damaged("no second header");
  bytes.remove_prefix(header_bytes);
  if (bytes.size() < counts.data_bytes(8)) return damaged("cut short");
  if (counts.leaps > 0) return damaged("it counts leap seconds");
  const Body body(bytes, counts);
  std::vector<Transition> transitions;
  if (!read_transitions(body, counts, transitions)) return damaged("transitions out of range");
  std::string_view footer = bytes.substr(counts.data_bytes(8));
  if (!footer.starts_with('\n') || footer.size() < 2 || !footer.ends_with('\n')) return damaged("no footer");
  footer = footer.substr(1, footer.size() - 2);
  if (!footer.empty()) {
    const auto rule = parse_posix_rule(footer);
    if (!rule) return damaged("unknown rule in the footer");
    extend(*rule, transitions);
  }
  return Zone(name, body.offset(0), std::move(transitions));
}

}  // namespace ronda::schedule
