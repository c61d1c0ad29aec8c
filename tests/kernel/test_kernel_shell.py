"""The extension in the shell: loading, unloading, settings, and ``%gemini``."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from magic_ext.errors import GeminiExecError
from magic_ext.frontend.commands import run_command
from magic_ext.magics import GeminiExecMagics
from magic_ext.options import COMMANDS, OPTIONS, parse_options
from magic_ext.references.grammar import find_references, split_line
from magic_ext.references.policy import POLICIES

PRIMES = "%%gemini_exec -m offline-planner\nWhat is the sum of the first 50 prime numbers?"
SNAPSHOT = """
def _snapshot():
    import builtins, os, signal, sys, threading, warnings
    shell = get_ipython()
    mine = {"_snapshot", "before", "after", "_json"}
    callbacks = {name: [repr(one) for one in found] for name, found in shell.events.callbacks.items()}
    return {
        "magics": {kind: sorted(table) for kind, table in shell.magics_manager.magics.items()},
        "registry": sorted(shell.magics_manager.registry),
        "configurables": [type(one).__name__ for one in shell.configurables],
        "namespace": sorted(name for name in shell.user_ns if not name.startswith(("_i", "_dh")) and name not in mine),
        "hidden": sorted(name for name in shell.user_ns_hidden if not name.startswith("_i") and name not in mine),
        "cleanup": [repr(one) for one in shell.input_transformers_cleanup],
        "post": [repr(one) for one in shell.input_transformers_post],
        "line": [repr(one) for one in shell.input_transformer_manager.line_transforms],
        "tokens": [repr(one) for one in shell.input_transformer_manager.token_transformers],
        "ast": [repr(one) for one in shell.ast_transformers],
        "callbacks": callbacks,
        "custom exceptions": repr(shell.custom_exceptions),
        "environment": dict(os.environ),
        "excepthook": repr(sys.excepthook),
        "threading excepthook": repr(threading.excepthook),
        "displayhook": repr(sys.displayhook),
        "warnings": [repr(one) for one in warnings.filters],
        "interrupt": repr(signal.getsignal(signal.SIGINT)),
        "path": list(sys.path),
        "threads": sorted(one.name for one in threading.enumerate()),
        "formatters": [sorted(map(repr, one.type_printers)) for one in shell.display_formatter.formatters.values()],
        "completers": sorted(map(repr, vars(shell.Completer.custom_completers))),
        "matchers": [repr(one) for one in shell.Completer.custom_matchers],
        "extensions": sorted(shell.extension_manager.loaded - {"storemagic"}),
        "builtins": sorted(vars(builtins)),
    }
