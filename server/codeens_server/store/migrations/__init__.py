"""How databases of earlier versions become ones of this version, for Alembic."""
