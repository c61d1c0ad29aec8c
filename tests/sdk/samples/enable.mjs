// This will only work for SDK newer than 2.0.0
import { GoogleGenAI } from "@google/genai";

const client = new GoogleGenAI({});

const interaction = await client.interactions.create({
  model: "gemini-3-flash-preview",
  input: "What is the sum of the first 50 prime numbers? " +
    "Generate and run code for the calculation, and make sure you get all 50.",
  tools: [{ type: "code_execution" }]
});

for (const step of interaction.steps) {
  if (step.type === "model_output") {
    for (const contentBlock of step.content) {
      if (contentBlock.type === "text") {
        console.log(contentBlock.text);
      }
    }
  } else if (step.type === "code_execution_call") {
    console.log(step.arguments.code);
  } else if (step.type === "code_execution_result") {
    console.log(step.result);
  }
}
