"""Where candidates come from: models and offline rewrites."""
