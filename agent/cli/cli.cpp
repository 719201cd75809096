// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/program_options.hpp>
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "base/text.hpp"
#include "config/parse_child.hpp"
#include "plugin/vet_child.hpp"

namespace ronda::cli {
namespace po = boost::program_options;

bool Options::has(std::string_view flag) const {
  return std::ranges::any_of(flags, [&](const auto& f) { return f.first == flag; });
}

std::string Options::value(std::string_view flag, std::string_view otherwise) const {
  const auto found = std::ranges::find(flags, flag, &std::pair<std::string, std::string>::first);
  return found == flags.end() ? std::string(otherwise) : found->second;
}

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> table = {
      {"run", "", "start the agent in the foreground", {{"safe-mode", "", "no tasks, only plugins of the system directory"}}, run_agent},
      {"validate",
       "",
       "check conf.d and the plugins; every error at once",
       {{"probe", "", "also create each instance once: runs plugin code"}},
       validate},
      {"reload",
       "",
       "ask for a reload and wait for its result",
       {{"allow-empty", "", "accept a configuration with nothing in it"}},
       reload},
      {"status", "", "what is well and what is not", {{"watch", "", "again every two seconds"}}, status, exit_undetermined},
      {"top",
       "",
       "a live view",
       {},
       [](const Options& options) {
         Options live = options;
         live.flags.emplace_back("watch", "");
         return status(live);
       },
       exit_undetermined},
      {"check", "NAME", "run a check once now; one Nagios line", {}, check, exit_undetermined},
      {"task",
       "run NAME",
       "run a task once now",
       {{"set", "KEY=VALUE", "a parameter of the task"}, {"dry-run", "", "say what it would do"}},
       task},
      {"explain", "NAME", "why it last ran, was skipped or blocked; why an alert or an objective fires", {}, explain},
      {"slo", "[NAME]", "what is left of each objective's budget, and how fast it burns", {}, slo},
      {"alert", "list", "alerts, those that fire first", {{"firing", "", "only those"}}, alert},
      {"incident",
       "list|show|open|ack|unack|note|update|raise|lower|mitigate|resolve|close|role|ticket|review ...",
       "what people work on: see it, take it, say what is known, end it",
       {{"all", "", "of list: those that are over too", "list"},
        {"level", "LEVEL", "of open, raise, lower: p1, p2, p3 or p4; of ticket: of the vendor, a number (1)", "open raise lower ticket"},
        {"opened", "NUMBER", "of ticket: it was opened there, under this number; their answer is owed from now on", "ticket"},
        {"answered", "TEXT", "of ticket: they have answered", "ticket"},
        {"service", "NAME", "of open: what is hurt", "open"},
        {"for", "DURATION", "of ack: for so long; of update: the next one within", "ack update"},
        {"impact", "TAG", "of note, update: whom it hurts; the text of a note says what it means for them", "note update"},
        {"force", "", "of ack: take it over; of resolve: though it still fires; of close: though parts are empty; both with a reason",
         "ack resolve close"},
        {"based-on", "N", "refused if somebody else decided after this event, `sequence` of `incident show ID --output json`"},
        {"set", "PART=TEXT", "of review, resolve, close: summary, impact, root_cause, action_items, customer, next_steps; repeatable",
         "review resolve close"},
        {"markdown", "", "of review: the post-incident document", "review"}},
       incident,
       exit_usage,
       incident_usage},
      {"silence",
       "add WHAT ... | list | expire ID",
       "tell nobody of what WHAT covers: check=NAME, alert=NAME as `alert list` has it, service=NAME, tag=TAG, level=LEVEL; several of a "
       "kind widen it, several kinds narrow it",
       {{"for", "DURATION", "of add: how long", "add"},
        {"reason", "TEXT", "of add: why", "add"},
        {"from", "TIME", "of add: not before then (now)", "add"},
        {"until-ok", "", "of add: ends when all of it is well", "add"},
        {"all", "", "of list: those that have ended too", "list"}},
       silence},
      {"maintenance",
       "start DURATION ... | end ID | list",
       "tell nobody while somebody works on it; announced, and at its end what is still broken is told",
       {{"reason", "TEXT", "of start: why", "start"},
        {"service", "NAME", "of start: covers this; repeatable, nothing said covers everything", "start"},
        {"check", "NAME", "of start: covers this; repeatable", "start"},
        {"tag", "TAG", "of start: covers checks with this tag; repeatable", "start"},
        {"from", "TIME", "of start: not before then (now)", "start"},
        {"until-ok", "", "of start: stays while something that it covers fires", "start"},
        {"at-most", "DURATION", "of start, with --until-ok: no longer than this (twice DURATION)", "start"},
        {"announce", "DURATION", "of start: so long before it begins; repeatable", "start"},
        {"notify", "NAME", "of start: a contact, group or on-call that hears of it; repeatable (who is called first)", "start"},
        {"all", "", "of list: those that have ended too", "list"}},
       maintenance},
      {"notify",
       "list | test NAME | retry [ID]",
       "the messages that are owed, delivered or given up; a marked test to a contact, a group or who is on call; a dead letter once more",
       {{"incident", "ID", "of list: of this incident", "list"},
        {"limit", "N", "of list: so many, the newest (100)", "list"},
        {"wait", "DURATION", "of test: for so long (60s)", "test"},
        {"all", "", "of retry: every dead letter", "retry"}},
       notify},
      {"ping", "NAME [start|success|fail|heartbeat|CODE]", "report a job's run to its check", {{"text", "TEXT", "a line about it"}}, ping},
      {"wrap", "NAME -- COMMAND ...", "run a command and report it; exits as it does", {}, wrap},
      {"calendar",
       "[EXPR]",
       "what will run when, windows, maintenance and drills; of EXPR what it means and when it is due",
       {{"days", "N", "how far ahead (14; of EXPR five times)"}},
       calendar},
      {"escalation",
       "simulate LEVEL",
       "who would hear what, when, through which channel",
       {{"service", "NAME", "of this service"},
        {"at", "TIME", "detected then: \"2026-12-24 09:00\" (now)"},
        {"for", "DURATION", "how long it lasts (24h)"},
        {"ack", "DURATION", "somebody acknowledges it after that (nobody does)"}},
       escalation},
      {"oncall",
       "show [NAME] | override NAME WHO ... | undo ID",
       "whose turn it is, and whose next; somebody else for a while",
       {{"at", "TIME", "of show: from then on (now)", "show"},
        {"days", "N", "of show: how far ahead (14)", "show"},
        {"from", "TIME", "of override: not before then (now)", "override"},
        {"to", "TIME", "of override: its end", "override"},
        {"for", "DURATION", "of override: how long, in place of --to", "override"},
        {"reason", "TEXT", "of override: why", "override"}},
       oncall},
      {"config", "[show]", "the files read and skipped; the effective configuration, redacted", {}, config},
      {"plugin",
       "list|inspect|why|clear|new|lint|test|run|docs|schema|ld-args|install ...",
       "for users and authors of plugins",
       {{"set", "KEY=VALUE", "of run, test: an option as in conf.d; repeatable", "run test"},
        {"dry-run", "", "of run: a task says what it would do", "run"},
        {"timeout", "DURATION", "of run (30s)", "run"},
        {"once", "", "of run: it always runs once", "run"},
        {"only", "RULE", "of test: this rule alone", "test"},
        {"seed", "N", "of test: of what is random", "test"},
        {"in-process", "", "of test, with --only: become the tested process, for a debugger", "test"},
        {"yes", "", "of install: do not ask", "install"},
        {"accept-grants", "LIST", "of install, with --yes: grants that an upgrade may add", "install"},
        {"signature", "FILE", "of install: its detached signature (the plugin's name with .sig)", "install"},
        {"into", "README", "of docs: renew the tables of this file", "docs"},
        {"man", "", "of docs: as a manual page, for 'man -l'", "docs"},
        {"kind", "KIND", "of new: check, task or notifier", "new"},
        {"id", "ID", "of new: the plugin's id", "new"},
        {"json", "", "of schema: it is always JSON", "schema"}},
       plugin},
      {"rules",
       "list | test FILE ... | backtest [ALERT ...]",
       "the agent's alerts and what each fires for; unit tests of them; would they have fired on what the agent's store has",
       {{"since", "DURATION", "of backtest: so far back (24h)", "backtest"},
        {"from", "TIME", "of backtest: from then on, in place of --since", "backtest"},
        {"to", "TIME", "of backtest: until then (now)", "backtest"}},
       rules},
      {"state", "backup FILE | restore FILE", "a copy of the store by the agent itself", {}, state},
      {"safe-mode", "leave", "let tasks run by their schedule again", {}, safe_mode},
      {"version", "", "versions of the agent, its SDK and its libraries", {}, version},
      {"completion", "bash", "a completion script for the shell", {}, completion},
      {"help", "[VERB]", "this list, or what a verb takes: as --help does", {}, help},
  };
  return table;
}

