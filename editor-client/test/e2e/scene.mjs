// A test in an editor of its own, which is ended with it, and pictured when the test fails.

import { test } from "node:test";
import { startEditor } from "./editor.mjs";
import { openWorkbench } from "./workbench.mjs";

export function scene(name, options, play) {
  test(name, { timeout: 1_500_000 }, async () => {
    const editor = await startEditor(typeof options === "function" ? options() : options);
    let workbench;
    try {
      workbench = await openWorkbench(editor.url);
      await play(workbench, editor);
    } catch (error) {
      await workbench?.picture(`failed ${name}`.replaceAll(/\W+/g, "-"));
      throw error;
    } finally {
      await workbench?.close();
      await editor.stop();
    }
  });
}
