"""Runs commands in turn, A B C A B C ..., and measures each as a whole process from outside.

Reads one JSON document: {"runs": N, "warmup": N, "commands": [{"name", "argv", "cwd", "env", "until"?}]}.
In argv and env, {run} is replaced by the run's number, so that each can write to a place of its own. With
"until", the command gets a terminal of its own and is timed until it prints that text.
Writes one JSON document: {name: [{"wall", "cpu", "rss", "code"}, ...]} (seconds, seconds, bytes).
"""

import json
import os
import pty
import select
import signal
import sys
import time


def run(command, number):
    argv = [part.replace("{run}", str(number)) for part in command["argv"]]
    env = {**os.environ, **{key: value.replace("{run}", str(number)) for key, value in command.get("env", {}).items()}}
    for name in command.get("unset", []):
        env.pop(name, None)
    begun = time.perf_counter()
    if "until" in command:
        return until(command, argv, env, begun)
    pid = os.fork()
    if pid == 0:
        os.chdir(command["cwd"])
        null = os.open(os.devnull, os.O_RDWR)
        for target in (0, 1, 2):
            os.dup2(null, target)
        os.execvpe(argv[0], argv, env)
    _, status, usage = os.wait4(pid, 0)
    return figures(begun, status, usage)


def until(command, argv, env, begun):
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(command["cwd"])
        os.execvpe(argv[0], argv, env)
    seen = b""
    wall = None
    while wall is None and time.perf_counter() - begun < 30:
        if select.select([terminal], [], [], 1)[0]:
            try:
                seen += os.read(terminal, 65536)
            except OSError:
                break
            if command["until"].encode() in seen:
                wall = time.perf_counter() - begun
    os.kill(pid, signal.SIGKILL)
    _, _, usage = os.wait4(pid, 0)
    os.close(terminal)
    if wall is None:
        raise SystemExit(f"{command['name']} never printed {command['until']!r}: {seen[-400:]!r}")
    return {**figures(begun, 0, usage), "wall": wall}


def figures(begun, status, usage):
    # ru_maxrss is in KiB on Linux, in bytes on macOS. It is the largest single process.
    unit = 1 if sys.platform == "darwin" else 1024
    return {
        "wall": time.perf_counter() - begun,
        "cpu": usage.ru_utime + usage.ru_stime,
        "rss": usage.ru_maxrss * unit,
        "code": os.waitstatus_to_exitcode(status),
    }


def main():
    plan = json.load(sys.stdin)
    results = {command["name"]: [] for command in plan["commands"]}
    for number in range(plan["warmup"] + plan["runs"]):
        for command in plan["commands"]:
            figure = run(command, number)
            if figure["code"] != 0:
                raise SystemExit(f"{command['name']} ended with {figure['code']}")
            if number >= plan["warmup"]:
                results[command["name"]].append(figure)
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