namespace {

/// Options of all verbs and of `verb`, as program_options wants them.
po::options_description describe(const Verb* verb, bool for_help) {
  po::options_description all("options");
  all.add_options()("help,h", "this text")("config", po::value<std::string>()->value_name("DIR"), "conf.d (/etc/ronda/conf.d)")(
      "plugins", po::value<std::vector<std::string>>()->value_name("DIR"), "directory of plugins, repeatable")(
      "state", po::value<std::string>()->value_name("DIR"), "state directory (/var/lib/ronda)")(
      "socket", po::value<std::string>()->value_name("PATH"), "socket of the agent ($RONDA_SOCKET, /run/ronda/ronda.sock)")(
      "trust", po::value<std::string>()->value_name("FILE"), "who may run what (/etc/ronda/trust.toml)")(
      "env-file", po::value<std::string>()->value_name("FILE"), "variables for ${env:NAME}")(
      "output", po::value<std::string>()->value_name("FORMAT"),
      verb != nullptr && verb->name == "validate" ? "text, json or sarif" : "text or json")("no-color", "no colours");
  for (const Flag& flag : verb == nullptr ? std::vector<Flag>() : verb->flags) {
    const std::string name(flag.name), help(flag.help);
    if (flag.argument.empty())
      all.add_options()(name.c_str(), help.c_str());
    else
      all.add_options()(name.c_str(), po::value<std::vector<std::string>>()->value_name(std::string(flag.argument)), help.c_str());
  }
  if (!for_help) all.add_options()("argument", po::value<std::vector<std::string>>());
  return all;
}

void print_help(const Verb* verb) {
  if (verb == nullptr) {
    std::cout << "usage: ronda VERB [options]\n\n";
    for (const Verb& v : verbs()) {
      constexpr std::size_t column = 34;
      std::string left = "  " + std::string(v.name) + " " + std::string(v.arguments);
      if (left.size() > column) left += "\n";  // whole, with its help on a line of its own
      left.resize(left.size() > column ? left.size() + column : column, ' ');
      std::cout << left << " " << v.help << "\n";
    }
    std::cout << "\n"
              << describe(nullptr, true)
              << "\nexit codes: 0 done; 1 understood and not done; 2 what was typed is wrong, whether this program or the agent says so;\n"
                 "3 not determined, or no agent. check and status: OK, WARNING, CRITICAL, UNKNOWN.\n"
                 "ronda VERB --help tells more.\n";
    return;
  }
  const std::string_view gap = verb->arguments.empty() ? "" : " ";
  std::cout << "usage: ronda " << verb->name << gap << verb->arguments << " [options]\n" << verb->help << "\n\n";
  if (verb->usage != nullptr) std::cout << verb->usage() << "\n";
  std::cout << describe(verb, true);
}

/// Whether `word` is one of those that stand in `all`, whatever else stands between them.
bool names_word(std::string_view all, std::string_view word) {
  for (std::size_t at = all.find(word); at != std::string_view::npos; at = all.find(word, at + 1)) {
    constexpr std::string_view between = " |";
    const std::size_t end = at + word.size();
    if ((at == 0 || between.find(all[at - 1]) != std::string_view::npos) &&
        (end == all.size() || between.find(all[end]) != std::string_view::npos))
      return true;
  }
  return false;
}

/// A flag of another word would do nothing, and who gave it would not know.
bool takes_its_flags(const Verb& verb, const Options& options) {
  if (options.arguments.empty() || !names_word(verb.arguments, options.arguments.front())) return true;
  const std::string& word = options.arguments.front();
  for (const Flag& flag : verb.flags) {
    if (flag.words.empty() || !options.has(flag.name) || names_word(flag.words, word)) continue;
    complain(std::string(verb.name) + " " + word + " takes no --" + std::string(flag.name) + "; see 'ronda " + std::string(verb.name) +
             " --help'");
    return false;
  }
  return true;
}

const Verb* find_verb(std::string_view name) {
  const auto found = std::ranges::find(verbs(), name, &Verb::name);
  return found == verbs().end() ? nullptr : &*found;
}

/// The verb is the first word that is neither an option nor the value of one.
const Verb* first_verb(const std::vector<std::string>& words, std::string& unknown) {
  constexpr std::array<std::string_view, 7> with_value = {"--config", "--plugins",  "--state", "--socket",
                                                          "--trust",  "--env-file", "--output"};
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (std::ranges::find(with_value, words[i]) != with_value.end())
      ++i;
    else if (!words[i].starts_with('-')) {
      const Verb* verb = find_verb(words[i]);
      if (verb == nullptr) unknown = words[i];
      return verb;
    }
  }
  return nullptr;
}

