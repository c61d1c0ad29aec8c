from __future__ import annotations

import asyncio
import signal
import struct
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from magic_ext.runtime.session import Execution, Session

PNG = b"\x89PNG\r\n\x1a\n"
FOREVER = "print('started', flush=True)\nimport time\nwhile True: time.sleep(0.01)"


def test_variables_stay_and_output_is_in_order(session: Session) -> None:
    assert session.run("import sys\nx = 41").status == "ok"
    done = session.run("print('out')\nprint('err', file=sys.stderr)\nprint('again', end='')\nx + 1")
    assert done.status == "ok"
    assert done.output == "out\nerr\nagain\n42\n"
    assert done.seconds > 0 and not done.state_lost


def test_output_arrives_while_the_code_runs(session: Session) -> None:
    pieces: list[tuple[str | bytes, float]] = []
    done = session.run(
        "import time\nprint('first', flush=True)\ntime.sleep(0.5)\nprint('second')",
        on_output=lambda piece: pieces.append((piece, time.monotonic())),
    )
    assert "".join(str(piece) for piece, _ in pieces) == done.output == "first\nsecond\n"
    assert pieces[-1][1] - pieces[0][1] > 0.25


def test_figures_are_png_whether_shown_or_left_open(session: Session) -> None:
    pieces: list[str | bytes] = []
    code = (
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()\nprint('between')\n"
        "plt.figure(figsize=(2, 1), dpi=50)\nplt.bar([1], [2]);"
    )
    done = session.run(code, on_output=pieces.append)
    assert done.status == "ok", done.error
    assert [image[:8] for image in done.images] == [PNG, PNG]
    assert [type(piece) for piece in pieces] == [bytes, str, bytes]
    assert "Figure" not in done.output
    sizes = [struct.unpack(">II", image[16:24]) for image in done.images]
    assert sizes[0] > sizes[1]


def test_figures_of_another_backend_are_shown_too(new_session: Session) -> None:
    done = new_session.run("import matplotlib\nmatplotlib.use('Agg')\nimport matplotlib.pyplot as plt\nplt.plot([1]);")
    assert done.status == "ok", done.error
    assert [image[:8] for image in done.images] == [PNG]


def test_an_error_is_a_plain_short_traceback(session: Session) -> None:
    done = session.run("def share(part):\n    return part / 0\n\nprint('before')\nshare(1)")
    assert (done.status, done.output) == ("error", "before\n")
    assert done.error.splitlines()[0].startswith("Traceback")
    assert done.error.endswith("ZeroDivisionError: division by zero")
    assert "return part / 0" in done.error
    assert "\x1b" not in done.error and "ipykernel" not in done.error


@pytest.mark.parametrize("code", ["def", "exit()", "quit(1)", "raise SystemExit", "input('name?')"])
def test_what_would_end_or_block_a_kernel_is_an_error_only(session: Session, code: str) -> None:
    assert session.run("kept = 7").status == "ok"
    assert session.run(code).status == "error"
    assert session.run("kept").output == "7\n"


def test_a_timeout_keeps_variables(session: Session) -> None:
    done = session.run("kept = 8\nprint('so far')\nwhile True: pass", seconds=1)
    assert (done.status, done.output, done.state_lost) == ("timeout", "so far\n", False)
    assert done.error == "DEADLINE_EXCEEDED: the code ran longer than 1 s. Variables were kept."
    assert session.run("kept").output == "8\n"


def test_code_that_ignores_the_interrupt_is_killed(new_session: Session) -> None:
    done = new_session.run("import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass", seconds=0.5)
    assert (done.status, done.state_lost, new_session.alive) == ("timeout", True, False)
    assert done.error.endswith("Variables were lost.")
    after = new_session.run("1")
    assert (after.status, after.state_lost) == ("dead", True)


def test_a_kernel_that_ends_itself_is_dead(new_session: Session) -> None:
    done = new_session.run("import os\nprint('last', flush=True)\nimport time; time.sleep(0.5)\nos._exit(3)")
    assert (done.status, done.state_lost, new_session.alive) == ("dead", True, False)
    assert done.output == "last\n"
    assert "exit code" in done.error


