class Solver: ...

class ModelOutput:
    completion: str

class TaskState:
    sample_id: int | str
    output: ModelOutput

def generate() -> Solver: ...
def system_message(template: str) -> Solver: ...
