#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the Markdown files to the tree that they speak of.

documents.py ROOT          every finding as FILE:LINE: text; exit 1 when there is one
documents.py --self-test   plants mistakes in copies of a small tree and wants each of them found

Four things: a relative link of any Markdown file leads to something; a file that README, CHANGELOG, ARCHITECTURE or a
decision names in backquotes is somewhere in the tree; the plugin that README and the SDK's guide show is the template's; the
table of least privileges has a row for each plugin, with the grants of its manifest, and the plugin's README speaks of them.
"""
import os
import pathlib
import re
import sys

sys.dont_write_bytecode = True  # this directory is a source tree
import tree_check  # noqa: E402

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
NAMED = re.compile(r"`([\w@./-]+\.(?:cpp|hpp|h|c|py|sh|md|toml|cmake|case))`")
ELSEWHERE = {"trust.toml"}  # of a host, as absolute paths are
NAMING = ("README.md", "CHANGELOG.md", "agent/ARCHITECTURE.md", "agent/decisions/*.md")
TEMPLATE = "sdk/template/check/@NAME@.cpp"
EXAMPLE = "DiskSpace"  # what they call the template's class
SHOWING = ("README.md", "sdk/README.md")
PRIVILEGES = "plugins/README.md"
BY_ROOT = {"setuid", "detached"}  # given by trust.toml alone
FEWEST_LINES = 10      # of the example: fewer and it is no example


def tree(root):
    """Every file, as a path with a slash before it, so that a name can be looked for at the end."""
    out = []
    for place, folders, files in os.walk(root):
        folders[:] = [f for f in folders if f not in ("build", "target", "__pycache__") and not f.startswith(".")]
        out += ["/" + str((pathlib.Path(place) / name).relative_to(root)) for name in files]
    return sorted(out)


def prose(text):
    """Lines with their numbers, without what stands in fences."""
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("```"):
            fenced = not fenced
        elif not fenced:
            yield number, line


def fence(text, language):
    """The first block of that language."""
    found = re.search(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return found.group(1) if found else ""


def links(root, path, text):
    for number, line in prose(text):
        for target in LINK.findall(line):
            where = target.split("#")[0]
            if re.match(r"[a-z]+:", target) or not where:
                continue
            if where.startswith("/"):
                yield number, f"{target} is an absolute path"
            elif not (path.parent / where).exists():
                yield number, f"{target} leads nowhere"
            elif root not in [(path.parent / where).resolve(), *(path.parent / where).resolve().parents]:
                yield number, f"{target} leads out of the tree"


def names(files, text):
    for number, line in prose(text):
        for name in NAMED.findall(line):
            if name.startswith("/") or name in ELSEWHERE:
                continue
            if not any(f.endswith("/" + name) for f in files):
                yield number, f"{name} is nowhere in the tree"


def example(root, text):
    shown = [line for line in fence(text, "cpp").splitlines() if line.strip()]
    if len(shown) < FEWEST_LINES:
        return f"it shows no plugin ({len(shown)} lines)"
    template = (root / TEMPLATE).read_text(encoding="utf-8").replace("@CLASS@", EXAMPLE).splitlines()
    strange = [line for line in shown if line not in template]
    return f"its plugin is not that of {TEMPLATE}: {strange[0].strip()}" if strange else None


def privileges(root):
    """Each row of the table: plugin, grants, grants by root alone, the rest."""
    path = root / PRIVILEGES
    rows = {}
    for number, line in prose(path.read_text(encoding="utf-8")):
        row = re.match(r"\| \[([a-z-]+)\]\(\1/README\.md\) \|([^|]*)\|([^|]*)\|", line)
        if row:
            rows[row.group(1)] = (number, set(re.findall(r"`([a-z]+)`", row.group(2))), set(re.findall(r"`([a-z]+)`", row.group(3))))
    manifests = sorted(root.glob("plugins/*/plugin.toml"))
    if not manifests:
        yield 1, "there are no manifests"
    for manifest in manifests:
        name = manifest.parent.name
        needs = re.search(r"^needs = \[([^\]]*)\]", manifest.read_text(encoding="utf-8"), re.MULTILINE)
        needs = set(re.findall(r'"([a-z]+)"', needs.group(1))) if needs else set()
        if name not in rows:
            yield 1, f"{name} is in no row"
            continue
        number, given, by_root = rows.pop(name)
        by_root &= BY_ROOT  # its words are prose
        if given != needs - BY_ROOT or by_root != needs & BY_ROOT:
            yield number, f"the manifest of {name} needs {' '.join(sorted(needs))}"
        if "least privilege" not in (manifest.parent / "README.md").read_text(encoding="utf-8").lower():
            yield number, f"the README of {name} does not say the least privilege that it needs"
    for name, (number, _, _) in rows.items():
        yield number, f"there is no plugin {name}"


def check(root):
    out = []
    files = tree(root)
    for name in files:
        if not name.endswith(".md"):
            continue
        path = root / name[1:]
        text = path.read_text(encoding="utf-8")
        found = list(links(root, path, text))
        if any(path.relative_to(root).match(pattern) and pattern.count("/") == name.count("/") - 1 for pattern in NAMING):
            found += names(files, text)
        out += [f"{name[1:]}:{number}: {what}" for number, what in sorted(found)]
    out += [f"{PRIVILEGES}:{number}: {what}" for number, what in sorted(privileges(root))]
    for name in SHOWING:
        why = example(root, (root / name).read_text(encoding="utf-8"))
        if why:
            out.append(f"{name}: {why}")
    return out


PLUGIN = "\n".join(f"  int line_{i} = {i};" for i in range(FEWEST_LINES))
SHOWN = "```cpp\nstruct DiskSpace {\n" + PLUGIN + "\n```\n"
ROW = "| [one](one/README.md) | `net` | `setuid`: as `sendmail` | nothing |"
SOUND = {
    "README.md": "[guide](sdk/README.md#top) [out](https://example.org/) `agent/a.cpp` `a.cpp` `trust.toml` `/etc/x.toml` [x](agent)\n"
    "```sh\n[never](looked/at)\n```\n" + SHOWN,
    TEMPLATE: "struct @CLASS@ {\n" + PLUGIN,
    "sdk/README.md": "`no.cpp` of somebody else; [back](../README.md)\n" + SHOWN,
    "agent/a.cpp": "",
    "agent/decisions/0001-x.md": "`agent/a.cpp` [up](../a.cpp)",
    PRIVILEGES: ROW + "\n",
    "plugins/one/plugin.toml": 'needs = ["net", "setuid"]  # for the net\n',
    "plugins/one/README.md": "## Least privilege\n",
}
PLANTED = [
    ("README.md", "[gone](sdk/GUIDE.md)", "leads nowhere"),
    ("README.md", "see `agent/b.cpp`", "nowhere in the tree"),
    ("README.md", "see `ent/a.cpp`", "nowhere in the tree"),
    ("README.md", "[root](/etc/passwd)", "absolute"),
    ("README.md", "[out](../)", "out of the tree"),
    ("sdk/README.md", "[gone](MANIFEST.md)", "leads nowhere"),
    ("agent/decisions/0001-x.md", "held by `x_test.cpp`", "nowhere in the tree"),
    (TEMPLATE, None, "not that of"),
    ("README.md", None, "shows no plugin"),
    ("sdk/README.md", None, "shows no plugin"),
]


REPLACED = [
    (PRIVILEGES, ROW.replace("`net`", "`net` `state`"), "needs net setuid"),
    (PRIVILEGES, ROW.replace("`setuid`", "setuid"), "needs net setuid"),
    (PRIVILEGES, "", "one is in no row"),
    (PRIVILEGES, ROW + "\n" + ROW.replace("one", "two"), "no plugin two"),
    ("plugins/one/plugin.toml", 'needs = ["net"]\n', "needs net"),
    ("plugins/one/README.md", "## Options\n", "does not say the least privilege"),
]


def self_test():
    planted = [
        (f"{line} in {name}", {name: SOUND[name] + "\n" + line if line else "nothing of it"}, lambda text, wanted=wanted: wanted in text)
        for name, line, wanted in PLANTED
    ]
    planted += [(f"{wanted}: {name}", {name: text}, lambda text, wanted=wanted: wanted in text) for name, text, wanted in REPLACED]
    return tree_check.self_test(check, SOUND, planted)


if __name__ == "__main__":
    sys.exit(tree_check.main(sys.argv[1:], __doc__, check, "the documents name what is there", "README.md", self_test))
