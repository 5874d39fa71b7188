"""How clients reach the MCP server."""
