// An answer as JSON by a schema; a format that can't be had is refused.
import assert from "node:assert/strict";
import { GoogleGenAI } from "@google/genai";

const client = new GoogleGenAI({});
const schema = { type: "object", properties: { pedals: { type: "integer" } }, required: ["pedals"] };
const question = { model: "gemini-3-flash-preview", input: "How many?", tools: [{ type: "code_execution" }] };
const format = { type: "text", mime_type: "application/json", schema };

for (const response_format of [format, [format]]) {
  const answered = await client.interactions.create({ ...question, response_format });
  assert.equal(answered.status, "completed");
  assert.deepEqual(JSON.parse(answered.steps.at(-1).content[0].text), { pedals: 4 });
}
await assert.rejects(client.interactions.create({ ...question, response_format: { type: "image" } }), { status: 400 });
