// SPDX-License-Identifier: Apache-2.0
#include "incident/people.hpp"

#include "catch.hpp"
#include "staffed.hpp"

using namespace ronda;
using namespace ronda::people;
using test::at;

TEST_CASE("a target stands for its people, each once, by whatever groups", "[incident]") {
  const auto staffed = test::staff(
      "[contact.a]\n[contact.b]\n[contact.c]\n[group.all]\nmembers = ['b', 'inner', 'ops', 'a']\n[group.inner]\nmembers = ['c', 'b']\n"
      "[oncall.ops]\nmembers = ['a', 'c']\n");
  CHECK(staffed.diagnostics.errors() == 0);
  const Members members = staffed.people.members_of("all");
  CHECK(members.contacts == std::vector<std::string>{"b", "c", "a"});
  CHECK(members.oncalls == std::vector<std::string>{"ops"});
  CHECK(staffed.people.members_of("a").contacts == std::vector<std::string>{"a"});
  CHECK(staffed.people.members_of("nobody").empty());
}

TEST_CASE("groups in a circle still have their people", "[incident]") {
  const auto staffed = test::staff("[contact.a]\n[group.x]\nmembers = ['y']\n[group.y]\nmembers = ['x', 'a']\n");
  CHECK(staffed.diagnostics.errors() == 1);
  CHECK(staffed.people.members_of("x").contacts == std::vector<std::string>{"a"});
}

TEST_CASE("where nothing of what ships was filled in, it is said that nobody beyond this host hears anything", "[incident]") {
  const auto says = [](bool mail_is_example, bool sms_is_example, const std::string& address) {
    const auto notifier = [](const std::string& name, bool leaves, bool is_example) {
      Notifier out{name, true};
      out.leaves_host = leaves;
      out.is_example = is_example;
      return out;
    };
    return test::staff("[agent]\nlast_resort = ['log']\n[notifier.log]\nuse = 'x'\n[contact.a]\nchannels = [{ notifier = 'mail', to = '" +
                           address + "' }, { notifier = 'sms' }, { notifier = 'log' }]\n",
                       {notifier("mail", true, mail_is_example), notifier("sms", true, sms_is_example), notifier("log", false, false),
                        notifier("spare", true, true)})
        .printed();
  };
  CHECK(says(false, false, "a@b.c").empty());
  const std::string nobody =
      "warning: nobody beyond this host can be told anything: `mail`, `sms` lead to names that are reserved for examples; give them and "
      "the contacts "
      "real ones\n";
  CHECK_THAT(says(true, true, "a@b.c"), Catch::Contains(nobody));
  CHECK_THAT(says(false, true, "a@shop.example"), Catch::Contains(nobody));
  CHECK_THAT(says(true, false, "a@b.c"),
             Catch::Contains("nobody is reached by notifier `mail`: its options name what is reserved for examples\n"));
  CHECK_THAT(says(false, false, "a@shop.example"),
             Catch::Contains("nobody is reached by notifier `mail`: all that contacts have as `to` for it is reserved for examples\n"));
}

TEST_CASE("many read where a notifier points to by itself and in a chat, unless it is said otherwise", "[incident]") {
  const auto staffed = test::staff(
      "[notifier.mail]\nuse = 'x'\n[notifier.ops-slack]\nuse = 'x'\n[contact.a]\nchannels = [{ notifier = 'ops-slack' }, "
      "{ notifier = 'ops-slack', to = 'U012', shared = false }, { notifier = 'ops-slack', to = 'C012' }, { notifier = 'mail', to = 'a@b.c' "
      "}, "
      "{ notifier = 'mail', to = 'all@b.c', shared = true }, { notifier = 'mail' }, { notifier = 'mail', shared = false }]\n",
      test::shop_notifiers());
  INFO(staffed.printed());
  CHECK(staffed.diagnostics.errors() == 0);
  std::vector<bool> shared;
  for (const Channel& one : staffed.people.find_contact("a")->channels) shared.push_back(one.shared);
  CHECK(shared == std::vector<bool>{true, false, true, false, true, true, false});
}

TEST_CASE("a name of this host is one person's", "[incident]") {
  const auto staffed = test::staff("[contact.a]\nunix = ['alice', 'al']\n[contact.b]\nunix = ['bob', 'alice']\n");
  CHECK(staffed.diagnostics.errors() == 1);
  CHECK(staffed.people.contact_of_unix("alice")->name == "a");
  CHECK(staffed.people.contact_of_unix("bob")->name == "b");
  CHECK(staffed.people.contact_of_unix("carol") == nullptr);
}

