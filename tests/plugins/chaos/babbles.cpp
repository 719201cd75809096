// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>
#include <stdexcept>
#include <thread>

#include <unistd.h>

#include "chaos.hpp"

namespace chaos {
namespace {

void flood(int fd, std::int64_t mib) {
  const std::string block(std::size_t{64} << 10, 'y');
  for (std::int64_t i = 0; i < mib * 16; ++i) {
    if (::write(fd, block.data(), block.size()) < 0) return;
  }
}

ronda_result said(std::string_view text) {
  ronda_result r{};
  r.size = sizeof r;
  r.status = RONDA_STATUS_OK;
  r.summary = ronda::to_abi(text);
  return r;
}

const ronda_emit_1* emit_of(const Deed& deed) {
  return static_cast<const ronda_emit_1*>(deed.inst->query(deed.inst, RONDA_SERVICE_EMIT));
}

void metrics(const Deed& deed) {
  for (std::int64_t i = 0; i < deed.n; ++i) deed.call.metric("m" + std::to_string(i), static_cast<double>(i), ronda::none);
}

void metrics_of_one_name(const Deed& deed) {
  for (std::int64_t i = 0; i < deed.n; ++i) {
    const std::string row = std::to_string(i);
    deed.call.metric("same", i, ronda::none, {}, {}, {{"row", row}});
  }
}

void many_labels(const Deed& deed) {
  const std::string value(2000, 'v');
  deed.call.metric("labelled", 1.0, ronda::none, {}, {},
                   ronda::labels(std::vector<ronda::label>(static_cast<std::size_t>(deed.n), ronda::label{"key", value})));
}

void strange_metrics(const Deed& deed) {
  deed.call.metric("nan", std::nan(""), ronda::none);
  deed.call.metric("inf", std::numeric_limits<double>::infinity(), ronda::none);
  deed.call.metric("", 1.0, ronda::none);
  deed.call.metric("fine\xff name", 1.0, ronda::none);
  deed.call.metric("shrinks", -1.0, ronda::counter);
}

void exact_metrics(const Deed& deed) {
  deed.call.metric("odd", std::int64_t{9'007'199'254'740'993}, ronda::counter);  // 2^53 + 1: no double
  deed.call.metric("most", std::numeric_limits<std::int64_t>::max());
  deed.call.metric("least", std::numeric_limits<std::int64_t>::min(), ronda::bytes);
  deed.call.metric("beyond", std::numeric_limits<std::uint64_t>::max());
}

void ugly_metrics(const Deed& deed) {
  ronda_kv label{ronda::to_abi("mount"), ronda::to_abi("a\nCRITICAL - fake | b;c\x1b[31m")};
  ronda_metric m{};
  m.size = sizeof m;
  m.name = ronda::to_abi("m");
  m.type = RONDA_METRIC_F64;
  m.f64 = 1;
  m.unit = ronda::to_abi("\xff|B\n");
  m.warn = ronda::to_abi("80%");
  m.crit = ronda::to_abi("90\xff");
  m.labels = &label, m.label_count = 1;
  emit_of(deed)->metric(deed.inst, deed.call.raw(), &m);
}

void emit_later(const Deed& deed) {
  const auto* const emit = emit_of(deed);
  const ronda_inst* const inst = deed.inst;
  const ronda_call* const call = deed.call.raw();
  std::thread([=] {
    sleep_ms(50);
    for (int i = 0; i < 200; ++i) {
      const ronda_result r = said("from a call that is over");
      emit->result(inst, call, &r);
      sleep_ms(2);
    }
  }).detach();
}

}  // namespace

bool babble(Deed& deed, ronda::result& result) {
  const std::string_view mode = deed.mode;
  if (mode == "flood-out")
    flood(1, deed.n);
  else if (mode == "flood-err")
    flood(2, deed.n);
  else if (mode == "print")
    static_cast<void>(::write(1, "to stdout \x1b[31m\n", 16)), static_cast<void>(::write(2, "to stderr", 9));
  else if (mode == "metrics")
    metrics(deed);
  else if (mode == "metrics-of-one-name")
    metrics_of_one_name(deed);
  else if (mode == "labels")
    many_labels(deed);
  else if (mode == "strange-metrics")
    strange_metrics(deed);
  else if (mode == "exact-metrics")
    exact_metrics(deed);
  else if (mode == "not-utf8")
    result = ronda::ok("caf\xe9 \xff\xfe \xf0\x9f");
  else if (mode == "huge-text")
    result = ronda::ok(std::string(static_cast<std::size_t>(deed.n), 'x'));
  else if (mode == "slow-critical")
    sleep_ms(deed.n), result = ronda::critical("nobody answers");
  else if (mode == "throw")
    throw std::runtime_error("thrown by run");
  else if (mode == "throw-int")
    throw 42;
  else if (mode == "double") {
    const ronda_result r = said("the first");
    emit_of(deed)->result(deed.inst, deed.call.raw(), &r);
    result = ronda::ok("the second");
  } else if (mode == "bad-status") {
    ronda_result r = said("a status that is none");
    r.status = 17;
    emit_of(deed)->result(deed.inst, deed.call.raw(), &r);
  } else if (mode == "status") {
    ronda_result r = said("a status by number");
    r.status = static_cast<std::int32_t>(deed.n);
    emit_of(deed)->result(deed.inst, deed.call.raw(), &r);
  } else if (mode == "status-by-glue") {
    result.status = static_cast<ronda::status>(deed.n);
  } else if (mode == "ugly-metrics") {
    ugly_metrics(deed);
  } else if (mode == "emit-later") {
    emit_later(deed);
  } else {
    return false;
  }
  return true;
}

}  // namespace chaos
