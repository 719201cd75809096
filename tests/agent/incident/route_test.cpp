// SPDX-License-Identifier: Apache-2.0
// Where messages go, and that no mistake in conf.d silences a P1.
#include "incident/route.hpp"

#include "catch.hpp"
#include "incident/simulate.hpp"
#include "staffed.hpp"

using namespace ronda;
using namespace ronda::escalation;
using test::at;

namespace {

std::string text_of(const Address& one) {
  return one.notifier + (one.to.empty() ? "" : ":" + one.to) + (one.repeated ? "*" : "");
}

/// "people: a(mail:a@x), b(...)|broadcast|missed"
std::string text_of(const Reach& reach) {
  std::string out(how_name(reach.how));
  for (const Recipient& one : reach.recipients) {
    out += " " + one.contact + "(";
    for (const Address& address : one.addresses) out += text_of(address) + " ";
    if (!one.fallback.empty()) out += "else ";
    for (const Address& address : one.fallback) out += text_of(address) + " ";
    out.back() = ')';
  }
  for (const Address& one : reach.broadcast) out += " @" + text_of(one);
  for (const std::string& one : reach.missed) out += " !" + one;
  return out;
}

Reach first_of(const test::Staffed& staffed, Level level, std::int64_t at_ns, const Overrides& overrides = {}) {
  IncidentClock clock;
  clock.detected_ns = at_ns;
  clock.level = level;
  const Policy& policy = staffed.policies.of("");
  const auto due = escalation::due(policy, clock, never_asked, at_ns).due;
  return route(staffed.people, policy, level, due, at_ns, overrides);
}

const std::string two_people =
    "[contact.a]\nchannels = [{ notifier = 'mail', to = 'a@x' }, { notifier = 'sms', to = '+5491155550001', levels = ['p1'] }]\n"
    "[contact.b]\nchannels = [{ notifier = 'mail', to = 'b@x', fallback = true }, { notifier = 'ops-slack' }]\n"
    "[group.all]\nmembers = ['a', 'b']\n";

}  // namespace

TEST_CASE("each person once, by all channels that fit the level, with what stands in when they fail", "[incident]") {
  const auto staffed = test::staff(two_people +
                                   "[escalation.default.p1]\nsteps = [{ from = '0m', notify = ['all', 'a'], repeat = ['1h'] }]\n"
                                   "[escalation.default.p2]\nsteps = [{ from = '0m', notify = ['all'], repeat = ['1h'] }]\n");
  CHECK(text_of(first_of(staffed, Level::p1, at("2026-11-29 03:00"))) ==
        "people a(mail:a@x sms:+5491155550001) b(ops-slack else mail:b@x)");
  CHECK(text_of(first_of(staffed, Level::p2, at("2026-11-29 03:00"))) == "people a(mail:a@x) b(ops-slack else mail:b@x)");
}

TEST_CASE("an address that two share is marked where it comes again", "[incident]") {
  const auto staffed = test::staff(
      "[contact.a]\nchannels = [{ notifier = 'ops-slack' }]\n[contact.b]\nchannels = [{ notifier = 'ops-slack' }]\n"
      "[escalation.default.p1]\nsteps = [{ from = '0m', notify = ['a', 'b'], repeat = ['1h'] }]\n");
  CHECK(text_of(first_of(staffed, Level::p1, at("2026-11-29 03:00"))) == "people a(ops-slack) b(ops-slack*)");
}

