// SPDX-License-Identifier: Apache-2.0
#include "plugin/wire.hpp"

#include <array>
#include <catch.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

using namespace ronda;
using wire::FrameReader;
using wire::FrameWriter;
using wire::Reader;
using wire::Type;
using wire::Writer;

namespace {

/// One of everything, nested.
std::string sample() {
  std::string out;
  Writer w(out);
  w.map(3);
  w.text("list"), w.array(4), w.integer(-7), w.boolean(true), w.nil(), w.real(0.25);
  w.text("inner"), w.map(1), w.text("secret"), w.secret("hidden");
  w.text("bytes"), w.bytes(std::string("\0\xff", 2));
  return out;
}

/// Reads any bytes as every type; what it must not do is run past them or for ever.
void read_all_ways(std::string_view bytes) {
  for (int way = 0; way < 10; ++way) {
    Reader r(bytes);
    for (std::size_t steps = 0; !r.at_end() && steps < bytes.size() + 1; ++steps) {
      switch (way) {
        case 0:
          r.skip();
          break;
        case 1:
          static_cast<void>(r.integer());
          break;
        case 2:
          static_cast<void>(r.text());
          break;
        case 3:
          static_cast<void>(r.bytes());
          break;
        case 4:
          static_cast<void>(r.secret());
          break;
        case 5:
          CHECK(r.array() <= bytes.size());
          break;
        case 6:
          CHECK(r.map() <= bytes.size());
          break;
        case 7:
          static_cast<void>(r.real());
          break;
        case 8:
          static_cast<void>(r.boolean());
          break;
        default:
          static_cast<void>(r.raw());
          break;
      }
    }
    REQUIRE(r.at_end());
  }
}

std::vector<std::string> frames_of(std::string_view stream, std::size_t piece) {
  FrameReader reader;
  std::vector<std::string> out;
  for (std::size_t at = 0; at < stream.size(); at += piece) {
    reader.feed(stream.substr(at, piece));
    std::string_view body;
    auto next = reader.next(body);
    for (; next == FrameReader::Next::frame; next = reader.next(body)) out.emplace_back(body);
    REQUIRE(next == FrameReader::Next::more);
  }
  CHECK_FALSE(reader.is_partial());
  return out;
}

}  // namespace

TEST_CASE("integers keep their value at every width", "[plugin]") {
  std::vector<std::int64_t> values = {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()};
  for (int bit = 0; bit < 63; ++bit) {
    for (const std::int64_t near : {-1, 0, 1}) {
      values.push_back((std::int64_t{1} << bit) + near);
      values.push_back(-(std::int64_t{1} << bit) + near);
    }
  }
  for (const std::int64_t value : values) {
    std::string out;
    Writer(out).integer(value);
    Reader r(out);
    CHECK(r.peek() == Type::integer);
    CHECK(r.integer() == value);
    CHECK((r.ok() && r.at_end()));
  }
}

TEST_CASE("doubles keep every bit, also what JSON has no word for", "[plugin]") {
  for (const double value :
       {0.0, -0.0, 0.1, -1e308, 5e-324, std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()}) {
    std::string out;
    Writer(out).real(value);
    Reader r(out);
    const double back = r.real();
    CHECK(back == value);
    CHECK(std::signbit(back) == std::signbit(value));
  }
  std::string out;
  Writer(out).real(std::nan(""));
  CHECK(std::isnan(Reader(out).real()));
}

TEST_CASE("strings of every length class come back as what they were", "[plugin]") {
  for (const std::size_t size : {std::size_t{0}, std::size_t{31}, std::size_t{32}, std::size_t{255}, std::size_t{256}, std::size_t{65535},
                                 std::size_t{65536}, std::size_t{200000}}) {
    const std::string value(size, '\xfe');
    std::string out;
    Writer w(out);
    w.text(value), w.bytes(value), w.secret(value);
    Reader r(out);
    CHECK(r.peek() == Type::text);
    CHECK(r.text() == value);
    CHECK(r.peek() == Type::bytes);
    CHECK(r.bytes() == value);
    CHECK(r.peek() == Type::secret);
    CHECK(r.secret() == value);
    CHECK((r.ok() && r.at_end()));
  }
}

TEST_CASE("counts that the bytes cannot hold are refused before anything is made of them", "[plugin]") {
  for (const char* tag : {"\xdd\xff\xff\xff\xff", "\xdf\xff\xff\xff\xff", "\xdf\x7f\xff\xff\xff", "\xdc\xff\xff", "\xde\x00\x02"}) {
    const std::string bytes = std::string(tag, tag[0] == '\xdd' || tag[0] == '\xdf' ? 5 : 3) + "abc";
    Reader list(bytes), table(bytes);
    const std::size_t counted = list.array() + table.map();
    CHECK(counted == 0);
    CHECK((!list.ok() && !table.ok()));
  }
}

