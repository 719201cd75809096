// SPDX-License-Identifier: Apache-2.0
#include "zone.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>

namespace logfile {

using namespace std::chrono;

namespace {

constexpr std::size_t header_bytes = 44;
constexpr std::size_t max_file_bytes = 64 * 1024;
constexpr std::int64_t max_offset_s = 26 * 3600;

std::int64_t big_endian(std::string_view bytes) {
  std::uint64_t value = static_cast<unsigned char>(bytes[0]) >= 0x80 ? ~std::uint64_t{0} : 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return static_cast<std::int64_t>(value);
}

struct Counts {
  std::size_t is_utc = 0, is_standard = 0, leaps = 0, times = 0, kinds = 0, chars = 0;

  bool read(std::string_view bytes) {
    if (bytes.size() < header_bytes || bytes.substr(0, 4) != "TZif") return false;
    std::size_t at = 20;
    for (auto* count : {&is_utc, &is_standard, &leaps, &times, &kinds, &chars}) {
      const auto value = big_endian(bytes.substr(at, 4));
      if (value < 0 || value > 10'000) return false;
      *count = static_cast<std::size_t>(value);
      at += 4;
    }
    return kinds > 0 && kinds < 256;
  }
  std::size_t bytes(std::size_t time) const { return times * (time + 1) + kinds * 6 + chars + leaps * (time + 4) + is_standard + is_utc; }
};

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// A name that can stand in a line as it is.
bool is_abbreviation(std::string_view name) {
  return !name.empty() && name.size() <= 16 &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-'; });
}

}  // namespace

/// Reads "CET-1CEST,M3.5.0,M10.5.0/3".
class RuleReader {
 public:
  explicit RuleReader(std::string_view text) : text_(text) {}

  std::optional<Zone::Rule> read() {
    Zone::Rule rule;
    if (!name(rule.standard.name) || !time(24, rule.standard.offset)) return std::nullopt;
    rule.standard.offset = -rule.standard.offset;  // POSIX counts west of Greenwich
    if (text_.empty()) return rule;
    rule.has_summer = true;
    rule.summer.offset = rule.standard.offset + hours(1);
    if (!name(rule.summer.name)) return std::nullopt;
    if (text_.substr(0, 1) != ",") {
      if (!time(24, rule.summer.offset)) return std::nullopt;
      rule.summer.offset = -rule.summer.offset;
    }
    if (!moment(rule.begin) || !moment(rule.end) || !text_.empty()) return std::nullopt;
    return rule;
  }

