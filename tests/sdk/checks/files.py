"""The Files API: upload (also in chunks), list, get, ask about an uploaded table, delete. TABLE FOLDER."""

import json
import sys
from pathlib import Path

from google import genai

table, folder = Path(sys.argv[1]), Path(sys.argv[2])
client = genai.Client()
uploaded = client.files.upload(file=str(table), config={"mime_type": "text/csv", "display_name": "Pinguine"})
assert (uploaded.state.name, uploaded.size_bytes, uploaded.mime_type) == ("ACTIVE", table.stat().st_size, "text/csv")
assert uploaded.display_name == "Pinguine"
assert client.files.get(name=uploaded.name).uri == uploaded.uri

large = folder / "large.bin"
large.write_bytes(b"0123456789" * 1_700_000)  # three chunks of the SDK's 8 MiB
other = client.files.upload(file=str(large), config={"mime_type": "application/octet-stream"})
assert other.size_bytes == 17_000_000
for size in (1, 100):
    names = [file.name for file in client.files.list(config={"page_size": size})]
    assert {uploaded.name, other.name} <= set(names) and len(names) == len(set(names)), names

counted = client.models.count_tokens(
    model="gemini-3-flash-preview",
    contents=[genai.types.Part.from_uri(file_uri=uploaded.uri, mime_type="text/csv"), "What is in it?"],
)
assert counted.total_tokens > table.stat().st_size // 4, counted

answered = client.interactions.create(
    model="gemini-3-flash-preview",
    input=[
        {"type": "document", "uri": uploaded.uri, "mime_type": "text/csv"},
        {"type": "text", "text": "What is the mean body mass by species?"},
    ],
    tools=[{"type": "code_execution"}],
)
read = {count.modality: count.tokens for count in answered.usage.input_tokens_by_modality}
assert read["document"] == -(-table.stat().st_size // 4), read
assert "5076.02" in json.dumps(answered.model_dump(mode="json"))

chosen = client.files.upload(file=str(table), config={"mime_type": "text/csv", "name": "files/pinguine-2"})
assert chosen.name == "files/pinguine-2" and chosen.uri.endswith("/files/pinguine-2"), chosen
for name, status, word in (("pinguine-2", 409, "ALREADY_EXISTS"), ("Pinguine_2", 400, "INVALID_ARGUMENT")):
    try:
        client.files.upload(file=str(table), config={"mime_type": "text/csv", "name": name})
    except genai.errors.ClientError as error:
        assert (error.code, error.status) == (status, word), repr(error)
    else:
        raise AssertionError(f"{name} was taken")

for file in (uploaded, other, chosen):
    client.files.delete(name=file.name)
assert not {uploaded.name, other.name} & {file.name for file in client.files.list()}
try:
    client.files.get(name=uploaded.name)
except genai.errors.ClientError as error:
    assert (error.code, error.status) == (404, "NOT_FOUND"), repr(error)
else:
    raise AssertionError("a deleted file was given out")