TEST_CASE("nesting is bounded", "[plugin]") {
  const std::string deep(1'000'000, '\x91');
  Reader r(deep);
  r.skip();
  CHECK_FALSE(r.ok());
  std::string fair(wire::max_depth - 1, '\x91');
  fair += '\xc0';
  Reader s(fair);
  s.skip();
  CHECK((s.ok() && s.at_end()));
}

TEST_CASE("every truncation of a message is noticed", "[plugin]") {
  const std::string whole = sample();
  Reader complete(whole);
  complete.skip();
  REQUIRE((complete.ok() && complete.at_end()));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    INFO(size);
    Reader r(std::string_view(whole).substr(0, size));
    r.skip();
    CHECK_FALSE(r.ok());
    read_all_ways(std::string_view(whole).substr(0, size));
  }
}

TEST_CASE("errors stick", "[plugin]") {
  std::string out;
  Writer w(out);
  w.integer(1), w.integer(2);
  Reader r(out);
  static_cast<void>(r.text());
  CHECK_FALSE(r.ok());
  CHECK(r.integer() == 0);
  CHECK(r.at_end());
  CHECK(r.rest().empty());
}

TEST_CASE("any bytes can be read without harm", "[plugin]") {
  const auto seed = GENERATE(1U, 2U, 3U, 4U);
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const std::string whole = sample();
  for (int round = 0; round < 3000; ++round) {
    std::string bytes = round % 2 == 0 ? whole : std::string(random() % 64, '\0');
    if (round % 2 == 1) {
      for (char& c : bytes) c = static_cast<char>(random());
    }
    for (auto change = random() % 4 + 1; change > 0 && !bytes.empty(); --change)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    read_all_ways(bytes);
  }
}

TEST_CASE("messages share a frame until it is full", "[plugin]") {
  FrameWriter writer;
  CHECK(writer.empty());
  for (int i = 0; i < 5; ++i) writer.message([&](Writer& w) { w.bytes(std::string(300'000, static_cast<char>('a' + i))); });
  const std::string stream = writer.take();
  CHECK(writer.empty());
  for (const std::size_t piece : {std::size_t{1} << 21, std::size_t{65536}, std::size_t{1009}}) {
    const auto frames = frames_of(stream, piece);
    REQUIRE(frames.size() == 2);
    std::string seen;
    for (const std::string& frame : frames) {
      CHECK(frame.size() <= wire::max_frame);
      Reader r(frame);
      while (!r.at_end()) seen += r.bytes().substr(0, 1);
      CHECK(r.ok());
    }
    CHECK(seen == "abcde");
  }
}

TEST_CASE("a message of exactly the limit fits, one that is larger is dropped alone", "[plugin]") {
  for (const std::size_t over : {std::size_t{0}, std::size_t{1}, std::size_t{1} << 20}) {
    FrameWriter writer;
    const auto small = [](Writer& w) { w.text("small"); };
    writer.message(small);
    writer.message([&](Writer& w) { w.bytes(std::string(wire::max_frame - 5 + over, 'x')); });
    writer.message(small);
    const auto frames = frames_of(writer.take(), 100'000);
    std::size_t smalls = 0, larges = 0;
    for (const std::string& frame : frames) {
      for (Reader r(frame); !r.at_end();)
        r.peek() == Type::text ? (++smalls, static_cast<void>(r.text())) : (++larges, static_cast<void>(r.bytes()));
    }
    CHECK(smalls == 2);
    CHECK(larges == (over == 0 ? 1 : 0));
  }
}

TEST_CASE("a first message that is too large leaves nothing behind", "[plugin]") {
  FrameWriter writer;
  writer.message([](Writer& w) { w.bytes(std::string(wire::max_frame + 1, 'x')); });
  CHECK(writer.take().empty());
}

TEST_CASE("lengths that no frame has are broken at once", "[plugin]") {
  for (const auto& head : {std::string("\0\0\0\0", 4), std::string("\x01\x00\x10\x00", 4), std::string("\xff\xff\xff\x7f", 4),
                           std::string("\xff\xff\xff\xff", 4)}) {
    FrameReader reader;
    reader.feed(head);
    std::string_view body;
    CHECK(reader.next(body) == FrameReader::Next::broken);
  }
}

TEST_CASE("part of a frame is waited for", "[plugin]") {
  FrameWriter writer;
  writer.message([](Writer& w) { w.text("hello"); });
  const std::string stream = writer.take();
  FrameReader reader;
  std::string_view body;
  for (std::size_t i = 0; i + 1 < stream.size(); ++i) {
    reader.feed({&stream[i], 1});
    REQUIRE(reader.next(body) == FrameReader::Next::more);
    CHECK(reader.is_partial());
  }
  reader.feed({&stream.back(), 1});
  REQUIRE(reader.next(body) == FrameReader::Next::frame);
  CHECK(Reader(body).text() == "hello");
  CHECK(reader.next(body) == FrameReader::Next::more);
  CHECK_FALSE(reader.is_partial());
}
