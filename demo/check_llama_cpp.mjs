// SPDX-License-Identifier: Apache-2.0
// Compares llama.cpp's greedy text with the reference of tests/golden/tinymath_greedy.json.
//   mkdir DIR && npm install --prefix DIR node-llama-cpp
//   node demo/check_llama_cpp.mjs DIR [MODEL.gguf] [GREEDY.json]
import {readFileSync} from "node:fs";
import path from "node:path";

const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
const [folder, model_file = path.join(here, "tinymath.gguf"),
    golden = path.join(here, "../tests/golden/tinymath_greedy.json")] = process.argv.slice(2);
const {getLlama} = await import(path.resolve(folder, "node_modules/node-llama-cpp/dist/index.js"));
const llama = await getLlama({gpu: false, build: "never"});
const model = await llama.loadModel({modelPath: path.resolve(model_file)});
const context = await model.createContext({contextSize: 512, threads: 1});
const sequence = context.getSequence();
const {rows, max_new_tokens} = JSON.parse(readFileSync(golden, "utf8"));
let equal = 0;

for (const row of rows) {
    await sequence.clearHistory();
    const prompt = [model.tokens.bos, ...model.tokenize(row.prompt)];
    const out = [];
    for await (const token of sequence.evaluate(prompt, {temperature: 0, yieldEogToken: true})) {
        if (token === model.tokens.eos || out.push(token) >= max_new_tokens) break;
    }
    const text = model.detokenize(out);
    if (text === row.text) equal++;
    else console.log(JSON.stringify({prompt: row.prompt, expected: row.text, llama_cpp: text}));
}
console.log(`${equal} of ${rows.length} greedy texts equal`);
await llama.dispose();
