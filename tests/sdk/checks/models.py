"""Models listed and shown, tokens counted."""

from google import genai

client = genai.Client()
listed = {model.name: model for model in client.models.list()}
assert "models/offline-planner" in listed, listed
shown = client.models.get(model="offline-planner")
assert shown.name == "models/offline-planner" and shown.input_token_limit > 0, shown
assert "countTokens" in shown.supported_actions, shown
assert client.models.get(model="gemini-3-flash-preview").name == "models/gemini-3-flash-preview"
assert client.models.count_tokens(model="gemini-3-flash-preview", contents="hello world").total_tokens == 3
picture = genai.types.Part.from_bytes(data=b"x" * 4000, mime_type="image/png")
assert client.models.count_tokens(model="gemini-3-flash-preview", contents=[picture]).total_tokens == 258
try:
    client.models.get(model="no-such-model")
except genai.errors.ClientError as error:
    assert (error.code, error.status) == (404, "NOT_FOUND"), repr(error)
else:
    raise AssertionError("a model that is not there was shown")
