import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { goalOf, targetOf } from "../../src/chatRequest";

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
