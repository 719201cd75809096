// SPDX-License-Identifier: Apache-2.0
#include "sample.hpp"

#include <algorithm>
#include <charconv>

namespace postgresql {
namespace {

constexpr std::size_t piece_limit = 60 * 1024;     // kv takes 64 KiB a value
constexpr std::size_t pieces_between_commits = 4;  // and 256 KiB at once
constexpr std::string_view magic = "pg2";

/// Seven bits a byte, the lowest first; a last byte is below 128. A small number is short, whatever its sign.
void put_number(std::string& to, std::int64_t value) {
  auto bits = (static_cast<std::uint64_t>(value) << 1) ^ (value < 0 ? ~std::uint64_t{0} : 0);
  for (; bits >= 0x80; bits >>= 7) to += static_cast<char>(bits | 0x80);
  to += static_cast<char>(bits);
}

void put_text(std::string& to, std::string_view text) {
  put_number(to, static_cast<std::int64_t>(text.size()));
  to += text;
}

/// Takes from the front of a text; once something is wrong there is nothing more in it.
class Taker {
 public:
  explicit Taker(std::string_view text) : text_(text) {}
  bool sound() const { return sound_; }
  bool at_end() const { return text_.empty(); }

  std::int64_t number() {
    std::uint64_t bits = 0;
    for (unsigned shift = 0; shift < 64 && !text_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(text_[0]);
      text_.remove_prefix(1);
      bits |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return static_cast<std::int64_t>(bits >> 1) ^ -static_cast<std::int64_t>(bits & 1);
    }
    return fail(), 0;
  }
  std::string_view text() {
    const std::int64_t size = number();
    if (size < 0 || static_cast<std::uint64_t>(size) > text_.size()) return fail(), std::string_view();
    const std::string_view part = text_.substr(0, static_cast<std::size_t>(size));
    text_.remove_prefix(part.size());
    return part;
  }
  /// Of things that take a byte each at least.
  std::size_t count() {
    const std::int64_t count = number();
    if (count < 0 || static_cast<std::uint64_t>(count) > text_.size()) return fail(), 0;
    return static_cast<std::size_t>(count);
  }

 private:
  void fail() { sound_ = false, text_ = {}; }