void set_common(const po::variables_map& given, Options& options) {
  const auto text = [&](const char* name, std::string& out) {
    if (given.count(name) > 0) out = given[name].as<std::string>();
  };
  text("config", options.config);
  text("state", options.state);
  text("socket", options.socket);
  text("trust", options.trust);
  text("env-file", options.env_file);
  std::error_code error;  // it is judged as one of conf.d would be, whose path is absolute
  if (!options.env_file.empty()) options.env_file = std::filesystem::absolute(options.env_file, error).string();
  if (given.count("plugins") > 0) options.plugins = given["plugins"].as<std::vector<std::string>>();
  if (given.count("no-color") > 0) ::setenv("NO_COLOR", "1", 1);
}

Result<Options> parse(const Verb& verb, std::vector<std::string> words) {
  Options options;
  std::vector<std::string> rest;
  if (const auto dashes = std::ranges::find(words, "--"); dashes != words.end()) {
    rest.assign(dashes + 1, words.end());
    words.erase(dashes, words.end());
  }
  po::positional_options_description positional;
  positional.add("argument", -1);
  po::variables_map given;
  try {
    const auto style = po::command_line_style::default_style & ~po::command_line_style::allow_guessing;
    const auto description = describe(&verb, false);
    po::store(po::command_line_parser(words).options(description).positional(positional).style(style).run(), given);
  } catch (const po::error& e) {
    return Error(Errc::invalid, std::string(e.what()) + "; see 'ronda " + std::string(verb.name) + " --help'");
  }
  set_common(given, options);
  if (given.count("help") > 0) options.flags.emplace_back("help", "");
  if (given.count("output") > 0) {
    const auto format = given["output"].as<std::string>();
    options.json = format == "json";
    options.flags.emplace_back("output", format);
    const bool known = options.json || format == "text" || (verb.name == "validate" && format == "sarif");
    if (!known) return Error(Errc::invalid, "--output is text or json, not \"" + format + "\"");
  }
  for (const Flag& flag : verb.flags) {
    const std::string name(flag.name);
    if (given.count(name) == 0) continue;
    if (flag.argument.empty())
      options.flags.emplace_back(name, "");
    else
      for (const std::string& value : given[name].as<std::vector<std::string>>()) options.flags.emplace_back(name, value);
  }
  if (given.count("argument") > 0) options.arguments = given["argument"].as<std::vector<std::string>>();
  if (!options.arguments.empty()) options.arguments.erase(options.arguments.begin());  // the verb itself
  options.arguments.insert(options.arguments.end(), rest.begin(), rest.end());
  return options;
}

