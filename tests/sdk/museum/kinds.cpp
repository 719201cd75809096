// SPDX-License-Identifier: Apache-2.0
// A museum piece on the C++ glue: all three kinds, and the services that need a grant.
#include <ronda/plugin.hpp>

struct Piece : ronda::check {
  ronda::result run(ronda::call& c) override {
    auto runs = kv().get_i64("runs").value_or(0) + 1;
    if (auto stored = kv().put("runs", runs); !stored) return ronda::unknown("kv: ", stored.error());
    auto password = secret("password");
    if (!password) return ronda::unknown("secret: ", password.error());
    auto events = inbox().take(c);
    if (!events) return ronda::unknown("inbox: ", events.error());
    auto next = calendar().next("*-*-* 03:00", clock().wall());
    if (!next) return ronda::unknown("calendar: ", next.error());
    c.metric("runs", runs, ronda::counter, {}, {}, {{"of", "piece"}});
    log().warning("run ", runs);
    return ronda::grade(static_cast<double>(runs), 1, 2, "run ", runs, ", secret of ", password.view().size(), ", ",
                        events->size(), " events")
        .at(*next);
  }
};

struct Change : ronda::task {
  std::string program = ronda::cfg<std::string>("program");
  ronda::task_result run(ronda::call& c) override {
    if (c.dry_run()) return ronda::changed("would run ", program);
    ronda::exec_options how;
    how.input = "typed";
    auto ended = exec().run(c, {program}, how);
    if (!ended) return ronda::failed(ended.error());
    if (ended->exit_code != 0) return ronda::failed("ended with ", ended->exit_code);
    return ronda::changed(ended->out);
  }
};

struct Tell : ronda::notifier {
  ronda::delivery deliver(ronda::call&, const ronda::message& m) override {
    if (m.attempt() == 1) return ronda::retry(std::chrono::seconds(5), "not at once");
    return ronda::delivered(m.id(), " to ", m.to(), ": ", m.title(), ", ", m.field("value"));
  }
};

RONDA_PLUGIN(Piece, Change, Tell)
