"""The bundled data, installed as the package ``territory_data``. See README.md beside this file."""
