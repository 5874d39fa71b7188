import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { registerChat } from "../../src/chat";
import { goalOf, targetOf } from "../../src/chatRequest";
import * as stub from "./vscode";

interface Declared {
  readonly contributes: {
    readonly languageModelTools: readonly {
      readonly name: string;
      readonly inputSchema: { readonly properties: object };
    }[];
    readonly chatParticipants: readonly {
      readonly id: string;
      readonly commands: readonly { readonly name: string }[];
    }[];
  };
}

const { contributes } = JSON.parse(readFileSync("package.json", "utf8")) as Declared;
const SOURCE = readFileSync("src/chat.ts", "utf8");

test("a message names a function as other doors do", () => {
  assert.deepEqual(targetOf("make `src/shop/orders.py::Cart.total` faster"), {
    file: "src/shop/orders.py",
    function: "Cart.total",
  });
  assert.equal(targetOf("make this faster"), undefined);
});

test("what is declared for chats is what is registered", () => {
  const [tool] = contributes.languageModelTools;
  const [participant] = contributes.chatParticipants;
  assert.ok(tool && SOURCE.includes(`"${tool.name}"`));
  assert.deepEqual(Object.keys(tool.inputSchema.properties), ["file", "function", "goal"]);
  assert.ok(participant && SOURCE.includes(`"${participant.id}"`));
  for (const { name } of participant.commands) {
    assert.equal(goalOf(name), name);
  }
});

const TABLE = "| # | candidate |\n| 1 | **m · fast** |";
const TOKEN = { isCancellationRequested: false };

/** Registers for chats; what is asked of the server, and what it answers. */
function chatting(answer: () => Promise<string> = async () => TABLE) {
  const asked: unknown[] = [];
  const report = (place: unknown, token: unknown) => {
    asked.push(place);
    assert.equal(token, TOKEN, "what cancels the chat cancels the run");
    return answer();
  };
  const told: string[] = [];
  const log = { info: (text: string) => told.push(text) };
  const disposable = registerChat({ report } as never, log as never) as unknown as { readonly count: number };
  const said: [string, unknown][] = [];
  const stream = Object.fromEntries(
    ["markdown", "progress", "button"].map((kind) => [kind, (what: unknown) => said.push([kind, what])]),
  );
  const say = (prompt: string, command?: string) =>
    stub.registered.participant?.({ prompt, ...(command ? { command } : {}) }, {}, stream, TOKEN);
  return { asked, said, say, told, count: disposable.count };
}

test("the chat runs the function that is named, by the command's goal, and answers with its table", async () => {
  const { asked, said, say } = chatting();
  await say("make `src/orders.py::Cart.total` faster", "speed");
  assert.deepEqual(asked, [{ uri: "file:///shop/src/orders.py", function: "Cart.total", goal: "speed" }]);
  assert.deepEqual(
    said.map(([kind]) => kind),
    ["progress", "markdown", "button"],
  );
  assert.deepEqual(said[1], ["markdown", TABLE]);
  assert.deepEqual(said[2]?.[1], { command: "codeens.showResults", title: "Show Results" });
});

test("the chat takes the function around the cursor, and asks for one where there is none", async () => {
  const { asked, said, say } = chatting();
  const uri = stub.Uri.file("/shop/orders.py");
  stub.window.activeTextEditor = {
    document: { languageId: "python", uri },
    selection: { active: { line: 7 } },
  };
  await say("make this faster");
  stub.window.activeTextEditor = undefined;
  await say("make this faster");
  assert.deepEqual(asked, [{ uri: "file:///shop/orders.py", line: 7 }]);
  assert.match(String(said.at(-1)?.[1]), /^Name a function, as `path\/file.py::function`/);
});

test("what the server refuses a run with is the chat's answer too", async () => {
  const { said, say } = chatting(() => Promise.reject(new Error("there is no function f")));
  await assert.rejects(async () => say("shop.py::f"), /there is no function f/);
  assert.ok(!said.some(([kind]) => kind === "markdown"));
});

test("a model's tool says what it will do, runs, and answers with the table", async () => {
  const { asked } = chatting();
  const { tool } = stub.registered;
  assert.ok(tool);
  const input = { file: "orders.py", function: "total", goal: "memory" };
  assert.match(tool.prepareInvocation({ input }).confirmationMessages.message, /other versions of `total`/);
  const result = await tool.invoke({ input }, TOKEN);
  assert.deepEqual(
    result.content.map((part) => part.value),
    [TABLE],
  );
  assert.deepEqual(asked, [{ uri: "file:///shop/orders.py", function: "total", goal: "memory" }]);
});

test("an editor without chats, or whose API throws, goes without", () => {
  const { lm, chat } = stub;
  const { registerTool } = lm;
  lm.registerTool = () => {
    throw new Error("proposed API");
  };
  const { createChatParticipant } = chat;
  chat.createChatParticipant = undefined;
  try {
    const { count, told } = chatting();
    assert.equal(count, 0);
    assert.match(told.join(), /nothing is registered for chats: Error: proposed API/);
  } finally {
    Object.assign(lm, { registerTool });
    Object.assign(chat, { createChatParticipant });
  }
});
