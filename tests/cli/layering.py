#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the one-way order of agent/ARCHITECTURE.md to the include lines.

layering.py ROOT          every violation as FILE:LINE: text; exit 1 when there is one
layering.py --self-test   plants violations in copies of a small tree and wants each of them found
"""
import re
import sys

sys.dont_write_bytecode = True  # this directory is a source tree
import tree_check  # noqa: E402

# Each part and the parts whose headers it may include, in the order of ARCHITECTURE.md.
PARTS = {
    "base": set(),
    "config": {"base"},
    "plugin": {"base", "config"},
    "runner": {"base"},  # and WIRE
    "store": {"base"},
    "schedule": {"base", "config", "plugin", "store"},
    "measure": {"base", "config", "plugin", "store", "schedule"},
    "rule": {"base", "config", "measure"},  # and CANDIDATE
    "incident": {"base", "config", "schedule", "rule"},
    "notify": {"base", "config", "store", "incident"},
    "response": {"base", "config", "plugin", "store", "schedule", "measure", "rule", "incident", "notify"},
    "api": {"base", "config", "plugin", "store", "schedule", "measure", "rule", "incident", "notify", "response"},
    "cli": {"base", "config", "plugin", "store", "schedule", "measure", "rule", "incident", "notify", "response", "api"},
}
# What the runner may know of plugin/: it carries nothing else of the agent.
WIRE = {"plugin/wire.hpp", "plugin/messages.hpp", "plugin/blackbox.hpp", "plugin/report_text.hpp"}
# Files that are programs or libraries of their own inside a part, and all that they may include of the agent.
NARROW = {
    "plugin/wire.cpp": {"base/", "plugin/wire.hpp"},
    "plugin/messages.cpp": {"base/", "plugin/wire.hpp", "plugin/messages.hpp"},
    "plugin/report_text.cpp": {"base/", "plugin/messages.hpp", "plugin/report_text.hpp"},
    "plugin/report_text.hpp": {"base/", "plugin/messages.hpp"},
    "plugin/messages.hpp": {"base/", "plugin/wire.hpp"},
    "plugin/wire.hpp": {"base/"},
    "plugin/contract_host.cpp": {"base/", "plugin/contract_rules.hpp", "plugin/wire.hpp"},
    "base/log.cpp": {"base/"},
}
# The pure part of schedule/ knows no event loop, no store and no plugin.
SCHEDULER = re.compile(r"schedule/(scheduler|candidate|entry|prober|clock_watch|unsound)")
# Each library has one home; the rest of the tree sees it through that file's own types.
HOMES = [
    (r"spdlog/", {"agent/base/log.cpp"}),
    (r"toml\+\+/", {"agent/config/toml.cpp"}),
    (r"sqlite3\.h", {"agent/store/", "agent/cli/version.cpp"}),
    (r"(libelf|gelf)\.h", {"agent/plugin/"}),
    (r"openssl/", {"agent/plugin/", "plugins/webhook/signature.cpp"}),
    (r"boost/dll", {"agent/runner/"}),
    (r"boost/beast", {"agent/api/"}),
    (r"boost/program_options", {"agent/cli/"}),
    (r"libpq", {"plugins/postgresql/"}),
    (r"curl/", {"plugins/http/", "plugins/outgoing/", "plugins/smtp/"}),
    (r"kainjow/", {"agent/notify/pattern.cpp"}),
    (r"re2/", {"plugins/http/ere.hpp", "plugins/host/ere.hpp"}),
    (r"date/", set()),  # a witness in tests only
]
# The files of rule/ that make its facts from a candidate; the rest of it is pure and knows none.
CANDIDATE = re.compile(r"rule/candidate_facts")
# All that plugins may have in common, besides the SDK (decision 0055); it includes none of them.
SHARED = "outgoing"
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
SOURCES = {".cpp", ".hpp", ".c", ".h"}


def includes(path):
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        found = INCLUDE.match(line)
        if found:
            yield number, found.group(1) == '"', found.group(2)


def sources(directory):
    return sorted(p for p in directory.rglob("*") if p.suffix in SOURCES and p.is_file())


def agent_rule(name, included):
    """Why agent/NAME may not include it, or nothing."""
    part = name.split("/")[0]
    if name in NARROW:
        if included.split("/")[0] in PARTS and not any(included.startswith(a) for a in NARROW[name]):
            return f"{name} stands apart from its part and may not include {included}"
        return None
    if part not in PARTS:  # agent.cpp and main.cpp compose everything
        return None
    target = included.split("/")[0]
    if target == part or target not in PARTS:
        if part == "schedule" and target == part and not SCHEDULER.match(name) and SCHEDULER.match(included):
            return "the pure part of schedule may not include the scheduler"
        return None
    if part == "runner" and included in WIRE:
        return None
    if part == "schedule" and not SCHEDULER.match(name) and target != "base":
        return f"the pure part of schedule may include base only, not {included}"
    if part == "rule" and target in ("plugin", "schedule") and CANDIDATE.match(name):
        return None
    if target not in PARTS[part]:
        return f"{part} may not include {included}"
    return None


def check(root):
    out = []

    def say(path, number, text):
        out.append(f"{path.relative_to(root)}:{number}: {text}")

    parts = {p.name for p in (root / "agent").iterdir() if p.is_dir() and sources(p)}
    for part in sorted(parts - PARTS.keys()):
        out.append(f"agent/{part}: a part that has no place in the order")
    for directory in ("agent", "plugins", "sdk"):
        for path in sources(root / directory):
            name = str(path.relative_to(root))
            for number, quoted, included in includes(path):
                for pattern, homes in HOMES:
                    if re.match(pattern, included) and not any(name.startswith(h) for h in homes):
                        say(path, number, f"{included} has another home: {', '.join(sorted(homes)) or 'tests'}")
                if directory == "agent" and quoted:
                    why = agent_rule(name.removeprefix("agent/"), included)
                    if why:
                        say(path, number, why)
                if directory != "agent" and included.split("/")[0] in PARTS:
                    say(path, number, f"{directory} may not include {included} of the agent")
                if directory == "plugins" and quoted:
                    own = name.split("/")[1]
                    folder = included.split("/")[0] if "/" in included else own
                    if folder not in (own, SHARED):
                        say(path, number, f"a plugin may not include {included} of another folder")
                if name.startswith("sdk/include/") and not included.startswith("ronda/") and ("/" in included or quoted):
                    if not re.match(r"(sys/|catch2/)", included):
                        say(path, number, f"a header of the SDK may not include {included}")
                if name.endswith("ronda/abi.h") and included not in ("stdint.h", "stddef.h"):
                    say(path, number, f"the ABI header may not include {included}")
    return out


PLANTED = [
    ("agent/base/text.hpp", '#include "config/value.hpp"', "base may not include"),
    ("agent/config/value.hpp", '#include "plugin/manifest.hpp"', "config may not include"),
    ("agent/plugin/manifest.cpp", '#include "runner/pool.hpp"', "plugin may not include"),
    ("agent/plugin/manifest.cpp", '#include "schedule/timetable.hpp"', "plugin may not include"),
    ("agent/runner/pool.cpp", '#include "plugin/manifest.hpp"', "runner may not include"),
    ("agent/runner/pool.cpp", '#include "config/value.hpp"', "runner may not include"),
    ("agent/store/store.hpp", '#include "config/value.hpp"', "store may not include"),
    ("agent/schedule/timetable.cpp", '#include "store/store.hpp"', "the pure part of schedule"),
    ("agent/schedule/timetable.cpp", '#include "schedule/scheduler.hpp"', "the pure part of schedule"),
    ("agent/schedule/timetable.cpp", '#include "schedule/prober.hpp"', "the pure part of schedule"),
    ("agent/schedule/scheduler.cpp", '#include "api/routes.hpp"', "schedule may not include"),
    ("agent/api/routes.cpp", '  #  include "cli/cli.hpp"', "api may not include"),
    ("agent/plugin/wire.cpp", '#include "config/value.hpp"', "stands apart"),
    ("agent/plugin/contract_host.cpp", '#include "plugin/manifest.hpp"', "stands apart"),
    ("agent/rule/ladder.cpp", '#include "schedule/candidate.hpp"', "rule may not include"),
    ("agent/rule/evaluate.cpp", '#include "plugin/grade.hpp"', "rule may not include"),
    ("agent/rule/ladder.cpp", '#include "api/json.hpp"', "rule may not include"),
    ("agent/measure/functions.cpp", '#include "rule/ladder.hpp"', "measure may not include"),
    ("agent/extra/new.cpp", "int x;", "no place in the order"),
    ("agent/schedule/scheduler.cpp", "#include <sqlite3.h>", "another home"),
    ("agent/config/value.hpp", "#include <toml++/toml.h>", "another home"),
    ("agent/notify/template.cpp", "#include <kainjow/mustache.hpp>", "another home"),
    ("agent/notify/route.cpp", '#include "schedule/scheduler.hpp"', "notify may not include"),
    ("agent/schedule/zone.cpp", "#include <date/tz.h>", "another home"),
    ("plugins/host/disk.cpp", '#include "base/text.hpp"', "plugins may not include"),
    ("plugins/host/disk.cpp", '#include "../http/url.hpp"', "another folder"),
    ("plugins/host/disk.cpp", '#include "http/url.hpp"', "another folder"),
    ("plugins/outgoing/post.cpp", '#include "webhook/payload.hpp"', "another folder"),
    ("plugins/webhook/webhook.cpp", "#include <curl/curl.h>", "another home"),
    ("plugins/host/disk.cpp", "#include <libpq-fe.h>", "another home"),
    ("sdk/include/ronda/text.hpp", "#include <boost/json.hpp>", "header of the SDK"),
    ("sdk/include/ronda/abi.h", "#include <stdlib.h>", "ABI header"),
]
ALLOWED = {
    "agent/base/log.cpp": "#include <spdlog/spdlog.h>",
    "agent/runner/pool.cpp": '#include "plugin/messages.hpp"\n#include "base/result.hpp"',
    "agent/schedule/scheduler.cpp": '#include "store/store.hpp"\n#include "schedule/timetable.hpp"',
    "agent/schedule/timetable.cpp": '#include "base/result.hpp"',
    "agent/rule/ladder.cpp": '#include "measure/view.hpp"\n#include "config/generation.hpp"',
    "agent/rule/candidate_facts.cpp": '#include "schedule/candidate.hpp"',
    "agent/rule/evaluate.cpp": '#include "rule/condition.hpp"',
    "agent/measure/functions.cpp": '#include "store/store.hpp"',
    "agent/cli/run.cpp": '#include "agent.hpp"\n#include "api/json.hpp"\n// #include "nothing/at_all.hpp"',
    "agent/agent.cpp": '#include "api/routes.hpp"',
    "plugins/http/client.cpp": "#include <curl/curl.h>\n#include <ronda/plugin.hpp>",
    "plugins/webhook/webhook.cpp": '#include "outgoing/post.hpp"\n#include "payload.hpp"',
    "sdk/include/ronda/abi.h": "#include <stdint.h>",
}


def self_test():
    planted = [
        (f"{line} in {name}", {name: "#include <vector>\n" + line},
         lambda text, name=name, wanted=wanted: wanted in text and text.startswith(name.split("/new")[0]))
        for name, line, wanted in PLANTED
    ]
    return tree_check.self_test(check, ALLOWED, planted)


if __name__ == "__main__":
    sys.exit(tree_check.main(sys.argv[1:], __doc__, check, "the order of the parts holds", "agent/agent.cpp", self_test))
