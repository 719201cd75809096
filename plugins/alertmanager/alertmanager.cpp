// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "alerts.hpp"
#include "outgoing/notifier.hpp"

namespace alertmanager {
namespace {

constexpr std::chrono::hours labels_kept{24 * 90};
constexpr std::size_t longest_key = 256;
constexpr std::chrono::minutes test_valid{5};  // longer than a group waits, and over soon

}  // namespace

class Alertmanager : public outgoing::Notifier {
 public:
  Alertmanager() : url_(config()["url"]), valid_for_(config()["valid_for"].as<std::chrono::nanoseconds>()) {
    if (!url_) throw std::invalid_argument("url is missing");
    const auto table = config()["labels"];
    for (std::size_t i = 0; i < table.size(); ++i) labels_.emplace_back(table.key(i), table.at(i));
  }

 protected:
  ronda::delivery hand_over(outgoing::Attempt& attempt, const ronda::message& message) override {
    auto alert = outgoing::alert_of(message, host());
    for (const auto& [name, value] : labels_)
      if (auto text = attempt.read(value); !text.empty()) alert.labels[name] = std::move(text);
    const auto key = "labels/" + std::string(message.incident());
    const bool kept = !message.incident().empty() && key.size() <= longest_key;
    auto before = kept ? read_kept_labels(kv().get(key).value_or("")) : std::nullopt;
    if (before == alert.labels) before.reset();

    outgoing::Request request;
    const auto base = attempt.url(url_);
    request.url = attempt.url(outgoing::join_url(base.text, "api/v2/alerts"));
    request.headers = {{"Content-Type", "application/json"}};
    const auto valid_for = message.event() == "test" ? std::min<std::chrono::nanoseconds>(valid_for_, test_valid) : valid_for_;
    request.body = alerts_body(alert, before, attempt.now(), valid_for);
    auto outcome = attempt.judge(attempt.post(request));
    if (kept && outcome.status == ronda::delivery_status::delivered) remember(key, alert);
    return outcome;
  }

 private:
  void remember(const std::string& key, const outgoing::Alert& alert) const {
    if (alert.resolved)
      kv().del(key);
    else
      kv().put(key, kept_labels(alert.labels), labels_kept);
  }

  ronda::value url_;
  std::chrono::nanoseconds valid_for_;
  std::vector<std::pair<std::string, ronda::value>> labels_;
};

}  // namespace alertmanager

RONDA_PLUGIN(alertmanager::Alertmanager)