TEST_CASE("whom a step loses its next one makes up for, and the last resort for all", "[incident]") {
  const std::string rota = "[oncall.ops]\nmembers = ['a']\nstart = '2026-12-01'\ntz = 'UTC'\n";
  const std::string ladder =
      "[escalation.default.p1]\nsteps = [{ from = '0m', notify = ['ops'], repeat = ['1h'] }, { from = '1h', notify = ['b'], repeat = "
      "['1h'] }]\n";
  const auto staffed = test::staff(two_people + rota + ladder);
  CHECK(text_of(first_of(staffed, Level::p1, at("2026-12-02 03:00"))) == "people a(mail:a@x sms:+5491155550001)");
  CHECK(text_of(first_of(staffed, Level::p1, at("2026-11-29 03:00"))) ==
        "next-step b(ops-slack else mail:b@x) !oncall ops: nobody is on call");
  const Overrides more = {{"ops", {{{at("2026-11-29 00:00"), at("2026-11-30 00:00")}, "b", "stands in"}}}};
  CHECK(text_of(first_of(staffed, Level::p1, at("2026-11-29 03:00"), more)) == "people b(ops-slack else mail:b@x)");
  const auto alone = test::staff("[agent]\nlast_resort = ['mail']\n[notifier.mail]\nuse = 'smtp'\n" + two_people + rota +
                                 "[escalation.default.p1]\nsteps = [{ from = '0m', notify = ['ops'], repeat = ['1h'] }]\n");
  CHECK(text_of(first_of(alone, Level::p1, at("2026-11-29 03:00"))) == "last-resort @mail:a@x @mail:b@x !oncall ops: nobody is on call");
}

TEST_CASE("where only a notice finds its people the page goes to the last resort", "[incident]") {
  const auto staffed = test::staff(two_people +
                                   "[contact.c]\n[escalation.default.p1]\nsteps = [{ from = '0m', notify = ['c'], repeat = ['1h'] }, "
                                   "{ from = '0m', notify = ['b'], business = true }]\n"
                                   "[escalation.default.p2]\nsteps = [{ from = '0m', notify = ['b'], business = true }]\n");
  CHECK(text_of(first_of(staffed, Level::p1, at("2026-11-29 03:00"))) ==
        "every-notifier b(ops-slack else mail:b@x) @mail:a@x @mail:b@x @ops-slack @sms:+5491155550001 !c: no channel for p1");
  CHECK(text_of(first_of(staffed, Level::p2, at("2026-11-29 03:00"))) == "people b(ops-slack else mail:b@x)");
}

TEST_CASE("without a last resort all notifiers that can be used are it, and without one of those it is nowhere", "[incident]") {
  auto notifiers = test::shop_notifiers();
  const auto all = test::staff(two_people, notifiers);
  CHECK(text_of(last_resort(all.people, Level::p1)) == "every-notifier @mail:a@x @mail:b@x @ops-slack @sms:+5491155550001");
  CHECK(text_of(first_of(all, Level::p3, at("2026-11-29 03:00"))) == "every-notifier @mail:a@x @mail:b@x @ops-slack @sms:+5491155550001");
  notifiers[0].usable = notifiers[2].usable = false;
  CHECK(text_of(last_resort(test::staff(two_people, notifiers).people, Level::p1)) == "every-notifier @ops-slack");
  notifiers[1].usable = false;
  CHECK(text_of(last_resort(test::staff(two_people, notifiers).people, Level::p1)) == "nowhere");
}

TEST_CASE("a P4 that no ladder names anybody for goes to the last resort that is said, and else to nobody", "[incident]") {
  const auto unsaid = test::staff(two_people, test::shop_notifiers());
  CHECK(text_of(first_of(unsaid, Level::p4, at("2026-11-29 10:00"))) == "nobody-named");
  const auto said = test::staff("[agent]\nlast_resort = ['mail']\n[notifier.mail]\nuse = 'smtp'\n" + two_people, test::shop_notifiers());
  CHECK(text_of(first_of(said, Level::p4, at("2026-11-29 10:00"))) == "last-resort @mail:a@x @mail:b@x");
  const auto ladder = test::staff(two_people + "[escalation.default.p4]\nsteps = [{ from = '0m', notify = ['b'] }]\n");
  CHECK(text_of(first_of(ladder, Level::p4, at("2026-11-29 10:00"))) == "people b(ops-slack else mail:b@x)");
}