int unknown_verb(const std::string& word) {
  std::vector<std::string_view> names;
  for (const Verb& verb : verbs()) names.push_back(verb.name);
  const std::string_view near = nearest(word, names);
  complain("unknown verb \"" + word + "\"" + (near.empty() ? std::string() : "; did you mean \"" + std::string(near) + "\"?") +
           (near.empty() ? "; " : " ") + "'ronda --help' lists them");
  return exit_usage;
}

}  // namespace

int help(const Options& options) {
  const Verb* verb = nullptr;
  if (!options.arguments.empty()) {
    verb = find_verb(options.arguments.front());
    if (verb == nullptr) return unknown_verb(options.arguments.front());
  }
  print_help(verb);  // words after the verb are its own: `help plugin lint` is `plugin lint --help`
  return exit_done;
}

void complain(std::string_view text) {
  std::cerr << "ronda: " << text << "\n";
}

bool colours() {
  const char* const no = std::getenv("NO_COLOR");  // no-color.org: present and not empty
  const char* const terminal = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) != 0 && (no == nullptr || *no == '\0') && (terminal == nullptr || std::string_view(terminal) != "dumb");
}

std::string socket_path(const Options& options) {
  if (!options.socket.empty()) return options.socket;
  if (const char* from_environment = std::getenv("RONDA_SOCKET"); from_environment != nullptr) return from_environment;
  struct stat found {};
  if (options.state == Options().state && ::stat("/run/ronda", &found) == 0) return "/run/ronda/ronda.sock";
  return options.state + "/ronda.sock";
}