 private:
  bool take(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool name(std::string& out) {
    const bool is_quoted = take('<');
    std::size_t length = 0;
    while (length < text_.size() && (is_quoted ? text_[length] != '>' : is_letter(text_[length]))) ++length;
    out = text_.substr(0, length);
    text_.remove_prefix(length);
    return is_abbreviation(out) && (!is_quoted || take('>'));
  }
  bool number(unsigned low, unsigned high, unsigned& out) {
    const auto [stop, error] = std::from_chars(text_.data(), text_.data() + text_.size(), out);
    if (error != std::errc() || out < low || out > high) return false;
    text_.remove_prefix(static_cast<std::size_t>(stop - text_.data()));
    return true;
  }
  bool time(unsigned max_hours, seconds& out) {
    const bool is_negative = take('-');
    if (!is_negative) take('+');
    unsigned h = 0, m = 0, s = 0;
    if (!number(0, max_hours, h) || (take(':') && !number(0, 59, m)) || (take(':') && !number(0, 59, s))) return false;
    out = hours(h) + minutes(m) + seconds(s);
    if (is_negative) out = -out;
    return true;
  }
  bool moment(Zone::Moment& out) {
    if (!take(',')) return false;
    if (take('M')) {
      if (!number(1, 12, out.month) || !take('.') || !number(1, 5, out.week) || !take('.') || !number(0, 6, out.day)) return false;
    } else {
      out.form = take('J') ? 'J' : 'n';
      if (!number(out.form == 'J' ? 1 : 0, 365, out.day)) return false;
    }
    return !take('/') || time(167, out.time);
  }

  std::string_view text_;
};

local_seconds Zone::Moment::in(int in_year) const {
  const auto y = year(in_year);
  if (form == 'M') {
    const auto of_month = y / std::chrono::month(month);
    const auto date = week == 5 ? local_days(of_month / weekday(day)[last]) : local_days(of_month / weekday(day)[week]);
    return date + time;
  }
  // J counts from 1 and never the 29th of February; the other from 0 and all days
  const int from_zero = static_cast<int>(day) - (form == 'J' ? 1 : 0) + (form == 'J' && y.is_leap() && day > 59 ? 1 : 0);
  return local_days(y / January / 1) + days(from_zero) + time;
}

Zone::Zone() : kinds_{{seconds(0), "UTC"}} {}

std::optional<Zone> Zone::parse(std::string_view bytes) {
  Counts counts;
  // the first block has times of 32 bits, for readers older than these
  if (!counts.read(bytes) || bytes[4] < '2' || bytes.size() < header_bytes + counts.bytes(4)) return std::nullopt;
  bytes.remove_prefix(header_bytes + counts.bytes(4));
  if (!counts.read(bytes) || bytes.size() < header_bytes + counts.bytes(8) || counts.leaps > 0) return std::nullopt;
  bytes.remove_prefix(header_bytes);
  Zone zone;
  zone.kinds_.clear();
  const auto kinds = bytes.substr(counts.times * 9), names = kinds.substr(counts.kinds * 6, counts.chars);
  for (std::size_t i = 0; i < counts.kinds; ++i) {
    const auto offset = big_endian(kinds.substr(i * 6, 4));
    const auto name = names.substr(std::min<std::size_t>(static_cast<unsigned char>(kinds[i * 6 + 5]), names.size()));
    const auto abbreviation = name.substr(0, name.find('\0'));
    if (offset < -max_offset_s || offset > max_offset_s || !is_abbreviation(abbreviation)) return std::nullopt;
    zone.kinds_.push_back({seconds(offset), std::string(abbreviation)});
  }
  for (std::size_t i = 0; i < counts.times; ++i) {
    zone.times_.push_back(big_endian(bytes.substr(i * 8, 8)));
    zone.to_.push_back(static_cast<std::uint8_t>(bytes[counts.times * 8 + i]));
    if (zone.to_.back() >= counts.kinds || (i > 0 && zone.times_[i] < zone.times_[i - 1])) return std::nullopt;
  }
  auto footer = bytes.substr(counts.bytes(8));
  if (footer.size() < 2 || footer.front() != '\n' || footer.back() != '\n') return std::nullopt;
  footer = footer.substr(1, footer.size() - 2);
  if (footer.empty()) return zone;
  zone.rule_ = RuleReader(footer).read();
  if (!zone.rule_) return std::nullopt;
  return zone;
}

const Zone::Kind& Zone::kind_at(sys_seconds instant) const {
  const auto after = std::upper_bound(times_.begin(), times_.end(), instant.time_since_epoch().count());
  if (after != times_.end() || !rule_)
    return after == times_.begin() ? kinds_.front() : kinds_[to_[static_cast<std::size_t>(after - times_.begin()) - 1]];
  if (!rule_->has_summer) return rule_->standard;
  const auto in_year = static_cast<int>(year_month_day(floor<days>(instant + rule_->standard.offset)).year());
  const auto begin = sys_seconds(rule_->begin.in(in_year).time_since_epoch() - rule_->standard.offset);
  const auto end = sys_seconds(rule_->end.in(in_year).time_since_epoch() - rule_->summer.offset);
  // south of the equator summer goes over the end of the year
  const bool is_summer = begin < end ? instant >= begin && instant < end : instant >= begin || instant < end;
  return is_summer ? rule_->summer : rule_->standard;
}

Reading Zone::at(sys_seconds instant) const {
  const Kind& kind = kind_at(instant);
  const auto local = instant + kind.offset;
  const auto day = floor<days>(local);
  const year_month_day date(day);
  const hh_mm_ss clock(local - day);
  Reading out;
  out.year = static_cast<int>(date.year());
  out.month = static_cast<int>(static_cast<unsigned>(date.month()));
  out.day = static_cast<int>(static_cast<unsigned>(date.day()));
  out.hour = static_cast<int>(clock.hours().count());
  out.minute = static_cast<int>(clock.minutes().count());
  out.second = static_cast<int>(clock.seconds().count());
  out.weekday = static_cast<int>(weekday(day).c_encoding());
  out.offset = kind.offset;
  out.zone = kind.name;
  return out;
}

ronda::reply<Zone> load_zone(const std::string& name) {
  const std::string path = name.empty() ? "/etc/localtime" : "/usr/share/zoneinfo/" + name;
  std::ifstream file(path, std::ios::binary);
  if (!file && name.empty()) return Zone();
  std::string bytes(max_file_bytes, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  if (auto zone = Zone::parse(bytes)) return std::move(*zone);
  if (bytes.empty())
    return ronda::reply<Zone>::failed(RONDA_E_NOTFOUND,
                                      "zone: there is no time zone \"" + name + "\" in /usr/share/zoneinfo; names are like Europe/Berlin");
  return ronda::reply<Zone>::failed(RONDA_E_INVALID, "zone: " + path + " is damaged; install the package tzdata again");
}

}  // namespace logfile
