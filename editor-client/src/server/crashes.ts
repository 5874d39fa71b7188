// What is done when the server ends unasked: it is started once more, and not again unless it had held for a while.

export const HELD_MS = 5 * 60_000;

export class Crashes {
  private restartedAt: number | undefined;

  constructor(private readonly now: () => number) {}

  /** Whether to start it again. */
  mayRestart(): boolean {
    const at = this.now();
    if (this.restartedAt !== undefined && at - this.restartedAt < HELD_MS) {
      return false;
    }
    this.restartedAt = at;
    return true;
  }

  /** Somebody started it anew; what was before does not count. */
  forget(): void {
    this.restartedAt = undefined;
  }
}
