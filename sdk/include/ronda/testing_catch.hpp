// SPDX-License-Identifier: Apache-2.0
// Matchers over a run's report for Catch2 2 and 3. Include Catch2 first.
//   CHECK_THAT(disk.run(), Ended(ronda::status::critical, "full"));
//   CHECK_THAT(disk.run(), HasMetric("used", 0.83));
#pragma once

#include <ronda/testing.hpp>

namespace ronda::testing {

#if defined(CATCH_VERSION_MAJOR) && CATCH_VERSION_MAJOR >= 3
template <class T>
using matcher = Catch::Matchers::MatcherBase<T>;
#else
template <class T>
using matcher = Catch::MatcherBase<T>;
#endif

inline std::string shown(const report& r) {
  std::string line = text("code ", r.code, ", results ", r.results, ", status ", r.status, ": ", r.summary);
  for (const metric& m : r.metrics) line += text("\n  ", m.name, " = ", m.value, " ", m.unit);
  return line;
}

template <class Status>
class Ended : public matcher<report> {
 public:
  explicit Ended(Status status, std::string part = {}) : status_(status), part_(std::move(part)) {}
  bool match(const report& r) const override {
    return r.is(status_) && r.summary.find(part_) != std::string::npos;
  }
  std::string describe() const override {
    return text("ended with status ", static_cast<std::int32_t>(status_), " and a summary with \"", part_,
                "\"");
  }

 private:
  Status status_;
  std::string part_;
};

class HasMetric : public matcher<report> {
 public:
  HasMetric(std::string name, double value, fields labels = {})
      : name_(std::move(name)), value_(value), labels_(std::move(labels)) {}
  bool match(const report& r) const override {
    const metric* m = r.find(name_, labels_);
    if (m == nullptr) return false;
    double off = m->value - value_, allowed = 1e-9 * (value_ < 0 ? -value_ : value_) + 1e-12;
    return off <= allowed && -off <= allowed;
  }
  std::string describe() const override { return text("has the metric ", name_, " = ", value_); }

 private:
  std::string name_;
  double value_;
  fields labels_;
};

}  // namespace ronda::testing

namespace Catch {
template <>
struct StringMaker<ronda::testing::report> {
  static std::string convert(const ronda::testing::report& r) { return ronda::testing::shown(r); }
};
}  // namespace Catch