def test_a_flood_of_output_is_cut(session: Session) -> None:
    size = session.isolation.limits.output_bytes
    pieces: list[str | bytes] = []
    done = session.run("line = 'x' * 99\nfor _ in range(30_000): print(line)\n'the end'", on_output=pieces.append)
    assert done.status == "ok"
    assert size < len(done.output) < size + 200
    assert "cut here" in done.output[-100:]
    assert "".join(str(piece) for piece in pieces) == done.output
    assert session.run("'y' * 3_000_000").output.count("y") < size + 200
    assert session.run("print('quiet again')").output == "quiet again\n"


def test_a_flood_below_python_is_cut(session: Session) -> None:
    size = session.isolation.limits.output_bytes
    done = session.run("import os\nfor _ in range(300): os.write(1, b'z' * 10_000)\nimport time; time.sleep(0.5)")
    assert len(done.output) < size + 200


def test_only_text_and_png_come_out(session: Session) -> None:
    code = (
        "from IPython.display import HTML, Javascript, display\n"
        "display(HTML('<script>alert(1)</script>'), Javascript('alert(2)'))\n"
        "display({'text/html': '<b>', 'application/x': 'y'}, raw=True)\n"
        "display({'image/png': 'bm90IGEgcG5n'}, raw=True)"
    )
    done = session.run(code)
    assert done.status == "ok", done.error
    assert "alert" not in done.output and "<b>" not in done.output and done.images == ()


def test_interrupt_from_another_thread(session: Session) -> None:
    def stop(piece: str | bytes) -> None:
        threading.Thread(target=session.interrupt).start()

    session.interrupt()  # nothing runs: nothing happens
    done = session.run(f"kept = 9\n{FOREVER}", on_output=stop)
    assert (done.status, done.state_lost) == ("error", False)
    assert "KeyboardInterrupt" in done.error
    assert session.run("kept").output == "9\n"


def test_an_exception_of_the_listener_stops_the_code(session: Session) -> None:
    def refuse(piece: str | bytes) -> None:
        raise LookupError("not wanted")

    with pytest.raises(LookupError, match="not wanted"):
        session.run(FOREVER, on_output=refuse)
    assert session.run("'free again'").output == "'free again'\n"


@pytest.mark.skipif(sys.platform == "win32", reason="a signal cannot be sent to one thread")
def test_a_keyboard_interrupt_of_the_caller_stops_the_code(session: Session) -> None:
    def press(piece: str | bytes) -> None:
        threading.Timer(0.1, signal.raise_signal, [signal.SIGINT]).start()

    with pytest.raises(KeyboardInterrupt):
        session.run(FOREVER, on_output=press)
    assert session.run("'free again'").output == "'free again'\n"


def test_use_from_a_running_event_loop_and_from_worker_threads(session: Session) -> None:
    async def in_a_notebook() -> Execution:
        return session.run("'in a loop'")

    assert asyncio.run(in_a_notebook()).output == "'in a loop'\n"
    with ThreadPoolExecutor(4) as workers:
        results = list(workers.map(lambda number: session.run(f"{number} * 2"), range(8)))
    assert [result.output for result in results] == [f"{number * 2}\n" for number in range(8)]


def test_the_code_sees_only_its_own_files(session: Session) -> None:
    session.put("sales.csv", b"a,b\n1,2\n")
    assert session.run("import os\nos.listdir('.')").output == "['sales.csv']\n"
    assert session.run("open('sales.csv').read()").output == "'a,b\\n1,2\\n'\n"


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege")
def test_a_file_is_never_written_through_a_link(session: Session) -> None:
    victim = session.workdir.parent / "victim"
    victim.write_bytes(b"untouched")
    session.run(f"import os\nos.symlink({str(victim)!r}, 'data.csv')")
    session.put("data.csv", b"new")
    assert victim.read_bytes() == b"untouched"
    assert session.run("open('data.csv').read()").output == "'new'\n"
    session.run(f"import os\nos.symlink({str(victim.parent)!r}, 'folder')")
    session.put("folder/deep/victim", b"new")
    assert not (victim.parent / "deep").exists()
    assert session.run("open('folder/deep/victim').read()").output == "'new'\n"
    for name in ("", "..", "a//b", "../x", "a/../../x", "/etc/x"):
        with pytest.raises(ValueError, match="below the working folder"):
            session.put(name, b"")
