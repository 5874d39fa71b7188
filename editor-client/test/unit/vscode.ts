// What the extension's chat asks of the editor's API, for tests: it keeps what is registered.

export type Handler = (
  request: { readonly prompt: string; readonly command?: string },
  context: object,
  stream: object,
  token: object,
) => Promise<unknown>;

export interface Tool {
  prepareInvocation(options: object): { readonly confirmationMessages: { readonly message: string } };
  invoke(options: object, token: object): Promise<LanguageModelToolResult>;
}

export const registered: { tool?: Tool; participant?: Handler } = {};

export class Uri {
  private constructor(readonly path: string) {}

  static file(path: string): Uri {
    return new Uri(path);
  }

  static joinPath(base: Uri, path: string): Uri {
    return new Uri(`${base.path}/${path}`);
  }

  toString(): string {
    return `file://${this.path}`;
  }
}

export const Disposable = {
  from: (...disposables: readonly unknown[]) => ({ count: disposables.length }),
};

export class ThemeIcon {
  constructor(readonly id: string) {}
}

export class LanguageModelTextPart {
  constructor(readonly value: string) {}
}

export class LanguageModelToolResult {
  constructor(readonly content: readonly LanguageModelTextPart[]) {}
}

export const workspace = { workspaceFolders: [{ uri: Uri.file("/shop") }] };

export const window: {
  activeTextEditor?:
    | { document: { languageId: string; uri: Uri }; selection: { active: { line: number } } }
    | undefined;
} = {};

export const lm: { registerTool?: ((name: string, tool: Tool) => object) | undefined } = {
  registerTool: (_name, tool) => {
    registered.tool = tool;
    return {};
  },
};

export const chat: { createChatParticipant?: ((id: string, handler: Handler) => object) | undefined } = {
  createChatParticipant: (_id, handler) => {
    registered.participant = handler;
    return {};
  },
};