  std::string_view text_;
  bool sound_ = true;
};

/// A key as what it shares with others and the number that it ends in: "16384:5:" and a query id, "" and an oid.
struct Key {
  std::string_view head;
  std::optional<std::int64_t> number;  // nothing: the head is all of it
};

Key split(std::string_view key) {
  const std::size_t at = key.rfind(':') + 1;  // 0 without any
  std::int64_t number = 0;
  const auto [stop, problem] = std::from_chars(key.data() + at, key.data() + key.size(), number);
  if (problem != std::errc() || std::to_string(number) != key.substr(at)) return {key, std::nullopt};
  return {key.substr(0, at), number};
}

std::string piece_name(std::size_t index) { return "sample." + std::to_string(index); }

/// What was counted, or nothing for a row that began anew.
std::optional<Counters> between(const Counters& before, const Counters& now) {
  if (before.size() != now.size()) return std::nullopt;
  Counters delta(now.size());
  for (std::size_t i = 0; i < now.size(); ++i) {
    if (now[i] < before[i]) return std::nullopt;
    delta[i] = now[i] - before[i];
  }
  return delta;
}

}  // namespace

Difference difference(const std::optional<Sample>& before, const Sample& now) {
  Difference diff;
  diff.first = !before;
  if (!before) return diff;
  diff.seconds = static_cast<double>(now.wall_ns - before->wall_ns) / 1e9;
  diff.reset = before->epoch != now.epoch || diff.seconds <= 0;
  if (diff.reset) return diff;
  std::size_t went_back = 0;
  for (const auto& [key, counters] : now.rows) {
    const auto earlier = before->rows.find(key);
    if (earlier == before->rows.end()) {
      // All that it counts happened in between, if the earlier list would have had it.
      if (before->complete) diff.rows.emplace(key, counters);
      continue;
    }
    if (auto delta = between(earlier->second, counters)) diff.rows.emplace(key, *std::move(delta));
    else ++went_back;
  }
  // A crash empties the statistics and leaves no mark but counters that went back.
  diff.reset = went_back > 0 && went_back * 2 >= now.rows.size();
  if (diff.reset) diff.rows.clear();
  return diff;
}

std::vector<std::string> encode(const Sample& sample, std::size_t piece_bytes) {
  // Each piece says of which sample it is: of one that was not kept as a whole the pieces are not taken for each other's.
  std::string stamp(magic);
  put_number(stamp, sample.wall_ns);
  std::vector<std::string> pieces(1, stamp);
  put_number(pieces[0], sample.complete ? 1 : 0);
  put_text(pieces[0], sample.epoch);
  std::string head;
  for (const auto& [key, counters] : sample.rows) {
    const Key parts = split(key);
    std::string row;
    put_number(row, (parts.head != head ? 1 : 0) + (parts.number ? 2 : 0));
    if (parts.head != head) put_text(row, parts.head);
    if (parts.number) put_number(row, *parts.number);
    put_number(row, static_cast<std::int64_t>(counters.size()));
    for (const std::int64_t counter : counters) put_number(row, counter);
    head = parts.head;
    if (pieces.back().size() + row.size() > piece_bytes) pieces.push_back(stamp);
    pieces.back() += row;
  }
  return pieces;
}

std::optional<Sample> decode(const std::vector<std::string>& pieces) {
  Sample sample;
  std::string head;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (std::string_view(pieces[i]).substr(0, magic.size()) != magic) return std::nullopt;
    Taker from(std::string_view(pieces[i]).substr(magic.size()));
    const std::int64_t wall = from.number();
    if (i > 0 && wall != sample.wall_ns) return std::nullopt;
    sample.wall_ns = wall;
    if (i == 0) sample.complete = from.number() != 0, sample.epoch = from.text();
    while (from.sound() && !from.at_end()) {
      const std::int64_t form = from.number();
      if (form < 0 || form > 3) return std::nullopt;
      if ((form & 1) != 0) head = from.text();
      std::string key = head;
      if ((form & 2) != 0) key += std::to_string(from.number());
      Counters counters(from.count());
      for (std::int64_t& counter : counters) counter = from.number();
      if (from.sound()) sample.rows.emplace(std::move(key), std::move(counters));
    }
    if (!from.sound()) return std::nullopt;
  }
  return pieces.empty() ? std::nullopt : std::optional(std::move(sample));
}

std::optional<Sample> load_sample(const ronda::kv_service& kv) {
  const auto count = kv.get_i64("samples");
  if (!count) return std::nullopt;
  std::vector<std::string> pieces;
  for (std::int64_t i = 0; i < *count; ++i) {
    const auto piece = kv.get(piece_name(static_cast<std::size_t>(i)));
    if (!piece) return std::nullopt;
    pieces.push_back(*piece);
  }
  return decode(pieces);
}

std::optional<ronda::result> save_sample(const ronda::kv_service& kv, const Sample& sample) {
  const auto refused = [](const ronda::outcome& why) {
    return ronda::unknown("what was counted could not be kept, so that the next run has nothing to compare with: ", why.error(),
                          why.code() == RONDA_E_RANGE ? " (it is more than a check may keep: have it compare less, with a lower max_statements)"
                          : why.denied()              ? " (the plugin needs the grant \"state\" in trust.toml)"
                                                      : "");
  };
  const auto before = kv.get_i64("samples").value_or(0);
  const auto pieces = encode(sample, piece_limit);
  // with several commits: none of them may leave pieces of this one under the number of pieces of the one before
  if (pieces.size() > pieces_between_commits) kv.del("samples");
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (i > 0 && i % pieces_between_commits == 0)
      if (const auto done = kv.commit(); !done) return refused(done);
    if (const auto done = kv.put(piece_name(i), pieces[i]); !done) return refused(done);
  }
  for (auto i = pieces.size(); i < static_cast<std::size_t>(before); ++i) kv.del(piece_name(i));
  if (const auto done = kv.put("samples", pieces.size()); !done) return refused(done);
  return std::nullopt;
}

std::optional<std::string> no_difference(const Difference& diff) {
  if (diff.first) return "first sample taken: there is something to compare with from the next run on";
  if (diff.reset) return "the server's statistics began anew since the last run: compared from the next run on";
  return std::nullopt;
}

}  // namespace postgresql