TEST_CASE("quiet hours hold a channel back, not the other ones, and never a P1", "[incident]") {
  const auto staffed = test::staff(
      "[contact.a]\nchannels = [{ notifier = 'mail', to = 'a@x' }, { notifier = 'sms', to = '+5491155550001', quiet = '22:00-07:00' }]\n"
      "[escalation.default.p1]\nsteps = [{ from = '0m', notify = ['a'], repeat = ['1h'] }]\n[escalation.default.p3]\nsteps = [{ from = "
      "'0m', notify = ['a'], repeat = ['1h'] }]\n");
  const Reach night = first_of(staffed, Level::p3, at("2026-11-29 03:00"));
  REQUIRE(night.recipients.size() == 1);
  CHECK_FALSE(night.recipients[0].addresses[0].held_until_ns);
  CHECK(night.recipients[0].addresses[1].held_until_ns == at("2026-11-29 07:00"));
  CHECK_FALSE(first_of(staffed, Level::p1, at("2026-11-29 03:00")).recipients[0].addresses[1].held_until_ns);
}

namespace {

/// Somebody is told at detection of a P1 of each service, by a notifier that can be used.
void check_heard(const test::Staffed& staffed) {
  for (const char* service : {"api", "web", "database", "backup", ""}) {
    INFO("service " << service);
    Scenario scenario{service, Level::p1, at("2026-12-24 03:00"), std::chrono::hours(1), {}};
    const Simulation simulation = simulate(staffed.people, staffed.policies, scenario);
    REQUIRE_FALSE(simulation.told.empty());
    const Told& first = simulation.told.front();
    CHECK(first.at_ns == scenario.detected_ns);
    CHECK(first.reach.how != How::nowhere);
    std::size_t addresses = first.reach.broadcast.size();
    for (const Recipient& one : first.reach.recipients) addresses += one.business ? 0 : one.addresses.size();
    CHECK(addresses > 0);
  }
}

/// The lines at which the file's objects begin.
std::vector<std::size_t> headers(const std::string& text) {
  std::vector<std::size_t> out;
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
    if (text[at] == '[') out.push_back(at);
    if (text.find('\n', at) == std::string::npos) break;
  }
  return out;
}

}  // namespace

TEST_CASE("whichever file or object of the shipped conf.d is broken, in whichever way, a P1 reaches somebody", "[incident]") {
  const config::Sources whole = test::shipped();
  const test::Staffed sound = test::staff(whole);
  REQUIRE(sound.diagnostics.errors() == 0);
  check_heard(sound);
  std::size_t broken = 0;
  for (std::size_t file = 0; file < whole.size(); ++file) {
    INFO("file " << whole[file].path);
    config::Sources sources = whole;
    sources[file].text += "\n[ this is no TOML\n";
    check_heard(test::staff(sources));
    for (const std::size_t header : headers(whole[file].text)) {
      const std::size_t end = whole[file].text.find('\n', header) + 1;
      INFO("object " << whole[file].text.substr(header, end - header));
      for (const std::string spoil : {"nonsense = 1\n", "steps = 5\n", "channels = 5\n", "members = ['nobody']\n"}) {
        sources = whole;
        sources[file].text.insert(end, spoil);
        // a key that stands twice spoils the whole file, another one the object
        const test::Staffed spoilt = test::staff(sources);
        check_heard(spoilt);
        if (spoilt.diagnostics.errors() > 0) ++broken;  // a plugin's options are not judged here
      }
      sources = whole;
      const std::size_t next = whole[file].text.find("\n[", end);
      sources[file].text.erase(header, next == std::string::npos ? next : next + 1 - header);
      check_heard(test::staff(sources));
    }
  }
  CHECK(broken > 200);
}

TEST_CASE("whichever notifiers are left, a P1 goes through them", "[incident]") {
  for (unsigned left = 1; left < 8; ++left) {
    INFO("left " << left);
    auto notifiers = test::shop_notifiers();
    for (unsigned i = 0; i < 3; ++i) {
      notifiers[i].usable = ((left >> i) & 1U) != 0;
      notifiers[i].wrong = !notifiers[i].usable;
    }
    check_heard(test::staff(test::shipped(), notifiers));
  }
}
