// SPDX-License-Identifier: Apache-2.0
#include "space.hpp"

#include "catch.hpp"

using namespace host;

namespace {

constexpr double gib = 1024.0 * 1024 * 1024;

Mount data_mount() {
  Mount mount;
  mount.path = "/data";
  mount.type = "ext4";
  return mount;
}

Space space(double used_gib, double available_gib) {
  Space s;
  s.total = 105 * gib;  // 5 GiB are kept for root
  s.free = (105 - used_gib) * gib;
  s.available = available_gib * gib;
  s.inodes = 1000;
  s.inodes_free = 900;
  return s;
}

SpaceLimits limits() {
  SpaceLimits l;
  l.warn_at = 0.8;
  l.crit_at = 0.9;
  l.inodes_warn_at = 0.8;
  l.inodes_crit_at = 0.95;
  return l;
}

}  // namespace

TEST_CASE("what is kept for root is neither used nor free", "[host]") {
  CHECK(space(50, 50).used_ratio() == Approx(0.5));
  CHECK(space(100, 0).used_ratio() == Approx(1.0));
  CHECK(Space{}.used_ratio() == 0);
  CHECK(Space{}.inodes_ratio() == 0);
}

TEST_CASE("the share used is graded past the limit, not on it", "[host]") {
  auto [used, status] = GENERATE(table<double, ronda::status>(
      {{80, ronda::status::ok}, {81, ronda::status::warning}, {90, ronda::status::warning}, {91, ronda::status::critical}}));
  CHECK(judge(data_mount(), space(used, 100 - used), limits()).level == status);
}

TEST_CASE("bytes free are graded too, and may make the share not matter", "[host]") {
  auto l = limits();
  l.warn_free = 30 * gib;
  l.crit_free = 5 * gib;
  CHECK(judge(data_mount(), space(75, 25), l).level == ronda::status::warning);
  l.enough_free = 7 * gib;
  l.warn_free = 0;
  CHECK(judge(data_mount(), space(92, 8), l).level == ronda::status::ok);
  CHECK(judge(data_mount(), space(96, 4), l).level == ronda::status::critical);
}

TEST_CASE("what a rule compares is the share used, and 0 where enough is free", "[host]") {
  auto l = limits();
  CHECK(judged_ratio(space(92, 8), l) == Approx(0.92));
  l.enough_free = 7 * gib;
  CHECK(judged_ratio(space(92, 8), l) == 0);
  CHECK(judged_ratio(space(93, 7), l) == Approx(0.93));
}

TEST_CASE("a small filesystem is not blamed for having little free, but for being full", "[host]") {
  auto l = limits();
  l.crit_free = 60 * gib;
  l.free_min_size = 106 * gib;
  CHECK(judge(data_mount(), space(50, 50), l).level == ronda::status::ok);
  CHECK(judge(data_mount(), space(91, 9), l).level == ronda::status::critical);
  l.free_min_size = 105 * gib;
  CHECK(judge(data_mount(), space(50, 50), l).level == ronda::status::critical);
}

TEST_CASE("inodes and a filesystem that went read-only are said", "[host]") {
  auto mount = data_mount();
  mount.super_read_only = true;
  auto s = space(10, 90);
  s.inodes_free = 30;
  const Verdict verdict = judge(mount, s, limits());
  CHECK(verdict.level == ronda::status::critical);
  CHECK(verdict.text == "/data is 10% full (90.0 GiB free), 97% of inodes used, it is read-only");
}

TEST_CASE("mounted read-only on purpose is critical only where it must be writable", "[host]") {
  auto mount = data_mount();
  mount.super_read_only = mount.mount_read_only = true;
  auto [writable, status] = GENERATE(table<Writable, ronda::status>(
      {{Writable::automatic, ronda::status::ok}, {Writable::required, ronda::status::critical}, {Writable::any, ronda::status::ok}}));
  auto l = limits();
  l.writable = writable;
  CHECK(judge(mount, space(10, 90), l).level == status);
}

TEST_CASE("stat's answer is six numbers or nothing", "[host]") {
  const auto s = parse_stat_output("4096 100 50 40 1000 10\n");
  REQUIRE(s);
  CHECK(s->available == 40 * 4096);
  CHECK(s->inodes_ratio() == Approx(0.99));
  CHECK_FALSE(parse_stat_output("4096 100 50 40 1000"));
  CHECK_FALSE(parse_stat_output("4096 100 50 40 1000 x"));
  CHECK_FALSE(parse_stat_output(""));
}
