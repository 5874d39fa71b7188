"""The facts that codeens is about. Their JSON is every door's wire format; `docs/schema.json` is made from them."""
