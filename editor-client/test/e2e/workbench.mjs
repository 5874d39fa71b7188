// The workbench as a user sees it, in a real browser.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { CLIENT } from "./editor.mjs";
import { untilTried, WITHIN_MS } from "./processes.mjs";

export const PICTURES = join(CLIENT, "out/pictures");
export const CHROMIUM = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
export const RUN_WITHIN_MS = 600_000;
export const LOOKS = {
  light: { colorScheme: "light", forcedColors: "none", theme: "vs" },
  dark: { colorScheme: "dark", forcedColors: "none", theme: "vs-dark" },
  contrast: { colorScheme: "dark", forcedColors: "active", theme: "hc-black" },
};
/** With LOOKS=all every picture is taken in every look: dark/NAME.png, contrast/NAME.png. */
const FURTHER = process.env["LOOKS"] === "all" ? ["dark", "contrast"] : [];

export async function openWorkbench(url, { width = 1280, height = 800 } = {}) {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--force-color-profile=srgb"],
  });
  const page = await browser.newPage({ viewport: { width, height } });
  page.setDefaultTimeout(WITHIN_MS);
  await page.goto(url);
  await page.locator(".monaco-workbench .part.statusbar").waitFor();
  return new Workbench(browser, page);
}

export class Workbench {
  constructor(browser, page) {
    this.browser = browser;
    this.page = page;
    this.name = "light";
  }

  close() {
    return this.browser.close();
  }

  async picture(name) {
    const before = this.name;
    await this.screenshot(PICTURES, name);
    for (const look of FURTHER) {
      await this.look(look);
      await this.screenshot(join(PICTURES, look), name);
    }
    if (FURTHER.length > 0) {
      await this.look(before);
    }
  }

  async screenshot(folder, name) {
    mkdirSync(folder, { recursive: true });
    await this.page.screenshot({ path: join(folder, `${name}.png`), animations: "disabled" });
  }

  /** Changes the colours of the workbench, and waits until those of the results have changed too. */
  async look(name) {
    const { theme, ...media } = LOOKS[name];
    await this.page.emulateMedia(media);
    await this.page.locator(`.monaco-workbench.${theme}`).waitFor();
    const kind = name === "contrast" ? "high-contrast" : name;
    if (await this.page.locator("iframe.webview.ready[src*='extensionId=codeens.codeens']").count()) {
      await this.results.locator(`body.vscode-${kind}`).waitFor();
    }
    this.name = name;
  }

  /** Executes a command by its title in the palette. */
  async command(title) {
    const input = this.page.locator(".quick-input-widget input");
    const row = this.page.locator(".quick-input-list .monaco-list-row", { hasText: title }).first();
    // A view that is just being loaded takes no keys, and one that then takes the focus closes the palette.
    await untilTried("the palette lists the command", async (timeout) => {
      await this.page.keyboard.press("F1");
      await input.fill(`>${title}`, { timeout });
      await row.waitFor({ timeout });
    });
    await this.page.keyboard.press("Enter");
  }

  async open(file) {
    await this.page.keyboard.press("Control+p");
    const input = this.page.locator(".quick-input-widget input");
    await input.waitFor();
    await input.fill(file);
    await this.page.locator(".quick-input-list .monaco-list-row", { hasText: file }).first().waitFor();
    await this.page.keyboard.press("Enter");
    await this.page.locator(".tab.active", { hasText: file }).waitFor();
    await this.page.locator(".view-line").first().waitFor();
  }

  async goToLine(line) {
    await this.page.keyboard.press("Control+g");
    const input = this.page.locator(".quick-input-widget input");
    await input.waitFor();
    await input.fill(`:${line}`);
    await this.page.keyboard.press("Enter");
    await input.waitFor({ state: "hidden" });
  }

  /** The context menu at the text of a line that is on the screen. */
  async contextMenu(text) {
    await this.page
      .locator(".editor-instance .view-line", { hasText: text })
      .first()
      .click({ button: "right", position: { x: 40, y: 8 } });
    await this.page.locator(".monaco-menu").first().waitFor();
  }

  /** Chooses an action in the menu of the light bulb at the text of a line. */
  async lightBulb(text, action) {
    const line = this.page.locator(".editor-instance .view-line", { hasText: text }).first();
    const item = this.page.locator(".action-widget .monaco-list-row", { hasText: action }).first();
    await line.click({ position: { x: 40, y: 8 } });
    await untilTried(`${action} is offered`, async (timeout) => {
      await this.page.keyboard.press("Control+.");
      await item.waitFor({ timeout });
    });
    await this.picture("light-bulb");
    await item.click();
  }

  /** Opens the extension's own menu in the context menu. */
  async submenu() {
    const opened = this.page.locator(".monaco-submenu .action-label");
    const entry = this.page.locator(".monaco-menu .action-label", { hasText: /^codeens$/ });
    await untilTried("the menu of codeens is open", async (timeout) => {
      await entry.hover({ timeout }).catch(() => {});
      await opened.first().waitFor({ timeout });
    });
  }

  /** A menu takes no click in the moment in which it opens. */
  async choose(item) {
    const menu = this.page.locator(".monaco-menu").first();
    await this.submenu();
    const entry = this.page.locator(".monaco-submenu .action-label", { hasText: item }).first();
    await untilTried(`${item} is chosen`, async (timeout) => {
      await entry.click({ timeout }).catch(() => {});
      await menu.waitFor({ state: "hidden", timeout });
    });
  }

  /** The page of the results view; a notebook has such a frame too. */
  get results() {
    const ours = this.page.frameLocator("iframe.webview.ready[src*='extensionId=codeens.codeens']");
    return ours.first().frameLocator("iframe#active-frame");
  }

  /** Waits until the shown run is done. */
  async runDone() {
    await this.results.locator("section.run.finished").waitFor({ timeout: RUN_WITHIN_MS });
  }

  /** Waits until a lens above a function says something. */
  async lens(text) {
    await this.page.locator(".codelens-decoration", { hasText: text }).first().waitFor();
  }

  notification(text) {
    return this.page.locator(".notification-toast, .notifications-center", { hasText: text });
  }

  /** Waits until the server answers. */
  async server() {
    await this.page.getByRole("button", { name: /^codeens: (Ready|\d+ runs? in this window)/ }).waitFor();
  }
}
