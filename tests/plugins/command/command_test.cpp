// SPDX-License-Identifier: Apache-2.0
// The plugin as a file, through the SDK's fake host, which really runs the programs.
#include <ronda/testing.hpp>

#include <catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "support/scratch.hpp"

using namespace std::chrono_literals;
using ronda::delivery_status;
using ronda::test::Scratch;
using ronda::testing::host;
using ronda::testing::message_options;
using ronda::testing::node;
using ronda::testing::report;

namespace {

const ronda::testing::library& plugin() {
  static const ronda::testing::library loaded(RONDA_BINARY_DIR "/plugins/command.so");
  return loaded;
}

node words(const std::vector<std::string>& argv) {
  node::list list;
  for (const auto& word : argv) list.emplace_back(word);
  return list;
}

/// With the defaults of the manifest.
void configure(host& h, const std::vector<std::string>& argv) {
  h.run_programs();
  h.set("command", words(argv)).set("input", "text").set("dir", "/");
}

/// A shell that was named, with what it is to do.
void configure_shell(host& h, const std::string& script) {
  configure(h, {"/bin/sh", "-c", script});
}

report deliver(host& h, const message_options& m = {}, std::chrono::nanoseconds deadline = 10s) {
  auto subject = plugin().create(h, RONDA_KIND_NOTIFIER, "command");
  if (!subject) throw std::runtime_error(subject.error());
  ronda::testing::run_options how;
  how.deadline = deadline;
  auto out = subject.deliver(m, how);
  CHECK(h.broken().empty());
  return out;
}

std::string content_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("the program reads the message and has its values in the environment", "[command]") {
  const Scratch folder;
  host h;
  configure_shell(h, "cat > " + folder / "in" + "; env | grep ^RONDA_ | sort > " + folder / "env");
  message_options m;
  m.id = "m-7", m.to = "ops", m.title = "API is down", m.body = "$(touch " + folder / "pwned" + ") `id`", m.level = "p2",
  m.event = "update";
  m.incident = "I-1", m.attempt = 3, m.fields = {{"service", "shop; rm -rf x"}};
  const auto end = deliver(h, m);
  CHECK(end.is(delivery_status::delivered));
  CHECK(end.summary == "handed to /bin/sh");
  CHECK(content_of(folder / "in") == "API is down\n\n" + m.body + "\n");
  CHECK(content_of(folder / "env") ==
        "RONDA_ATTEMPT=3\nRONDA_EVENT=update\nRONDA_FIELD_SERVICE=shop; rm -rf x\nRONDA_INCIDENT=I-1\nRONDA_LEVEL=p2\n"
        "RONDA_MESSAGE_ID=m-7\nRONDA_TITLE=API is down\nRONDA_TO=ops\n");
  CHECK_FALSE(std::filesystem::exists(folder / "pwned"));
}

TEST_CASE("the program may read json instead", "[command]") {
  const Scratch folder;
  host h;
  configure_shell(h, "cat > " + folder / "in");
  h.set("input", "json");
  CHECK(deliver(h).is(delivery_status::delivered));
  CHECK(content_of(folder / "in") ==
        "{\"id\":\"m-1\",\"attempt\":1,\"to\":\"\",\"level\":\"p1\",\"event\":\"open\",\"incident\":\"\",\"title\":\"title\",\"body\":"
        "\"body\","
        "\"fields\":{}}\n");
}

TEST_CASE("a program that does not read its input can still say that it is done", "[command]") {
  host h;
  configure(h, {"/bin/true"});
  message_options m;
  m.body = std::string(1 << 20, 'x');
  CHECK(deliver(h, m).is(delivery_status::delivered));
}

TEST_CASE("how it ended decides, and the end of stderr is told", "[command]") {
  const auto end_of = [](const std::string& script) {
    host h;
    configure_shell(h, script);
    return deliver(h);
  };
  auto end = end_of("echo 'gateway busy' >&2; exit 75");
  CHECK(end.is(delivery_status::retry));
  CHECK(end.summary == "/bin/sh asks to try again (exit code 75): gateway busy");
  end = end_of("echo one >&2; echo two >&2; exit 1");
  CHECK(end.is(delivery_status::drop));
  CHECK(end.summary == "/bin/sh ended with exit code 1: one / two");
  end = end_of("kill -SEGV $$");
  CHECK(end.is(delivery_status::drop));
  CHECK(end.summary == "/bin/sh was killed by SIGSEGV");
  end = end_of("kill -TERM $$");
  CHECK(end.is(delivery_status::retry));
}

TEST_CASE("a program that hangs is ended and the message is owed", "[command]") {
  host h;
  configure_shell(h, "echo 'waiting for the modem' >&2; exec sleep 600");
  const auto end = deliver(h, {}, 2s);
  CHECK(end.is(delivery_status::retry));
  // before the call's own end, after which nobody would hear why
  CHECK(h.programs().back().timeout == 1900ms);
  CHECK_THAT(end.summary, Catch::StartsWith("/bin/sh was not done within ") && Catch::EndsWith(" and was ended: waiting for the modem"));
}

TEST_CASE("a delivery that is cancelled ends its program", "[command]") {
  host h;
  configure_shell(h, "exec sleep 600");
  auto subject = plugin().create(h, RONDA_KIND_NOTIFIER, "command");
  std::thread other([&] { subject.cancel(); });
  other.join();
  const auto end = subject.deliver();
  CHECK(end.is(delivery_status::retry));
  CHECK(end.summary == "/bin/sh was ended because the delivery was cancelled");
}

TEST_CASE("a program that is not there is told at once", "[command]") {
  host h;
  configure(h, {"/nonexistent/page-me"});
  const auto end = deliver(h);
  CHECK(end.is(delivery_status::drop));
  CHECK_THAT(end.summary, Catch::StartsWith("cannot start /nonexistent/page-me: ") &&
                              Catch::EndsWith("; is it there, executable, and may the runner's user start it?"));
}

TEST_CASE("where no process can be had, or may not be, it is said which", "[command]") {
  host h;
  configure(h, {"/bin/true"});
  ronda::testing::exec_answer answer;
  h.on_exec([&](const ronda::testing::exec_request&) { return answer; });
  answer.code = RONDA_E_AGAIN, answer.err = "Resource temporarily unavailable";
  auto end = deliver(h);
  CHECK(end.is(delivery_status::retry));
  CHECK(end.summary == "cannot start /bin/true now: Resource temporarily unavailable");
  answer.code = RONDA_E_DENIED, answer.err = "Permission denied";
  end = deliver(h);
  CHECK(end.is(delivery_status::drop));
  CHECK(end.summary == "cannot start /bin/true: Permission denied; is it there, executable, and may the runner's user start it?");
}

TEST_CASE("a secret reaches the program's environment and nothing else", "[command]") {
  const Scratch folder;
  const std::string canary = "canary-5c1f9a-secret";
  host h;
  configure_shell(h, "printf %s \"$TOKEN\" > " + folder / "token" + "; tr '\\0' ' ' < /proc/$$/cmdline > " + folder / "argv" + "; cat > " +
                         folder / "in" + "; echo \"bad token $TOKEN\" >&2; echo $TOKEN; exit 1");
  h.set("env", node::table{{"TOKEN", node::secret(canary)}, {"PLAIN", "seen"}});
  const auto end = deliver(h);
  CHECK(content_of(folder / "token") == canary);
  CHECK(end.summary == "/bin/sh ended with exit code 1: bad token ***");
  std::string everything = end.summary + end.detail + end.error + content_of(folder / "argv") + content_of(folder / "in");
  for (const auto& line : h.logs()) everything += line.text;
  for (const auto& program : h.programs())
    for (const auto& word : program.argv) everything += word;
  CHECK(everything.find("canary") == everything.npos);
  CHECK(h.secrets_open() == 0);
}

TEST_CASE("what could not be run as it is meant is refused when the notifier is made", "[command]") {
  const auto refusal = [](const std::function<void(host&)>& change) {
    host h;
    configure(h, {"/bin/true"});
    change(h);
    return plugin().create(h, RONDA_KIND_NOTIFIER, "command").error();
  };
  CHECK(refusal([](host& h) { h.set("command", words({"page-me"})); }) ==
        "command[0] must be the absolute path of a program: there is no PATH search");
  CHECK(refusal([](host& h) { h.set("command", words({})); }) ==
        "command[0] must be the absolute path of a program: there is no PATH search");
  CHECK(refusal([](host& h) {
          h.set("command", node::list{"/bin/true", node::secret("s")});
        }) == "command[1] holds a secret, and a command line can be read by every user of the host: give it in `env` or a file");
  CHECK(refusal([](host& h) {
          h.set("env", node::table{{"RONDA_TITLE", "x"}});
        }) == "env.RONDA_TITLE: names that begin with RONDA_ are the message's");
}

TEST_CASE("who has no leave to start programs says so", "[command]") {
  host h;
  configure(h, {"/bin/true"});
  h.deny(RONDA_SERVICE_EXEC);
  const auto end = deliver(h);
  CHECK(end.is(delivery_status::drop));
}