TEST_CASE("quiet hours hold P3 and P4 back until their end by the wall clock", "[incident]") {
  const auto staffed = test::staff(
      "[contact.a]\nquiet = { hours = '22:00-07:00', tz = 'Europe/Madrid' }\n[contact.b]\nquiet = { hours = '12:00-24:00', levels = ['p4'] "
      "}\n");
  REQUIRE(staffed.diagnostics.errors() == 0);
  const Quiet& night = *staffed.people.find_contact("a")->quiet;
  const auto until = [](const Quiet& quiet, Level level, std::string_view when, std::string_view zone) {
    const auto end = held_until(quiet, level, at(when, zone));
    return end ? moment_text(*end, *test::zone(zone)) : std::string("now");
  };
  CHECK(until(night, Level::p3, "2026-11-29 21:59", "Europe/Madrid") == "now");
  CHECK(until(night, Level::p3, "2026-11-29 22:00", "Europe/Madrid") == "Mon 2026-11-30 07:00:00 +0100");
  CHECK(until(night, Level::p4, "2026-11-30 06:59", "Europe/Madrid") == "Mon 2026-11-30 07:00:00 +0100");
  CHECK(until(night, Level::p3, "2026-11-30 07:00", "Europe/Madrid") == "now");
  CHECK(until(night, Level::p2, "2026-11-30 03:00", "Europe/Madrid") == "now");
  CHECK(until(night, Level::p1, "2026-11-30 03:00", "Europe/Madrid") == "now");
  // the night in which the clock is set forward
  CHECK(until(night, Level::p3, "2027-03-27 23:00", "Europe/Madrid") == "Sun 2027-03-28 07:00:00 +0200");
  const Quiet& day = *staffed.people.find_contact("b")->quiet;
  CHECK(until(day, Level::p4, "2026-11-29 12:00", "UTC") == "Mon 2026-11-30 00:00:00 +0000");
  CHECK(until(day, Level::p3, "2026-11-29 12:00", "UTC") == "now");
}

TEST_CASE("numbers as E.164 has them", "[incident]") {
  for (const std::string_view good : {"+5491155550000", "+12025550123", "+34600000000"}) CHECK(is_e164(good));
  for (const std::string_view bad :
       {"", "+", "5491155550000", "+0491155550000", "+54 911 5555", "+549115555000012345", "+1234567", "+54911555500a0", "0054911555"})
    CHECK_FALSE(is_e164(bad));
}

TEST_CASE("severities have the runbook's response times where nobody says others", "[incident]") {
  using namespace std::chrono_literals;
  const auto staffed = test::staff("[severity.p2]\nrespond_within = '2h'\ntitle = 'Bad'\n");
  CHECK(staffed.people.severity(Level::p1).respond_within == 15min);
  CHECK(staffed.people.severity(Level::p2).respond_within == 2h);
  CHECK(staffed.people.severity(Level::p2).title == "Bad");
  CHECK(staffed.people.severity(Level::p3).respond_within == 4h);
  CHECK(staffed.people.severity(Level::p4).respond_within == 24h);
}

TEST_CASE("a ticket is filled in from the incident and the vendor, without control characters", "[incident]") {
  const auto staffed = test::staff(
      "[vendor.db]\ntitle = 'DB Inc'\naccount = '4711'\nticket = '{{vendor}}/{{ account }}/{{vendor_level}} {{respond_within}}: "
      "{{summary}} ({{impact}}) {{account}}'\n"
      "levels = [{ name = 'Forum', url = 'https://x.example/' }, { name = 'Pro', email = 'pro@x.example', respond_within = '4h' }]\n");
  INFO(staffed.printed());
  REQUIRE(staffed.diagnostics.errors() == 0);
  const Vendor& vendor = *staffed.people.find_vendor("db");
  CHECK(ticket_text(vendor, 1, {{"summary", "down\x1b[2J\nsince {{account}}"}, {"account", "other"}}) ==
        "DB Inc/4711/Pro 4h: down\\x1b[2J\nsince {{account}} (-) 4711");
  CHECK(ticket_text(vendor, 0, {}) == "DB Inc/4711/Forum -: - (-) 4711");
  CHECK(owed_until(vendor.levels[1], at("2026-11-29 03:00")) == at("2026-11-29 07:00"));
  CHECK_FALSE(owed_until(vendor.levels[0], at("2026-11-29 03:00")));
}
