// SPDX-License-Identifier: Apache-2.0
// The tables of the operations runbook against the shipped conf.d: 3.1.1, 5.1.1, 5.1.2, 7.1.1 and 7.2.1, cell by cell. What the
// year and simulate.case say follows from the conf.d that there is; this says what there has to be.
#include <map>
#include <set>

#include "catch.hpp"
#include "incident/simulate.hpp"
#include "staffed.hpp"

using namespace ronda;
using namespace ronda::escalation;
using test::at;
using namespace std::chrono_literals;

namespace {

using Names = std::set<std::string>;

/// Whom an incident of the API that nobody takes calls, and when, of a day.
class Day {
 public:
  explicit Day(Level level) : staffed_(test::staff(test::shipped())) {
    REQUIRE(staffed_.diagnostics.errors() == 0);
    const Scenario scenario{"api", level, at("2026-12-23 12:00"), 24h, {}};  // no quiet hours, so that nothing is held back
    told_ = simulate(staffed_.people, staffed_.policies, scenario).told;
    for (const Told& one : told_) {
      for (const Recipient& person : one.reach.recipients) first_.try_emplace(name_of(person), Nanos(one.at_ns - scenario.detected_ns));
    }
    detected_ns_ = scenario.detected_ns;
  }

  Nanos first(const std::string& who) const {
    const auto found = first_.find(who);
    INFO(who);
    REQUIRE(found != first_.end());
    return found->second;
  }
  Names all() const {
    Names out;
    for (const auto& [name, when] : first_) out.insert(name);
    return out;
  }
  /// Who is told at least once from then on, before the other instant.
  Names within(Nanos from, Nanos until) const {
    Names out;
    for (const Told& one : told_) {
      const Nanos when(one.at_ns - detected_ns_);
      if (when < from || when >= until) continue;
      for (const Recipient& person : one.reach.recipients) out.insert(name_of(person));
    }
    return out;
  }
  /// The notifiers by which somebody is told, without those that only stand in.
  Names ways(const std::string& who) const {
    Names out;
    for (const Told& one : told_) {
      for (const Recipient& person : one.reach.recipients) {
        if (name_of(person) != who) continue;
        for (const Address& address : person.addresses) out.insert(address.notifier);
      }
    }
    return out;
  }

 private:
  /// Of the rota it is whoever is on call.
  static std::string name_of(const Recipient& person) { return person.contact.starts_with("operator-") ? "operator" : person.contact; }

  test::Staffed staffed_;
  std::int64_t detected_ns_ = 0;
  std::vector<Told> told_;
  std::map<std::string, Nanos> first_;
};

Names missing(const Names& wanted, const Names& there) {
  Names out;
  for (const std::string& one : wanted) {
    if (!there.contains(one)) out.insert(one);
  }
  return out;
}

const Names none, mail = {"mail"}, mail_and_sms = {"mail", "sms"}, room = {"ops-slack"};
const Names p1_contacts = {"cto", "ciso", "devops-lead", "dba"};
const Names p2_contacts = {"technical-lead", "security-team", "operations-manager", "business-continuity"};
const Names p3_contacts = {"development-team", "qa-team", "support-team"};

void check_firsts(const Day& day, const std::map<std::string, Nanos>& wanted) {
  Names named;
  for (const auto& [who, when] : wanted) {
    INFO(who);
    CHECK(format_duration(day.first(who)) == format_duration(when));
    named.insert(who);
  }
  CHECK(missing(day.all(), named) == none);  // and nobody else
}

}  // namespace

TEST_CASE("a P1 calls whom the runbook says, when it says, by what it says", "[incident][runbook]") {
  const Day day(Level::p1);
  // 3.1.1 and 5.1.2: all at once, but the CEO after 15 minutes; 7.1.1: each level when the time of the one before is over; 7.1.2
  check_firsts(day, {{"ops-room", 0s},
                     {"cto", 0s},
                     {"ciso", 0s},
                     {"devops-lead", 0s},
                     {"dba", 0s},
                     {"ceo", 15min},
                     {"board", 1h},
                     {"legal", 4h},
                     {"operator", 0s},
                     {"technical-lead", 15min},
                     {"senior-database", 30min},
                     {"senior-functions", 30min},
                     {"engineering-manager", 1h},
                     {"product-manager", 0s}});
  for (const auto& [from, until] : {std::pair<Nanos, Nanos>{0s, 15min}, {15min, 1h}, {1h, 4h}, {4h, 24h}})
    CHECK(missing(p1_contacts, day.within(from, until)) == none);  // "All" of every row
  for (const std::string& who : p1_contacts) CHECK(day.ways(who) == mail_and_sms);
  CHECK(day.ways("ceo") == mail_and_sms);
  CHECK(day.ways("ops-room") == room);
}

TEST_CASE("a P2 calls whom the runbook says, and keeps calling all whom it called", "[incident][runbook]") {
  const Day day(Level::p2);
  // 5.1.2 has the Technical Lead before 7.1.1 does; DevOps and Security by 3.1.1, the room by 7.2.1
  check_firsts(day, {{"technical-lead", 0s},
                     {"devops-lead", 0s},
                     {"security-team", 0s},
                     {"ops-room", 0s},
                     {"operator", 0s},
                     {"dba", 15min},
                     {"senior-database", 30min},
                     {"senior-functions", 30min},
                     {"product-manager", 30min},
                     {"operations-manager", 1h},
                     {"business-continuity", 1h},
                     {"engineering-manager", 1h},
                     {"hr", 4h}});
  Names everybody = p2_contacts;
  everybody.merge(Names{"ops-room", "devops-lead", "dba", "senior-database", "senior-functions"});
  CHECK(missing(everybody, day.within(1h, 4h)) == none);   // "All + Ops"
  CHECK(missing(everybody, day.within(4h, 24h)) == none);  // "All + HR"
  for (const std::string& who : p2_contacts) CHECK(day.ways(who) == mail);
  CHECK(day.ways("ops-room") == room);
}

TEST_CASE("a P3 calls whom the runbook says, by mail alone, and stands in the room", "[incident][runbook]") {
  const Day day(Level::p3);
  // 3.1.1: the Technical Team, which is that of 5.1.1, at once
  check_firsts(day, {{"development-team", 0s},
                     {"qa-team", 0s},
                     {"support-team", 0s},
                     {"ops-room", 0s},
                     {"team-lead", 15min},
                     {"engineering-manager", 4h},
                     {"operations-director", 4h}});
  Names developers = p3_contacts;
  developers.insert("team-lead");
  CHECK(missing(developers, day.within(1h, 4h)) == none);  // "All Dev"
  for (const std::string& who : developers) CHECK(day.ways(who) == mail);
  CHECK(day.ways("ops-room") == room);
}
