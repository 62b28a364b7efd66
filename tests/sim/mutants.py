#!/usr/bin/env python3
"""Whether the simulation notices when the program is wrong: makes each mistake of mutants.txt in a copy of one source,
links it with the simulation, and runs that until it reports a broken promise. Fails where one is not caught.

mutants.py --source DIR --compiler CXX --flags F --objects O --libraries L [--only WORD] [--worlds N]
"""
import argparse
import concurrent.futures
import pathlib
import shlex
import subprocess
import sys
import tempfile
import time

TIMEOUT_S = 120


class Mutant:
    """A mistake: which text of which file is replaced by which."""

    def __init__(self, paragraph):
        head, *lines = paragraph.split("\n")
        self.file, self.what = head[1:].split("] ", 1)
        self.old = "\n".join(line[1:] for line in lines if line.startswith("-"))
        self.new = "\n".join(line[1:] for line in lines if line.startswith("+"))
        if not self.old or any(line[:1] not in "+-" for line in lines):
            sys.exit(f"mutants.txt: cannot be read: {paragraph}")

    def applied_to(self, text):
        count = text.count(self.old)
        if count != 1:
            raise ValueError(f"what it replaces occurs {count} times in {self.file}: renew it")
        return text.replace(self.old, self.new)


def read_table(path):
    text = "\n".join(line for line in path.read_text().splitlines() if not line.startswith("#"))
    return [Mutant(paragraph) for paragraph in text.strip().split("\n\n")]


def run(command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT_S,
                          errors="replace", **options)


def build(mutant, options, folder):
    source = folder / mutant.file
    source.write_text(mutant.applied_to((options.source / "reconciler" / mutant.file).read_text()))
    made = folder / "mutant.o"
    result = run([*options.compiler, *options.flags, "-include", str(options.prelude), "-c", str(source), "-o", str(made)])
    if result.returncode != 0:
        raise ValueError("it does not compile: " + result.stdout[:2000])
    # Ahead of the library that holds the right one, so that the linker never looks for that.
    program = folder / "simulate"
    result = run([*options.compiler, str(made), *options.objects, *options.libraries, "-o", str(program)])
    if result.returncode != 0:
        raise ValueError("it does not link: " + result.stdout[:2000])
    return program


def make_prelude(options, folder):
    """The headers of the sources, compiled once: half of the time that a mutant's compilation takes."""
    options.prelude = folder / "prelude.h"
    headers = sorted(path.name for path in (options.source / "reconciler").glob("*.h"))
    options.prelude.write_text("".join(f'#include "{name}"\n' for name in ["algorithm", *headers]))
    result = run([*options.compiler, *options.flags, "-x", "c++-header", str(options.prelude), "-o",
                  f"{options.prelude}.gch"])
    if result.returncode != 0:
        sys.exit("the headers do not compile: " + result.stdout[:2000])


def caught_by(program, options):
    """What the simulation said first, or None: some worlds by chance, crash sweeps, seeds of rare mistakes, many worlds."""
    seeds = options.source / "tests/sim/seeds.txt"
    for arguments in (["--worlds", "300"], ["--sweep", "--once"], [str(seeds)], ["--worlds", str(options.worlds)]):
        try:
            result = run([str(program), *arguments])
        except subprocess.TimeoutExpired:
            return f"no end after {TIMEOUT_S} s"
        if result.returncode == 0:
            continue
        lines = result.stdout.strip().split("\n")
        told = next((line for line in reversed(lines) if line.startswith(("broken", "aborted"))), lines[-1])
        return told.removeprefix("broken in ")
    return None


def try_mutant(mutant, options):
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tokensync-mutant-") as folder:
        try:
            said = caught_by(build(mutant, options, pathlib.Path(folder)), options)
            return said, said is not None, time.monotonic() - begun
        except ValueError as error:
            return str(error), False, time.monotonic() - begun


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=pathlib.Path, required=True)
    parser.add_argument("--compiler", required=True)
    for name in ("--flags", "--objects", "--libraries"):
        parser.add_argument(name, type=shlex.split, default=[])
    parser.add_argument("--only", default="", help="those whose line has this word")
    parser.add_argument("--worlds", type=int, default=60_000)
    options = parser.parse_args()
    options.compiler = [options.compiler]
    # The last -O counts. What a mistake leaves unused is no error.
    options.flags += ["-O1", "-w", f"-I{options.source / 'reconciler'}"]

    mutants = [m for m in read_table(options.source / "tests/sim/mutants.txt") if options.only in m.what]
    caught = 0
    with tempfile.TemporaryDirectory(prefix="tokensync-mutants-") as folder, \
            concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        make_prelude(options, pathlib.Path(folder))
        for mutant, (said, is_caught, seconds) in zip(mutants, pool.map(lambda m: try_mutant(m, options), mutants)):
            caught += is_caught
            verdict = "caught" if is_caught else "NOT CAUGHT"
            print(f"{verdict} in {seconds:.1f} s: {mutant.what} ({mutant.file})\n    {said}", flush=True)
    print(f"{caught} mutants caught of {len(mutants)}")
    return 0 if caught == len(mutants) > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
