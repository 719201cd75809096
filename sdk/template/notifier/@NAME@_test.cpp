// Runs the plugin's file against a fake host: no agent, no test framework, no real program.
#include <ronda/testing.hpp>

using ronda::testing::exec_answer;
using ronda::testing::exec_request;

int main(int, char** argv) {
  ronda::testing::library file(argv[1]);
  ronda::testing::host host;
  host.set("program", "/usr/bin/say");
  auto say = file.create(host, RONDA_KIND_NOTIFIER, "@NAME@");
  ronda::testing::message_options m;

  RONDA_EXPECT(say.deliver(m).is(ronda::delivery_status::drop));

  m.to = "ops";
  exec_answer answer;
  host.on_exec([&](const exec_request&) { return answer; });
  RONDA_EXPECT(say.deliver(m).is(ronda::delivery_status::delivered));
  RONDA_EXPECT(host.programs().back().argv[1] == "ops");
  RONDA_EXPECT(host.programs().back().input == "title\n\nbody\n");

  answer.exit_code = 75;
  RONDA_EXPECT(say.deliver(m).is(ronda::delivery_status::retry));
  answer.exit_code = 1;
  RONDA_EXPECT(say.deliver(m).is(ronda::delivery_status::drop));
  RONDA_EXPECT(host.broken().empty());
  return ronda::testing::failures();
}
