// Calls that replace each other: one is under way, and of those that come meanwhile only the last is made.

export class Latest<T> {
  private isBusy = false;
  private waiting: { readonly argument: T } | undefined;

  constructor(private readonly call: (argument: T) => Promise<void>) {}

  async make(argument: T): Promise<void> {
    this.waiting = { argument };
    if (this.isBusy) {
      return;
    }
    this.isBusy = true;
    try {
      while (this.waiting) {
        const next: T = this.waiting.argument;
        this.waiting = undefined;
        await this.call(next);
      }
    } finally {
      this.isBusy = false;
    }
  }
}
