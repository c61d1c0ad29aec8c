// The caller's own function beside the server's code: called, answered, the result worked on.
import assert from "node:assert/strict";
import { GoogleGenAI } from "@google/genai";

const client = new GoogleGenAI({});
const model = "gemini-3-flash-preview";
const tools = [
  { type: "code_execution" },
  {
    type: "function",
    name: "get_weather",
    description: "The temperature in a city, in degrees Celsius.",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
];

const asked = await client.interactions.create({ model, input: "How warm is it in Zürich, in Fahrenheit?", tools });
assert.equal(asked.status, "requires_action");
const call = asked.steps.at(-1);
assert.deepEqual([call.type, call.name, call.arguments], ["function_call", "get_weather", { city: "Zürich" }]);
const answered = await client.interactions.create({
  model,
  previous_interaction_id: asked.id,
  input: [{ type: "function_result", name: call.name, call_id: call.id, result: { celsius: 21 } }],
  tools,
});
assert.equal(answered.status, "completed");
assert.deepEqual(
  answered.steps.map((step) => step.type),
  ["model_output", "code_execution_call", "code_execution_result", "model_output"],
);
assert.equal(answered.steps[2].result, "69.8\n");
