"""``gemini-exec demo | lab | serve | doctor``: what can be done without a notebook at hand."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from itertools import chain

from magic_ext.errors import GeminiExecError
from magic_ext.runtime.limits import Limits, limits_of

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the process's exit code."""
    parser = argparse.ArgumentParser(prog="gemini-exec", description=__doc__.replace("``", ""))
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("demo", help="answer two questions about a real table, here and now").set_defaults(run=_demo)
    lab = commands.add_parser("lab", help="open the demo's notebook in JupyterLab; its options are passed on")
    lab.set_defaults(run=_lab)
    doctor = commands.add_parser("doctor", help="what is here, what is missing, where things are kept")
    doctor.set_defaults(run=_doctor)
    _add_serve(commands.add_parser("serve", help="serve the embedded engine over HTTP on this computer"))
    given, others = parser.parse_known_args(arguments)
    given.others = others
    if given.others and given.command != "lab":
        parser.error(f"unrecognized arguments: {' '.join(given.others)}")
    try:
        code: int = given.run(given)
    except GeminiExecError as error:
        print(f"gemini-exec: {error} {error.hint}".rstrip(), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return code


def _add_serve(serve: argparse.ArgumentParser) -> None:
    serve.set_defaults(run=_serve)
    serve.add_argument("--port", type=int, default=8765, help="0 for any free one (default: 8765)")
    serve.add_argument(
        "--token", default="", help="what clients send as API key (default: GEMINI_EXEC_TOKEN, or a new one)"
    )
    serve.add_argument("--model", default="offline-planner", help="what answers to every gemini-* name")
    serve.add_argument("--local-base-url", default="", help="the server of openai:NAME (default: OPENAI_BASE_URL)")
    serve.add_argument("--host", default="127.0.0.1", help="the address to listen at (default: 127.0.0.1)")
    serve.add_argument(
        "--allow-remote",
        action="store_true",
        help="listen where other computers can reach it: whoever has the token can run code in the sandbox here, and "
        "read and delete what is kept; nothing is encrypted, so put TLS in front. Needs a token of your own",
    )
    usual = Limits()
    serve.add_argument("--run-seconds", type=float, metavar="S", help=f"how long code may run ({usual.seconds:g})")
    serve.add_argument("--run-memory", default="", metavar="SIZE", help="its memory, as in 2GB (4GB, or half of it)")
    serve.add_argument("--run-processes", type=int, metavar="N", help=f"how many processes it has ({usual.processes})")
    serve.add_argument("--run-output", default="", metavar="SIZE", help="how much a run may print, as in 200KB (1MB)")


def _demo(_: argparse.Namespace) -> int:
    from magic_ext.demo import run_demo

    run_demo()
    return 0


def _lab(given: argparse.Namespace) -> int:
    from magic_ext.demo import lab_notebook

    notebook = lab_notebook()
    return subprocess.call([sys.executable, "-m", "jupyterlab", str(notebook), *given.others])


def _doctor(_: argparse.Namespace) -> int:
    from magic_ext.client.keys import find_key
    from magic_ext.doctor import report
    from magic_ext.jupyter import installed_lines, server_lines

    key = find_key(trait="", environ=os.environ, interactive=sys.stdin.isatty())
    print(report(key, chain(installed_lines(), server_lines())))
    return 0


def _serve(given: argparse.Namespace) -> int:
    _need("starlette", "uvicorn", extra="serve")
    from magic_ext.engine.embedded import open_engine
    from magic_ext.engine.listener import address_of, is_local, listen
    from magic_ext.engine.models.registry import addressed
    from magic_ext.engine.server import new_token, serve

    chosen = given.token or os.environ.get("GEMINI_EXEC_TOKEN", "")
    token = chosen or new_token()
    limits = _limits(given)
    with listen(given.host, given.port, allow_remote=given.allow_remote, token=chosen) as listener:
        engine = open_engine(serving=addressed(given.model, given.local_base_url), limits=limits)

        def announce() -> None:
            print(f"Serving {given.model} at {address_of(listener)}", flush=True)
            if not is_local(listener):
                print(
                    "Other computers can reach it: whoever has the token can run code in the sandbox here.", flush=True
                )
            if not chosen:
                print(f"Token, to be sent as API key: {token}", flush=True)
            print("Point a client at it: GOOGLE_GEMINI_BASE_URL is the address, GEMINI_API_KEY the token.", flush=True)

        serve(engine, token=token, listener=listener, on_ready=announce)
    return 0


def _limits(given: argparse.Namespace) -> Limits:
    try:
        return limits_of(
            seconds=given.run_seconds,
            memory=given.run_memory,
            processes=given.run_processes,
            output=given.run_output,
        )
    except ValueError as error:
        raise GeminiExecError(f"{error}.", hint="See gemini-exec serve --help.") from None


def _need(*modules: str, extra: str) -> None:
    import importlib.util

    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if missing:
        are = "is" if len(missing) == 1 else "are"
        raise GeminiExecError(
            f"{' and '.join(missing)} {are} not installed.", hint=f"Run: pip install 'gemini-exec[{extra}]'"
        )


if __name__ == "__main__":
    sys.exit(main())
