// One class, one notifier. The agent repeats a delivery that it is not sure of: the same message id may
// come twice, and handing it over twice must do no harm.
#include <ronda/plugin.hpp>

struct @CLASS@ : ronda::notifier {
  std::string program = ronda::cfg<std::string>("program");

  ronda::delivery deliver(ronda::call& c, const ronda::message& m) override {
    if (m.to().empty()) return ronda::drop("the channel has no address");
    ronda::exec_options how;
    std::string text = ronda::text(m.title(), "\n\n", m.body(), "\n");
    how.input = text;
    how.env = {{"RONDA_MESSAGE_ID", m.id()}, {"RONDA_LEVEL", m.level()}};
    auto ended = exec().run(c, {program, std::string(m.to())}, how);
    if (!ended) return ronda::drop(program, ": ", ended.error());
    if (ended->exit_code == 0) return ronda::delivered("handed to ", program);
    if (ended->exit_code == 75 || ended->timed_out) return ronda::retry({}, program, " is busy");
    return ronda::drop(program, " ended with ", ended->exit_code, ": ", ended->err);
  }
};

RONDA_PLUGIN(@CLASS@)
