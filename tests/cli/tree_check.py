# SPDX-License-Identifier: Apache-2.0
"""What the checks of the source tree share: how they are called, and how they are tried on mistakes that are planted."""
import pathlib
import sys
import tempfile


def write(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")


def self_test(check, sound, planted):
    """Nothing is found in a tree of the files `sound`, and each of `planted` is: (what, files that replace, is it this text?)."""
    failed = 0
    with tempfile.TemporaryDirectory() as place:
        clean = pathlib.Path(place).resolve() / "clean"
        write(clean, sound)
        for text in check(clean):
            print(f"FAILED: a tree without mistakes: {text}")
            failed += 1
        for index, (what, files, is_it) in enumerate(planted):
            root = pathlib.Path(place).resolve() / str(index)
            write(root, sound)
            write(root, files)
            found = check(root)
            if not any(is_it(text) for text in found):
                print(f"FAILED: {what} was not found: {found}")
                failed += 1
    print(f"{len(planted) + 1 - failed} of {len(planted) + 1} cases hold")
    return 1 if failed else 0


def main(words, doc, check, holds, landmark, try_itself):
    """ROOT or --self-test; `landmark` is a file that a root has, so that a wrong path is no success."""
    if words == ["--self-test"]:
        return try_itself()
    if len(words) != 1:
        print(doc, file=sys.stderr)
        return 2
    root = pathlib.Path(words[0]).resolve()
    if not (root / landmark).exists():
        print(f"{root} has no {landmark}", file=sys.stderr)
        return 2
    found = check(root)
    print("\n".join(found) if found else holds)
    return 1 if found else 0
