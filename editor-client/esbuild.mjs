// Bundles the extension, its view, and, with --tests, what the tests run.
import { readdirSync } from "node:fs";
import { context } from "esbuild";

const STUB = { vscode: "./test/unit/vscode.ts" };
const production = process.argv.includes("--production");
const watch = process.argv.includes("--watch");

const shared = {
  bundle: true,
  minify: production,
  sourcemap: production ? false : "linked",
  logLevel: "warning",
};
const node = { ...shared, platform: "node", target: "node18", format: "cjs", external: ["vscode"] };
const builds = process.argv.includes("--tests")
  ? [
      { ...node, entryPoints: tests("test/unit"), outdir: "out/test", external: [], alias: STUB },
      { ...node, entryPoints: ["test/host/index.ts"], outfile: "out/host/index.js" },
    ]
  : [
      { ...node, entryPoints: ["src/extension.ts"], outfile: "dist/extension.js" },
      {
        ...shared,
        platform: "browser",
        target: "es2022",
        format: "iife",
        entryPoints: { results: "src/webview/main.ts" },
        outdir: "dist",
      },
    ];

function tests(folder) {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => `${folder}/${name}`);
}

for (const build of builds) {
  const work = await context(build);
  if (watch) {
    await work.watch();
  } else {
    await work.rebuild();
    await work.dispose();
  }
}
