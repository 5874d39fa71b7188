// A language model of the editor that always answers with the same program.

const vscode = require("vscode");

const ANSWER = [
  "```python",
  "def repeat_customers(orders: list[tuple[str, float]], minimum_spend: float = 0.0) -> list[str]:",
  "    count: dict[str, int] = {}",
  "    spent: dict[str, float] = {}",
  "    for customer, amount in orders:",
  "        count[customer] = count.get(customer, 0) + 1",
  "        spent[customer] = spent[customer] + amount if customer in spent else amount",
  "    return [customer for customer in count if count[customer] > 1 and spent[customer] >= minimum_spend]",
  "```",
].join("\n");

const MODEL = {
  id: "codeens-test-model",
  name: "Test Model",
  family: "test",
  version: "1",
  maxInputTokens: 100_000,
  maxOutputTokens: 10_000,
  capabilities: { toolCalling: true },
  isUserSelectable: true,
};

exports.activate = (context) => {
  context.subscriptions.push(
    vscode.lm.registerLanguageModelChatProvider("codeens-test", {
      provideLanguageModelChatInformation: async () => [MODEL],
      provideLanguageModelChatResponse: async (_model, _messages, _options, progress) =>
        progress.report(new vscode.LanguageModelTextPart(ANSWER)),
      provideTokenCount: async (_model, text) => Math.ceil(JSON.stringify(text).length / 4),
    }),
  );
};
