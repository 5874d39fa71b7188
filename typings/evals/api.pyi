from typing import Any, Protocol

class CompletionResult:
    def get_completions(self) -> list[str]: ...

class CompletionFn(Protocol):
    def __call__(self, prompt: str | list[dict[str, str]], **kwargs: Any) -> CompletionResult: ...
