// SPDX-License-Identifier: Apache-2.0
// tests/cases/year/*.case: "days" (the first and the last), "zone" (in the place of that of [agent], where a case wants
// another one), "runbook" (LEVEL LINE: the alerts that it became), "untold" (CHECK: why it has no alert), "usual" (CHECK METRIC VALUE UNIT,
// of each result unless the script says otherwise; "-": the check measures nothing), "script" (see year.hpp), and "expect": each message
// with its time, event, level, alerts and subject, and under it who gets it by what.
//
// After a deliberate change of conf.d or of the agent: RONDA_WRITE_CASES=1 build/dev/tests/agent/response/test_year writes
// what came out; read `git diff tests/cases/year` line by line. The claims of the script ("over", "under") and that they
// name every level of every rule are checked all the same.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "year.hpp"

using namespace ronda;
using namespace ronda::test::year;

namespace {

namespace fs = std::filesystem;

const std::string shipped = RONDA_SOURCE_DIR "/conf.d";

std::string read_file(const fs::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A copy of the shipped conf.d in which the one line that names the zone names another one.
class Moved {
 public:
  explicit Moved(const std::string& zone) {
    std::string name = (fs::temp_directory_path() / "ronda-year-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
    fs::copy(shipped, path_, fs::copy_options::recursive);
    const fs::path file = path_ / "00-agent.toml";
    std::string text = read_file(file);
    const std::string was = "tz = \"America/Argentina/Buenos_Aires\"";
    const std::size_t at = text.find(was);
    REQUIRE(at != std::string::npos);
    std::ofstream(file) << text.replace(at, was.size(), "tz = \"" + zone + "\"");
  }
  Moved(const Moved&) = delete;
  Moved& operator=(const Moved&) = delete;
  ~Moved() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  std::string path() const { return path_.string(); }

 private:
  fs::path path_;
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

/// The lines that are only in one of the two, each group under the message that it belongs to.
std::string difference(const std::string& expected, const std::string& came) {
  const std::vector<std::string> a = lines_of(expected), b = lines_of(came);
  std::vector<std::vector<std::uint32_t>> same(a.size() + 1, std::vector<std::uint32_t>(b.size() + 1));  // longest common rest
  for (std::size_t i = a.size(); i-- > 0;) {
    for (std::size_t j = b.size(); j-- > 0;) same[i][j] = a[i] == b[j] ? same[i + 1][j + 1] + 1 : std::max(same[i + 1][j], same[i][j + 1]);
  }
  constexpr std::size_t most = 60;  // of lines shown: one rule that is wrong is not a thousand lines to read
  std::string out, message, shown;
  std::size_t count = 0;
  const auto put = [&](char sign, const std::string& line) {
    const bool is_head = !line.starts_with("  ");
    if (count < most && !is_head && message != shown) out += "  " + (shown = message) + "\n";
    if (is_head) shown = line;
    if (count++ < most) out += std::string(1, sign) + " " + line + "\n";
  };
  for (std::size_t i = 0, j = 0; i < a.size() || j < b.size();) {
    if (i < a.size() && j < b.size() && a[i] == b[j]) {
      if (!a[i].starts_with("  ")) message = a[i];
      ++i, ++j;
    } else if (j == b.size() || (i < a.size() && same[i + 1][j] >= same[i][j + 1])) {
      if (!a[i].starts_with("  ")) message = a[i];
      put('-', a[i++]);
    } else {
      if (!b[j].starts_with("  ")) message = b[j];
      put('+', b[j++]);
    }
  }
  if (count > most) out += "and " + std::to_string(count - most) + " more\n";
  return out;
}

bool is_at_least(const std::string& level, const std::string& least) {
  return level <= least;
}  // p1 is the highest

/// `over`: somebody was told of the alert at this level while the line held. `under`: nobody, and of no higher one.
void check_claims(const Year& year) {
  for (const Line& line : year.script()) {
    for (const Claim& claim : line.claims) {
      bool is_told = false;
      for (const Heard& heard : year.heard()) {
        if (heard.at < line.at || heard.at >= line.until + rest || heard.event == "resolve" || !heard.alerts.contains(claim.alert))
          continue;
        if (claim.over ? heard.at <= line.until && heard.level == claim.level : is_at_least(heard.level, claim.level)) is_told = true;
      }
      INFO(line.text << "\nof " << claim.alert << " " << claim.level);
      CHECK(is_told == claim.over);
    }
  }
}

std::set<std::string> only_in(const std::set<std::string>& these, const std::set<std::string>& those) {
  std::set<std::string> out;
  std::ranges::set_difference(these, those, std::inserter(out, out.end()));
  return out;
}

/// Every level of every rule, and everything that a rule looks at, is driven; and every line of the runbook is a rule.
void check_coverage(const Shop& shop, const Year& year, const std::string& runbook) {
  const std::set<std::string> none;
  std::set<std::string> levels, over, under, looked_at, driven, wanted;
  for (const rule::Alert& alert : shop.plan->rules.alerts) {
    for (const rule::Rung& rung : alert.rungs) levels.insert(alert.name + " " + std::string(config::level_name(rung.level)));
  }
  for (const rule::Need& need : shop.plan->rules.needs) looked_at.insert(need.check + " " + (need.metric.empty() ? "status" : need.metric));
  for (const Line& line : year.script()) {
    for (const Claim& claim : line.claims) {
      (claim.over ? over : under).insert(claim.alert + " " + claim.level);
      if (claim.over) driven.insert(line.check + " " + line.what);
    }
  }
  for (const std::string& line : lines_of(runbook)) {
    std::istringstream words(line.substr(line.find(':') + 1));
    for (std::string alert; words >> alert;) wanted.insert(alert + " " + line.substr(0, 2));
  }
  CHECK(only_in(levels, over) == none);  // rules without a line of the script over, and under, their limit
  CHECK(only_in(levels, under) == none);
  CHECK(only_in(over, levels) == none);  // claims about what is no rule
  CHECK(only_in(under, levels) == none);
  CHECK(only_in(looked_at, driven) == none);
  CHECK(only_in(wanted, levels) == none);  // of the runbook and no rule
  CHECK(only_in(levels, wanted) == none);  // a rule and of no line of the runbook
}

/// Every check of the shipped conf.d has an alert, or stands in the list with a reason: the rules are not the measure of themselves.
void check_told(const Shop& shop, const std::string& untold) {
  const std::set<std::string> none;
  std::set<std::string> silent, listed;
  for (const auto& [name, every] : shop.every) {
    if (!name.starts_with(rule::task_prefix)) silent.insert(name);
  }
  for (const rule::Alert& alert : shop.plan->rules.alerts) {
    for (const rule::Rung& rung : alert.rungs) {
      if (!rung.when) continue;  // an objective: its checks have alerts of their own or none
      for (const std::string& check : rung.when->checks) silent.erase(check);
    }
  }
  for (const std::string& line : lines_of(untold)) {
    const std::size_t colon = line.find(": ");
    INFO(line);
    REQUIRE(colon != std::string::npos);
    CHECK(line.size() > colon + 2);
    listed.insert(line.substr(0, colon));
  }
  CHECK(only_in(silent, listed) == none);  // fails and nobody hears
  CHECK(only_in(listed, silent) == none);  // has an alert, or is no check
}

/// The case with what came out as its "expect".
test::Case run_case(const test::Case& one) {
  std::optional<Moved> moved;
  const std::string zone = one.section("zone").substr(0, one.section("zone").find('\n'));
  if (!zone.empty()) moved.emplace(zone);
  std::istringstream days(one.section("days"));
  std::string first;
  days >> first;
  schedule::ZoneDatabase zones;
  const auto utc = zones.find("UTC");
  REQUIRE(utc);
  const auto now = people::parse_moment(first + "T00:00:00Z", **utc);
  REQUIRE(now);
  const Shop shop(moved ? moved->path() : shipped, *now);
  Year year(shop, one);
  const std::string came = year.run();
  check_claims(year);
  if (!moved) {
    check_coverage(shop, year, one.section("runbook"));
    check_told(shop, one.section("untold"));
  }
  test::Case out = one;
  for (auto& [name, text] : out.sections) {
    if (name == "expect") text = came;
  }
  return out;
}

void run_file(const std::string& name) {
  const std::string path = RONDA_SOURCE_DIR "/tests/cases/year/" + name;
  const bool writes = std::getenv("RONDA_WRITE_CASES") != nullptr;
  test::CaseFile file = test::read_cases(path);
  REQUIRE_FALSE(file.cases.empty());
  for (test::Case& one : file.cases) {
    test::Case came = run_case(one);
    const std::string expected = one.section("expect"), told = came.section("expect");
    const bool as_expected = told == expected;
    if (!writes && !as_expected) {  // not by INFO, which breaks lines at 80
      std::cout << name << ", " << one.title << ": - was expected, + came; how to write it anew stands in year_test.cpp\n"
                << difference(expected, told) << std::flush;
    }
    if (!writes) CHECK(as_expected);
    one = std::move(came);
  }
  if (writes) std::ofstream(path) << test::to_text(file);
}

}  // namespace

TEST_CASE("a year of the shop: each rule of the shipped conf.d over and under its limit, and who hears what when", "[year]") {
  run_file("shop.case");
}

TEST_CASE("where the clock is changed, a ladder counts time that passes, and quiet hours and handovers go by the wall clock", "[year]") {
  run_file("summer-time.case");
}

TEST_CASE("of what runs by a calendar it is known when, and how long its result may take", "[year][slot]") {
  schedule::ZoneDatabase zones;
  const auto at = [&](std::string_view text) { return *people::parse_moment(text, **zones.find("UTC")); };
  const Shop shop(shipped, at("2027-01-01T00:00:00Z"));
  const rule::CheckFacts* vacuum = shop.plan->rules.facts.find("task.vacuum");
  REQUIRE(vacuum != nullptr);
  CHECK(vacuum->patience_ns == 0);
  REQUIRE(vacuum->next_slot_ns);
  CHECK(vacuum->next_slot_ns(at("2027-11-03T00:00:00Z")) == at("2027-11-07T05:30:00Z"));  // Sunday at 02:30 there
  CHECK(vacuum->slot_grace_ns == 31 * minute + 10 * second);
  const rule::CheckFacts* scraping = shop.plan->rules.facts.find("scraping");
  REQUIRE(scraping != nullptr);
  CHECK_FALSE(scraping->next_slot_ns);
}

TEST_CASE("whoever has taken an incident is asked whether that is still so, at every level", "[year]") {
  schedule::ZoneDatabase zones;
  const Shop shop(shipped, *people::parse_moment("2027-01-01T00:00:00Z", **zones.find("UTC")));
  for (const config::Level level : people::all_levels) {
    const incident::LevelTimes& times = shop.plan->settings.of(level);
    INFO(config::level_name(level));
    CHECK(times.ack_remind_ns == (times.ack_expires_ns != 0 ? times.ack_expires_ns / 2 : times.respond_within_ns));
    CHECK(times.ack_remind_ns > 0);
  }
  CHECK(shop.plan->settings.of(config::Level::p4).ack_expires_ns == 0);
  CHECK(shop.plan->settings.of(config::Level::p4).ack_remind_ns == 24 * hour);
}