Result<api::Response> ask_agent(const Options& options, std::string_view method, std::string_view target, std::string_view body,
                                std::chrono::milliseconds timeout) {
  return api::call(socket_path(options), method, target, body, timeout);
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '/';
    if (plain) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

namespace {

/// What could not be written was not said: nobody may take the exit for its success.
int say_all(const Verb& verb, int exit) {
  std::cout.flush();
  if (std::cout.good()) return exit;
  complain("the output could not be written; is the disk full?");
  if (verb.usage_exit == exit_undetermined) return exit_undetermined;
  return exit == exit_done ? exit_failed : exit;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  // what the agent and `validate` start of themselves; no verb, for it speaks no language of people
  if (words.size() == 1 && words.front() == "--parse-child") return config::parse_child_main(STDIN_FILENO, STDOUT_FILENO);
  if (words.size() == 1 && words.front() == "--vet-plugin") return plugin::vet_child_main(STDIN_FILENO);
  std::string unknown;
  const Verb* verb = first_verb(words, unknown);
  if (verb == nullptr) {
    if (!unknown.empty()) return unknown_verb(unknown);
    const auto asked = [&](std::string_view word) { return std::ranges::find(words, word) != words.end(); };
    if (asked("--version")) return version({});
    print_help(nullptr);
    return asked("--help") || asked("-h") ? exit_done : exit_usage;
  }
  auto options = parse(*verb, std::move(words));
  if (!options) {
    complain(options.error().message());
    return verb->usage_exit;
  }
  if (options->has("help")) {
    print_help(verb);
    return exit_done;
  }
  if (verb->arguments.empty() && !options->arguments.empty()) {
    complain(std::string(verb->name) + " takes no argument, not \"" + options->arguments.front() + "\"; see 'ronda " +
             std::string(verb->name) + " --help'");
    return verb->usage_exit;
  }
  if (!takes_its_flags(*verb, *options)) return verb->usage_exit;
  return say_all(*verb, verb->run(*options));
}

}  // namespace ronda::cli
