// The workbench as a user sees it, in a real browser.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { CLIENT } from "./editor.mjs";
import { until } from "./processes.mjs";

export const PICTURES = join(CLIENT, "out/pictures");
export const CHROMIUM = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
export const RUN_WITHIN_MS = 300_000;

export async function openWorkbench(url, { width = 1280, height = 800 } = {}) {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--force-color-profile=srgb"],
  });
  const page = await browser.newPage({ viewport: { width, height } });
  page.setDefaultTimeout(30_000);
  await page.goto(url);
  await page.locator(".monaco-workbench .part.statusbar").waitFor({ timeout: 60_000 });
  return new Workbench(browser, page);
}

export class Workbench {
  constructor(browser, page) {
    this.browser = browser;
    this.page = page;
  }

  close() {
    return this.browser.close();
  }

  async picture(name) {
    mkdirSync(PICTURES, { recursive: true });
    await this.page.screenshot({ path: join(PICTURES, `${name}.png`), animations: "disabled" });
  }

  /** Executes a command by its title in the palette. */
  async command(title) {
    const input = this.page.locator(".quick-input-widget input");
    const row = this.page.locator(".quick-input-list .monaco-list-row", { hasText: title }).first();
    // A view that is just being loaded takes no keys, and one that then takes the focus closes the palette.
    await until(
      "the palette lists the command",
      async () => {
        await this.page.keyboard.press("F1");
        return input
          .fill(`>${title}`, { timeout: 1000 })
          .then(() => row.waitFor({ timeout: 2000 }))
          .then(
            () => true,
            () => false,
          );
      },
      20_000,
    );
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
    await until(
      `${action} is offered`,
      async () => {
        await this.page.keyboard.press("Control+.");
        return item.waitFor({ timeout: 2000 }).then(
          () => true,
          () => false,
        );
      },
      20_000,
    );
    await this.picture("light-bulb");
    await item.click();
  }

  /** Opens the extension's own menu in the context menu. */
  async submenu() {
    const opened = this.page.locator(".monaco-submenu .action-label");
    await until(
      "the menu of codeens is open",
      async () => {
        await this.page
          .locator(".monaco-menu .action-label", { hasText: /^codeens$/ })
          .hover({ timeout: 1000 })
          .catch(() => {});
        return opened
          .first()
          .waitFor({ timeout: 1000 })
          .then(
            () => true,
            () => false,
          );
      },
      10_000,
    );
  }

  /** A menu takes no click in the moment in which it opens. */
  async choose(item) {
    const menu = this.page.locator(".monaco-menu").first();
    await this.submenu();
    await until(
      `${item} is chosen`,
      async () => {
        await this.page
          .locator(".monaco-submenu .action-label", { hasText: item })
          .first()
          .click({ timeout: 1000 })
          .catch(() => {});
        return menu.waitFor({ state: "hidden", timeout: 500 }).then(
          () => true,
          () => false,
        );
      },
      10_000,
    );
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
