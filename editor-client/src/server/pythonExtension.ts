// The interpreter that the user chose in the Python extension, where there is one.

import * as vscode from "vscode";

const EXTENSION = "ms-python.python";

interface PythonApi {
  readonly environments: {
    getActiveEnvironmentPath(resource?: vscode.Uri): { readonly path: string };
    resolveEnvironment(
      path: unknown,
    ): Promise<{ readonly executable: { readonly uri: vscode.Uri | undefined } } | undefined>;
    readonly onDidChangeActiveEnvironmentPath: vscode.Event<unknown>;
  };
}

async function pythonApi(): Promise<PythonApi | undefined> {
  const extension = vscode.extensions.getExtension<Partial<PythonApi>>(EXTENSION);
  const api = extension?.isActive ? extension.exports : await extension?.activate();
  return api?.environments ? (api as PythonApi) : undefined;
}

export async function chosenPython(resource?: vscode.Uri): Promise<string | undefined> {
  const api = await pythonApi();
  if (api === undefined) {
    return undefined;
  }
  const environment = await api.environments.resolveEnvironment(
    api.environments.getActiveEnvironmentPath(resource),
  );
  return environment?.executable.uri?.fsPath;
}

export async function onPythonChosen(listener: () => void): Promise<vscode.Disposable | undefined> {
  return (await pythonApi())?.environments.onDidChangeActiveEnvironmentPath(listener);
}
