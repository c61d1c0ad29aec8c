// What is wrong comes back as the SDK's own exception for it; models are listed and shown, tokens counted.
import assert from "node:assert/strict";
import { GoogleGenAI } from "@google/genai";

const client = new GoogleGenAI({});
const stranger = new GoogleGenAI({ apiKey: "wrong" });
const question = { model: "gemini-3-flash-preview", input: "What is 6 * 7?" };
await assert.rejects(client.interactions.create({ ...question, model: "no-such" }), { name: "NotFoundError", status: 404 });
await assert.rejects(stranger.interactions.create(question), { name: "AuthenticationError", status: 401 });
await assert.rejects(
  client.interactions.create({ ...question, tools: [{ type: "x" }] }), { name: "BadRequestError", status: 400 },
);

const names = [];
for await (const model of await client.models.list()) names.push(model.name);
assert.deepEqual(names, ["models/offline-planner"]);
assert.equal((await client.models.get({ model: "offline-planner" })).name, "models/offline-planner");
const counted = await client.models.countTokens({ model: "gemini-3-flash-preview", contents: "hello world" });
assert.equal(counted.totalTokens, 3);
await assert.rejects(client.models.get({ model: "no-such" }), { name: "ApiError", status: 404 });
