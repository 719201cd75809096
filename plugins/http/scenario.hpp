// SPDX-License-Identifier: Apache-2.0
// http.scenario: several requests in order; values of an answer are passed on as {{name}}. Stops at the first step
// that does not hold. Cookies live for one run.
#pragma once

#include <ronda/plugin.hpp>

#include <memory>
#include <set>

#include "pool.hpp"
#include "settings.hpp"
#include "template.hpp"

namespace http {

/// Where a value is taken from an answer.
struct Extraction {
  enum class From { json, regex, header };
  std::string name;
  From from = From::json;
  JsonPath path;
  std::optional<Regex> regex;
  std::string header;
};

struct Step {
  std::string name;
  RequestSettings request;  // url, headers and body with {{name}} in them
  Expectations expect;
  std::vector<Extraction> extract;
};

/// Reads [[steps]]; throws for a {{name}} that no earlier step extracts.
std::vector<Step> read_steps(const ronda::value& list);

/// `pattern` with the values in their places.
ronda::reply<Request> fill_request(const Step& step, const Values& values, const OpenSecret& open);

/// Adds what the step extracts to `values`; else why it cannot. `document` is null when the body is no JSON.
std::string extract(const Exchange& exchange, const Step& step, const Document* document, Values& values);

class ScenarioCheck : public ronda::check {
 public:
  static constexpr std::string_view procedure = "http.scenario";

  ScenarioCheck();
  ronda::result run(ronda::call& call) override;

 private:
  /// What is carried from step to step, and known of all of them at the end.
  struct Passage {
    Values values;
    double total = 0;
    bool unverified = false;
    std::optional<std::int64_t> certificate_end;  // of those that were shown the first that ends
    std::string certificate_of;                   // the step that was shown it
  };
  /// What stopped the scenario; ok when the step holds.
  ronda::result run_step(ronda::call& call, Client& client, const Policy& policy, const Step& step, Passage& passage);

  std::vector<Step> steps_;
  PolicySettings policy_;
  std::int64_t min_days_;
  std::shared_ptr<ClientPool> clients_ = ClientPool::shared();
};

}  // namespace http