"""


@pytest.fixture(scope="module")
def bare(open_notebook: Callable[..., Any]) -> Any:
    """A notebook without the extension."""
    return open_notebook()


def test_unloading_leaves_the_shell_as_it_was(bare: Any) -> None:
    assert "not loaded" in bare.do("%unload_ext magic_ext")  # IPython loads its own magics at first use
    bare.do(SNAPSHOT)
    bare.do("before = _snapshot()")
    before = bare.value("before")
    bare.do("%load_ext magic_ext")
    assert bare.value("_snapshot()") != before, "the snapshot sees that it is loaded"
    assert bare.run("%%gemini_exec --dry-run -m gemini-3-flash-preview\nhi").status == "ok"
    assert "5117" in bare.run(PRIMES).text
    assert psutil.Process(bare.value("__import__('os').getpid()")).children(), "the engine's kernels"
    bare.do("%unload_ext magic_ext")
    after = bare.value("_snapshot()")
    assert psutil.Process(bare.value("__import__('os').getpid()")).children() == []
    assert {name: (before[name], after[name]) for name in before if before[name] != after[name]} == {}


def test_loading_twice_and_again(bare: Any) -> None:
    bare.do("%load_ext magic_ext\n%config GeminiExecMagics.model = 'offline-planner'")
    assert "already loaded" in bare.do("%load_ext magic_ext")
    assert bare.value("get_ipython().magics_manager.registry['GeminiExecMagics'].model") == "offline-planner"
    for _ in range(2):
        bare.do("%reload_ext magic_ext")
    names = bare.value("[type(one).__name__ for one in get_ipython().configurables]")
    assert names.count("GeminiExecMagics") == 1
    assert bare.value("sum('with_body' in repr(one) for one in get_ipython().input_transformers_cleanup)") == 1
    assert "asks nothing" in bare.refuses("%%gemini_exec")
    assert "5117" in bare.run(PRIMES).text
    bare.do("%unload_ext magic_ext")
    missing = bare.run("%%gemini_exec\nhi")
    assert missing.status == "error"


def test_settings(notebook: Any) -> None:
    listed = notebook.do("%config GeminiExecMagics")
    for name in ("model", "thinking", "run", "send", "paste", "timeout", "stream", "base_url", "headers"):
        assert f"GeminiExecMagics.{name}=" in listed
    notebook.do('%config GeminiExecMagics.model = "offline-plannr"')
    assert "Did you mean offline-planner?" in notebook.refuses("%%gemini_exec\nhi")
    notebook.do('%config GeminiExecMagics.model = ""')


@pytest.mark.parametrize(
    "setting",
    ["thinking = 'hihg'", "run = 'mars'", "paste = 'most'", "timeout = -1", "timeout = 'soon'", "stream = 3",
     "headers = 'x'", "model = 3"],
)  # fmt: skip
def test_a_setting_that_cannot_be(notebook: Any, setting: str) -> None:
    name = setting.partition(" ")[0]
    before = notebook.value(f"get_ipython().magics_manager.registry['GeminiExecMagics'].{name}")
    ran = notebook.run(f"%config GeminiExecMagics.{setting}")
    shown = "".join(stream["text"] for stream in ran.of("stream")) + str(ran.of("error"))
    assert name in shown
    assert notebook.value(f"get_ipython().magics_manager.registry['GeminiExecMagics'].{name}") == before


def test_a_policy_as_a_setting_that_is_none(notebook: Any) -> None:
    notebook.do("%config GeminiExecMagics.send = 'fulll'")
    assert "Did you mean full?" in notebook.refuses("%%gemini_exec\nhi")
    notebook.do("%config GeminiExecMagics.send = 'auto'")


def test_help(notebook: Any) -> None:
    page = notebook.inspect("%%gemini_exec?")
    assert page == notebook.inspect("gemini_exec"), "which is what the contextual help asks for"
    [shown] = notebook.run("%%gemini_exec?").payload
    assert "Without it: use" in shown["data"]["text/plain"]
    for option in OPTIONS:
        assert f"\n    {option.usage}\n" in page, "each on a line of its own"
        default = getattr(GeminiExecMagics, option.field).default_value if option.value in {"USE", "WHICH"} else ""
        assert f"Without it: {default}" in page
    for word in (*POLICIES, "@@", "[-c[=NAME]]", "Without it: Gemini with a key, else offline-planner."):
        assert word in page
    assert max(map(len, page.splitlines())) <= 110
    examples = page.partition("Examples")[2].partition("References")[0]
    cells = [textwrap.dedent(cell) for cell in re.split(r"^    %%gemini_exec", examples, flags=re.MULTILINE)[1:]]
    assert len(cells) == 3
    for cell in cells:
        line, _, question = cell.partition("\n")
        parse_options(split_line(line)[1])
        find_references(question)
    commands = notebook.inspect("%gemini?")
    assert all(f"%gemini {command.usage}" in commands and command.help[:40] in commands for command in COMMANDS)
    assert "cell_magic" in notebook.inspect("%%gemini_exec??"), "the source, as of everything else"


def test_every_command_that_is_documented_is_one() -> None:
    with pytest.raises(GeminiExecError) as unknown:
        run_command("nonsense-of-no-kind", asking=None, settings=None)  # type: ignore[arg-type]
    assert set(unknown.value.hint.removeprefix("The commands are ").rstrip(".").split(", ")) == {
        command.name for command in COMMANDS
    }


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("%gemini", ["no command %gemini.", "paste", "usage"]),
        ("%gemini frobnicate", ["frobnicate", "usage"]),
        ("%gemini psate", ["Did you mean %gemini paste?"]),
        ("%gemini PASTE", ["PASTE"]),
        ("%gemini paste", ["no code to paste yet", "%%gemini_exec"]),
        ("%gemini paste 9", ["no code to paste yet"]),
        ("%gemini paste -1", ["block numbers", "'-1'"]),
        ("%gemini paste all", ["block numbers", "'all'"]),
        ("%gemini usage now", ["usage takes no argument", "'now'"]),
        ("%gemini models x", ["models takes no argument"]),
        ("%gemini key", ["can't ask for a key", "GEMINI_API_KEY"]),
    ],
)
def test_commands_that_cannot_be(notebook: Any, line: str, said: list[str]) -> None:
    shown = notebook.refuses(line)
    assert all(words in shown for words in said), shown


def test_a_key_in_a_cell_is_not_taken(notebook: Any) -> None:
    typed = "hunter2-typed-into-a-cell"
    ran = notebook.fails(f"%gemini key {typed}")
    assert "would be saved with the notebook" in ran.red_line
    written = [message for message in ran.messages if message["msg_type"] != "execute_input"]
    assert typed not in str(written)
    magics = "get_ipython().magics_manager.registry['GeminiExecMagics']"
    assert not notebook.value(f"{magics}.asking.composing.typed_key is not None")


def test_usage_before_any(notebook: Any) -> None:
    assert "No tokens used yet" in notebook.do("%gemini usage")


def test_models(notebook: Any, asked_at: Callable[..., Any], faults: SimpleNamespace, key: str) -> None:
    listed = {"models": [{"name": "models/gemini-3-flash-preview"}, {"name": "models/gemini-4-argon"}]}
    server = asked_at(faults.reply(200, listed))
    assert re.findall(r"^  (\S+)$", notebook.do("%gemini models"), re.MULTILINE) == [
        "gemini-3-flash-preview",
        "gemini-4-argon",
    ]
    [seen] = server.seen
    assert seen.method == "GET"
    assert seen.target.startswith("/v1beta/models")
    assert seen.headers["x-goog-api-key"] == key


def test_models_where_the_server_fails(notebook: Any, asked_at: Callable[..., Any], faults: SimpleNamespace) -> None:
    asked_at(faults.reply(403, {"error": {"code": "permission_denied", "message": "No."}}))
    assert "Check the key" in notebook.fails("%gemini models").red_line


def test_a_key_among_the_settings_is_not_listed(
    notebook: Any, asked_at: Callable[..., Any], faults: SimpleNamespace, key: str
) -> None:
    other = "another-key-for-this-session"
    notebook.do(f"%config GeminiExecMagics.api_key = {other!r}")
    assert other not in notebook.do("%config GeminiExecMagics")
    assert other not in notebook.do("print(repr(get_ipython().magics_manager.registry['GeminiExecMagics'].api_key))")
    server = asked_at(faults.reply(401, {"error": {"code": "authentication", "message": f"Bad key {other}."}}))
    ran = notebook.run("%%gemini_exec --debug\nhi")
    assert other not in str(ran.messages)
    assert server.seen[0].headers["x-goog-api-key"] == other
    notebook.do("%config GeminiExecMagics.api_key = ''")


@pytest.fixture
def rough(open_notebook: Callable[..., Any]) -> Callable[..., Any]:
    """A notebook whose user has turned the environment against us."""

    def start(**environment: str) -> Any:
        opened = open_notebook(**environment)
        opened.do("%load_ext magic_ext")
        return opened

    return start


def test_what_only_gemini_needs_is_not_looked_at_here(rough: Callable[..., Any]) -> None:
    notebook = rough(GEMINI_API_KEY="one key", GOOGLE_API_KEY="another", GOOGLE_GEMINI_BASE_URL="no address")
    ran = notebook.run(PRIMES)
    assert ran.status == "ok", ran.of("error")
    assert "5117" in ran.text
    assert not [stream for stream in ran.of("stream") if stream["name"] == "stderr"]


def test_a_key_that_no_header_can_carry(rough: Callable[..., Any]) -> None:
    ran = rough(GEMINI_API_KEY="pasted with spaces").fails("%%gemini_exec\nhi")
    assert "holds a space" in ran.red_line
    assert "with spaces" not in str(ran.messages)


def test_warnings_as_errors(notebook: Any, asked_at: Callable[..., Any], faults: SimpleNamespace) -> None:
    asked_at(faults.FINE)
    notebook.do("import warnings; filters = list(warnings.filters); warnings.simplefilter('error')")
    for cell in (PRIMES, "%%gemini_exec\nhi"):
        for live in (False, True):
            ran = notebook.run(cell, live=live)
            assert ran.status == "ok", ran.of("error")
    notebook.do("warnings.filters[:] = filters")


def test_captured(notebook: Any) -> None:
    ran = notebook.run("%%capture kept\n" + PRIMES)
    assert ran.status == "ok"
    assert ran.outputs == []
    assert "5117" in notebook.do("print([output.data for output in kept.outputs])")


def test_the_folder_is_gone(rough: Callable[..., Any]) -> None:
    notebook = rough()
    notebook.do("import os, tempfile; folder = tempfile.mkdtemp(); os.chdir(folder); os.rmdir(folder)")
    assert "folder is gone" in notebook.refuses(PRIMES)


def test_no_folder_to_keep_answers_in(rough: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "a file").touch()
    notebook = rough(XDG_DATA_HOME=str(tmp_path / "a file"))
    assert "XDG_DATA_HOME" in notebook.fails(PRIMES).red_line
