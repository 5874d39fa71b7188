// A model on this machine that speaks OpenAI's protocol, streamed, and answers with given programs in turns.

import { createServer } from "node:http";

/** `refuses`: the name of a model whose key is never right. */
export async function startModel(answers, { refuses } = {}) {
  let asked = 0;
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (piece) => {
      body += piece;
    });
    request.on("end", () => {
      if (refuses !== undefined && JSON.parse(body || "{}").model === refuses) {
        response.writeHead(401, { "content-type": "application/json" });
        response.end(JSON.stringify({ error: { message: "no such key", code: "invalid_api_key" } }));
        return;
      }
      const content = `\`\`\`python\n${answers[asked % answers.length]}\n\`\`\``;
      asked += 1;
      const piece = { id: `chat-${asked}`, object: "chat.completion.chunk", created: 0, model: "local" };
      const text = { index: 0, delta: { role: "assistant", content }, finish_reason: null };
      const end = { index: 0, delta: {}, finish_reason: "stop" };
      const usage = { prompt_tokens: 400, completion_tokens: 60, total_tokens: 460 };
      const pieces = [
        { ...piece, choices: [text] },
        { ...piece, choices: [end] },
        { ...piece, choices: [], usage },
      ];
      response.setHeader("content-type", "text/event-stream");
      response.end(
        [...pieces.map((each) => JSON.stringify(each)), "[DONE]"].map((each) => `data: ${each}\n\n`).join(""),
      );
    });
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    base: `http://127.0.0.1:${server.address().port}/v1`,
    stop: () => {
      server.closeAllConnections();
      return new Promise((closed) => server.close(closed));
    },
  };
}
