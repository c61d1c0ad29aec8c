"""Labels come back with the answer, at once and later; a wrong one is refused. The usage tells kinds of input apart."""

import base64

from google import genai

client = genai.Client()
LABELS = {"team": "data-science", "run_2": "", "größe": "groß"}
data = base64.b64encode(b"a,b\n1,2\n" * 100).decode()
created = client.interactions.create(
    model="gemini-3-flash-preview",
    input=[
        {"type": "document", "data": data, "mime_type": "text/csv"},
        {"type": "text", "text": "How many rows are there?"},
    ],
    tools=[{"type": "code_execution"}],
    generation_config={"max_output_tokens": 500, "seed": 7, "thinking_level": "low"},
    system_instruction="Be brief.",
    extra_body={"labels": LABELS},
)
for document in (created, client.interactions.get(created.id)):
    dumped = document.model_dump()
    assert dumped["labels"] == LABELS, dumped
    read = {count["modality"]: count["tokens"] for count in dumped["usage"]["input_tokens_by_modality"]}
    assert read["document"] == 200 and sum(read.values()) == dumped["usage"]["total_input_tokens"], read
    written = [(count["modality"], count["tokens"]) for count in dumped["usage"]["output_tokens_by_modality"]]
    assert written == [("text", dumped["usage"]["total_output_tokens"])], written
for wrong in ({"Team": "x"}, {"2nd": "x"}, {"team": "Data Science"}, {"t" * 64: "x"}, {"team": "x" * 64}, {"team": 1}):
    try:
        client.interactions.create(model="gemini-3-flash-preview", input="hi", extra_body={"labels": wrong})
    except Exception as error:
        assert type(error).__name__ == "BadRequestError" and "label" in str(error), repr(error)
    else:
        raise AssertionError(f"{wrong} was taken")
