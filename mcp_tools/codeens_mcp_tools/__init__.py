"""The door for agents: codeens' engine as tools, resources and prompts of the Model Context Protocol."""
