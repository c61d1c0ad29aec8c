"""What is wrong comes back as the SDK's own exception for it, in both of its families."""

from google import genai

QUESTION = {"model": "gemini-3-flash-preview", "input": "What is 6 * 7?"}


def refused(call):
    try:
        call()
    except Exception as error:
        return error
    raise AssertionError("nothing was refused")


client = genai.Client()
stranger = genai.Client(api_key="wrong")
schema = {"type": "text", "mime_type": "application/json", "schema": {"type": "object"}}
for name, status, code, call in (
    ("NotFoundError", 404, "model_not_found", lambda: client.interactions.create(model="no-such", input="hi")),
    ("NotFoundError", 404, "not_found", lambda: client.interactions.get("v1_nothing")),
    ("NotFoundError", 404, "not_found", lambda: client.interactions.cancel("v1_nothing")),
    ("AuthenticationError", 401, "authentication", lambda: stranger.interactions.create(**QUESTION)),
    (
        "BadRequestError",
        400,
        "parameter_unknown",
        lambda: client.interactions.create(**QUESTION, extra_body={"no_such_parameter": 1}),
    ),
    (
        "BadRequestError",
        400,
        "invalid_request",
        lambda: client.interactions.create(**QUESTION, extra_body={"tools": [{"type": "x"}]}),
    ),
    ("BadRequestError", 400, "invalid_request", lambda: client.interactions.create(**QUESTION, response_format=schema)),
    (
        "BadRequestError",
        400,
        "invalid_request",
        lambda: client.interactions.create(**QUESTION, store=False, background=True),
    ),
    ("NotFoundError", 404, "model_not_found", lambda: client.interactions.create(model="no", input="hi", stream=True)),
):
    error = refused(call)
    assert type(error).__name__ == name and error.status_code == status, repr(error)
    assert error.body["error"]["code"] == code, error.body

for status, word, call in (
    (404, "NOT_FOUND", lambda: client.files.get(name="files/nothing")),
    (404, "NOT_FOUND", lambda: client.models.count_tokens(model="no-such", contents="hi")),
    (400, "INVALID_ARGUMENT", lambda: client.files.list(config={"page_size": -1})),
    (401, "UNAUTHENTICATED", lambda: stranger.files.list()),
    (401, "UNAUTHENTICATED", lambda: stranger.models.list()),
):
    error = refused(call)
    assert isinstance(error, genai.errors.ClientError), repr(error)
    assert (error.code, error.status) == (status, word) and error.message, repr(error)
