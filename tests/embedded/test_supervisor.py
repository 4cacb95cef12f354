"""With trivial parts: what is printed, what starts again, and that nothing is left."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from breachdesk.embedded.parts import PROJECT
from breachdesk.embedded.processes import MARK, Program, live_processes, marked_processes, session_members
from breachdesk.embedded.supervisor import Stopped, Supervisor

# A part with a child of its own, as Celery and gunicorn have.
FAMILY = "import subprocess, sys, time; subprocess.Popen(['sleep', '60']); print('up', flush=True); time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


def program(folder: Path, code: str, name: str = "part", **options) -> Program:
    environment = {"PATH": os.defpath, MARK: str(folder)}
    return Program(name, [sys.executable, "-u", "-c", code], folder, environment, **options)


def tend_until(supervisor: Supervisor, happened: Callable[[], bool], within: float = 60) -> None:
    deadline = time.monotonic() + within
    while not happened():
        assert time.monotonic() < deadline, "It did not happen in time."
        supervisor.tend(0.02)


@pytest.fixture
def supervisor():
    running = Supervisor()
    yield running
    running.stop_all()


def test_what_a_part_prints_is_shown_with_its_name(supervisor, tmp_path, capfd):
    assert supervisor.run(program(tmp_path, "print('one'); print('two', end='')", "web")) == 0
    assert capfd.readouterr().out.splitlines() == ["web       | one", "web       | two"]


def test_what_was_printed_and_not_read_before_the_end_is_shown_to_its_last_letter(supervisor, tmp_path, capfd):
    part = supervisor.keep_running(program(tmp_path, "print('one'); print('two', end='')", "web"))
    part.process.wait()  # nothing of it was read yet
    supervisor.stop_all()
    assert [line for line in capfd.readouterr().out.splitlines() if "web " in line] == [
        "web       | one",
        "web       | two",
    ]


def test_a_part_that_dies_starts_again_and_its_orphans_are_gone(supervisor, tmp_path):
    part = supervisor.keep_running(program(tmp_path, FAMILY))
    tend_until(supervisor, lambda: len(session_members(part.process.pid)) == 2)
    first = part.process.pid
    os.kill(first, signal.SIGKILL)
    tend_until(supervisor, lambda: part.process is not None and part.process.pid != first)
    assert session_members(first) == []


def test_a_part_that_dies_again_and_again_is_given_longer_pauses(supervisor, tmp_path):
    part = supervisor.keep_running(program(tmp_path, "raise SystemExit(3)"))
    tend_until(supervisor, lambda: part.failures >= 2)
    assert part.start_again_at > time.monotonic() + 0.5


def test_stopping_leaves_nothing_behind(supervisor, tmp_path):
    for code in (FAMILY, STUBBORN):
        supervisor.keep_running(program(tmp_path, code, stop_within=0.5))
    tend_until(supervisor, lambda: len(marked_processes(tmp_path)) == 3)
    supervisor.stop_all()
    assert marked_processes(tmp_path) == []


def test_the_last_one_started_stops_first(supervisor, tmp_path, capfd):
    for name in ("postgres", "worker", "web"):
        supervisor.keep_running(program(tmp_path, "import time; time.sleep(60)", name))
    supervisor.stop_all()
    said = [line.partition("| ")[2] for line in capfd.readouterr().out.splitlines()]
    assert said == ["stopping web", "stopping worker", "stopping postgres"]


def test_the_signal_goes_to_the_main_process_alone(supervisor, tmp_path):
    child = "import signal, time; signal.signal(signal.SIGTERM, lambda *_: print('child hit', flush=True))"
    child += "; print('child up', flush=True); time.sleep(60)"
    code = f"""
import signal, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", {child!r}])
signal.signal(signal.SIGTERM, lambda *_: (print("asked", flush=True), time.sleep(0.3), child.kill(), sys.exit()))
print("up", flush=True); time.sleep(60)
"""
    heard: list[str] = []
    supervisor.say = lambda name, text: heard.append(text)  # type: ignore[method-assign]
    supervisor.keep_running(program(tmp_path, code))
    tend_until(supervisor, lambda: {"up", "child up"} <= {*heard})
    supervisor.stop_all()
    assert "asked" in heard
    assert "child hit" not in heard


def test_a_job_is_ended_when_somebody_asks_to_stop(supervisor, tmp_path):
    supervisor.stop_requests = 1
    with pytest.raises(Stopped):
        supervisor.run(program(tmp_path, "import time; time.sleep(60)"))
    assert marked_processes(tmp_path) == []


def test_a_killed_supervisor_takes_its_parts_with_it(tmp_path):
    code = f"""
import sys; from pathlib import Path
from breachdesk.embedded.supervisor import Supervisor; from breachdesk.embedded.processes import Program
supervisor, environment = Supervisor(), {{"PATH": {os.defpath!r}, {MARK!r}: {str(tmp_path)!r}}}
supervisor.keep_running(Program("part", ["sleep", "60"], Path({str(tmp_path)!r}), environment))
print("up", flush=True); supervisor.watch()
"""
    process = subprocess.Popen([sys.executable, "-c", code], cwd=PROJECT, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"up\n"
    [part] = marked_processes(tmp_path)
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 60
    while part in live_processes() and time.monotonic() < deadline and sys.platform == "linux":
        time.sleep(0.02)
    if sys.platform == "linux":
        assert part not in live_processes()
    else:
        os.kill(part, signal.SIGKILL)


@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux gives orphans to whoever asked for them.")
def test_an_orphan_in_a_session_of_its_own_is_found(tmp_path):
    """As the child that makes a PDF is, when its web process is killed."""
    code = """
import subprocess, sys; from breachdesk.embedded.processes import adopt_orphans, children, kill_all
adopt_orphans()
subprocess.run([sys.executable, "-c", "import subprocess; subprocess.Popen(['sleep', '60'], start_new_session=True)"])
found = children(); kill_all(children); print(len(found), len(children()))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "0"]
