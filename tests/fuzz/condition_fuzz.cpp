// SPDX-License-Identifier: Apache-2.0
// Any text as a condition, over facts of which some are known and some are not: what is read can be asked of any history and
// keeps its bounds; each remark points into the text.
#include <cstdint>
#include <cstdlib>

#include "rule/evaluate.hpp"
#include "rule/given.hpp"
#include "rule/past.hpp"

using namespace ronda;
using namespace ronda::rule;

namespace {

constexpr std::int64_t second = 1'000'000'000;

Facts make_facts(bool open) {
  Facts facts;
  for (const char* name : {"api", "db", "3scale"}) {
    CheckFacts check;
    check.name = name;
    check.patience_ns = 50 * second;
    check.open_metrics = open;
    check.metrics = {{"total", "s", false, {}}, {"errors", "", true, {}}, {"used", "ratio", false, {"mount"}}, {"bytes", "B", false, {}}};
    facts.checks.push_back(std::move(check));
  }
  facts.tasks = {"dump"};
  facts.complete = !open;
  facts.sort();
  return facts;
}

Given make_view() {
  Given view;
  std::vector<measure::Point> points, statuses;
  for (int i = 1; i <= 40; ++i) {
    points.push_back({i * 30 * second, i * 0.03});
    statuses.push_back({i * 30 * second, static_cast<double>(i % 4)});
  }
  for (const char* check : {"api", "db"}) {
    view.set_interval(check, 30 * second);
    view.add_statuses(check, statuses);
    view.add({check, "total", {{}, "s", measure::Shape::gauge}, points, 0.5});
    view.add({check, "errors", {{}, "", measure::Shape::counter}, points, {}});
    view.add({check, "used", {{{"mount", "/"}}, "ratio", measure::Shape::gauge}, points, {}});
    view.add({check, "used", {{{"mount", "/var"}}, "ratio", measure::Shape::gauge}, points, {}});
  }
  view.add_task("dump", 100 * second);
  return view;
}

void look_at(std::string_view text, const Facts& facts, const measure::View& view) {
  std::vector<Remark> remarks;
  const auto condition = parse_condition(text, facts, remarks);
  for (const Remark& remark : remarks) {
    if (remark.offset > text.size() || remark.message.empty()) std::abort();
  }
  if (!condition) {
    if (remarks.empty()) std::abort();
    return;
  }
  if (condition->nodes.empty() || condition->nodes.size() > most_nodes) std::abort();
  for (std::uint32_t i = 0; i < condition->nodes.size(); ++i) {
    const Node& node = condition->nodes[i];
    if (node.begin + node.length > text.size()) std::abort();
    if ((node.left != Node::none && node.left >= i) || (node.right != Node::none && node.right >= i)) std::abort();
  }
  Past past(view);
  for (const std::int64_t now : {second, 600 * second, 1200 * second, 100'000 * second}) {
    past.move_to(now);
    std::vector<Step> steps;
    const Finding found = evaluate(*condition, {past, facts, now, 0, 2}, &steps);
    if (found.reason.empty() || found.reason.size() > most_reason) std::abort();
    if (found.next_ns != 0 && found.next_ns <= now) std::abort();
    if (steps.empty() || steps.back().truth != found.truth) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Facts known = make_facts(false), open = make_facts(true);
  static const Given view = make_view();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  look_at(text, known, view);
  look_at(text, open, view);
  return 0;
}
